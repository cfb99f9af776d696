"""“I want to pay in instalments”: what lies within the limits is offered at once, the rest goes to the collector."""

from datetime import timedelta

from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...tools.law.dutch_calendar import extended
from ..kernel.formats import letter_amount, letter_day
from .page_input import PageError, clean_text

# How long an offer that was not signed is remembered, and how many can be turned down in that time.
UNSIGNED, MOST_DECLINED = timedelta(days=90), 3
# What is offered at once, of a total that the settings allow: a calm start, within a quarter of a year, and instalments
# that are worth transferring (in the currency of the company). Everything else is for a person.
OFFER_COUNT, OFFER_MINIMUM, OFFER_FIRST_DAYS = 3, 25.0, 14


class DunningPageProposal(models.AbstractModel):
    _name = 'dunning.page.proposal'
    _description = "Debtor's Page"

    def _get_arrangement_items(self):
        """Return the open items that are due, which an arrangement of the page is about."""
        self.ensure_one()
        today = self.company_id._dunning_today()
        return self._get_open_items().filtered(lambda item: item._get_dunning_due_date() < today)

    def _get_arrangement_terms(self, count, first):
        """Return the terms of a proposal: what the page says is owed, free of charge."""
        return {
            'calculate': 'count', 'instalment_count': count, 'period': 'month', 'date_first': first,
            'with_unasked': False, 'interest_mode': 'none', 'down_payment': 0.0,
        }

    def _get_first_dates(self):
        """Return the first and the last day on which the first instalment can be, of an arrangement at once."""
        today = self.company_id._dunning_today()
        return today + timedelta(days=1), today + timedelta(days=OFFER_FIRST_DAYS)

    def _get_offers(self, claims=None):
        """Return the arrangements that the debtor can have at once: ``[{count, text, total, …}]``, possibly none.

        None when the company wants a person to look, when an amount is in dispute, on hold or covered by credits, when
        something was broken in the last year or an offer was left to lie (:meth:`_was_unreliable`), or when there is
        another arrangement: then a proposal goes to the collector.

        :param claims: what is due, where it was worked out already
        """
        self.ensure_one()
        company = self.company_id
        if not company.dunning_page_offer_total or self._get_arrangements() or self._was_unreliable():
            return []
        if claims is None:
            claims, _items = self._compute_claims()
        # Letters that ask different things: a person decides what goes together.
        if len(claims) != 1 or any(entry.reduction for entry in claims[0].items):
            return []
        claim, currency = claims[0], company.currency_id
        if claim.currency != currency.name or claim.total <= 0:
            return []
        if currency.compare_amounts(float(claim.total), company.dunning_page_offer_total) > 0:
            return []
        items = self._get_arrangement_items()
        first = self._get_first_dates()[1]
        offers = []
        for count in range(2, OFFER_COUNT + 1):
            try:
                answer = self.env['dunning.arrangement']._preview(
                    company, self.partner_id, items, self._get_arrangement_terms(count, extended(first)))
            except UserError:
                break  # nothing that can be arranged, such as with something in dispute
            amounts = [part['amount'] for part in answer['instalments']]
            if (
                currency.compare_amounts(min(amounts), OFFER_MINIMUM) < 0
                or answer['approval_reason']
                or currency.compare_amounts(answer['amount_total'], float(claim.total))
            ):
                break
            last = answer['instalments'][-1]
            offers.append({
                'count': count,
                'amount': letter_amount(self.env, amounts[0], currency),
                'total': letter_amount(self.env, answer['amount_total'], currency),
                'first': letter_day(self.env, answer['instalments'][0]['date_due']),
                'last': letter_day(self.env, last['date_due']),
                'last_amount': (
                    letter_amount(self.env, last['amount'], currency)
                    if currency.compare_amounts(last['amount'], amounts[0]) else ''),
            })
        return offers

    def _was_unreliable(self):
        """Return whether a person has to look at a proposal: something was broken, or was offered and left to lie.

        Reminders wait while an offer can be signed, so who asks for offers and never signs one would wait for ever.
        """
        today = self.company_id._dunning_today()
        mine = Domain('company_id', 'in', self.company_id._get_dunning_company_ids()) & Domain(
            'partner_id', '=', self.partner_id.id)
        Arrangement = self.env['dunning.arrangement']
        if Arrangement.search_count(
            mine & (Domain('state', '=', 'broken') & Domain('closed_on', '>=', today - timedelta(days=365))
                    | Domain('close_code', '=', 'expired') & Domain('closed_on', '>=', today - UNSIGNED)), limit=1,
        ):
            return True
        declined = mine & Domain('close_code', '=', 'by_debtor') & Domain('closed_on', '>=', today - UNSIGNED)
        return Arrangement.search_count(declined, limit=MOST_DECLINED) == MOST_DECLINED

    def _register_arrangement(self, values):
        """Offer what lies within the limits at once; pass everything else to the collector.

        :param dict values: what was posted: ``count`` (a number that was offered, or ``other``), ``amount`` per month,
            ``first_date`` and ``note``
        :return: ``(code, arrangement)``: ``'arrangement_offered'`` with the offer to sign, ``'arrangement_known'`` with
            the one there is, or ``'arrangement_asked'``
        :raise PageError: when something is missing or wrong
        """
        self.ensure_one()
        live = self._get_arrangements()[:1]
        if live:
            return 'arrangement_known', live
        today = self.company_id._dunning_today()
        choice = str(values.get('count') or '')
        offers = {str(offer['count']): offer for offer in self._get_offers()}
        if choice in offers:
            return self._offer_arrangement(int(choice))
        if choice != 'other':
            raise PageError('count', self.env._("Choose how you want to pay."))
        debts = self._get_debt()['debts']
        if not debts:
            raise PageError('count', self.env._("Nothing has to be paid now, so there is nothing to arrange."))
        currency = debts[0]['currency']
        amount = self._read_amount(values, 'amount', currency)
        if not amount:
            raise PageError('amount', self.env._("How much can you pay each month?"))
        first = self._read_date(values, 'first_date')
        if not first:
            raise PageError('first_date', self.env._("On which day can you begin to pay?"))
        if not today <= first <= today + timedelta(days=92):
            raise PageError('first_date', self.env._("Choose a day between today and three months from now."))
        note = clean_text(values.get('note'))
        key = f'arrangement:{amount:.2f}:{first}:{note}'[:400]
        if self._begin_request(key) or self._count_proposals() >= 3:
            return 'arrangement_known', self.env['dunning.arrangement']
        text = self.env._(
            "%(amount)s each month, from %(date)s.", amount=letter_amount(self.env, amount, currency),
            date=letter_day(self.env, first)) + (f"\n{note}" if note else '')
        self._pass_on_proposal(amount, first, text, key)
        return 'arrangement_asked', self.env['dunning.arrangement']

    def _count_proposals(self):
        """Return how many proposals of the last week wait for the collector."""
        since = self.company_id._dunning_today() - timedelta(days=7)
        return self.env['dunning.page.request'].search_count([
            ('page_id', '=', self.id), ('kind', '=', 'arrangement'), ('date', '>=', since),
            '|', ('arrangement_id', '=', False), ('arrangement_id.state', '=', 'draft')])

    def _offer_arrangement(self, count):
        """Draw up what lies within the limits and offer it; the visitor reads and signs it next."""
        today = self.company_id._dunning_today()
        made = self.env['dunning.page.request'].search_count([
            ('page_id', '=', self.id), ('kind', '=', 'arrangement'), ('arrangement_id.state', '!=', 'draft')])
        key = f'arrangement_offer:{today}:{count}:{made}'
        self._begin_request(key)
        live = self._get_arrangements()[:1]  # again, now that nobody else can
        if live:
            return 'arrangement_known', live
        user = self._get_collector()
        arrangement = self.env['dunning.arrangement']._make_and_offer(
            self.company_id, self.partner_id, self._get_arrangement_items(),
            self._get_arrangement_terms(count, extended(self._get_first_dates()[1])), user=user, send=False)
        self._record_request(
            'arrangement', key, self.env._("In %s instalments, offered at once.", count), arrangement_id=arrangement.id)
        return 'arrangement_offered', arrangement

    def _pass_on_proposal(self, amount, first, text, key):
        """Draw up a draft of what the debtor proposes, for the collector to look at; without one where that cannot be.

        A draft promises nothing: the collector changes it, offers it or turns it down.
        """
        user = self._get_collector()
        terms = self._get_arrangement_terms(1, first) | {'calculate': 'amount', 'instalment_amount': amount}
        arrangement, why = self.env['dunning.arrangement'], ''
        try:
            with self.env.cr.savepoint():
                arrangement = arrangement._make(
                    self.company_id, self.partner_id, self._get_arrangement_items(), terms, user=user)
        except UserError as error:
            why = str(error)
        self._record_request('arrangement', key, text, arrangement_id=arrangement.id)
        self._tell_collector(
            arrangement or self.partner_id, user,
            lambda env: env._("%s wants to pay in instalments", self.partner_id.name),
            lambda env: Markup("<p>%s</p>%s%s") % (
                env._("Sent from the debtor's page. Look at his history, then offer it, propose something else, or "
                      "call him."),
                self._quote(text),
                Markup("<p>%s</p>") % why if why else ''))

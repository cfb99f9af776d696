import re
import unicodedata
from contextlib import suppress
from datetime import date, timedelta

from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import email_normalize, float_compare
from odoo.tools.mimetypes import guess_mimetype

from ...tools.law.dutch_calendar import extended

# How many requests of one page are taken on one day: more is a mistake or a program.
REQUESTS_PER_DAY = 10
MAX_FILE_BYTES = 10 * 1024 * 1024
# What a debtor can add, by its contents; the name it came with says nothing.
FILE_TYPES = {'application/pdf': 'pdf', 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp'}
MAX_TEXT = 2000
# How long what a debtor says he paid counts as the same payment, in days.
SAME_PAYMENT_DAYS = 60
# How many years back a payment can have been made.
OLDEST_PAYMENT = timedelta(days=3 * 366)
# How long an offer that was not signed is remembered, and how many can be turned down in that time.
UNSIGNED, MOST_DECLINED = timedelta(days=90), 3
AMOUNT = re.compile(r"[0-9]{1,3}(?:[.,' ]?[0-9]{3})*(?:[.,][0-9]{1,2})?|[0-9]+(?:[.,][0-9]{1,2})?")
PHONE = re.compile(r'[+()0-9 ./-]{6,30}')


class PageError(UserError):
    """What is wrong with what a visitor filled in, and in which field."""

    def __init__(self, field, sentence):
        super().__init__(sentence)
        self.field = field


class TooManyRequests(UserError):
    """The page sent enough for today."""


def clean_text(text, size=MAX_TEXT, *, lines=True):
    """Return what a visitor typed as plain text: no control characters, no more than ``size`` characters."""
    text = unicodedata.normalize('NFC', str(text or '')).replace('\r\n', '\n').replace('\r', '\n')
    keep = '\n\t' if lines else ''
    text = ''.join(
        char if char in keep or unicodedata.category(char) not in ('Cc', 'Cf', 'Cs', 'Co', 'Cn') else ' '
        for char in text)
    return text.strip()[:size]


def parse_amount(text):
    """Return a positive amount as people write it (“1.234,56”, “1,234.56”, “€ 12”), or None."""
    text = (text or '').replace('€', '').replace('EUR', '').replace('\N{NO-BREAK SPACE}', ' ').strip()
    if not AMOUNT.fullmatch(text) or len(text) > 15:
        return None
    head, sep, tail = text, '', ''
    match = re.fullmatch(r'(.*?)([.,])([0-9]{1,2})', text)
    if match:
        head, sep, tail = match.groups()
    if sep and sep in head:  # “12,345,6” says nothing for certain
        return None
    whole = re.sub(r'[^0-9]', '', head)
    value = float(f"{whole or '0'}.{tail or '0'}" if sep else whole)
    return value if value > 0 else None


class DunningPage(models.Model):
    _inherit = 'dunning.page'

    # -------------------------------------------------------------------------
    # TAKING IN
    # -------------------------------------------------------------------------

    def _begin_request(self, key):
        """Return the earlier request with this key, or an empty record after making sure there may be a new one.

        The page is written first: who sends the same twice at the same moment waits here for himself, and the second
        finds what the first did.

        :raise TooManyRequests: when today's number is reached
        """
        self.ensure_one()
        today = self.company_id._dunning_today()
        self.env.cr.execute("UPDATE dunning_page SET write_date = write_date WHERE id = %s", [self.id])
        Request = self.env['dunning.page.request']
        known = Request.search([('page_id', '=', self.id), ('key', '=', key)], limit=1)
        if not known and Request.search_count(
                [('page_id', '=', self.id), ('date', '=', today)]) >= REQUESTS_PER_DAY:
            raise TooManyRequests(self.env._(
                "You have sent a lot today, so we take nothing more for now. What you sent before has arrived. Try "
                "again tomorrow, or call us."))
        return known

    def _record_request(self, kind, key, text, **values):
        self.ensure_one()
        return self.env['dunning.page.request'].create({
            'page_id': self.id, 'kind': kind, 'key': key, 'date': self.company_id._dunning_today(), 'text': text,
            **values})

    def _get_collector(self, move=None):
        """Return who is to look at what the debtor sent, or whoever keeps the program where nobody can."""
        self.ensure_one()
        return self.partner_id._get_dunning_collector(self.company_id) or self.env.user

    def _tell_collector(self, record, user, summary, note):
        """Plan an activity for the collector, in his language: today.

        :param summary, note: functions of an environment that return text; in the note what was typed is escaped
        """
        env = self.with_context(lang=user.lang).env
        record.activity_schedule(
            'mail.mail_activity_data_todo', date_deadline=self.company_id._dunning_today(), user_id=user.id,
            summary=summary(env), note=note(env))

    def _quote(self, text):
        """Return what a debtor typed as a quotation: escaped, on its own lines."""
        lines = Markup("<br/>").join((text or '').split('\n'))
        return Markup("<blockquote>%s</blockquote>") % lines

    # -------------------------------------------------------------------------
    # FIELDS OF THE FORMS
    # -------------------------------------------------------------------------

    def _read_invoice(self, values):
        move = self._find_invoice(values.get('invoice_id'), only_open=True)
        if not move:
            raise PageError('invoice_id', self.env._("Choose the invoice it is about."))
        return move

    def _read_text(self, values, name, least, question):
        text = clean_text(values.get(name))
        if len(text) < least:
            raise PageError(name, question)
        return text

    def _read_amount(self, values, name, currency):
        """Return the amount that was filled in, or None for an empty field."""
        text = clean_text(values.get(name), 40, lines=False)
        if not text:
            return None
        amount = parse_amount(text)
        if amount is None or float_compare(amount, 0, precision_digits=2) <= 0:
            raise PageError(name, self.env._(
                "“%s” is not an amount we can read. Write it with digits, for example 125,50.", text[:20]))
        return currency.round(amount)

    def _read_date(self, values, name):
        """Return the date that was filled in, from a date field or typed as people do; None for an empty field."""
        text = clean_text(values.get(name), 20, lines=False)
        if not text:
            return None
        numbers = [int(part) for part in re.findall(r'[0-9]+', text)]
        with suppress(ValueError):  # such as 31 February
            if re.fullmatch(r'[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}', text):
                return date(*numbers)
            if re.fullmatch(r'[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{4}', text):
                return date(*reversed(numbers))
        raise PageError(name, self.env._(
            "“%s” is not a date. Write it as day, month and year, for example 31-12-2026.", text))

    def _read_file(self, upload, name='file'):
        """Return ``(name, contents, type)`` of a file that was added, or None.

        The type follows from the contents, and the name is text with the ending that belongs to that type.
        """
        if not upload or not getattr(upload, 'filename', None):
            return None
        data = upload.stream.read(MAX_FILE_BYTES + 1)
        if not data:
            raise PageError(name, self.env._("The file is empty. Choose it again."))
        if len(data) > MAX_FILE_BYTES:
            raise PageError(name, self.env._("The file is larger than 10 MB. Choose a smaller one."))
        kind = guess_mimetype(data, default='application/octet-stream')
        if kind not in FILE_TYPES:
            raise PageError(
                name, self.env._("This kind of file cannot be added. Choose a PDF or a photo (JPG or PNG)."))
        base = re.split(r'[\\/]', clean_text(upload.filename, 200, lines=False))[-1]
        stem = re.sub(r'[^\w .,()+-]', '_', base.rpartition('.')[0] or base).strip(' .')[:80] or 'file'
        return f'{stem}.{FILE_TYPES[kind]}', data, kind

    def _attach(self, record, file):
        if file:
            name, data, kind = file
            self.env['ir.attachment'].create({
                'name': name, 'raw': data, 'mimetype': kind, 'res_model': record._name, 'res_id': record.id})

    # -------------------------------------------------------------------------
    # “I DO NOT AGREE”
    # -------------------------------------------------------------------------

    def _register_dispute(self, values, upload=None):
        """Put an invoice that the debtor disputes on hold, and ask the collector to look into it.

        :param dict values: what was posted: ``invoice_id``, ``category``, ``reason``, ``amount``
        :param upload: a file that came with it
        :return: ``'dispute'``, ``'dispute_known'`` when it is disputed already, or ``'dispute_again'`` when it was
            settled before: then a person decides whether it waits once more
        :raise PageError: when something is missing or wrong
        """
        self.ensure_one()
        move = self._read_invoice(values)
        Hold = self.env['dunning.hold']
        categories = dict(Hold._fields['dispute_category']._description_selection(self.env))
        category = values.get('category')
        if category not in categories:
            raise PageError('category', self.env._("Choose what is wrong."))
        text = self._read_text(values, 'reason', 10, self.env._(
            "Tell us in a few words what is wrong, so that we can look into it."))
        amount = self._read_amount(values, 'amount', move.currency_id)
        if amount and move.currency_id.compare_amounts(amount, move.amount_residual) >= 0:
            amount = None  # all of it
        file = self._read_file(upload)
        earlier = Hold.search([
            ('company_id', '=', self.company_id.id), ('partner_id', '=', self.partner_id.id), ('is_dispute', '=', True),
            '|', ('move_id', '=', move.id), ('move_line_id.move_id', '=', move.id)], order='id desc', limit=1)
        key = f'dispute:{move.id}:{earlier.id if earlier and earlier.state == "ended" else 0}'
        if self._begin_request(key) or (earlier and earlier.state != 'ended'):
            return 'dispute_known'
        user = self._get_collector(move)
        if earlier:
            request = self._record_request('dispute', key, text, move_id=move.id)
            record, code = move, 'dispute_again'
        else:
            reason = self.env.ref('l10n_nl_dunning.hold_reason_dispute')
            record = Hold.create({
                'move_id': move.id, 'reason_id': reason.id, 'user_id': user.id, 'amount': amount or 0.0,
                'date_end': self.company_id._dunning_today() + timedelta(days=reason.default_days),
                'dispute_category': category, 'note': text,
            })
            record._take_back_notices()
            request = self._record_request('dispute', key, text, move_id=move.id, hold_id=record.id)
            code = 'dispute'
        self._attach(record, file)
        self._tell_collector(
            record, user,
            lambda env: (
                env._("%(debtor)s disputes %(invoice)s again", debtor=self.partner_id.name, invoice=move.name)
                if earlier else
                env._("%(debtor)s disputes %(invoice)s", debtor=self.partner_id.name, invoice=move.name)),
            lambda env: Markup("<p>%s</p>%s") % (
                env._("It was settled before, so reminders go on unless you put it on hold.") if earlier
                else env._("Sent from the debtor's page. Reminders wait; find out who is right and tell him."),
                self._quote(request.text)))
        return code

    # -------------------------------------------------------------------------
    # “I HAVE PAID”
    # -------------------------------------------------------------------------

    def _register_paid(self, values, upload=None):
        """Wait a few days with what the debtor says he paid, and ask the collector to look for the money.

        :param dict values: what was posted: ``invoice_id``, ``paid_date``, ``amount``, ``note``
        :return: ``'paid'``, ``'paid_known'`` when he told us before, or ``'paid_again'`` when that is over and the
            money was not found: then a person decides
        :raise PageError: when something is missing or wrong
        """
        self.ensure_one()
        today = self.company_id._dunning_today()
        move = self._read_invoice(values)
        paid_date = self._read_date(values, 'paid_date')
        if not paid_date:
            raise PageError('paid_date', self.env._("On which day did you pay?"))
        if paid_date > today:
            raise PageError('paid_date', self.env._("This day has not come yet. On which day did you pay?"))
        if paid_date < today - OLDEST_PAYMENT:
            raise PageError('paid_date', self.env._("This day is too long ago. On which day did you pay?"))
        amount = self._read_amount(values, 'amount', move.currency_id)
        if not amount:
            raise PageError('amount', self.env._("How much did you pay?"))
        note = clean_text(values.get('note'))
        file = self._read_file(upload)
        Request = self.env['dunning.page.request']
        earlier = Request.search([
            ('page_id', '=', self.id), ('kind', '=', 'paid'), ('move_id', '=', move.id),
            ('date', '>=', today - timedelta(days=SAME_PAYMENT_DAYS))], order='id desc', limit=1)
        waiting = earlier.hold_id and earlier.hold_id.state != 'ended'
        key = f'paid:{move.id}:{earlier.id if earlier and not waiting else 0}:{paid_date}:{amount:.2f}'
        if self._begin_request(key) or waiting:
            return 'paid_known'
        user = self._get_collector(move)
        text = self.env._(
            "Paid %(amount)s on %(date)s.", amount=self._say_amount(amount, move.currency_id),
            date=self._say_date(paid_date)) + (f"\n{note}" if note else '')
        if earlier:
            self._record_request('paid', key, text, move_id=move.id)
            record, code = move, 'paid_again'
        else:
            reason = self.env.ref('l10n_nl_dunning.hold_reason_says_paid')
            whole = move.currency_id.compare_amounts(amount, move.amount_residual) >= 0
            record = self.env['dunning.hold'].create({
                'move_id': move.id, 'reason_id': reason.id, 'user_id': user.id, 'amount': 0.0 if whole else amount,
                'date_end': today + timedelta(days=reason.default_days), 'note': text,
            })
            record._take_back_notices()
            self._record_request('paid', key, text, move_id=move.id, hold_id=record.id)
            code = 'paid'
        self._attach(record, file)
        self._tell_collector(
            record, user,
            lambda env: env._(
                "%(debtor)s says that %(invoice)s was paid", debtor=self.partner_id.name, invoice=move.name),
            lambda env: Markup("<p>%s</p>%s") % (
                env._("He said so before and the money was not found, so reminders go on unless you put it on hold.")
                if earlier else env._("Sent from the debtor's page. Look for the payment; reminders wait a few days."),
                self._quote(text)))
        return code

    # -------------------------------------------------------------------------
    # OTHER CONTACT DATA
    # -------------------------------------------------------------------------

    def _register_contact(self, values):
        """Pass on which name, e-mail address, telephone number or address the debtor wants to be reached at.

        A person changes the contact: who has the link could otherwise move the letters to himself.

        :param dict values: what was posted: ``name``, ``email``, ``phone``, ``address``
        :return: ``'contact'`` or ``'contact_known'``
        """
        self.ensure_one()
        name = clean_text(values.get('name'), 120, lines=False)
        email = clean_text(values.get('email'), 120, lines=False)
        phone = clean_text(values.get('phone'), 40, lines=False)
        address = clean_text(values.get('address'), 300)
        if email and not email_normalize(email):
            raise PageError('email', self.env._(
                "This is not an e-mail address. It looks like name@example.com."))
        if phone and not PHONE.fullmatch(phone):
            raise PageError('phone', self.env._("This is not a telephone number. Use digits, for example 06 12345678."))
        given = [
            (self.env._("Name"), name), (self.env._("E-mail"), email), (self.env._("Phone"), phone),
            (self.env._("Address"), address)]
        given = [(label, text) for label, text in given if text]
        if not given:
            raise PageError('name', self.env._("Fill in at least one of the fields."))
        text = '\n'.join(f'{label}: {words}' for label, words in given)
        key = f'contact:{self.company_id._dunning_today()}:{name}|{email}|{phone}|{address}'[:400]
        if self._begin_request(key):
            return 'contact_known'
        user = self._get_collector()
        self._record_request('contact', key, text)
        self._tell_collector(
            self.partner_id, user,
            lambda env: env._("%s gave other contact data", self.partner_id.name),
            lambda env: Markup("<p>%s</p>%s") % (
                env._("Sent from the debtor's page; nothing was changed. Check that it is really him, then change the "
                      "contact."), self._quote(text)))
        return 'contact'

    # -------------------------------------------------------------------------
    # “I WANT TO PAY IN INSTALMENTS”
    # -------------------------------------------------------------------------

    def _get_arrangement_items(self):
        """Return the open items that are due, which an arrangement of the page is about."""
        self.ensure_one()
        today = self.company_id._dunning_today()
        return self._get_open_items().filtered(lambda item: (item.date_maturity or item.date) < today)

    def _get_arrangement_terms(self, count, first, claims):
        """Return the terms of a proposal: what the page says is owed, free of charge."""
        return {
            'calculate': 'count', 'instalment_count': count, 'period': 'month', 'date_first': first,
            'with_interest': any(claim.with_interest for claim in claims),
            'with_costs': any(claim.with_costs for claim in claims), 'interest_mode': 'none', 'down_payment': 0.0,
        }

    def _get_first_dates(self):
        """Return the first and the last day on which the first instalment can be, of an arrangement at once."""
        company = self.company_id
        today = company._dunning_today()
        return today + timedelta(days=1), today + timedelta(days=company.dunning_page_offer_days)

    def _get_offers(self, claims=None):
        """Return the arrangements that the debtor can have at once: ``[{count, text, total, …}]``, possibly none.

        None when the company wants a person to look, when an amount is in dispute, on hold or covered by credits, when
        something was broken in the last year or an offer was left to lie (:meth:`_was_unreliable`), or when there is
        another arrangement: then a proposal goes to the collector.

        :param claims: what is due, where it was worked out already
        """
        self.ensure_one()
        company = self.company_id
        if not company.dunning_page_offer or self._get_arrangements() or self._was_unreliable():
            return []
        if claims is None:
            claims, _items, _decisions = self._compute_claims()
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
        for count in range(2, company.dunning_page_offer_count + 1):
            try:
                answer = self.env['dunning.arrangement']._preview(
                    company, self.partner_id, items, self._get_arrangement_terms(count, extended(first), claims))
            except UserError:
                break  # nothing that can be arranged, such as with something in dispute
            amounts = [part['amount'] for part in answer['instalments']]
            if (
                currency.compare_amounts(min(amounts), company.dunning_page_offer_minimum) < 0
                or answer['approval_reason']
                or currency.compare_amounts(answer['amount_total'], float(claim.total))
            ):
                break
            last = answer['instalments'][-1]
            offers.append({
                'count': count,
                'amount': self._say_amount(amounts[0], currency),
                'total': self._say_amount(answer['amount_total'], currency),
                'first': self._say_date(answer['instalments'][0]['date_due']),
                'last': self._say_date(last['date_due']),
                'last_amount': (
                    self._say_amount(last['amount'], currency)
                    if currency.compare_amounts(last['amount'], amounts[0]) else ''),
            })
        return offers

    def _was_unreliable(self):
        """Return whether a person has to look at a proposal: something was broken, or was offered and left to lie.

        Reminders wait while an offer can be signed, so who asks for offers and never signs one would wait for ever.
        """
        today = self.company_id._dunning_today()
        mine = Domain('company_id', '=', self.company_id.id) & Domain('partner_id', '=', self.partner_id.id)
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
        known = self._begin_request(f'arrangement:{amount:.2f}:{first}:{note}'[:400])
        if known or self._count_proposals() >= 3:
            return 'arrangement_known', self.env['dunning.arrangement']
        text = self.env._(
            "%(amount)s each month, from %(date)s.", amount=self._say_amount(amount, currency),
            date=self._say_date(first)) + (f"\n{note}" if note else '')
        self._pass_on_proposal(amount, first, text, f'arrangement:{amount:.2f}:{first}:{note}'[:400])
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
        key = f'arrangement_offer:{today}:{count}:{self._count_offers()}'
        self._begin_request(key)
        live = self._get_arrangements()[:1]  # again, now that nobody else can
        if live:
            return 'arrangement_known', live
        claims, _items, _decisions = self._compute_claims()
        user = self._get_collector()
        arrangement = self.env['dunning.arrangement']._make(
            self.company_id, self.partner_id, self._get_arrangement_items(),
            self._get_arrangement_terms(count, extended(self._get_first_dates()[1]), claims), user=user)
        arrangement._offer(send=False)
        self._record_request(
            'arrangement', key, self.env._("In %s instalments, offered at once.", count), arrangement_id=arrangement.id)
        return 'arrangement_offered', arrangement

    def _count_offers(self):
        return self.env['dunning.page.request'].search_count([
            ('page_id', '=', self.id), ('kind', '=', 'arrangement'), ('arrangement_id.state', '!=', 'draft')])

    def _pass_on_proposal(self, amount, first, text, key):
        """Draw up a draft of what the debtor proposes, for the collector to look at; without one where that cannot be.

        A draft promises nothing: the collector changes it, offers it or turns it down.
        """
        user = self._get_collector()
        claims, _items, _decisions = self._compute_claims()
        terms = self._get_arrangement_terms(1, first, claims) | {'calculate': 'amount', 'instalment_amount': amount}
        arrangement = self.env['dunning.arrangement']
        try:
            with self.env.cr.savepoint():
                arrangement = arrangement._make(
                    self.company_id, self.partner_id, self._get_arrangement_items(), terms, user=user)
        except UserError as error:
            why = str(error)
        else:
            why = ''
        self._record_request('arrangement', key, text, arrangement_id=arrangement.id)
        self._tell_collector(
            arrangement or self.partner_id, user,
            lambda env: env._("%s wants to pay in instalments", self.partner_id.name),
            lambda env: Markup("<p>%s</p>%s%s") % (
                env._("Sent from the debtor's page. Look at his history, then offer it, propose something else, or "
                      "call him."),
                self._quote(text),
                Markup("<p>%s</p>") % why if why else ''))

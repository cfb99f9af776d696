"""What the debtor reads about a payment arrangement on its page and pays there, in the language it is written in.

The templates add nothing up: every amount and day leaves here as words. How much is to be paid is worked out here, by
the ledger, whenever it is asked: what a browser sends is only compared with it. The transaction carries the invoices,
so that Odoo reconciles them, the oldest first, once it is confirmed.
"""

import re
from typing import Any, NamedTuple

from odoo import models

from ...tools.law.amounts import ZERO, to_decimal
from ..kernel.formats import letter_amount, letter_day
from .arrangement_states import CLOSED_STATES


class Payable(NamedTuple):
    """What is to be paid at this moment."""

    amount: float  # in the currency
    currency: Any  # res.currency
    moves: Any  # account.move it is reconciled with
    reference: str  # the beginning of the transaction's reference
    partner: Any  # res.partner whose debt it is
    company: Any  # res.company
    what: str = 'all'
    instalment: Any = None  # dunning.arrangement.instalment


def make_reference(text):
    """Return a text as banks and payment providers take it: letters, digits and hyphens."""
    return re.sub(r'[^A-Za-z0-9]+', '-', text or '').strip('-')


class DunningArrangementPage(models.AbstractModel):
    _name = 'dunning.arrangement.page'
    _description = "Payment Arrangement"

    def _format_amount(self, amount):
        self.ensure_one()
        return letter_amount(self.env, amount, self.currency_id)

    def _prepare_page(self):
        """Return what the page shows, in the language of the environment.

        :return: dict with ``status`` (kind and sentence), ``can_sign``, ``can_pay``, ``clauses`` (as frozen in
            the document: what one reads here is what one signs), ``instalments``, ``debt`` and ``sums`` (rows of
            words)
        """
        self.ensure_one()
        payable = self._get_payable('due')
        document = self.sudo().document_data  # sudo: only its clauses
        return {
            'title': self.env._("Payment arrangement %s", self.name),
            'status': self._tell_status(),
            'can_sign': self.state == 'offered' and not self._is_expired(),
            'due': self._format_amount(payable.amount) if payable else '',
            'left': self._format_amount(self.amount_left) if self._get_payable('all') else '',
            'total': self._format_amount(self.amount_total),
            'clauses': self._get_clauses(document) if document else [],
            'instalments': self._prepare_page_instalments(),
            'debt': self._prepare_page_debt(),
            'sums': self._prepare_page_sums(),
            'signatures': self._prepare_page_signatures(),
        }

    # -------------------------------------------------------------------------
    # HOW IT STANDS
    # -------------------------------------------------------------------------

    def _tell_status(self):
        """Return ``(kind, sentence)``: ``note`` (something to do), ``good`` or ``bad``."""
        self.ensure_one()
        if self.state == 'offered':
            if self._is_expired():
                return 'bad', self._tell_expired()
            return 'note', self.env._(
                "Read the arrangement and sign it no later than %s. Nothing has been agreed before you signed.",
                letter_day(self.env, self.valid_until))
        if self.state == 'signed':
            return 'good', self.env._(
                "You signed on %s. The arrangement begins to run when we have signed it too; you then get a copy.",
                letter_day(self.env, self.signed_date))
        if self.state == 'active':
            return self._tell_running_status()
        if self.state == 'kept':
            return 'good', self.env._("Everything has been paid. Thank you for keeping to the arrangement.")
        if self.state == 'broken':
            return 'bad', self.env._(
                "This arrangement has ended, because it was not kept to. What is left has to be paid at once. Contact "
                "us if you cannot.")
        return 'bad', self._tell_ended()

    def _tell_running_status(self):
        late = self.instalment_ids.filtered(lambda part: part.state in ('late', 'missed'))
        if late:
            amount = sum(late.mapped('amount_left'))
            return 'bad', self.env._(
                "%(amount)s should have been paid by %(date)s. Please pay it now, so that the arrangement can go on.",
                amount=self._format_amount(amount), date=letter_day(self.env, min(late.mapped('date_due'))))
        coming = self._get_next_part()
        if not coming:
            return 'good', self.env._("Every instalment has been paid. Thank you.")
        return 'good', self.env._(
            "The arrangement runs. The next payment is %(amount)s, no later than %(date)s.",
            amount=self._format_amount(coming.amount_left), date=letter_day(self.env, coming.date_due))

    # -------------------------------------------------------------------------
    # WHAT IS AGREED
    # -------------------------------------------------------------------------

    def _prepare_page_instalments(self):
        self.ensure_one()
        kinds = {
            'down_payment': self.env._("Down payment"),
            'interest': self.env._("Interest"),
        }
        states = {
            'open': '',
            'due': self.env._("to be paid now"),
            'paid': self.env._("paid"),
            'late': self.env._("not received yet"),
            'missed': self.env._("too late"),
            'cancelled': self.env._("lapsed"),
        }
        payable = self._get_unpaid_parts() if self.state == 'active' else self.instalment_ids.browse()
        regular = 0
        rows = []
        for part in self._get_parts():
            if part.kind == 'instalment':
                regular += 1
            some = self.currency_id.compare_amounts(part.amount_paid, 0) > 0 and part.state != 'paid'
            rows.append({
                'id': part.id,
                'name': kinds.get(part.kind) or self.env._("Instalment %s", regular),
                'date': letter_day(self.env, part.date_due),
                'amount': self._format_amount(part.amount),
                'state': part.state,
                # Before it runs nothing is due, and after it has ended the days do not count any more.
                'state_text': states.get(part.state, '') if self.state not in ('offered', 'signed') else '',
                'paid_text': self.env._(
                    "%(paid)s paid, %(left)s left", paid=self._format_amount(part.amount_paid),
                    left=self._format_amount(part.amount_left)) if some and self.state not in CLOSED_STATES else '',
                'can_pay': part in payable,
            })
        return rows

    def _prepare_page_debt(self):
        """Return the invoices it is about; what books interest and costs of the others counts there."""
        self.ensure_one()
        return [
            {
                'name': line.name or line.move_id.name or '',
                'date': letter_day(self.env, line.date_due),
                'principal': self._format_amount(line.amount_principal),
                'interest': self._format_amount(line.amount_interest) if line.amount_interest else '',
                'costs': self._format_amount(line.amount_costs) if line.amount_costs else '',
                'total': self._format_amount(line.amount_total),
            }
            for line in self.line_ids if not line.is_booking]

    def _prepare_page_sums(self):
        self.ensure_one()
        sums = [(self.env._("Invoices"), self._format_amount(self.amount_principal))]
        if self.amount_interest:
            sums.append((
                self.env._("Interest until %s", letter_day(self.env, self.claim_date)),
                self._format_amount(self.amount_interest)))
        if self.amount_costs:
            sums.append((self.env._("Collection costs"), self._format_amount(self.amount_costs)))
        return sums

    def _prepare_page_signatures(self):
        """Return who signed and when, for both sides."""
        self.ensure_one()
        rows = []
        if self.signed_on:
            rows.append(self.env._(
                "Signed by %(name)s on %(date)s.", name=self.signed_name, date=letter_day(self.env, self.signed_date)))
        if self.countersigned_on:
            rows.append(self.env._(
                "Signed for %(company)s by %(name)s.", company=self.company_id.name,
                # sudo: who signed stands on the agreement
                name=self.countersigned_by_id.sudo().name))
        return rows

    # -------------------------------------------------------------------------
    # PAYING
    # -------------------------------------------------------------------------

    def _tell_what_is_paid(self, what, instalment=None):
        """Return the title of the page on which it is paid."""
        self.ensure_one()
        if instalment:
            return self.env._("Pay the instalment of %s", letter_day(self.env, instalment.date_due))
        return (
            self.env._("Pay what is due now") if what == 'due' and self.state == 'active'
            else self.env._("Pay everything that is left"))

    def _tell_before_paying(self, what, instalment=None):
        """Return what one should know before paying."""
        self.ensure_one()
        if instalment and self._get_unpaid_parts().filtered(lambda part: part.date_due < instalment.date_due):
            return self.env._(
                "An earlier instalment was not paid yet. What you pay now is used for that one first.")
        return self.env._("Payment arrangement %s", self.name)

    def _tell_after_paying(self):
        """Return what is left, in words for the debtor."""
        self.ensure_one()
        coming = self._get_next_part()
        if self.state == 'active' and coming:
            return self.env._(
                "Still to be paid: %(left)s. The next payment is %(amount)s, no later than %(date)s.",
                left=self._format_amount(self.amount_left), amount=self._format_amount(coming.amount_left),
                date=letter_day(self.env, coming.date_due))
        if self.state in ('active', 'kept'):
            return self.env._("Everything has been paid. Thank you for keeping to the arrangement.")
        return ''

    def _get_payable(self, what='due', instalment=None):
        """Return the :class:`Payable` of a running arrangement, or None when there is nothing to pay.

        :param what: ``'due'`` for the instalments whose day has come, ``'all'`` for everything that is left
        :param instalment: what is left of this one
        """
        self.ensure_one()
        if self.state == 'broken':
            what, instalment = 'all', None  # everything is due at once
        elif self.state != 'active':
            return None
        today = self.company_id._dunning_today()
        parts = self._get_unpaid_parts()
        if instalment:
            parts &= instalment
        elif what == 'due':
            parts = parts.filtered(lambda part: part.date_due <= today)
        items = self._get_own_items().filtered(
            lambda item: item.parent_state == 'posted' and not item.reconciled)
        opened = sum((to_decimal(item.amount_residual_currency) for item in items), ZERO)
        wanted = sum((to_decimal(part.amount_left) for part in parts), ZERO) if self.state == 'active' else opened
        amount = self.currency_id.round(float(min(wanted, opened)))
        if self.currency_id.compare_amounts(amount, 0) <= 0:
            return None
        number = f'-{instalment.sequence}' if instalment else ''
        return Payable(
            amount=amount,
            currency=self.currency_id,
            moves=items.move_id,
            reference=f'{make_reference(self.name)}{number}',
            partner=self.partner_id,
            company=self.company_id,
            what=what,
            instalment=instalment,
        )

    def _get_page_url(self, suffix=''):
        """Return the whole address of its page, with the key of the debtor."""
        self.ensure_one()
        # sudo: who writes to the debtor sends the key to the debtor's own arrangement
        arrangement = self.sudo()
        return f'{arrangement.get_base_url()}{arrangement.get_portal_url(suffix=suffix)}'

    def _get_pay_url(self, instalment=None):
        """Return the whole address on which the debtor pays an instalment, or what is due when none is given.

        Also for who cannot pay online: the page tells how to pay by transfer, with an EPC QR code.
        """
        return self._get_page_url(f'/pay/{instalment.id}' if instalment else '/pay')

"""Paying online: what a debtor can pay from his page or an arrangement, and the transactions that does.

How much is to be paid is worked out here, by the ledger, whenever it is asked: what a browser sends is only compared
with it. The transaction carries the invoices, so that Odoo reconciles them, the oldest first, once it is confirmed.
"""

import re
from decimal import Decimal
from typing import Any, NamedTuple

from odoo import models

from ..claim.dunning_claim import to_decimal

ZERO = Decimal(0)


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


class DunningArrangement(models.Model):
    _inherit = 'dunning.arrangement'

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
        left = self.instalment_ids.filtered(
            lambda part: part.state not in ('paid', 'cancelled')
            and self.currency_id.compare_amounts(part.amount_left, 0) > 0)
        if instalment:
            parts = left & instalment
        elif what == 'due':
            parts = left.filtered(lambda part: part.date_due <= today)
        else:
            parts = left
        items = self.line_ids.move_line_id.filtered(
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

    def _get_pay_url(self, instalment=None):
        """Return the whole address on which the debtor pays an instalment, or what is due when none is given.

        Also for who cannot pay online: the page tells how to pay by transfer, with an EPC QR code.
        """
        self.ensure_one()
        # sudo: who writes to the debtor sends him the key to his own arrangement
        arrangement = self.sudo()
        suffix = f'/pay/{instalment.id}' if instalment else '/pay'
        return f'{arrangement.get_base_url()}{arrangement.get_portal_url(suffix=suffix)}'

    def _get_pay_details(self, amount):
        """Return how to pay by bank transfer: dict with ``iban``, ``holder``, ``bic``, ``reference`` and ``qr``.

        Empty when the company has no account.
        """
        self.ensure_one()
        bank, reference = self._get_bank(), self._get_reference()
        if not bank:
            return {}
        return {
            'iban': self.env['dunning.letter']._format_iban(bank.acc_number),
            'holder': bank.acc_holder_name or bank.partner_id.name or self.company_id.name,
            'bic': bank.bank_bic or '',
            'reference': reference,
            'qr': self._get_qr(amount, reference),
        }

"""Mandates and payment orders of OCA: which invoices are about to be collected, and when."""

from odoo import models
from odoo.tools import SQL

from odoo.addons.l10n_nl_dunning.models.kernel.formats import format_day

#: Orders that were made and did not bring in their money yet. An uploaded one paid its invoices.
LIVE_STATES = ('draft', 'open', 'generated')
#: Mandates by which can be collected; “final” is one that is used once more.
MANDATE_STATES = ('valid', 'final')


class DunningDebitOrder(models.AbstractModel):
    """Part of ``dunning.planner`` in the bridges to one of the families of modules, before it in its bases.

    Each bridge says in ``_get_needs_mandate_sql()`` whether the way an invoice ``move`` is paid needs a mandate.
    """

    _name = 'dunning.debit.order'
    _description = "Debit Orders"

    def _get_collects_sql(self, question):
        # EXTENDS 'l10n_nl_dunning': nothing is collected without a mandate that can be used.
        Move, Mandate = self.env['account.move'], self.env['account.banking.mandate']
        return SQL(
            """(%(by_method)s OR %(needs_mandate)s)
               AND EXISTS (
                    SELECT FROM account_banking_mandate mandate
                      JOIN res_partner payer ON payer.id = mandate.partner_id
                     WHERE mandate.state = ANY(%(states)s)
                       AND CASE WHEN move.mandate_id IS NULL
                                THEN mandate.company_id = move.company_id AND payer.commercial_partner_id = debtor.id
                                ELSE mandate.id = move.mandate_id END)""",
            by_method=super()._get_collects_sql(question) or SQL("FALSE"),
            needs_mandate=self._get_needs_mandate_sql(), states=list(MANDATE_STATES), to_flush=[
                *(Move._fields[name] for name in ('mandate_id', 'company_id')),
                *(Mandate._fields[name] for name in ('state', 'partner_id', 'company_id')),
                self.env['res.partner']._fields['commercial_partner_id']])

    def _get_collection_day_sql(self, question):
        # EXTENDS 'l10n_nl_dunning': an order was made. Before it is confirmed its day may be unknown.
        Line, Order = self.env['account.payment.line'], self.env['account.payment.order']
        return SQL(
            """(SELECT MAX(COALESCE(
                           asked.date, ordered.date_scheduled, GREATEST(%(due_date)s, asked.create_date::date)))
                  FROM account_payment_line asked JOIN account_payment_order ordered ON ordered.id = asked.order_id
                 WHERE asked.move_line_id = line.id AND ordered.payment_type = 'inbound'
                   AND ordered.state = ANY(%(states)s))""",
            due_date=question.due_date, states=list(LIVE_STATES), to_flush=[
                *(Line._fields[name] for name in ('date', 'order_id', 'move_line_id', 'create_date')),
                *(Order._fields[name] for name in ('date_scheduled', 'payment_type', 'state'))])

    def _reason_direct_debit(self):
        # EXTENDS 'l10n_nl_dunning'
        reason = super()._reason_direct_debit()
        return reason._replace(sentence=lambda d: self._tell_order(d) or reason.sentence(d))

    def _tell_order(self, decision):
        """Return which payment order collects an item and when, or an empty string."""
        Line = self.env['account.payment.line'].sudo()  # sudo: that it is collected is for who may ask about the item
        asked = Line.search([
            ('move_line_id', '=', decision.item_id or 0), ('order_id.payment_type', '=', 'inbound'),
            ('order_id.state', 'in', LIVE_STATES)], order='date desc, id desc', limit=1)
        if not asked:
            return ''
        return self.env._(
            "Payment order %(order)s collects it on %(day)s. Reminders follow from %(date)s if nothing was collected "
            "before.",
            order=asked.order_id.name, date=self._fmt_date(decision.next_date),
            day=format_day(self.env, asked.date or asked.order_id.date_scheduled or max(
                decision.due_date, asked.create_date.date())))

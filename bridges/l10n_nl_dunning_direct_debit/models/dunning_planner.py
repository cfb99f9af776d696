"""Mandates and payment orders of OCA: which invoices are about to be collected, and when."""

from odoo import models
from odoo.tools import SQL

from odoo.addons.l10n_nl_dunning.models.kernel.formats import format_day

#: Orders that were made and did not bring in their money yet. An uploaded one paid its invoices.
LIVE_STATES = ('draft', 'open', 'generated')


class DunningPlanner(models.AbstractModel):
    _inherit = 'dunning.planner'

    def _get_collects_sql(self, question):
        # EXTENDS 'l10n_nl_dunning': the payment mode of the invoice says it as well, and nothing is collected without a
        # valid mandate.
        Move, Mode = self.env['account.move'], self.env['account.payment.mode']
        Method, Mandate = self.env['account.payment.method'], self.env['account.banking.mandate']
        return SQL(
            """(%(by_method)s OR EXISTS (
                    SELECT FROM account_payment_mode mode
                      JOIN account_payment_method method ON method.id = mode.payment_method_id
                     WHERE mode.id = move.payment_mode_id AND method.mandate_required))
               AND EXISTS (
                    SELECT FROM account_banking_mandate mandate
                      JOIN res_partner payer ON payer.id = mandate.partner_id
                     WHERE mandate.state = 'valid'
                       AND CASE WHEN move.mandate_id IS NULL
                                THEN mandate.company_id = move.company_id AND payer.commercial_partner_id = debtor.id
                                ELSE mandate.id = move.mandate_id END)""",
            by_method=super()._get_collects_sql(question),
            to_flush=[
                *(Move._fields[name] for name in ('payment_mode_id', 'mandate_id', 'company_id')),
                *(Mandate._fields[name] for name in ('state', 'partner_id', 'company_id')),
                Mode._fields['payment_method_id'], Method._fields['mandate_required'],
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
        # sudo: that it will be collected is for whoever may ask about the item
        asked = self.env['account.payment.line'].sudo().search([
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

from collections import defaultdict

from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..kernel.ir_attachment import RECORDING
from .dunning_claim import ZERO, share, to_decimal


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    booking_ids = fields.One2many(
        comodel_name='account.move', inverse_name='dunning_notice_id', string="Booked As",
        groups='account.group_account_invoice,account.group_account_readonly')
    booking_left = fields.Monetary(
        string="Booked and Open", compute='_compute_booking_count',
        groups='account.group_account_invoice,account.group_account_readonly')
    booking_count = fields.Integer(
        compute='_compute_booking_count', groups='account.group_account_invoice,account.group_account_readonly')

    def _compute_booking_count(self):
        groups = self.env['account.move']._read_group(
            [('dunning_notice_id', 'in', self.ids)], ['dunning_notice_id', 'move_type'],
            ['__count', 'amount_residual:sum'])
        counts, left = defaultdict(int), defaultdict(float)
        for notice, move_type, count, residual in groups:
            counts[notice.id] += count
            if move_type == 'out_invoice':
                left[notice.id] += residual
        for notice in self:
            notice.booking_count = counts[notice._origin.id]
            notice.booking_left = left[notice._origin.id]

    def action_bookings(self):
        """Show the invoices and credit notes of the interest and costs of this notice."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('account.action_move_out_invoice_type')
        action['domain'] = [('dunning_notice_id', '=', self.id)]
        action['context'] = {'create': False}
        return action

    def _record_sent(self, at_date):
        # OVERRIDE: in the same transaction, so that what a letter asks is booked, or the letter does not leave.
        result = super()._record_sent(at_date)
        self._book_extras()
        return result

    # -------------------------------------------------------------------------
    # BOOKING
    # -------------------------------------------------------------------------

    def _book_extras(self):
        """Book the interest and costs that these notices were the first to ask for.

        Only for policies that want it. Set-based: one creation and one posting per company.
        """
        wanted = self.filtered(lambda notice: (
            notice.policy_id.claim_booking == 'booked' and (notice.amount_interest or notice.amount_costs)))
        for company, notices in wanted.grouped('company_id').items():
            extras = self.env['dunning.claim'].with_company(company)._read_extras(
                notices.live_line_ids.move_line_id)
            values_list = []
            for notice in notices._recording():
                interest, costs = notice._write_booked(extras)
                if interest or costs:
                    values_list.append(notice._prepare_booking(interest, costs))
            if values_list:
                # sudo: whoever brings letters to the post or lets the queue go may send, and the policy says book
                moves = self.env['account.move'].sudo().with_company(company).with_context(
                    mail_create_nosubscribe=True, dunning_recording=RECORDING).create(values_list)
                moves._post(soft=False)
                moves.write({'is_move_sent': True})  # the letter asked for it
        return True

    def _write_booked(self, extras):
        """Write on the lines what comes on top of earlier bookings; return the sums as (interest, costs)."""
        self.ensure_one()
        interest, costs = ZERO, ZERO
        for line in self.live_line_ids:
            earlier = extras.get(line.move_line_id.id)
            new_interest, new_costs = to_decimal(line.amount_interest), to_decimal(line.amount_costs)
            if earlier:
                # What is asked is what is left of it: paid or waived parts were booked before.
                new_interest = max(ZERO, new_interest + earlier.settled_interest - earlier.interest)
                new_costs = max(ZERO, new_costs + earlier.settled_costs - earlier.costs)
            line.write({'booked_interest': float(new_interest), 'booked_costs': float(new_costs)})
            interest += new_interest
            costs += new_costs
        return interest, costs

    def _prepare_booking(self, interest, costs):
        """Return the values of the invoice that books interest and costs of this notice (amounts: Decimal)."""
        self.ensure_one()
        company = self.company_id
        env = self.with_context(lang=self.lang).env
        lines = []
        for product, amount, label in (
            (company.dunning_cost_product_id, costs, env._("Collection costs, as asked in %s", self.name)),
            (company.dunning_interest_product_id, interest, env._(
                "Interest until %(date)s, as asked in %(notice)s",
                date=format_date(env, self.date, lang_code=self.lang), notice=self.name)),
        ):
            if not amount:
                continue
            if not product:
                raise UserError(self.env._(
                    "The policy books interest and collection costs, and no product is set for one of them. Choose it "
                    "in the settings of Debtor Management."))
            accounts = product.product_tmpl_id.with_company(company).get_product_accounts()
            lines.append(Command.create({
                'product_id': product.id,
                'name': label,
                'quantity': 1,
                'price_unit': float(amount),
                'tax_ids': [Command.clear()],  # damages: outside VAT
                **({'account_id': accounts['income'].id} if accounts.get('income') else {}),
            }))
        journal = company.dunning_booking_journal_id or self.env['account.journal'].search([
            *self.env['account.journal']._check_company_domain(company), ('type', '=', 'sale')], limit=1)
        if not journal:
            raise UserError(self.env._("Interest and costs cannot be booked: %s has no sales journal.", company.name))
        locked = company._get_violated_lock_dates(self.date, False, journal)
        if locked:
            raise UserError(self.env._(
                "The books are locked until %(date)s, so the interest and costs of %(notice)s cannot be booked. Lift "
                "the lock, or let the policy keep them on letters only.",
                date=format_date(self.env, locked[-1][0]), notice=self.display_name))
        return {
            'move_type': 'out_invoice',
            'journal_id': journal.id,
            'partner_id': self.partner_id.id,
            'currency_id': self.currency_id.id,
            'invoice_date': self.date,
            'date': self.date,
            'invoice_date_due': max(self.deadline or self.date, self.date),
            'invoice_payment_term_id': False,
            'invoice_origin': self.name,
            'ref': self.name,
            'dunning_notice_id': self.id,
            'invoice_line_ids': lines,
        }

    # -------------------------------------------------------------------------
    # TAKING IT BACK
    # -------------------------------------------------------------------------

    def _mark_undelivered(self, why=None):
        # OVERRIDE: what nobody received claimed nothing.
        self._credit_bookings(why or self.env._("The notice was not delivered"))
        return super()._mark_undelivered(why)

    def action_waive_booking(self):
        """Open the wizard that credits what is still open of the booked interest and costs."""
        self.ensure_one()
        self.check_access('write')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Waive Booked Interest and Costs"),
            'res_model': 'dunning.booking.waive',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_notice_id': self.id},
        }

    def _credit_bookings(self, reason):
        """Credit what is still open of the interest and costs these notices booked, and reconcile it.

        :param str reason: why it is waived; on the credit note
        :return: the credit notes
        """
        credits = self.env['account.move']
        for notice in self:
            booking = notice.booking_ids.filtered(
                lambda move: move.move_type == 'out_invoice' and move.state == 'posted')
            item = booking.line_ids.filtered(lambda line: line.account_id.account_type == 'asset_receivable')
            if not booking or booking.currency_id.is_zero(booking.amount_residual):
                continue
            left = to_decimal(booking.amount_residual)
            lines = booking.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
            parts = share(left, [to_decimal(line.price_subtotal) for line in lines])
            credit = self.env['account.move'].with_company(booking.company_id).with_context(
                dunning_recording=RECORDING).create({
                'move_type': 'out_refund',
                'journal_id': booking.journal_id.id,
                'partner_id': booking.partner_id.id,
                'currency_id': booking.currency_id.id,
                'invoice_date': notice.company_id._dunning_today(),
                'invoice_payment_term_id': False,
                'reversed_entry_id': booking.id,
                'ref': reason,
                'dunning_notice_id': notice.id,
                'invoice_line_ids': [
                    Command.create({
                        'product_id': line.product_id.id, 'name': line.name, 'quantity': 1,
                        'account_id': line.account_id.id, 'price_unit': float(part), 'tax_ids': [Command.clear()]})
                    for line, part in zip(lines, parts, strict=True) if part
                ],
            })
            credit.action_post()
            counterpart = credit.line_ids.filtered(lambda line: line.account_id.account_type == 'asset_receivable')
            (item | counterpart).filtered(lambda line: not line.reconciled).reconcile()
            credits |= credit
        return credits

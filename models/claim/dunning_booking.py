"""In the books: interest and collection costs that were claimed, as invoices of their own.

Damages for paying late bear no VAT, and are kept apart from the invoices they belong
to: those are never touched. What was booked is counted per due item, so that a later
notice only books what came on top.
"""

from collections import defaultdict

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..notice.dunning_notice import RECORDING
from .dunning_claim import ZERO, share, to_decimal


class ResCompany(models.Model):
    _inherit = 'res.company'

    dunning_interest_product_id = fields.Many2one(
        comodel_name='product.product',
        string="Product for Interest",
        domain="[('type', '=', 'service')]",
        default=lambda self: self.env.ref('l10n_nl_dunning.product_interest', raise_if_not_found=False),
        help="Its income account is the one that interest of debtors is booked on.",
        prefetch='dunning',
    )
    dunning_cost_product_id = fields.Many2one(
        comodel_name='product.product',
        string="Product for Collection Costs",
        domain="[('type', '=', 'service')]",
        default=lambda self: self.env.ref('l10n_nl_dunning.product_collection_costs', raise_if_not_found=False),
        help="Its income account is the one that collection costs are booked on.",
        prefetch='dunning',
    )
    dunning_booking_journal_id = fields.Many2one(
        comodel_name='account.journal',
        string="Journal for Interest and Costs",
        check_company=True,
        domain="[('type', '=', 'sale')]",
        help="Empty: the first sales journal.",
        prefetch='dunning',
    )

    @api.model
    def _set_dunning_products(self):
        """Give companies without products for interest and costs those that ship."""
        for field, name in (
            ('dunning_interest_product_id', 'product_interest'),
            ('dunning_cost_product_id', 'product_collection_costs'),
        ):
            product = self.env.ref(f'l10n_nl_dunning.{name}', raise_if_not_found=False)
            companies = self.with_context(active_test=False).search([(field, '=', False)])
            if product and companies:
                companies.write({field: product.id})


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_interest_product_id = fields.Many2one(related='company_id.dunning_interest_product_id', readonly=False)
    dunning_cost_product_id = fields.Many2one(related='company_id.dunning_cost_product_id', readonly=False)
    dunning_booking_journal_id = fields.Many2one(related='company_id.dunning_booking_journal_id', readonly=False)


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_notice_id = fields.Many2one(
        comodel_name='dunning.notice',
        string="Claims Interest and Costs Of",
        copy=False,
        readonly=True,
        ondelete='restrict',
        groups='account.group_account_invoice,account.group_account_readonly',
        help="The notice whose interest and collection costs are booked here.",
        prefetch='dunning',
    )

    # Nothing twice: one living booking per notice, whoever records it. All others differ by their own number, so that
    # the bookings of a notice are found by the same index: every query about invoices weighs each index.
    _one_booking_per_notice = models.UniqueIndex(
        "(dunning_notice_id, (CASE WHEN move_type = 'out_invoice' AND state <> 'cancel' THEN 0 ELSE id END)) "
        "WHERE dunning_notice_id IS NOT NULL",
        "The interest and costs of this notice are booked already.",
    )

    def _is_dunning_booking(self):
        """Return whether it books interest and costs of other invoices; those bear neither."""
        return bool(self.dunning_notice_id)

    @api.constrains('state')
    def _check_dunning_booking(self):
        """What a letter said is in the books: it is credited, not unposted."""
        for move in self.filtered('dunning_notice_id'):
            if move.state != 'posted' and move.posted_before and move.dunning_notice_id.state in ('sent', 'withdrawn'):
                raise UserError(self.env._(
                    "%(invoice)s books the interest and costs that %(notice)s asked for. It cannot be reset or "
                    "cancelled: use “Waive” on that notice, which credits it.",
                    invoice=move.name, notice=move.dunning_notice_id.display_name))


class DunningNoticeLine(models.Model):
    _inherit = 'dunning.notice.line'

    booked_interest = fields.Monetary(readonly=True, copy=False, help="Of the interest asked, what this notice booked.")
    booked_costs = fields.Monetary(readonly=True, copy=False, help="Of the costs asked, what this notice booked.")


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


class Extras:
    """What was booked for one due item, and what was paid or credited of that (euros)."""

    __slots__ = ('costs', 'interest', 'settled_costs', 'settled_interest', 'settlements')

    def __init__(self):
        self.interest = self.costs = self.settled_interest = self.settled_costs = ZERO
        self.settlements = []  # (date, amount, is money)

    def settle(self, day, amount, is_money):
        """Take an amount off: costs first (article 6:44 BW)."""
        of_costs = min(amount, self.costs - self.settled_costs)
        self.settled_costs += of_costs
        self.settled_interest += amount - of_costs
        self.settlements.append((day, amount, is_money))

    def left(self, interest, costs, at_date):
        """Return (interest, costs) that is left to ask on a day, given all there was to ask."""
        settled = sum((amount for day, amount, _money in self.settlements if day <= at_date), ZERO)
        of_costs = min(settled, costs)
        return max(ZERO, interest - (settled - of_costs)), costs - of_costs


class DunningClaim(models.AbstractModel):
    _inherit = 'dunning.claim'

    @api.model
    def _get_booked_sql(self):
        # EXTENDS
        self.env['dunning.notice.line'].flush_model(['move_line_id', 'booked_interest', 'booked_costs'])
        return [*super()._get_booked_sql(), SQL(
            "EXISTS (SELECT FROM dunning_notice_line told WHERE told.move_line_id = asked.move_line_id"
            " AND COALESCE(told.booked_interest, 0) + COALESCE(told.booked_costs, 0) > 0)")]

    @api.model
    def _read_extras(self, items):
        """Return ``{item id: Extras}`` of what sent notices booked for these items.

        A payment or credit note on the booking of a notice is shared over its items in
        proportion to what was booked for each.
        """
        if not items:
            return {}
        Line = self.env['dunning.notice.line']
        Line.flush_model(['move_line_id', 'booked_interest', 'booked_costs', 'notice_id'])
        self.env['account.move'].flush_model(['dunning_notice_id', 'state', 'move_type'])
        booked = self.env.execute_query(SQL(
            """
            SELECT line.notice_id, line.move_line_id, line.booked_interest, line.booked_costs
              FROM dunning_notice_line line
             WHERE COALESCE(line.booked_interest, 0) + COALESCE(line.booked_costs, 0) > 0
               AND line.notice_id IN (
                       SELECT asked.notice_id FROM dunning_notice_line asked
                         JOIN account_move booking ON booking.dunning_notice_id = asked.notice_id
                                                  AND booking.state = 'posted' AND booking.move_type = 'out_invoice'
                        WHERE asked.move_line_id = ANY(%s))
          ORDER BY line.notice_id, line.id
            """, list(items.ids)))
        if not booked:
            return {}
        notices = {row[0] for row in booked}
        settlements = defaultdict(list)
        for notice_id, day, amount, is_money in self._read_booking_settlements(notices):
            settlements[notice_id].append((day, to_decimal(amount), is_money))
        wanted, result = set(items.ids), defaultdict(Extras)
        by_notice = defaultdict(list)
        for notice_id, item_id, interest, costs in booked:
            by_notice[notice_id].append((item_id, to_decimal(interest), to_decimal(costs)))
        for notice_id, rows in by_notice.items():
            weights = [interest + costs for _item_id, interest, costs in rows]
            parts = [
                (day, is_money, share(amount, weights)) for day, amount, is_money in settlements[notice_id]]
            for index, (item_id, interest, costs) in enumerate(rows):
                if item_id not in wanted:
                    continue
                extras = result[item_id]
                extras.interest += interest
                extras.costs += costs
                for day, is_money, amounts in parts:
                    extras.settle(day, amounts[index], is_money)
        return dict(result)

    @api.model
    def _read_booking_settlements(self, notice_ids):
        """Return rows (notice, day, amount, is money) of what settled the bookings of these notices."""
        return self.env.execute_query(SQL(
            """
            SELECT booking.dunning_notice_id, counterpart.date, partial.debit_amount_currency,
                   journal.type = ANY(%s)
              FROM account_move booking
              JOIN account_move_line item ON item.move_id = booking.id
              JOIN account_partial_reconcile partial ON partial.debit_move_id = item.id
              JOIN account_move_line counterpart ON counterpart.id = partial.credit_move_id
              JOIN account_journal journal ON journal.id = counterpart.journal_id
             WHERE booking.dunning_notice_id = ANY(%s) AND booking.move_type = 'out_invoice'
               AND booking.state = 'posted'
          ORDER BY counterpart.date, partial.id
            """, ['bank', 'cash', 'credit'], list(notice_ids)))

"""Finding out what a notice asked and was not owed when it left."""

from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.tools import SQL

# What settles as the debtor would say it: money and credit notes. Writing off is a decision of the company itself.
IS_SETTLEMENT = SQL(
    "(journal.type IN ('bank', 'cash', 'credit') OR move.move_type = 'out_refund'"
    " OR move.origin_payment_id IS NOT NULL)")


class DunningNoticeWithdrawal(models.AbstractModel):
    """The part of a notice about what was wrong with it and is taken back."""

    _name = 'dunning.notice.withdrawal'
    _description = "Dunning Notice"

    withdrawal_ids = fields.Many2many(
        comodel_name='dunning.withdrawal', string="Withdrawals", compute='_compute_withdrawal_ids')
    withdrawal_count = fields.Integer(compute='_compute_withdrawal_ids')

    @api.depends('line_ids.withdrawal_ids')
    def _compute_withdrawal_ids(self):
        for notice in self:
            notice.withdrawal_ids = notice.line_ids.withdrawal_ids
            notice.withdrawal_count = len(notice.withdrawal_ids)

    def action_withdrawals(self):
        """Show the withdrawals of this notice."""
        self.ensure_one()
        self.check_access('read')
        return self.withdrawal_ids._get_records_action(name=self.env._("Withdrawals"), context={})

    @api.model
    def get_dunning_proposed_withdrawals(self):
        """Return how many withdrawals wait for a decision in the current companies, for the list of notices."""
        self.check_access('read')
        return self.env['dunning.withdrawal'].search_count(
            [('state', '=', 'proposed'), ('company_id', 'in', self.env.companies.ids)])

    @api.model
    def get_dunning_wrong_figure(self):
        """Return what the list of notices says about the last twelve months in the current companies, or ``''``."""
        self.check_access('read')
        today = self.env.company._dunning_today()
        wrong, total = self.env.companies._count_dunning_wrong(today - timedelta(days=364))
        if not wrong:
            return ''
        lang = self.env['res.lang']._lang_get(self.env.lang or 'en_US')
        return self.env._(
            "Wrong notices in the last twelve months: %(wrong)s of %(total)s (%(rate)s%%)",
            wrong=wrong, total=total, rate=lang.format('%.1f', 100.0 * wrong / total))

    # -------------------------------------------------------------------------
    # FINDING OUT
    # -------------------------------------------------------------------------

    @api.model
    def _find_late_settled(self, items):
        """Return the sent notices about these items that a settlement may have preceded: one indexed look-up."""
        if not items:
            return self.browse()
        return self.browse([notice_id for (notice_id,) in self.env.execute_query(SQL(
            """
            SELECT DISTINCT told.notice_id
              FROM %(matches)s match
              JOIN %(left)s told ON told.move_line_id = match.item_id AND match.date < told.left_on
             WHERE match.item_id = ANY(%(items)s)
            """, **self._get_sources_sql(), items=list(items.ids)))])

    @api.model
    def _get_sources_sql(self):
        return {
            'left': self.env['dunning.notice.line']._get_left_sql(),
            'matches': self.env['account.move.line']._get_dunning_matches_sql()}

    def _update_wrong(self):
        """Write on the lines of these sent notices what was not owed when they left, and propose or drop withdrawals.

        :return: the notices of which that changed
        """
        if not self:
            return self
        rows = self.env.execute_query(SQL(
            """
            SELECT told.id,
                   SUM(match.amount),
                   COALESCE(SUM(match.amount) FILTER (WHERE move.move_type = 'out_refund'), 0),
                   -- What was in the books already can have been netted.
                   COALESCE(SUM(match.amount) FILTER (WHERE move.create_date <= told.sent_on), 0),
                   MAX(match.date)
              FROM %(left)s told
              JOIN %(matches)s match ON match.item_id = told.move_line_id AND match.date < told.left_on
              JOIN account_move move ON move.id = match.move_id
              JOIN account_journal journal ON journal.id = move.journal_id
             WHERE told.notice_id = ANY(%(notices)s) AND told.channel <> 'task' AND %(is_settlement)s
          GROUP BY told.id
            """, **self._get_sources_sql(), notices=list(self.ids), is_settlement=IS_SETTLEMENT))
        settled = {row[0]: row[1:] for row in rows}
        changed = self.browse()
        for notice in self._recording().filtered(lambda notice: notice.state == 'sent'):
            if notice._write_wrong(settled):
                changed |= notice
        if changed:
            changed = self.browse(changed.ids)
            changed._update_withdrawals()
        return changed

    def _write_wrong(self, settled):
        """Write what was not owed on the lines of one notice. Return whether anything changed.

        :param settled: ``{line id: (all, of credit notes, of moves known when it left, last date)}`` of what is dated
            before the day it left, in the currency of the notice
        """
        self.ensure_one()
        currency = self.currency_id
        lines = self.live_line_ids.filtered(lambda line: line.status == 'sent')
        wrong, spare, absorbable = {}, 0.0, {}
        for line in lines:
            everything, credited, known, _date = settled.get(line.id, (0.0, 0.0, 0.0, None))
            # What had been settled when it left was not asked; only what came on top was wrong.
            late = min(line.amount_residual, everything - (line.amount_original - line.amount_residual))
            if currency.compare_amounts(late, 0) <= 0:
                spare += line.amount_netted
                wrong[line] = 0.0
                continue
            # A credit note is first about the part that was disputed and not asked.
            late -= min(late, line.amount_held, credited)
            netted = min(late, line.amount_netted, known)
            spare += line.amount_netted - netted
            wrong[line] = min(late - netted, line._get_asked())
            absorbable[line] = max(0.0, known - netted)
        # A credit that was deducted from one invoice of the notice can have been matched to another one.
        for line, amount in absorbable.items():
            taken = min(spare, amount, wrong[line])
            wrong[line] -= taken
            spare -= taken
        today = self.company_id._dunning_today()
        changed = False
        for line, amount in wrong.items():
            # What the debtor was told stays told.
            amount = currency.round(max(amount, line.withdrawn_amount, 0.0))
            if not currency.compare_amounts(amount, line.wrong_amount):
                continue
            changed = True
            everything, credited, _known, paid_on = settled.get(line.id, (0.0, 0.0, 0.0, line.wrong_paid_on))
            line.write({
                'wrong_amount': amount,
                'wrong_on': amount and today,
                'wrong_paid_on': amount and paid_on,
                'wrong_credited': bool(amount) and not currency.compare_amounts(everything, credited),
            })
        return changed

    def _update_withdrawals(self):
        """Let the proposals to withdraw follow what was found out about these notices."""
        # sudo: it follows from the books, whoever booked; nobody can make one by hand
        Withdrawal = self.env['dunning.withdrawal'].sudo()._recording()
        groups = self.grouped(lambda notice: (notice.company_id, notice.partner_id, notice.currency_id))
        # One message per debtor, however many notices.
        open_ones = {
            (withdrawal.company_id, withdrawal.partner_id, withdrawal.currency_id): withdrawal
            for withdrawal in Withdrawal.search([
                ('state', '=', 'proposed'), ('partner_id', 'in', self.partner_id.ids),
                ('company_id', 'in', self.company_id.ids)])}
        for key, notices in groups.items():
            company, partner, currency = key
            withdrawal = open_ones.get(key, Withdrawal)
            lines = notices.line_ids.filtered(lambda line: (
                line.currency_id.compare_amounts(line.wrong_amount, line.withdrawn_amount) > 0))
            lines |= withdrawal.line_ids.filtered(lambda line, notices=notices: line.notice_id not in notices)
            if withdrawal and not lines:
                withdrawal._cancel(self.env._("The payment or credit note was taken off these items again."))
            elif withdrawal:
                withdrawal._set_lines(lines)
            elif lines:
                Withdrawal.create({
                    'company_id': company.id, 'partner_id': partner.id, 'currency_id': currency.id,
                    'line_ids': [Command.set(lines.ids)],
                    'credit_bookings': any(line._is_wholly_wrong() for line in lines),
                })._tell_somebody()

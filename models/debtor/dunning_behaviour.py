"""How a debtor pays: days late of what he paid in the last twelve months, and whether that gets worse."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL

MONTHS = 12
RECENT_MONTHS = 3
# Of each of the two periods: fewer payments say nothing about a trend.
TREND_ITEMS = 2


class DunningBehaviour(models.Model):
    """Payment behaviour of one debtor of one creditor; refreshed every night, see :meth:`_refresh`.

    Days are counted from the due date of an item to the day on which the last of it was paid (the latest date of its
    partial reconciliations); early is negative. Every item counts once, whatever its amount. What was settled by
    credit notes alone was not paid, so it does not count.
    """

    _name = 'dunning.behaviour'
    _description = "Payment Behaviour"
    _order = 'average_days_late desc, id'
    _rec_name = 'partner_id'

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, index=True, readonly=True, ondelete='cascade')
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='cascade')
    item_count = fields.Integer(
        string="Items Paid", readonly=True, help="Due items that were paid in the last twelve months.")
    average_days_late = fields.Float(
        readonly=True, aggregator='avg', help="Days between due date and payment, of the last twelve months.")
    recent_days_late = fields.Float(
        readonly=True, aggregator='avg', help="The same of the last three months.")
    earlier_days_late = fields.Float(
        readonly=True, aggregator='avg', help="The same of the nine months before.")
    trend_days = fields.Float(
        string="Later Than Before (days)", readonly=True, aggregator='avg',
        help="How many days later he pays in the last three months than in the nine before.")
    refreshed_on = fields.Date(readonly=True, required=True)

    _one_per_debtor = models.UniqueIndex("(company_id, partner_id)", "There is one payment behaviour per debtor.")

    @api.model
    def _refresh(self, company, at_date):
        """Work out anew how the debtors of a creditor pay, in one statement for all of them.

        :return: number of debtors
        """
        self.flush_model()
        company = company.sudo().dunning_creditor_id  # sudo: only which it is
        rows = self.env.execute_query(SQL(
            """
            INSERT INTO dunning_behaviour AS known (
                        company_id, partner_id, item_count, average_days_late, recent_days_late, earlier_days_late,
                        trend_days, refreshed_on, create_uid, create_date, write_uid, write_date)
            SELECT %(company)s, partner_id, item_count, average_days_late, recent_days_late, earlier_days_late,
                   CASE WHEN recent_count >= %(trend_items)s AND item_count - recent_count >= %(trend_items)s
                        THEN recent_days_late - earlier_days_late END,
                   %(at_date)s, %(uid)s, NOW() AT TIME ZONE 'UTC', %(uid)s, NOW() AT TIME ZONE 'UTC'
              FROM (
                    SELECT partner_id, COUNT(*) AS item_count, COUNT(*) FILTER (WHERE recent) AS recent_count,
                           AVG(days) AS average_days_late, AVG(days) FILTER (WHERE recent) AS recent_days_late,
                           AVG(days) FILTER (WHERE NOT recent) AS earlier_days_late
                      FROM (
                            SELECT partner_id, paid_on - due_date AS days, paid_on > %(recent)s AS recent
                              FROM (%(paid)s) item) paid
                  GROUP BY partner_id) behaviour
            ON CONFLICT (company_id, partner_id) DO UPDATE
                    SET item_count = EXCLUDED.item_count,
                        average_days_late = EXCLUDED.average_days_late,
                        recent_days_late = EXCLUDED.recent_days_late,
                        earlier_days_late = EXCLUDED.earlier_days_late,
                        trend_days = EXCLUDED.trend_days,
                        refreshed_on = EXCLUDED.refreshed_on,
                        write_uid = EXCLUDED.write_uid, write_date = EXCLUDED.write_date
              RETURNING id
            """,
            company=company.id, at_date=at_date, uid=self.env.uid, trend_items=TREND_ITEMS,
            recent=at_date - relativedelta(months=RECENT_MONTHS),
            paid=self._get_paid_sql(company, at_date)))
        found = [row_id for (row_id,) in rows]
        # Who paid nothing for a year has no behaviour any more.
        self.env.execute_query(SQL(
            "DELETE FROM dunning_behaviour WHERE company_id = %s AND NOT id = ANY(%s) RETURNING id", company.id, found))
        self.invalidate_model()
        return len(found)

    @api.model
    def _get_paid_sql(self, company, at_date):
        """Return SQL of the due items that were paid in the months before a day.

        Its columns are the debtor as ``partner_id``, ``due_date`` and ``paid_on``.
        """
        Item, line = self.env['account.move.line'], SQL.identifier('line')
        flushed = {
            'account.partial.reconcile': ('max_date', 'debit_move_id', 'credit_move_id'),
            'account.move.line': ('partner_id', 'company_id', 'move_id', 'reconciled', 'parent_state'),
            'account.move': ('move_type',),
            'res.partner': ('commercial_partner_id',),
        }
        return SQL(
            """
            SELECT line.id, debtor.commercial_partner_id AS partner_id, %(due_date)s AS due_date,
                   MAX(partial.max_date) AS paid_on
              FROM account_partial_reconcile partial
              JOIN account_move_line line ON line.id = partial.debit_move_id
              JOIN res_partner debtor ON debtor.id = line.partner_id
              JOIN account_move_line paying ON paying.id = partial.credit_move_id
              JOIN account_move paying_move ON paying_move.id = paying.move_id
             WHERE partial.max_date > %(since)s AND partial.max_date <= %(at_date)s
               AND line.company_id IN %(companies)s AND line.reconciled AND line.parent_state = 'posted'
               AND %(due_item)s
               -- A payment that was sent back is a debit as well, but nothing that was to be paid.
               AND line.move_id IN (SELECT id FROM account_move WHERE move_type IN ('out_invoice', 'out_receipt'))
          GROUP BY line.id, debtor.commercial_partner_id, line.date_maturity, line.date
            HAVING BOOL_OR(paying_move.move_type NOT IN ('out_refund', 'out_invoice', 'out_receipt'))
            """,
            companies=company._get_dunning_company_ids(), at_date=at_date, since=at_date - relativedelta(months=MONTHS),
            due_date=Item._get_dunning_due_date_sql(line), due_item=Item._get_dunning_due_sql(line),
            to_flush=[self.env[model]._fields[name] for model, names in flushed.items() for name in names])

    @api.model
    def _get_averages_sql(self):
        """Return SQL of how debtors pay: ``company_id``, ``partner_id``, ``average_days_late`` and ``trend_days``."""
        return SQL(
            "SELECT company_id, partner_id, average_days_late, trend_days FROM dunning_behaviour",
            to_flush=[self._fields[name] for name in ('company_id', 'partner_id', 'average_days_late', 'trend_days')])

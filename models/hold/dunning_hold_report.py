from odoo import api, fields, models
from odoo.tools import SQL, format_amount

# The day of the week on which a manager hears what is parked: Monday.
TELL_ON = 0


class DunningHoldReport(models.Model):
    """Parked money: what open holds keep from being asked, by reason, owner and end date.

    One row per open hold and due item, in the currency of the company. What two
    holds are about is counted once in ``amount_held``: with the one that stops most.
    """

    _name = 'dunning.hold.report'
    _description = "Parked Money"
    _auto = False
    _order = 'date_end, id'
    _rec_name = 'hold_id'
    _depends = {
        'dunning.hold': [
            'company_id', 'scope', 'partner_id', 'move_id', 'move_line_id', 'is_part', 'amount', 'reason_id', 'user_id',
            'opened_on', 'date_end', 'closed_on', 'needs_decision', 'insolvent_on'],
        'account.move.line': [
            'amount_residual', 'amount_residual_currency', 'reconciled', 'parent_state', 'partner_id', 'account_id',
            'date_maturity', 'date', 'move_id', 'company_id'],
        'res.partner': ['commercial_partner_id'],
    }

    hold_id = fields.Many2one(comodel_name='dunning.hold', readonly=True)
    company_id = fields.Many2one(comodel_name='res.company', readonly=True)
    company_currency_id = fields.Many2one(comodel_name='res.currency', readonly=True)
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", readonly=True)
    move_id = fields.Many2one(comodel_name='account.move', string="Invoice", readonly=True)
    reason_id = fields.Many2one(comodel_name='dunning.hold.reason', readonly=True)
    user_id = fields.Many2one(comodel_name='res.users', string="Owner", readonly=True)
    opened_on = fields.Date(readonly=True)
    date_end = fields.Date(string="End Date", readonly=True)
    due_date = fields.Date(readonly=True)
    needs_decision = fields.Boolean(string="Until a Person Decides", readonly=True)
    amount_held = fields.Monetary(string="On Hold", currency_field='company_currency_id', readonly=True)
    amount_reached = fields.Monetary(
        string="Reached by the Hold", currency_field='company_currency_id', readonly=True,
        help="What this hold alone is about; what other holds are about as well counts again.")

    @property
    def _table_query(self):
        Hold, Item = self.env['dunning.hold'], self.env['account.move.line']
        open_items = SQL(
            "%s AND %s", self.env['res.company']._get_dunning_same_creditor_sql(
                SQL("line.company_id"), SQL("hold.company_id")), Item._get_dunning_open_sql(SQL.identifier('line')))
        return SQL(
            """
            WITH reach AS (%(reach)s),
            -- A part of an invoice with instalments holds the oldest first.
            owned AS (
                SELECT reach.*,
                       CASE WHEN is_part IS NOT TRUE THEN residual
                            ELSE GREATEST(0, LEAST(residual, amount - (SUM(residual) OVER older - residual)))
                       END AS own
                  FROM reach
                WINDOW older AS (PARTITION BY hold_id ORDER BY due_date, item_id)
            ),
            ranked AS (
                SELECT owned.*,
                       GREATEST(0, LEAST(own, residual - (SUM(own) OVER stronger - own))) AS share
                  FROM owned
                WINDOW stronger AS (PARTITION BY item_id ORDER BY COALESCE(is_part, FALSE), hold_id)
            )
            SELECT (ROW_NUMBER() OVER (ORDER BY hold_id, item_id))::int AS id,
                   hold_id, ranked.company_id, company.currency_id AS company_currency_id, ranked.partner_id, move_id,
                   reason_id, user_id, opened_on, date_end, due_date, needs_decision,
                   ROUND(residual_company * share / residual, currency.decimal_places) AS amount_held,
                   ROUND(residual_company * own / residual, currency.decimal_places) AS amount_reached
              FROM ranked
              JOIN res_company company ON company.id = ranked.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
            """,
            reach=Hold._get_reach_sql(
                SQL("""hold.id AS hold_id, hold.company_id, hold.partner_id, line.move_id, hold.reason_id, hold.user_id,
                       hold.opened_on, hold.date_end, hold.needs_decision, hold.is_part, hold.amount,
                       line.id AS item_id, NULLIF(line.amount_residual_currency, 0) AS residual,
                       line.amount_residual AS residual_company"""),
                SQL("(SELECT * FROM dunning_hold WHERE closed_on IS NULL) AS hold"), open_items),
        )

    @api.model
    def _tell_parked(self, company, today):
        """Tell a manager once a week what is on hold, so that no hold is forgotten.

        One to-do, on the hold that ends first; that of last week goes.

        :return: the new ``mail.activity``, or an empty one
        """
        Activity = self.env['mail.activity']
        activity_type = self.env.ref('l10n_nl_dunning.mail_activity_type_parked', raise_if_not_found=False)
        if today.weekday() != TELL_ON or not activity_type:
            return Activity
        # sudo: the to-do of a colleague goes as well
        last = Activity.sudo().search([
            ('activity_type_id', '=', activity_type.id), ('res_model', '=', 'dunning.hold'),
            ('res_id', 'in', self.env['dunning.hold'].search([
                ('company_id', 'in', company._get_dunning_company_ids())]).ids)])
        last.unlink()
        parked = self.search([('company_id', 'in', company._get_dunning_company_ids())])
        user = company._get_dunning_manager()
        if not parked or not user:
            return Activity
        env = self.with_context(lang=user.lang).env
        amount = format_amount(env, sum(parked.mapped('amount_held')), company.currency_id)
        return parked[0].hold_id.activity_schedule(
            'l10n_nl_dunning.mail_activity_type_parked', date_deadline=today, user_id=user.id,
            summary=env._("Parked this week: %s", amount),
            note=env._("What holds keep from being asked is in the list Debtors ‣ Parked Money."))

"""The worklist: one row per debtor, creditor and currency with what can be collected, and why he is where he is.

Nothing is stored but the payment behaviour (``dunning.behaviour``): the rows come from the ledger, the holds, the
notices, calls and promises of this moment. What the order of the list depends on is joined in sets; what is only
shown is looked up for the rows that are shown (see ``_table_query``).

What its statement and its order are made of is in ``dunning_debtor_rows.py``. The screen for a call to one debtor has
three parts: the answer (``dunning_debtor_screen.py``), what to look at first (``_checklist``) and what was said before
(``_timeline``).
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_amount

from ..agreement.arrangement_states import OPEN_STATES

# The id of a row: partner, company and currency in one number, so that it stays the same from day to day.
# At most 2^53: a browser counts no further without errors.
COMPANY_BITS, CURRENCY_BITS = 13, 9
# Factors that a list shows in columns of their own.
SHOWN = frozenset({'amount', 'age', 'rest'})
# What the database takes for an id.
LARGEST_ID = 2 ** 63


class DunningDebtor(models.Model):
    """What one debtor owes one company in one currency, what can be collected of it today and what comes next."""

    _name = 'dunning.debtor'
    _inherit = [
        'dunning.debtor.rows', 'dunning.debtor.steps', 'dunning.debtor.screen', 'dunning.debtor.checklist',
        'dunning.debtor.timeline']
    _description = "Debtor"
    _auto = False
    _order = 'priority desc, days_overdue desc, id'
    _rec_name = 'partner_id'
    _rec_names_search = ['partner_id']
    _depends = {
        'account.move.line': [
            'company_id', 'partner_id', 'currency_id', 'account_id', 'parent_state', 'reconciled', 'amount_residual',
            'amount_residual_currency', 'date_maturity', 'date', 'move_id', 'no_followup', 'balance'],
        'account.move': ['payment_state', 'dunning_level_id'],
        'account.account': ['account_type'],
        'account.payment': ['state', 'move_id', 'partner_id', 'company_id', 'amount_company_currency_signed'],
        'account.bank.statement.line': ['is_reconciled', 'partner_id'],
        'res.partner': ['commercial_partner_id', 'dunning_user_id'],
        'res.users': ['active'],
        'dunning.level': ['sequence'],
        'dunning.notice': ['company_id', 'partner_id', 'currency_id', 'state', 'channel', 'date'],
        'dunning.hold': [
            'company_id', 'scope', 'partner_id', 'move_id', 'move_line_id', 'is_part', 'amount', 'opened_on',
            'date_end', 'closed_on', 'free_on', 'needs_decision', 'is_dispute', 'resolved_on'],
        'dunning.call': ['company_id', 'partner_id', 'date', 'date_start', 'kind', 'next_date'],
        'dunning.promise': [
            'company_id', 'partner_id', 'currency_id', 'state', 'date_promised', 'grace_date', 'amount', 'decided_on'],
        'dunning.behaviour': ['company_id', 'partner_id', 'average_days_late', 'trend_days'],
    }

    company_id = fields.Many2one(comodel_name='res.company', readonly=True)
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", readonly=True)
    currency_id = fields.Many2one(comodel_name='res.currency', readonly=True)
    company_currency_id = fields.Many2one(comodel_name='res.currency', readonly=True)

    # --- what he owes ---
    item_count = fields.Integer(string="Due Items", readonly=True)
    overdue_count = fields.Integer(string="Overdue Items", readonly=True)
    amount_open = fields.Monetary(string="Open", readonly=True)
    amount_overdue = fields.Monetary(string="Overdue", readonly=True)
    amount_held = fields.Monetary(
        string="On Hold", readonly=True, help="Of everything that is open, also of what is not due yet.")
    amount_credit = fields.Monetary(
        string="Credits", readonly=True,
        help="Open credit notes and payments of the debtor, as far as they cover what is overdue. The oldest items are "
             "covered first.")
    amount_collectable = fields.Monetary(
        string="Collectable", readonly=True,
        help="What can be asked for today: overdue, less what is on hold, covered by credits, blocked, marked “No "
             "Follow-Up” or already paid and waiting for the bank.")
    amount_overdue_company = fields.Monetary(
        string="Overdue (company currency)", currency_field='company_currency_id', readonly=True)
    amount_held_company = fields.Monetary(
        string="On Hold (company currency)", currency_field='company_currency_id', readonly=True)
    amount_collectable_company = fields.Monetary(
        string="Collectable (company currency)", currency_field='company_currency_id', readonly=True)
    bucket_1_30 = fields.Monetary(
        string="1–30 Days", currency_field='company_currency_id', readonly=True,
        help="Overdue for 1 to 30 days, in the currency of the company.")
    bucket_31_60 = fields.Monetary(
        string="31–60 Days", currency_field='company_currency_id', readonly=True,
        help="Overdue for 31 to 60 days, in the currency of the company.")
    bucket_61_90 = fields.Monetary(
        string="61–90 Days", currency_field='company_currency_id', readonly=True,
        help="Overdue for 61 to 90 days, in the currency of the company.")
    bucket_91 = fields.Monetary(
        string="Over 90 Days", currency_field='company_currency_id', readonly=True,
        help="Overdue for more than 90 days, in the currency of the company.")
    oldest_due_date = fields.Date(readonly=True)
    days_overdue = fields.Integer(string="Days", readonly=True, aggregator='max', help="Of the oldest due item.")
    days_collectable = fields.Integer(
        readonly=True, aggregator='max', help="Days overdue of the oldest item that can be collected.")
    dispute_amount = fields.Monetary(
        string="In Dispute", readonly=True, help="Open amount about which a dispute was not settled.")
    level_id = fields.Many2one(
        comodel_name='dunning.level', readonly=True, help="The highest level of the open invoices.")

    # --- what was said ---
    last_contact = fields.Date(readonly=True, aggregator='max', help="Last notice that left, or last call.")
    last_contact_kind = fields.Selection(
        selection=[('email', "E-mail"), ('letter', "Letter"), ('both', "E-mail and letter"), ('phone', "Call")],
        string="By", readonly=True)
    last_call = fields.Date(readonly=True, aggregator='max')
    never_called = fields.Boolean(readonly=True, help="No call with this debtor was ever logged.")
    call_id = fields.Many2one(
        comodel_name='dunning.call', string="Call to Follow Up", readonly=True,
        help="The last call, where something is to be done after it on a day.")
    call_notice_count = fields.Integer(
        string="Calls Waiting", readonly=True, help="Calls that a level of the ladder asks for.")
    promise_id = fields.Many2one(
        comodel_name='dunning.promise', readonly=True, help="The promise that ends first.")
    promise_date = fields.Date(string="Promised For", readonly=True, aggregator='min')
    promise_amount = fields.Monetary(string="Promised", readonly=True)
    broken_count = fields.Integer(
        string="Broken Promises", readonly=True, aggregator='max', help="In the last twelve months.")
    arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', compute='_compute_arrangement', search='_search_arrangement')
    arrangement_state = fields.Selection(
        related='arrangement_id.state', string="Arrangement State", related_sudo=False)
    instalment_date = fields.Date(
        string="Next Instalment", related='arrangement_id.next_date', related_sudo=False)

    # --- how he pays ---
    average_days_late = fields.Float(
        string="Pays Late (days)", readonly=True, aggregator='avg', digits=(6, 0),
        help="Days between due date and payment on average, of what was paid in the last twelve months.")
    trend = fields.Selection(
        selection=[('better', "Better"), ('same', "Same"), ('worse', "Worse")], readonly=True,
        help="The last three months compared with the nine before: five days or more earlier or later.")

    # --- what comes next, and who does it ---
    next_date = fields.Date(
        string="To Do On", readonly=True, aggregator='min',
        help="The day on which a person has to do something: a call the ladder asks for, a call that was agreed, or a "
             "promise that ends.")
    next_kind = fields.Selection(
        selection=[
            ('call', "Call of the ladder"),
            ('call_back', "Agreed call"),
            ('follow_up', "Follow-up of a call"),
            ('broken', "Promise broken"),
            ('promise', "Promise ends"),
        ],
        string="To Do", readonly=True)
    is_today = fields.Boolean(string="Today", readonly=True, help="What has to be done is due today or earlier.")
    next_step = fields.Char(
        compute='_compute_next_step',
        help="What a person has to do now; where there is nothing, what the ladder does and when.")
    next_is_link = fields.Boolean(compute='_compute_next_step')
    reach_phone = fields.Char(string="Phone", compute='_compute_reach', exportable=False)
    reach_email = fields.Char(string="E-mail", compute='_compute_reach', exportable=False)
    user_id = fields.Many2one(
        comodel_name='res.users', string="Collector",
        help="The collector of the debtor, else that of the company. Empty it to use that of the company.")
    branch_text = fields.Char(
        string="Owed To", compute='_compute_branch_text', exportable=False,
        help="What is open at each company of the creditor, when it is owed to several.")
    owner_id = fields.Many2one(
        comodel_name='res.users', string="On the List Of", readonly=True,
        help="The collector, or whoever stands in today.")
    is_covered = fields.Boolean(
        string="Of an Absent Colleague", readonly=True, help="The collector is away today, and somebody stands in.")
    priority = fields.Integer(readonly=True, aggregator='max')
    points = fields.Json(readonly=True, exportable=False)
    priority_reason = fields.Char(
        string="Why", compute='_compute_priority_text',
        help="What counts most for the priority, besides the amount, the days and the last contact.")
    priority_text = fields.Text(
        string="Why This Priority", compute='_compute_priority_text', help="Every factor with its points.")

    # -------------------------------------------------------------------------
    # THE STATEMENT
    # -------------------------------------------------------------------------

    @property
    def _table_query(self):
        """One simple SELECT over joined sets.

        It has no WITH, grouping or order of its own at the top, so that PostgreSQL merges it with the query of the
        ORM: a list that is sorted by priority then looks up what is only shown (the sub-selects below) for its own
        page, and joins that a query does not need are left out.
        """
        factors = self._get_factors()
        points = SQL(" + ").join(SQL("(%s)", factor.points) for factor in factors.values()) or SQL("0")
        return SQL(
            """
            SELECT ((debtor.partner_id::bigint << %(company_bits)s) + debtor.company_id << %(currency_bits)s)
                       + debtor.currency_id AS id,
                   debtor.company_id, debtor.partner_id, debtor.currency_id, company_currency_id,
                   item_count, overdue_count, amount_open, amount_overdue, amount_held, amount_credit,
                   amount_collectable, amount_overdue_company, amount_held_company,
                   collectable_company AS amount_collectable_company,
                   bucket_1_30, bucket_31_60, bucket_61_90, bucket_91,
                   oldest_due_date, GREATEST(0, today - oldest_due_date) AS days_overdue,
                   GREATEST(0, days_collectable) AS days_collectable,
                   dispute_amount,
                   (level_rank & 4294967295)::int AS level_id,
                   %(last_contact)s AS last_contact, %(last_contact_kind)s AS last_contact_kind,
                   last_call, last_call IS NULL AS never_called, call_id, call_notice_count,
                   promise_id, promise_date, promise_amount, broken_count,
                   average_days_late,
                   CASE WHEN trend_days >= 5 THEN 'worse' WHEN trend_days <= -5 THEN 'better'
                        WHEN trend_days IS NOT NULL THEN 'same' END AS trend,
                   next_date, next_date <= today AS is_today,
                   CASE next_date WHEN call_back_date THEN 'call_back' WHEN follow_up_date THEN 'follow_up'
                                  WHEN broken_on THEN 'broken'
                                  WHEN call_notice_date THEN 'call' WHEN promise_end THEN 'promise' END AS next_kind,
                   user_id, COALESCE(cover.cover_id, user_id) AS owner_id,
                   cover.cover_id IS NOT NULL AS is_covered,
                   (%(priority)s)::int AS priority,
                   jsonb_build_object(%(points)s) AS points
              FROM (%(rows)s) debtor
         LEFT JOIN (%(covers)s) cover ON cover.company_id = debtor.company_id AND cover.absent_id = debtor.user_id
            """,
            company_bits=COMPANY_BITS, currency_bits=CURRENCY_BITS,
            priority=points,
            points=SQL(", ").join(SQL("%s, %s", code, factor.points) for code, factor in factors.items()),
            rows=self._get_rows_sql(),
            covers=self._get_covers_sql(),
            last_contact=SQL("(SELECT MAX(day) FROM (%s) contact)", self._get_contacts_of_debtor_sql()),
            last_contact_kind=SQL(
                "(SELECT kind FROM (%s) contact ORDER BY day DESC, nr DESC LIMIT 1)",
                self._get_contacts_of_debtor_sql()),
        )

    @api.depends('points', 'amount_collectable')
    @api.depends_context('lang')
    def _compute_priority_text(self):
        lines = self._get_priority_lines()
        for debtor in self:
            explained = lines.get(debtor.id, [])
            # What the list shows in columns of its own is not repeated, unless nothing else counts.
            reasons = [line for line in explained if line[0] not in SHOWN] or [
                line for line in explained if line[0] != 'amount'][:1]
            debtor.priority_reason = " · ".join(sentence for _code, _points, sentence in reasons)
            debtor.priority_text = "\n".join(
                self.env._("%(sentence)s: %(points)s points", sentence=sentence, points=points)
                for _code, points, sentence in explained)

    @api.depends('partner_id', 'company_id', 'currency_id')
    def _compute_branch_text(self):
        """One query for the rows of a creditor that are shown; none without branches."""
        self.branch_text = False
        Item = self.env['account.move.line'].sudo()  # sudo: a sum for each company, as the row tells of all together
        for company, debtors in self.grouped('company_id').items():
            if len(company._get_dunning_company_ids()) == 1:
                continue
            sums = {}
            for partner, currency, owed_to, amount in Item._read_group(
                Item._get_dunning_open_domain(company, debtors.partner_id),
                ['partner_id', 'currency_id', 'company_id'], ['amount_residual_currency:sum'], order='company_id',
            ):
                row = sums.setdefault((partner.commercial_partner_id.id, currency.id), {})
                row[owed_to.name] = row.get(owed_to.name, 0.0) + amount
            for debtor in debtors:
                found = sums.get((debtor.partner_id.id, debtor.currency_id.id), {})
                if len(found) > 1:
                    debtor.branch_text = " · ".join(
                        f"{name} {format_amount(self.env, amount, debtor.currency_id)}"
                        for name, amount in found.items())

    @api.depends('partner_id', 'company_id', 'currency_id')
    def _compute_arrangement(self):
        """One query for the rows that are shown."""
        Arrangement = self.env['dunning.arrangement']
        for company, debtors in self.grouped('company_id').items():
            found = Arrangement._get_current(company, debtors.partner_id, by_currency=True)
            for debtor in debtors:
                debtor.arrangement_id = found.get((debtor.partner_id.id, debtor.currency_id.id), Arrangement)

    @api.model
    def _search_arrangement(self, operator, value):
        """Whether there is an arrangement that is not closed."""
        if operator != 'in' or set(value) - {False}:
            return NotImplemented
        partners = self.env['dunning.arrangement']._search(
            Domain('state', 'in', OPEN_STATES) & Domain(
                'company_id', 'in', self.env.companies._get_dunning_company_ids())
        ).subselect('partner_id')
        return [('partner_id', 'not in', partners)]

    # -------------------------------------------------------------------------
    # READING
    # -------------------------------------------------------------------------

    def fetch(self, field_names=None):
        """Read only what is about these debtors: the id says who they are."""
        partner_ids = list({row_id >> (COMPANY_BITS + CURRENCY_BITS) for row_id in self.ids})
        narrowed = self.with_context(dunning_debtor_partner_ids=partner_ids)
        return super(DunningDebtor, narrowed).fetch(field_names)

    @api.model
    def web_search_read(self, domain, specification, offset=0, limit=None, order=None, count_limit=None):
        """As core's, but with one statement that orders and counts: to work out everybody's place twice is too slow.

        What the page shows is read for its own rows only, see :meth:`fetch`.
        """
        query = self._search(domain, offset=offset, limit=limit, order=order or self._order)
        if query.is_empty():
            return {'length': 0, 'records': []}
        rows = self.env.execute_query(query.select(SQL.identifier(query.table, 'id'), SQL("COUNT(*) OVER ()")))
        if not rows and offset:
            return super().web_search_read(domain, specification, offset, limit, order, count_limit)
        length = rows[0][1] if rows else 0
        records = self.browse(row_id for row_id, _count in rows)
        # All columns at once: what explains a row needs more of them than the list shows.
        records.fetch([name for name, field in self._fields.items() if field.store])
        return {
            'length': min(length, count_limit) if count_limit else length,
            'records': records.web_read(specification),
        }

    @api.model
    def get_screen(self, debtor_id=False):
        """Return what the screen of one debtor shows, as plain data.

        :param int debtor_id: a row of the list of debtors
        :return: dict; amounts in the currency ``currency_id``, dates as ISO strings, moments in UTC.
            Of a debtor who owes nothing any more only ``{'gone': sentence}``
        :raise AccessError: for who may not read debtors, or this one
        """
        self.check_access('read')
        is_id = type(debtor_id) is int and 0 < debtor_id < LARGEST_ID  # programs send what they like
        debtor = self.browse(debtor_id if is_id else []).exists()
        if not debtor:
            return {'gone': self.env._(
                "Nothing is open any more of this debtor in this currency: it was paid or credited in the meantime.")}
        debtor.check_access('read')
        debtor = debtor.with_company(debtor.company_id)
        return debtor._prepare_screen(debtor._get_screen_facts())

    # -------------------------------------------------------------------------
    # WRITING: WHOSE DEBTOR HE IS
    # -------------------------------------------------------------------------

    def write(self, vals):
        """Give debtors to a collector; everything else follows from what happens elsewhere."""
        self.check_access('write')
        if set(vals) - {'user_id'}:
            raise UserError(self.env._(
                "Of a row of the worklist only the collector can be changed. The rest follows from invoices, payments, "
                "holds, calls and promises."))
        user_id = vals.get('user_id')
        for company, debtors in self.grouped('company_id').items():
            # sudo: whoever divides the work may not be allowed to edit contacts; only the collector is written
            debtors.partner_id.sudo().with_company(company).write({'dunning_user_id': user_id})
        self.env.flush_all()
        self.invalidate_model()
        return super().write({})

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access('create')
        if vals_list:
            raise UserError(self.env._("Debtors appear in the worklist by themselves, when they owe something."))
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Debtors leave the worklist by themselves, when they owe nothing any more."))

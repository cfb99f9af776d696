from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...tools.law.dated_facts import AGENCY_REGISTER, FACTS, get_facts_to_review
from .dunning_interest_rate import REPEAT_DAYS

# What is to be looked up has to be done within this many days.
LOOK_UP_DAYS = 31


class DunningLawFact(models.Model):
    """Whether somebody looked up a fact of Dutch law, and when.

    The facts themselves, with the source in which each was found, are in ``tools/law/dated_facts.py``: they change
    with the program only. Here is what a person adds to that. Each is looked up once per calendar year.
    """

    _name = 'dunning.law.fact'
    _description = "Fact of Law"
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _order = 'code, date_from desc'
    _mail_post_access = 'read'

    code = fields.Selection(
        selection=[
            ('postal_days', "Days for the post"),
            ('legal_term_days', "Term of payment when none was agreed"),
            ('longest_term_days', "Longest term between businesses"),
            ('large_buyer_term_days', "Longest term of a large buyer"),
            ('large_buyer_old_term_days', "The same, agreements from before 1 July 2022"),
            ('government_term_days', "Term of payment of a public body"),
            ('government_longest_term_days', "Longest term of a public body"),
            (AGENCY_REGISTER, "Collection agencies must be registered (Wki)"),
        ],
        string="Fact", required=True, readonly=True)
    date_from = fields.Date(string="From", required=True, readonly=True)
    value_text = fields.Char(string="Value", compute='_compute_fact')
    source = fields.Char(compute='_compute_fact')
    note = fields.Char(compute='_compute_fact')
    is_read = fields.Boolean(
        string="Text Read", compute='_compute_fact',
        help="Whether the text of the source itself was read when the program was made. No lawyer confirmed any of it.")
    confirmed_on = fields.Date(string="Looked Up On", readonly=True, copy=False)
    confirmed_by_id = fields.Many2one(
        comodel_name='res.users', string="Looked Up By", readonly=True, copy=False, index='btree_not_null')
    state = fields.Selection(
        selection=[('unverified', "Nobody looked it up"), ('due', "Look it up again"), ('verified', "Looked up"),
                   ('past', "In the past")],
        compute='_compute_state')

    _code_date_from_uniq = models.UniqueIndex("(code, date_from)", "This fact of law is in the list already.")

    @api.depends('code', 'date_from')
    def _compute_display_name(self):
        names = dict(self._fields['code']._description_selection(self.env))
        for row in self:
            row.display_name = names.get(row.code)

    @api.depends('code', 'date_from')
    @api.depends_context('lang')
    def _compute_fact(self):
        facts = {(fact.code, fact.date_from): fact for fact in FACTS}
        for row in self:
            fact = facts.get((row.code, row.date_from))
            row.source, row.note, row.is_read = fact and fact.source, fact and fact.note, bool(fact and fact.read)
            row.value_text = fact and (
                self.env._("%s days", fact.value) if fact.code != AGENCY_REGISTER
                else self.env._("in force") if fact.value else self.env._("not in force"))

    @api.depends('code', 'date_from', 'confirmed_on')
    @api.depends_context('company', 'dunning_at_date')
    def _compute_state(self):
        today = self.env.company._dunning_today()
        known = {(fact.code, fact.date_from) for fact in get_facts_to_review(today, {})}
        for row in self:
            row.state = (
                'past' if (row.code, row.date_from) not in known
                else 'unverified' if not row.confirmed_on
                else 'due' if row.confirmed_on.year < today.year else 'verified')

    @api.model
    def _load_facts(self):
        """Let there be a row for each fact the program knows; called at installation and each upgrade."""
        rows = {(row.code, row.date_from): row for row in self.search([])}
        facts = {(fact.code, fact.date_from) for fact in FACTS}
        self.browse().concat(*(row for key, row in rows.items() if key not in facts)).unlink()
        # What ships has no history of its own: the log begins when somebody looks a fact up.
        self.with_context(mail_create_nolog=True).create(
            [{'code': code, 'date_from': day} for code, day in sorted(facts - rows.keys())])

    def action_confirm(self):
        """Record that the user looked these facts up today and found them as they are here."""
        if not self.env.user.has_group('account.group_account_manager'):
            raise AccessError(self.env._("Facts of law are looked up by a manager of the accounting."))
        todo = self.filtered(lambda row: row.state in ('unverified', 'due'))
        if not todo:
            raise UserError(self.env._("There is nothing to look up here this year."))
        # sudo: nobody writes on these rows but this action
        todo.sudo().write({'confirmed_on': self.env.company._dunning_today(), 'confirmed_by_id': self.env.uid})
        todo._message_log_batch(dict.fromkeys(todo.ids, self.env._("Looked up: it is as it stands here.")))
        warnings = self.env['dunning.interest.rate']._get_warnings(model=self._name)
        if warnings and not self._get_rows_to_review(self.env.company._dunning_today()):
            warnings.action_feedback(feedback=self.env._("All facts of law were looked up."))

    @api.model
    def _get_rows_to_review(self, today):
        """Return the rows that a person has to look up now, the first to begin first."""
        rows = {(row.code, row.date_from): row for row in self.search([])}
        confirmed = {
            f'{code}:{day.isoformat()}': row.confirmed_on for (code, day), row in rows.items() if row.confirmed_on}
        return self.browse().concat(*(
            rows[fact.code, fact.date_from] for fact in get_facts_to_review(today, confirmed)
            if (fact.code, fact.date_from) in rows))

    @api.model
    def _warn_facts(self, company, today):
        """Ask one manager once a year to look up the facts of law; he is not asked again while that is open.

        The law is the same for every Dutch company, so the first one that has somebody to ask asks for all of them.

        :return: the new ``mail.activity``, or an empty one
        """
        if company.account_fiscal_country_id.code != 'NL':
            return self.env['mail.activity']
        rows, user = self._get_rows_to_review(today), company._get_dunning_manager()
        since = today - timedelta(days=REPEAT_DAYS)
        if not rows or not user or self.env['dunning.interest.rate']._get_warnings(since, self._name):
            return self.env['mail.activity']
        env = self.with_context(lang=user.lang).env
        return rows[0].activity_schedule(
            'mail.mail_activity_data_todo', date_deadline=today + timedelta(days=LOOK_UP_DAYS), user_id=user.id,
            summary=env._("Look up the facts of law of this year"),
            note=env._(
                "Under Configuration ‣ Facts of Law, choose “Looked up today” for each fact you found unchanged: %s. "
                "Ask a lawyer where one changed; the program has to follow.",
                ", ".join(dict.fromkeys(rows.with_env(env).mapped('display_name')))))

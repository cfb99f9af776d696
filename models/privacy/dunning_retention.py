"""Privacy: what was noted about people goes when it is old, after somebody has seen what would go.

The General Data Protection Regulation (article 5 paragraph 1 under e) lets personal data be kept no longer than they
are needed. Calls, promises and holds stay as the explanation of what was sent; what goes is what was said and who said
it. Nothing goes about a debtor who still owes what it is about: it may be needed as evidence.
"""

from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..kernel.formats import format_day

# How long a dry run is shown before it is carried out without anybody's word, in days, where that is switched on.
SHOWN_DAYS = 14
CLEAN_CHUNK = 500
# Months that a closed arrangement keeps its signatures: it explains the books, and these have to be kept that long
# (article 2:10 paragraph 3 BW).
KEEP_ARRANGEMENTS = 84


class Kind(NamedTuple):
    """What is noted of people in records of one model, and when it goes."""

    model: str
    since: str  # the field of the day from which they are kept
    needed: Domain  # of those that stay whatever their age: what they are about is still open
    people: tuple  # fields that go; one of them filled in means that there is something to clean
    more: tuple = ()  # fields that go with them


class DunningRetention(models.Model):
    """What is old enough to be cleaned: a list first, then, when somebody agrees, done."""

    _name = 'dunning.retention'
    _inherit = ['dunning.recorded', 'mail.thread', 'mail.activity.mixin']
    _description = "Cleaning of Personal Data"
    _order = 'date desc, id desc'

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True, index=True)
    date = fields.Date(string="Listed On", required=True, readonly=True)
    state = fields.Selection(
        selection=[('listed', "Listed"), ('done', "Cleaned"), ('kept', "Kept for now")],
        default='listed', required=True, readonly=True)
    line_ids = fields.One2many(comodel_name='dunning.retention.line', inverse_name='retention_id', readonly=True)
    call_count = fields.Integer(string="Calls", readonly=True)
    promise_count = fields.Integer(string="Promises", readonly=True)
    hold_count = fields.Integer(string="Holds", readonly=True)
    arrangement_count = fields.Integer(string="Arrangements", readonly=True)
    cleaned_count = fields.Integer(string="Cleaned", readonly=True)
    done_on = fields.Date(readonly=True)
    done_by_id = fields.Many2one(comodel_name='res.users', readonly=True, help="Empty: it went by itself.")
    clean_on = fields.Date(
        string="Will Be Cleaned On", compute='_compute_clean_on', help="Empty: when somebody agrees.")

    @api.depends('date', 'state', 'company_id.dunning_retention_automatic')
    def _compute_clean_on(self):
        for run in self:
            automatic = run.state == 'listed' and run.company_id.dunning_retention_automatic
            run.clean_on = automatic and run.date and run.date + relativedelta(days=SHOWN_DAYS)

    @api.depends('date')
    def _compute_display_name(self):
        for run in self:
            run.display_name = run.date and self.env._("Old notes, listed on %s", format_day(self.env, run.date))

    def _get_frozen_message(self, action):
        if action == 'unlink':
            return self.env._("A list of what was cleaned stays as the proof that it was; it is not deleted.")
        return action != 'copy' and self.env._(
            "What is cleaned follows from the settings; use the buttons to list it, to clean it or to keep it.")

    # -------------------------------------------------------------------------
    # WHAT IS OLD
    # -------------------------------------------------------------------------

    @api.model
    def _get_kinds(self, company):
        """Return ``{kind: Kind}`` of the records in which people are noted."""
        Item, Partner = self.env['account.move.line'], self.env['res.partner'].with_context(active_test=False)
        # sudo: only whether something is open
        owed = Item.sudo()._search(Item._get_dunning_open_domain(company))
        owing = Partner.sudo()._search([('id', 'in', owed.subselect('partner_id'))])  # sudo: as above
        of_debtor = Domain('scope', '=', 'debtor')
        open_lines = Domain('line_ids', 'any', [('move_line_id.reconciled', '=', False)])
        return {
            'call': Kind(
                'dunning.call', 'date', Domain('item_ids', 'any', [('reconciled', '=', False)]),
                ('note', 'contact_id', 'contact_name', 'number'),
                # What was done names people and numbers too.
                ('next_step', 'summary', 'answer')),
            'promise': Kind(
                'dunning.promise', 'grace_date', Domain('state', '=', 'running') | open_lines,
                ('note', 'contact_id', 'email_to')),
            'hold': Kind(
                'dunning.hold', 'closed_on',
                (of_debtor & Domain('partner_id', 'in', owing.subselect('commercial_partner_id')))
                | (~of_debtor & Domain('move_id', 'in', owed.subselect('move_id'))),
                ('note',)),
            'arrangement': Kind(
                'dunning.arrangement', 'closed_on', open_lines,
                ('note', 'contact_id', 'signed_name', 'signed_ip'),
                ('signed_signature', 'offer_attachment_id', 'agreement_attachment_id', 'scan_attachment_id')),
        }

    @api.model
    def _find(self, company, today):
        """Return ``{kind: records}`` of what is older than the settings allow and was not cleaned before.

        What is about an item that is still open is left out.
        """
        found = {}
        for name, kind in self._get_kinds(company).items():
            months = KEEP_ARRANGEMENTS if name == 'arrangement' else company.dunning_keep_months
            if months:
                # sudo: a manager decides about everything old, or the scheduled action does
                found[name] = self.env[kind.model].sudo().search(
                    Domain('company_id', '=', company.id)
                    & Domain(kind.since, '<', today - relativedelta(months=months)) & ~kind.needed
                    & Domain.OR([(field, '!=', False)] for field in kind.people))
        return found

    # -------------------------------------------------------------------------
    # CLEANING
    # -------------------------------------------------------------------------

    @api.model
    def _clean_records(self, kind, records):
        """Take away who was noted in records of a kind, with what was written about them and its attachments."""
        records._recording().write(dict.fromkeys(kind.people + kind.more, False))
        if kind.model == 'dunning.hold':
            return  # its history says by whom and why it was placed and ended: no more than the company's own acts
        # sudo: messages of colleagues are to go as well
        self.env['mail.message'].sudo().search([
            ('model', '=', kind.model), ('res_id', 'in', records.ids)]).unlink()
        self.env['ir.attachment'].sudo().search([  # sudo: as above
            ('res_model', '=', kind.model), ('res_id', 'in', records.ids)]).unlink()

    @api.model
    def _list(self, company, today):
        """Make the dry run: the list of what would go, in place of one that nobody decided about."""
        kinds = self._get_kinds(company)
        found = {kind: records for kind, records in self._find(company, today).items() if records}
        values = {
            'line_ids': [Command.clear(), *(
                Command.create({
                    'kind': kind, 'res_model': record._name, 'res_id': record.id,
                    'partner_id': record.partner_id.id, 'name': record.display_name,
                    'date': record[kinds[kind].since]})
                for kind, records in found.items() for record in records)],
            **{f'{kind}_count': len(found.get(kind, ())) for kind in kinds},
        }
        # sudo: the list follows from the settings, whoever asks
        waiting = self.sudo().search([('company_id', '=', company.id), ('state', '=', 'listed')])
        run = waiting[:1]._recording()
        if run:
            run.write(values)
        elif found:
            run = run.create({'company_id': company.id, 'date': today, **values})
        return run.with_env(self.env)

    def _clean(self, today, user=None):
        """Take away what was listed, as far as it may still go; what was paid back or opened since stays."""
        for run in self.sudo():  # sudo: who may was checked; users cannot write history themselves
            kinds, allowed, count = self._get_kinds(run.company_id), self._find(run.company_id, today), 0
            for kind, lines in run.line_ids.grouped('kind').items():
                may_go = set(allowed[kind].ids if kind in allowed else ())
                ids = [line.res_id for line in lines if line.res_id in may_go]
                for start in range(0, len(ids), CLEAN_CHUNK):
                    self._clean_records(kinds[kind], run.env[kinds[kind].model].browse(ids[start:start + CLEAN_CHUNK]))
                count += len(ids)
            run._recording().write({
                'state': 'done', 'done_on': today, 'done_by_id': user and user.id, 'cleaned_count': count})
            # The list itself must not keep what it cleaned.
            run.line_ids._recording().unlink()
            run.activity_ids.unlink()

    @api.model
    def _cron_clean(self):
        """Every week: list what is old, tell a manager; clean what was shown long enough where that is switched on."""
        for company in self.env['res.company'].search(Domain.TRUE):  # each company has its own settings
            today = company._dunning_today()
            run = self.with_company(company)
            ripe = run.search([
                ('company_id', '=', company.id), ('state', '=', 'listed'),
                ('date', '<=', today - relativedelta(days=SHOWN_DAYS))])
            if company.dunning_retention_automatic:
                ripe._clean(today)
            made = run._list(company, today)
            if made.line_ids and not made.sudo().activity_ids:  # sudo: activities of colleagues count as well
                made._tell_manager(today)

    def _tell_manager(self, today):
        user = self.company_id._get_dunning_manager()
        if user:
            local = self.sudo().with_context(lang=user.lang)  # sudo: planned for somebody else
            local.activity_schedule(
                'mail.mail_activity_data_todo', date_deadline=today, user_id=user.id, automated=True,
                summary=local.env._("Old notes about debtors: look what would go"))

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def action_dry_run(self):
        """List what would go today, and show the list; nothing goes."""
        self.check_access('write')
        company = self.env.company
        run = self._list(company, company._dunning_today())
        if not run.line_ids:
            raise UserError(self.env._(
                "Nothing is older than the settings of %s allow, so nothing would go.", company.name))
        return run._get_records_action(name=self.env._("What would go"))

    def action_clean(self):
        """Take away what is listed."""
        self.check_access('write')
        todo = self.filtered(lambda run: run.state == 'listed').try_lock_for_update()
        for company, runs in todo.grouped('company_id').items():
            runs._clean(company._dunning_today(), self.env.user)
        return True

    def action_keep(self):
        """Keep what is listed; the next list names it again."""
        self.check_access('write')
        todo = self.filtered(lambda run: run.state == 'listed').try_lock_for_update()
        # sudo: the right was checked; users cannot write it themselves
        todo.sudo()._recording().write({
            'state': 'kept', 'done_on': self.env.company._dunning_today(), 'done_by_id': self.env.uid})
        todo.sudo().activity_ids.unlink()  # sudo: as above
        return True

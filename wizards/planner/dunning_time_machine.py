from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ...models.kernel.dunning_field import PickedMany2many
from ...models.planner.question import Past


class DunningTimeMachine(models.TransientModel):
    """What would go out on a day, past or coming; nothing is sent, and only the rows it shows are kept for a while."""

    _name = 'dunning.time.machine'
    _description = "Time Machine"

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, readonly=True, default=lambda self: self.env.company)
    date = fields.Date(
        required=True, default=lambda self: self.env.company._dunning_today(),
        help="A past day uses the ledger as it was then; a coming day is as if nothing happens until then.")
    partner_ids = PickedMany2many(comodel_name='res.partner', string="Debtors")
    unknown = fields.Text(compute='_compute_unknown')

    @api.depends('date', 'company_id')
    @api.depends_context('lang', 'dunning_at_date')
    def _compute_unknown(self):
        Planner = self.env['dunning.planner']
        for wizard in self:
            wizard.unknown = "\n".join(Planner._get_unknown(wizard.company_id, wizard.date)) if wizard.date else False

    def action_show(self):
        """Show a list of the notices that would go out, one row for each."""
        self.ensure_one()
        self.check_access('write')
        if self.company_id not in self.env.companies:
            raise AccessError(self.env._("Choose that company first, at the top of the screen."))
        Row = self.env['dunning.time.machine.row']
        Row.search([('wizard_id', '=', self.id)]).unlink()
        Row.create([self._prepare_row(group) for group in self._get_groups()])
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_time_machine_row_action')
        action['display_name'] = self.env._(
            "Time Machine: %s", self.env['dunning.planner']._fmt_date(self.date))
        action['domain'] = [('wizard_id', '=', self.id)]
        return action

    def _get_groups(self):
        """Return the planner's decisions about what is due, a list per notice."""
        company, day = self.company_id, self.date
        # sudo: the planner reads settings of debtors; who asks was checked at the entrance
        Planner = self.env['dunning.planner'].sudo()
        is_past = day < company._dunning_today()
        decisions = Planner._plan(
            company, day, only_due=True, partners=self.partner_ids.commercial_partner_id or None,
            ignore=Planner._get_unknown_reasons(company, day),
            # What went out on the day itself is what would go out.
            past=Past(day, day - timedelta(days=1)) if is_past else None)
        decisions = self.env['dunning.planner']._filter_seen(company, decisions)
        return Planner._cap_backlog(company, day, decisions, used=0 if is_past else None)[0]

    def _prepare_row(self, group):
        first = max(group, key=lambda decision: decision.level_rank)
        return {
            'wizard_id': self.id,
            'company_id': self.company_id.id,
            'partner_id': first.partner_id,
            'policy_id': first.policy_id,
            'level_id': first.level_id,
            'channel': first.channel,
            'amount': sum(decision.amount_company for decision in group),
            'item_count': len(group),
        }

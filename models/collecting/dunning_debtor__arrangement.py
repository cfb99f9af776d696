from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..agreement.arrangement_states import DECIDED_STATES as DECIDED
from ..agreement.arrangement_states import OPEN_STATES
from ..agreement.dunning_arrangement_history import HISTORY


class DunningDebtor(models.Model):
    _inherit = 'dunning.debtor'

    arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', compute='_compute_arrangement', search='_search_arrangement')
    arrangement_state = fields.Selection(
        related='arrangement_id.state', string="Arrangement State", related_sudo=False)
    instalment_date = fields.Date(
        string="Next Instalment", related='arrangement_id.next_date', related_sudo=False)

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
            Domain('state', 'in', OPEN_STATES) & Domain('company_id', 'in', self.env.companies.ids)
        ).subselect('partner_id')
        return [('partner_id', 'not in', partners)]

    def action_arrangement(self):
        """Open the wizard that makes an arrangement about what this debtor owes in this currency."""
        self.check_access('read')
        if len(self) != 1:
            raise UserError(self.env._("An arrangement is made with one debtor. Select one."))
        items = self.env['dunning.promise']._get_open_items(self.company_id, self.partner_id)
        return self.env['dunning.arrangement.make']._action_open(
            items=items.filtered(lambda item: item.currency_id == self.currency_id))

    def _prepare_screen(self, facts):
        # EXTENDED: the arrangement that runs or is being made
        found = self.env['dunning.arrangement']._get_current(self.company_id, facts.partner, by_currency=True)
        current = found.get((facts.partner.id, self.currency_id.id))
        return {
            **super()._prepare_screen(facts),
            'may_arrange': self.env['dunning.arrangement.make'].has_access('create'),
            'arrangement': current and current._prepare_screen_arrangement(),
        }

    def _prepare_screen_items(self, facts):
        # EXTENDED: what is part of an arrangement that was offered or runs
        lines = self.env['dunning.arrangement.line'].search([
            ('move_line_id', 'in', facts.items.ids), ('is_live', '=', True)])
        arranged = set(lines.move_line_id.ids)
        return [{**item, 'arranged': item['id'] in arranged} for item in super()._prepare_screen_items(facts)]

    def _get_screen_checks(self):
        # EXTENDED: next to what was promised
        names = super()._get_screen_checks()
        index = names.index('promise') + 1
        return [*names[:index], 'arrangement', *names[index:]]

    def _check_screen_arrangement(self, facts, items):
        title = self.env._("Arrangement?")
        Arrangement = self.env['dunning.arrangement']
        last = Arrangement.search([
            ('company_id', '=', self.company_id.id), ('partner_id', '=', facts.partner.id),
            ('state', 'in', ('offered', 'signed', 'active', *DECIDED))], limit=HISTORY)
        current = last.filtered(lambda one: one.state in ('offered', 'signed', 'active'))[:1]
        if current:
            return 'warn', title, current.story or current.display_name
        if last and last[0].state == 'broken':
            return 'warn', title, last[0].story or self.env._("%s was broken.", last[0].name)
        if last:
            return 'ok', title, self.env._("The last arrangement was kept.")
        return None

    def _get_arrangement_events(self, facts):
        # OVERRIDE: each on the day of the last thing that happened to it
        arrangements = self.env['dunning.arrangement'].search([
            ('company_id', '=', self.company_id.id), ('partner_id', '=', facts.partner.id),
            ('currency_id', '=', self.currency_id.id)], limit=HISTORY)
        labels = dict(arrangements._fields['state']._description_selection(self.env))
        tones = {'kept': 'good', 'active': 'good', 'broken': 'bad'}
        return [
            self._prepare_event(
                'arrangement', arrangement, day=arrangement._get_last_day(), who=arrangement.user_id.name,
                title=arrangement.name or self.env._("Arrangement"), text=arrangement.story or '',
                badge=labels.get(arrangement.state, ''), tone=tones.get(arrangement.state, ''),
                amount=arrangement.amount_total)
            for arrangement in arrangements]

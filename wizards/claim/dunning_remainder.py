from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class DunningRemainder(models.TransientModel):
    """Interest and costs that were claimed and are left over while the invoice itself was paid: somebody decides."""

    _name = 'dunning.remainder'
    _description = "Left After Payment"
    _order = 'partner_id, paid_on, id'

    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", readonly=True)
    item_id = fields.Many2one(comodel_name='account.move.line', string="Due Item", readonly=True)
    move_id = fields.Many2one(comodel_name='account.move', string="Invoice", readonly=True)
    company_id = fields.Many2one(comodel_name='res.company', readonly=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    paid_on = fields.Date(readonly=True)
    amount_interest = fields.Monetary(string="Interest", readonly=True)
    amount_costs = fields.Monetary(string="Collection Costs", readonly=True)
    amount = fields.Monetary(string="Left Over", readonly=True)
    decision_id = fields.Many2one(comodel_name='dunning.waiver', readonly=True)
    decision = fields.Char(string="Decided", compute='_compute_decision')

    @api.depends('decision_id')
    def _compute_decision(self):
        for line in self:
            line.decision = self.env._(
                "kept on %(date)s by %(user)s: %(reason)s", date=format_date(self.env, line.decision_id.date),
                user=line.decision_id.user_id.name, reason=line.decision_id.reason) if line.decision_id else False

    @api.model
    def action_show(self):
        """Return the action that lists what is left over in the current company."""
        self.browse().check_access('create')
        company = self.env.company
        lines = self.create([
            {
                'partner_id': line.partner_id, 'item_id': line.item_id, 'move_id': line.move_id,
                'company_id': company.id, 'paid_on': line.paid_on, 'amount_interest': float(line.interest),
                'amount_costs': float(line.costs), 'amount': float(line.total), 'decision_id': line.decision_id,
            }
            for line in self.env['dunning.claim']._get_remainders(company)])
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_remainder_action')
        action['domain'] = [('id', 'in', lines.ids)]
        return action

    def action_claim(self):
        """Specify and print what is left, to ask for it."""
        return self.env['dunning.specification']._action_open(self._get_debtor(), self.item_id)

    def action_waive(self):
        self._get_debtor()
        return self.env['dunning.waive']._action_open(self.item_id)

    def action_received(self):
        """Say that what is left came in another way."""
        self._get_debtor()
        return self.env['dunning.waive']._action_open(self.item_id, 'received')

    def action_keep(self):
        self._get_debtor()
        return self.env['dunning.waive']._action_open(self.item_id, 'keep')

    def _get_debtor(self):
        if len(self.partner_id) != 1:
            raise UserError(self.env._("Choose items of one debtor."))
        return self.partner_id

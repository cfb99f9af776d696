"""What an invoice, a due item, a debtor and a notice say about holds, and the one click that places one."""

from odoo import api, fields, models
from odoo.fields import Domain

from ..kernel.groups import ACCOUNTING, COLLEAGUES


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_hold_ids = fields.One2many(
        comodel_name='dunning.hold', inverse_name='partner_id', string="Holds", groups=ACCOUNTING)
    dunning_hold_count = fields.Integer(
        string="Number of Holds", compute='_compute_dunning_hold_count', groups=ACCOUNTING,
        help="Holds of this debtor and of his invoices that were not closed.")
    # All that sales staff gets to see of holds: no reason, no note, no amount, no invoice.
    dunning_hold_text = fields.Char(
        string="On Hold", compute='_compute_dunning_hold_text', groups=COLLEAGUES,
        help="Until when nothing of this debtor is reminded.")

    @api.depends_context('company')
    def _compute_dunning_hold_count(self):
        groups = self.env['dunning.hold']._read_group(
            [
                ('partner_id', 'in', self.commercial_partner_id.ids), ('closed_on', '=', False),
                ('company_id', 'in', self.env.company._get_dunning_company_ids()),
            ], ['partner_id'], ['__count'])
        counts = {partner.id: count for partner, count in groups}
        for partner in self:
            partner.dunning_hold_count = counts.get(partner.commercial_partner_id._origin.id, 0)

    @api.depends_context('company', 'lang', 'dunning_at_date')
    def _compute_dunning_hold_text(self):
        Hold = self.env['dunning.hold']
        today = self.env.company._dunning_today()
        # sudo: that nothing is reminded is for everybody who sees the contact; why is not told
        holds = Hold.sudo().search(
            Hold._get_active_domain(today) & Domain('scope', '=', 'debtor')
            & Domain('company_id', 'in', self.env.company._get_dunning_company_ids())
            & Domain('partner_id', 'in', self.commercial_partner_id.ids))
        by_partner = holds.grouped('partner_id')
        for partner in self:
            # sudo: as above, for the sentence of the badge
            mine = by_partner.get(partner.commercial_partner_id._origin.sudo(), Hold.sudo())
            partner.dunning_hold_text = mine._get_badge_text()

    def action_dunning_hold(self):
        """Open the wizard that puts everything of these debtors on hold."""
        self.check_access('read')
        return self.env['dunning.hold.place']._action_open(partners=self.commercial_partner_id)

    def action_dunning_holds(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_hold_action')
        return {**action, 'domain': [('partner_id', '=', self.commercial_partner_id.id)], 'context': {}}

from odoo import api, fields, models
from odoo.fields import Domain

from ..kernel.groups import ACCOUNTING


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_hold_count = fields.Integer(
        string="Number of Holds", compute='_compute_dunning_hold', groups=ACCOUNTING,
        help="Holds of this invoice or of everything of its debtor that were not closed.")
    dunning_hold_text = fields.Char(
        string="On Hold", compute='_compute_dunning_hold', groups=ACCOUNTING,
        help="Until when (a part of) this invoice is not reminded.")

    @api.depends_context('lang', 'dunning_at_date')
    def _compute_dunning_hold(self):
        """One query for all invoices."""
        holds = self.env['dunning.hold'].search(self._get_dunning_holds_domain() & Domain('closed_on', '=', False))
        for move in self:
            mine = holds.filtered(lambda hold, move=move: (
                hold.partner_id.commercial_partner_id == move.commercial_partner_id
                and (hold.move_id == move._origin if hold.scope != 'debtor' else (
                    hold.company_id.id in move.company_id._get_dunning_company_ids()
                    and move.move_type in ('out_invoice', 'out_receipt')))))
            move.dunning_hold_count = len(mine)
            move.dunning_hold_text = mine._get_badge_text()

    def _get_dunning_holds_domain(self):
        return Domain('company_id', 'in', self.company_id._get_dunning_company_ids()) & (
            Domain('move_id', 'in', self._origin.ids)
            | (Domain('scope', '=', 'debtor') & Domain('partner_id', 'in', self.commercial_partner_id.ids)))

    def action_dunning_hold(self):
        """Open the wizard that puts these invoices on hold."""
        self.check_access('read')
        return self.env['dunning.hold.place']._action_open(moves=self)

    def action_dunning_holds(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_hold_action')
        return {**action, 'domain': list(self._get_dunning_holds_domain()), 'context': {}}

from odoo import api, fields, models

from ..kernel.groups import ACCOUNTING


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_debtor_count = fields.Integer(
        string="Rows in the Worklist", compute='_compute_dunning_debtor', groups=ACCOUNTING)
    dunning_amount_collectable = fields.Monetary(
        string="To Collect", compute='_compute_dunning_debtor', groups=ACCOUNTING,
        help="What the debtor can be asked for today, in the currency of the company.")
    dunning_call_count = fields.Integer(
        string="Number of Calls", compute='_compute_dunning_call_count', groups=ACCOUNTING)

    @api.depends_context('company', 'dunning_at_date')
    def _compute_dunning_debtor(self):
        debtors = self.commercial_partner_id
        # The scope only makes it faster: what is read is what may be read.
        groups = self.env['dunning.debtor'].with_context(dunning_debtor_partner_ids=debtors.ids)._read_group(
            [('partner_id', 'in', debtors.ids), ('company_id', 'in', self.env.company._get_dunning_company_ids())],
            ['partner_id'], ['__count', 'amount_collectable_company:sum'])
        found = {debtor.id: values for debtor, *values in groups}
        for partner in self:
            count, amount = found.get(partner.commercial_partner_id._origin.id, (0, 0.0))
            partner.dunning_debtor_count = count
            partner.dunning_amount_collectable = amount

    def action_dunning_worklist(self):
        """Open the screen of this debtor; the worklist where he owes in several currencies."""
        self.ensure_one()
        self.check_access('read')
        debtors = self.env['dunning.debtor'].search([
            ('partner_id', '=', self.commercial_partner_id.id),
            ('company_id', 'in', self.env.company._get_dunning_company_ids())])
        if len(debtors) == 1:
            return debtors.action_open()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_debtor_action')
        action['domain'] = [('partner_id', '=', self.commercial_partner_id.id)]
        action['context'] = {}
        return action

    @api.depends_context('company')
    def _compute_dunning_call_count(self):
        groups = self.env['dunning.call']._read_group(
            [('partner_id', 'in', self.commercial_partner_id.ids),
             ('company_id', 'in', self.env.company._get_dunning_company_ids())],
            ['partner_id'], ['__count'])
        counts = {partner.id: count for partner, count in groups}
        for partner in self:
            partner.dunning_call_count = counts.get(partner.commercial_partner_id._origin.id, 0)

    def action_dunning_calls(self):
        """Show the calls with this debtor."""
        self.ensure_one()
        return self.env['dunning.call']._action_show([('partner_id', '=', self.commercial_partner_id.id)])

    def action_dunning_call(self):
        """Open the wizard that logs a call with this debtor."""
        self.ensure_one()
        self.check_access('read')
        return self.env['dunning.call.enter']._action_open(
            partner=self.commercial_partner_id,
            contact=self if self != self.commercial_partner_id else None)

    def action_dunning_phone_works(self):
        """Call the number again that was said to be wrong."""
        self.env['dunning.call'].check_access('create')
        self.check_access('read')
        # sudo: who may log calls need not be allowed to change contacts; this takes back only our own mark
        self.sudo().write({'dunning_phone_wrong_on': False})
        return True

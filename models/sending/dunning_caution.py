"""Two reasons to let a person look first: a debtor who is dear, and another program that reminds as well."""

from odoo import api, fields, models

# Addons that remind debtors too. Both at once would tell them everything twice.
RIVALS = ('account_followup', 'account_credit_control', 'account_invoice_overdue_reminder')


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_review = fields.Boolean(
        string="Look First",
        company_dependent=True,
        index=False,
        help="Reminders to this debtor never leave by themselves: each is a proposal until somebody approved it, "
             "whatever the policy says.",
        prefetch='dunning',
    )

    @api.model
    def _commercial_fields(self):
        return super()._commercial_fields() + ['dunning_review']


class ResCompany(models.Model):
    _inherit = 'res.company'

    @api.model
    def _get_dunning_rivals(self):
        """Return the names of other installed addons that remind debtors."""
        # sudo: what is installed is no secret to who sends reminders
        modules = self.env['ir.module.module'].sudo().search([
            ('name', 'in', list(RIVALS)), ('state', 'in', ('installed', 'to upgrade'))], order='name')
        return [module.shortdesc or module.name for module in modules]


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _get_groups_that_go(self, company, groups):
        """EXTENDS: a dear debtor is looked at first; and while another program reminds, somebody compares."""
        groups = super()._get_groups_that_go(company, groups)
        if not groups or company._get_dunning_rivals():
            return []
        # Few are: asked as one question, not read of every debtor.
        dear = set(self.env['res.partner'].with_context(active_test=False).search([
            ('id', 'in', [group[0].partner_id for group in groups]), ('dunning_review', '=', True)],
            order='id').ids)
        return [group for group in groups if group[0].partner_id not in dear]


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_rival_names = fields.Char(compute='_compute_dunning_rival_names')

    @api.depends('company_id')
    def _compute_dunning_rival_names(self):
        self.dunning_rival_names = ", ".join(self.env.company._get_dunning_rivals())

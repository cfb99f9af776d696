from odoo import api, models


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

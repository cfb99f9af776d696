from odoo import api, fields, models
from odoo.fields import Domain

# Of fewer notices nobody needs to be told how far they are.
SMALLEST_BATCH = 2


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    batch_id = fields.Many2one(
        comodel_name='dunning.batch', string="Sent Together", readonly=True, copy=False, index='btree_not_null')

    def action_approve(self):
        # OVERRIDE: whoever lets several go sees how far they are.
        todo = self.filtered(lambda notice: notice.state in ('draft', 'error'))
        result = super().action_approve()
        todo._begin_batch()
        return result

    def _begin_batch(self):
        """Remember that the user let these notices go together, in as far as they are in the queue now."""
        queued = self.filtered(lambda notice: notice.state == 'queued')
        for company, notices in queued.grouped('company_id').items():
            if len(notices) < SMALLEST_BATCH:
                continue
            # sudo: written by the program only
            batch = self.env['dunning.batch'].sudo().create({
                'company_id': company.id, 'user_id': self.env.uid, 'total': len(notices)})
            notices._recording().write({'batch_id': batch.id})

    @api.model
    def get_dunning_running(self):
        """Return what the list of notices says about what is being sent in the current companies.

        :return: list of dicts with ``id``, ``text``, ``done``, ``total`` and ``may_stop``
        """
        self.check_access('read')
        groups = self._read_group(
            Domain('company_id', 'in', self.env.companies.ids) & Domain('state', '=', 'queued')
            & Domain('batch_id', '!=', False) & Domain('breaker_id', '=', False), ['batch_id'], [])
        batches = self.env['dunning.batch'].browse([batch.id for [batch] in groups])
        return [batch._get_progress() for batch in batches.sorted('id')]

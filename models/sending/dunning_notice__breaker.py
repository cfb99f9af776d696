from odoo import api, fields, models


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    approved = fields.Boolean(readonly=True, copy=False, help="A person let it go; it never stops and asks.")
    failed_on = fields.Datetime(readonly=True, copy=False)
    breaker_id = fields.Many2one(
        comodel_name='dunning.breaker', string="Stopped By", readonly=True, copy=False, index='btree_not_null')

    def _queue(self):
        # OVERRIDE: approving is a person's decision, also about what was stopped.
        result = super()._queue()
        self._recording().write({'approved': True, 'breaker_id': False})
        return result

    def _mark_failed(self, message):
        # OVERRIDE: remember when, so that many failures in a row are seen.
        result = super()._mark_failed(message)
        self._recording().write({'failed_on': fields.Datetime.now()})
        return result

    def action_send_now(self):
        # OVERRIDE: whoever sends a stopped notice by hand decides about it.
        self.check_access('write')
        self.filtered(lambda notice: notice.state == 'queued' and notice.breaker_id)._queue()
        return super().action_send_now()

    def _is_unapproved(self):
        """Return whether nobody decided about it but its policy."""
        self.ensure_one()
        return self.origin == 'scheduled' and not self.approved

    @api.model
    def get_dunning_stopped(self):
        """Return what the list of notices says about stopped queues of the current companies.

        :return: list of dicts with ``id``, ``text`` and ``may_decide``
        """
        self.check_access('read')
        breakers = self.env['dunning.breaker'].search([
            ('state', '=', 'stopped'), ('company_id', 'in', self.env.companies.ids)])
        return [
            {'id': breaker.id, 'text': breaker._get_text(with_company=len(self.env.companies) > 1),
             'may_decide': breaker._may_decide()}
            for breaker in breakers]

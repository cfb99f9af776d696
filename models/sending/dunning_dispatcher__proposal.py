from odoo import api, models


class DunningDispatcher(models.AbstractModel):
    _inherit = 'dunning.dispatcher'

    @api.model
    def _refuse_unlawful(self, notices, at_date):
        # OVERRIDE: the last look before a letter is made, when its amounts are known.
        lawful = super()._refuse_unlawful(notices, at_date)
        return lawful - self._send_back_unapproved(lawful)

    @api.model
    def _send_back_unapproved(self, notices):
        """Make proposals of queued notices that a colleague did not approve as they are now; return those."""
        watched = notices.filtered(lambda notice: notice.state == 'queued' and notice.policy_id.four_eyes != 'never')
        unapproved = watched.filtered(lambda notice: notice._needs_colleague() and not notice._is_approved())
        for notice in unapproved:
            name = notice.approver_id.name
            text = {
                'more': self.env._("It asks more than was approved by %s, so it needs a new approval.", name),
                'address': self.env._("The address changed since %s approved it, so it needs a new approval.", name),
            }.get(notice._get_approval_gap()) or self.env._(
                "The policy “%s” asks a second pair of eyes, and no colleague approved this.", notice.policy_id.name)
            recording = notice._recording()
            recording.write({**notice._get_unapproved_vals(), 'colleague_kept': True})
            recording._message_log(body=text)
        return unapproved

    @api.model
    def _dispatch(self, notices):
        # OVERRIDE: keep what left, to show what changed since it was proposed.
        gone = super()._dispatch(notices)
        gone._take_snapshots('left_data')
        return gone

"""Proposals: what a person may change before a notice leaves, who may approve it, and what changed on the way.

A second pair of eyes: where a policy asks for it, nobody approves what he made or changed. Everybody who had a hand in
a proposal counts, not only the last one: else whoever comes after him would approve his work unseen. What nobody
touched, because the scheduled action made it, may be approved by anybody who may send.

The rule stands in two places. :meth:`DunningNotice._queue` refuses whoever has no right to approve; all buttons,
wizards and calls from outside end there. And the dispatcher lets nothing leave that was not approved as it is now
(:meth:`DunningDispatcher._send_back_unapproved`), however it came into the queue.

What was proposed, what was approved and what left are kept as three snapshots on the notice, taken by one SQL
expression, so that the difference can be shown for as long as the notice exists.
"""

from odoo import api, models


class DunningPlanner(models.AbstractModel):
    _inherit = 'dunning.planner'

    @api.model
    def _answer(self, company, day, *, items=None, partners=None):
        # OVERRIDE: what a person took off a proposal is explained in his own words.
        answers = super()._answer(company, day, items=items, partners=partners)
        held = [answer['item_id'] for answer in answers if answer['reason'] in ('hold', 'hold_ended')]
        if not held:
            return answers
        # sudo: the caller checked who asks about what
        lines = self.env['dunning.notice.line'].sudo().search(
            [('move_line_id', 'in', held), ('dropped_hold_id', '!=', False), ('company_id', '=', company.id)],
            order='id')
        texts = {
            line.move_line_id.id: line.drop_text for line in lines
            if line.dropped_hold_id.opened_on <= day
            and (not line.dropped_hold_id.free_on or line.dropped_hold_id.free_on > day)}
        for answer in answers:
            if answer['item_id'] in texts:
                answer['text'] = f"{answer['text']} {texts[answer['item_id']]}"
        return answers

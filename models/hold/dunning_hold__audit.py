"""Who did what with a notice, and when: each act of a person is a line in its chatter.

The fields of a notice tell how it is now; that somebody approved it, took it back or was told that it failed would be
gone with the next act. Notes are not copied into the chatter: what is erased from a note has to be gone.
"""

from odoo import models


class DunningHold(models.Model):
    _inherit = 'dunning.hold'

    def write(self, vals):
        # OVERRIDE: as for notices
        changed = self.browse()
        if vals.keys() & {'note', 'dispute_outcome', 'credit_move_id'} and not self._is_recording():
            changed = self.filtered(lambda hold: any(
                hold._fields[name].convert_to_write(hold[name], hold) != vals[name]
                for name in vals.keys() & {'note', 'dispute_outcome', 'credit_move_id'}))
        result = super().write(vals)
        if changed:
            text = self.env._("The note or the outcome of the dispute was changed.")
            changed._message_log_batch(dict.fromkeys(changed.ids, text))
        return result

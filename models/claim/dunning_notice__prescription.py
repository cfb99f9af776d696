from markupsafe import Markup

from odoo import models

from ...tools.wording import interrupts_prescription
from ..ladder.dunning_level import MANUAL_CHANNELS


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def _record_sent(self, at_date):
        # OVERRIDE: what left says from now on whether it interrupted prescription.
        result = super()._record_sent(at_date)
        reserving = self.filtered(lambda notice: notice._reserves_performance())
        if reserving:
            reserving._recording().write({'interrupts_prescription': True})
            self.env['account.move']._forget_dunning_answers()
        return result

    def _reserves_performance(self):
        """Return whether the text that left interrupts prescription: written, and without doubt (article 3:317 BW)."""
        self.ensure_one()
        if self.channel in MANUAL_CHANNELS:
            return False
        text = Markup().join(filter(None, (self.body_intro, self.body_closing)))
        return bool(text) and interrupts_prescription(text, self.lang)

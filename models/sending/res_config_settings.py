from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_senders = fields.Integer(
        string="Parallel Senders",
        default=lambda self: self.env['dunning.queue']._get_senders(),
        help="So many processes send reminders at the same time. More than the server has workers for scheduled "
             "actions (max_cron_threads) helps nothing.",
    )

    def set_values(self):
        result = super().set_values()
        Queue = self.env['dunning.queue']
        if self.dunning_senders != Queue._get_senders():
            Queue._set_senders(self.dunning_senders)
        return result

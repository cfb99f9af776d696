from odoo import api, fields, models


class DunningNoticeLine(models.Model):
    _inherit = 'dunning.notice.line'

    wrong_amount = fields.Monetary(
        string="Not Owed", readonly=True, copy=False,
        help="Of what was asked, what had been paid or credited before the day the notice left.")
    wrong_on = fields.Date(string="Found Out On", readonly=True, copy=False)
    wrong_paid_on = fields.Date(
        string="Settled On", readonly=True, copy=False, help="Date of the last payment or credit note from before it.")
    wrong_credited = fields.Boolean(
        readonly=True, copy=False, help="Only credit notes settled it, and no payment.")
    withdrawn_amount = fields.Monetary(
        readonly=True, copy=False, help="Of what was not owed, what was withdrawn.")
    withdrawn_on = fields.Date(
        readonly=True, copy=False, help="Nothing of the item was owed: it is back at the level it had before.")
    withdrawal_ids = fields.Many2many(
        comodel_name='dunning.withdrawal', relation='dunning_withdrawal_line_rel', column1='line_id',
        column2='withdrawal_id', string="Withdrawals", readonly=True, copy=False)

    @api.depends('withdrawn_on')
    def _compute_status(self):
        # OVERRIDE: one item of a notice can be withdrawn while the others stand.
        result = super()._compute_status()
        for line in self:
            if line.withdrawn_on and line.status == 'sent':
                line.status = 'withdrawn'
        return result

    def _get_asked(self):
        """Return what was asked of the item itself, in its currency."""
        self.ensure_one()
        return self.amount_residual - self.amount_netted - self.amount_held

    def _is_wholly_wrong(self):
        self.ensure_one()
        return bool(self.wrong_amount) and self.currency_id.compare_amounts(self.wrong_amount, self._get_asked()) >= 0

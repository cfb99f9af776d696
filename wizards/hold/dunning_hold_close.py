from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ...models.kernel.formats import format_day


class DunningHoldClose(models.TransientModel):
    """End holds, or give them a later end date; either way the reason is kept."""

    _name = 'dunning.hold.close'
    _description = "Close or Extend Holds"

    mode = fields.Selection(selection=[('close', "Close"), ('extend', "Extend")], required=True, readonly=True)
    hold_ids = fields.Many2many(comodel_name='dunning.hold', readonly=True)
    hold_count = fields.Integer(compute='_compute_holds')
    summary = fields.Char(compute='_compute_holds')
    free_hint = fields.Char(compute='_compute_holds')
    company_id = fields.Many2one(comodel_name='res.company', compute='_compute_holds')
    partner_id = fields.Many2one(comodel_name='res.partner', compute='_compute_holds')
    has_dispute = fields.Boolean(compute='_compute_holds')
    date_end = fields.Date(string="New End Date")
    # Required by the view: the wizard is there before the answer is.
    why = fields.Char()
    dispute_right = fields.Selection(
        selection=[('debtor', "The debtor is right"), ('us', "We are right"), ('partly', "Each partly")],
        string="Who Is Right")
    credit_move_id = fields.Many2one(
        comodel_name='account.move', string="Credit Note",
        domain="[('move_type', '=', 'out_refund'), ('commercial_partner_id', '=', partner_id),"
               " ('company_id', '=', company_id)]")
    dispute_outcome = fields.Text(string="Outcome")

    @api.depends('hold_ids')
    def _compute_holds(self):
        for wizard in self:
            holds = wizard.hold_ids
            wizard.hold_count = len(holds)
            wizard.summary = (
                f"{holds.display_name}, {holds.partner_id.display_name}" if len(holds) == 1
                else self.env._("%(count)s holds", count=len(holds)))
            wizard.company_id = holds.company_id if len(holds.company_id) == 1 else False
            wizard.partner_id = holds.partner_id if len(holds.partner_id) == 1 else False
            wizard.has_dispute = any(hold.is_dispute and hold.dispute_right == 'open' for hold in holds)
            free = [
                fields.Date.add(hold.company_id._dunning_today(), days=hold.soft_days + 1) for hold in holds]
            wizard.free_hint = free and self.env._(
                "Nothing leaves today: reminders go on from %s.", format_day(self.env, max(free)))

    @api.model
    def _action_open(self, holds, mode):
        self.check_access('create')
        holds = holds.filtered(lambda hold: not hold.closed_on)
        if not holds:
            raise UserError(self.env._("All of these holds were closed already. Place a new one where it is needed."))
        wizard = self.create({
            'mode': mode,
            'hold_ids': [Command.set(holds.ids)],
            'date_end': min(
                fields.Date.add(hold.company_id._dunning_today(), days=hold.reason_id.default_days) for hold in holds)
            if mode == 'extend' else False,
        })
        return wizard._get_records_action(
            name=self.env._("Close hold") if mode == 'close' else self.env._("Extend hold"), target='new',
            context={'dialog_size': 'medium'})

    def action_apply(self):
        """Close or extend the holds."""
        self.ensure_one()
        holds = self.hold_ids
        if not (self.why or '').strip():
            raise UserError(self.env._("Say why: it is kept in the history of the hold."))
        if self.mode == 'extend':
            holds._extend(self.date_end, self.why)
        else:
            disputes = holds.filtered(lambda hold: hold.is_dispute and hold.dispute_right == 'open')
            if disputes:
                if not self.dispute_right:
                    raise UserError(self.env._(
                        "A dispute ends when it is settled: say who is right. If it is not settled yet, extend it."))
                disputes.write({
                    'dispute_outcome': self.dispute_outcome,
                    'credit_move_id': self.credit_move_id.id,
                    'dispute_right': self.dispute_right,
                })
            holds._close(self.why)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}

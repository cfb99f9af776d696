from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

# What to ask, by kind of outcome. The names are those of `dunning.call.log_call`.
ASKS = {
    'no_answer': [],
    'voicemail': [],
    'wrong_number': [],
    'call_back': ['date', 'time'],
    'promise': ['date', 'amount', 'items'],
    'paid_already': ['date', 'text'],
    'copy_wanted': ['items', 'contact'],
    'awaiting_approval': ['date', 'contact', 'items'],
    'disputed': ['category', 'amount', 'items', 'text'],
    'hardship': ['items'],
    'arrangement': ['items'],
    'refuses': ['text'],
    'other_person': ['contact'],
}
# The debtor himself was not spoken to: such calls are tries.
TRIES = ('no_answer', 'voicemail', 'wrong_number', 'other_person')
# Nor was what he owes talked about when he asks for another moment, but that is no try in vain.
NOT_REACHED = (*TRIES, 'call_back')


class DunningCallOutcome(models.Model):
    """How a call about payment ended. The kind says what the program does with it by itself."""

    _name = 'dunning.call.outcome'
    _description = "Call Outcome"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        selection=[
            ('no_answer', "No answer"),
            ('voicemail', "Voicemail"),
            ('wrong_number', "Wrong number"),
            ('call_back', "Call back"),
            ('promise', "Promise to pay"),
            ('paid_already', "Says it was paid"),
            ('copy_wanted', "Copy of the invoice wanted"),
            ('awaiting_approval', "Waits for approval"),
            ('disputed', "Disputed"),
            ('hardship', "Cannot pay"),
            ('arrangement', "Wants an arrangement"),
            ('refuses', "Refuses"),
            ('other_person', "Spoke to somebody else"),
        ],
        required=True,
        default='no_answer',
        help="What the program does by itself with such a call.",
    )
    reached = fields.Boolean(
        compute='_compute_reached', store=True, readonly=False, precompute=True,
        help="The debtor himself was spoken to about what he owes. Then a call of the ladder counts as made.")
    shortcut = fields.Char(size=1, help="The key that chooses it while calling.")

    _shortcut_uniq = models.UniqueIndex(
        "(lower(shortcut)) WHERE active AND shortcut IS NOT NULL AND shortcut != ''",
        "Another outcome has this shortcut already. Choose another key.",
    )

    @api.depends('kind')
    def _compute_reached(self):
        for outcome in self:
            outcome.reached = outcome.kind not in NOT_REACHED

    @api.constrains('reached', 'kind')
    def _check_reached(self):
        for outcome in self:
            if outcome.reached and outcome.kind in TRIES:
                raise ValidationError(self.env._(
                    "“%(outcome)s”: the debtor was not spoken to, so “Reached” cannot be set for this kind.",
                    outcome=outcome.name))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: only asks whether a call exists, in any company
        used = self.env['dunning.call'].sudo().search([('outcome_id', 'in', self.ids)], limit=1)
        if used:
            raise UserError(self.env._(
                "Calls ended with “%(outcome)s”, so it stays as their explanation. Archive it instead.",
                outcome=used.outcome_id.name))

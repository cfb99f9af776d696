from odoo import api, fields, models

from ...models.kernel.dunning_field import PickedMany2many
from ...models.ladder.dunning_level import CHANNELS


class DunningSendGroup(models.TransientModel):
    _name = 'dunning.send.group'
    _description = "Reminder About to Be Sent"
    _order = 'partner_id, id'

    wizard_id = fields.Many2one(comodel_name='dunning.send', required=True, ondelete='cascade', index=True)
    selected = fields.Boolean(string="Send", default=True)
    company_id = fields.Many2one(comodel_name='res.company', readonly=True)
    notice_id = fields.Many2one(comodel_name='dunning.notice', string="Proposal", readonly=True)
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", readonly=True)
    recipient_id = fields.Many2one(comodel_name='res.partner', string="To", readonly=True)
    currency_id = fields.Many2one(comodel_name='res.currency', readonly=True)
    level_id = fields.Many2one(comodel_name='dunning.level', readonly=True)
    channel = fields.Selection(selection=CHANNELS, string="By", required=True)
    amount_due = fields.Monetary(string="To Pay", readonly=True)
    amount_netted = fields.Monetary(string="Credits", readonly=True)
    item_ids = PickedMany2many(comodel_name='account.move.line', readonly=True)
    item_count = fields.Integer(string="Items", readonly=True)
    oldest_due_date = fields.Date(readonly=True)
    preview_file = fields.Binary(string="Preview", attachment=False, readonly=True)
    lang_name = fields.Char(string="Language", compute='_compute_lang_name')
    problem = fields.Text(string="Attention", compute='_compute_problem')

    @api.depends('notice_id', 'recipient_id', 'partner_id', 'level_id')
    def _compute_lang_name(self):
        names = dict(self.env['res.lang'].get_installed())
        for group in self:
            lang = group.notice_id.lang or group.level_id.policy_id._nearest_letter_lang(
                (group.recipient_id or group.partner_id)._get_dunning_lang())
            group.lang_name = names.get(lang, lang).split(" / ")[-1].split(" (")[0]

    @api.depends('channel', 'recipient_id', 'partner_id', 'notice_id')
    def _compute_problem(self):
        """What a person should see before sending: the chosen channel does not reach anybody, or it failed before."""
        for group in self:
            people = (group.recipient_id, group.partner_id)  # no union: it would read them one by one
            by_mail = any(person.email_normalized and not person.dunning_email_bounced_on for person in people)
            by_post = any(person._has_dunning_address() for person in people)
            if group.channel == 'email' and not by_mail:
                group.problem = self.env._("No e-mail address: choose another channel or complete the contact.")
            elif group.channel == 'letter' and not by_post:
                group.problem = self.env._("No postal address: choose another channel or complete the contact.")
            elif group.channel == 'both' and not (by_mail or by_post):
                group.problem = self.env._("Neither an e-mail nor a postal address: complete the contact.")
            elif group.channel == 'phone' and not any(person._has_dunning_phone() for person in people):
                group.problem = self.env._("No phone number: complete the contact.")
            elif group.notice_id.state == 'error':
                group.problem = group.notice_id.error_message
            else:
                group.problem = False

    def action_preview(self):
        """Show the letter as it would leave now; nothing is stored."""
        self.ensure_one()
        return self.env['dunning.letter']._action_preview_group(self)

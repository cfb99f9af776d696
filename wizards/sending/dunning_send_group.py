from odoo import api, fields, models

from ...models.kernel.dunning_field import PickedMany2many
from ...models.ladder.dunning_level import CHANNELS, DETOURS
from ...models.sending.dunning_notice_delivery import LACKS


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
    detour = fields.Selection(selection=LACKS, readonly=True)
    detour_bounced_on = fields.Date(readonly=True)
    remark = fields.Text(compute='_compute_remark')

    @api.depends('notice_id', 'recipient_id', 'partner_id', 'level_id')
    def _compute_lang_name(self):
        names = dict(self.env['res.lang'].get_installed())
        for group in self:
            lang = group.notice_id.lang or group.level_id.policy_id._nearest_letter_lang(
                (group.recipient_id or group.partner_id)._get_dunning_lang())
            group.lang_name = names.get(lang, lang).split(" / ")[-1].split(" (")[0]

    @api.depends('channel', 'recipient_id', 'partner_id', 'notice_id.maker_ids', 'notice_id.state')
    @api.depends_context('uid')
    def _compute_problem(self):
        """What a person should see before sending.

        The chosen channel does not reach anybody, it failed before, or it will stay a proposal.
        """
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
            elif group.notice_id.state == 'error' and group.notice_id.error_message:
                group.problem = group.notice_id.error_message
            elif group.notice_id._get_refused():
                group.problem = self.env._(
                    "You made or changed this proposal: it stays one until a colleague approves it.")
            elif not group.notice_id and group._needs_colleague():
                group.problem = self.env._(
                    "It becomes a proposal that a colleague approves: the policy asks a second pair of eyes.")
            else:
                group.problem = False

    def _needs_colleague(self):
        """Return whether the policy asks a second pair of eyes for what would be made of this."""
        self.ensure_one()
        policy, company = self.level_id.policy_id, self.company_id
        if policy.four_eyes != 'above':
            return policy.four_eyes == 'always'
        today = company._dunning_today()
        limit = policy.currency_id._convert(policy.four_eyes_amount, self.currency_id, company, today)
        return self.currency_id.compare_amounts(self.amount_due, limit) > 0

    @api.depends('problem', 'detour', 'channel', 'level_id')
    def _compute_remark(self):
        """What to know before sending: a problem, or why it takes another way than its level."""
        Planner = self.env['dunning.planner']
        for group in self:
            own = group.level_id.channel
            detoured = group.detour and (
                group.channel == own == 'both' or group.channel in DETOURS.get(own, ()))
            group.remark = group.problem or (detoured and Planner._explain_detour(
                group.detour, group.channel, group.detour_bounced_on))

    def action_preview(self):
        """Show the letter as it would leave now; nothing is stored."""
        self.ensure_one()
        return self.env['dunning.letter']._action_preview_group(self)

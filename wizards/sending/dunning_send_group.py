import base64

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...models.kernel.dunning_field import PickedMany2many
from ...models.kernel.dunning_recorded import RECORDING
from ...models.ladder.dunning_level import CHANNELS
from ...models.sending.dunning_notice_delivery import LACKS
from .dunning_send import SHOWN


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
    has_hidden = fields.Boolean(
        readonly=True, help="Part of it is owed to a company of the same creditor that you do not work for.")
    oldest_due_date = fields.Date(readonly=True)
    preview_file = fields.Binary(string="Preview", attachment=False, readonly=True)
    lang_name = fields.Char(string="Language", compute='_compute_lang_name')
    problem = fields.Text(string="Attention", compute='_compute_problem')
    detour = fields.Selection(selection=LACKS, readonly=True)
    detour_bounced_on = fields.Date(readonly=True)
    remark = fields.Text(compute='_compute_remark')

    @api.depends('notice_id', 'recipient_id', 'partner_id', 'level_id')
    def _compute_lang_name(self):
        Notice = self.env['dunning.notice']
        for group, notice in zip(self, self._as_notices(), strict=True):
            group.lang_name = Notice._name_lang((group.notice_id or notice).lang)

    def _as_notices(self):
        """Return the notices that these would be, in memory only; together, so that each reads for all of them."""
        Notice = self.env['dunning.notice']
        return Notice.concat(*(
            Notice.new(self._convert_to_write({name: group[name] for name in SHOWN})) for group in self))

    @api.depends('channel', 'recipient_id', 'partner_id', 'notice_id.maker_ids', 'notice_id.state')
    @api.depends_context('uid')
    def _compute_problem(self):
        """What a person should see before sending.

        The chosen channel does not reach anybody, it failed before, or it will stay a proposal.
        """
        for group, notice in zip(self, self._as_notices(), strict=True):
            ways = notice._get_ways()
            if ways and not any(ways.values()):
                group.problem = notice._explain_unreachable()
            elif group.notice_id.state == 'error' and group.notice_id.error_message:
                group.problem = group.notice_id.error_message
            elif group.notice_id._get_refused():
                group.problem = self.env._(
                    "You made or changed this proposal: it stays one until a colleague approves it.")
            elif not group.notice_id and group._needs_colleague():
                group.problem = self.env._(
                    "It becomes a proposal that a colleague approves: the policy asks a second pair of eyes.")
            elif not group.notice_id and group.has_hidden:
                group.problem = self.env._(
                    "What must be in one letter with this is owed to a company of the same creditor that you do not "
                    "work for. It becomes a proposal that a colleague who works for both approves.")
            else:
                group.problem = False

    def _needs_colleague(self):
        """Return whether the policy asks a second pair of eyes for what would be made of this."""
        self.ensure_one()
        return self.env['dunning.notice']._asks_colleague(
            self.level_id.policy_id, self.company_id, self.amount_due, self.currency_id)

    @api.depends('problem', 'detour', 'channel', 'level_id')
    def _compute_remark(self):
        """What to know before sending: a problem, or why it takes another way than its level."""
        Notice = self.env['dunning.notice']
        for group, notice in zip(self, self._as_notices(), strict=True):
            detoured = group.detour and Notice._is_detour(group.level_id, group.channel)
            group.remark = group.problem or (detoured and notice.detour_text)

    def get_preview_list(self):
        """Return the rows beside the preview; see ``dunning.letter._get_preview_list``."""
        self.check_access('read')
        return self.env['dunning.letter']._get_preview_list(self)

    def get_preview(self):
        """Return what would leave; see ``dunning.letter._get_preview``."""
        self.check_access('read')
        return self.env['dunning.letter']._get_preview(self)

    def send_test(self):
        """Send what would leave to the user who asks; see ``dunning.letter._send_test``."""
        self.check_access('write')
        return self.env['dunning.letter']._send_test(self)

    def _get_letter_url(self):
        """Return where the letter can be seen as it would leave now; no record of it is kept."""
        self.preview_file = base64.b64encode(self.env['dunning.letter']._preview(self._make_previewed))
        return f"/web/content/dunning.send.group/{self.id}/preview_file?filename=concept.pdf"

    def _get_left_mail(self):
        return self.notice_id._get_left_mail() if self.notice_id else {}

    def _make_previewed(self):
        """Return the notice that would leave; for a preview, which undoes what is made for it."""
        if self.notice_id:
            if self.notice_id.channel != self.channel:
                self.notice_id.channel = self.channel
            return self.notice_id
        messages = self.wizard_id._plan_chosen(self)
        if not messages:
            raise UserError(self.env._(
                "Nothing is due any more: it was paid, credited or sent while this window was open."))
        return self.wizard_id.with_context(dunning_preview=RECORDING)._create_notices(self.company_id, messages[0])

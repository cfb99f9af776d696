
from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.mail import email_normalize_all

from ..debtor.res_partner import DEBTOR_TYPES
from ..kernel.dunning_bulk import log_on
from ..kernel.dunning_field import CopiedMany2one, WholeBinary, WholeJson
from ..kernel.dunning_recorded import RECORDING
from ..kernel.formats import in_language_of
from ..ladder.dunning_level import CHANNELS, MANUAL_CHANNELS
from .dunning_receipt import KINDS

STATES = [
    ('draft', "Proposal"),
    ('queued', "To Send"),
    ('todo', "To Do"),
    ('to_post', "To Post"),
    ('leaving', "On Its Way"),
    ('error', "Failed"),
    ('sent', "Sent"),
    ('skipped', "Passed Over"),
    ('undelivered', "Not Delivered"),
    ('withdrawn', "Withdrawn"),
    ('cancelled', "Cancelled"),
]
# A notice in one of these states still holds its items: they get no other notice.
PENDING_STATES = ('draft', 'queued', 'todo', 'to_post', 'leaving', 'error')
# It was made, and nobody took it yet: a letter that lies on the pile, a mail in the mail queue.
MADE_STATES = ('to_post', 'leaving')
FINAL_STATES = ('sent', 'skipped', 'undelivered', 'withdrawn', 'cancelled')
# What the figures of a notice are worked out of: fields of its lines.
SUMMED = (
    'amount_residual', 'amount_netted', 'amount_held', 'amount_interest', 'amount_costs', 'amount_announced',
    'amount_due_company', 'date_maturity')
# What a user may change by hand, and only while the notice has not left.
USER_WRITABLE = frozenset({'channel', 'recipient_id', 'lang', 'note'})
# And what is said about a call or a task that was handed out.
USER_WRITABLE_HANDED_OUT = frozenset({'note'})


class DunningNotice(models.Model):
    """One contact with a debtor about his due items at one level: a mail, a letter, a call.

    A notice is made as a proposal, is queued, and leaves through the dispatcher.
    Once sent, its figures, texts and PDF never change.
    """

    _name = 'dunning.notice'
    _inherit = [
        'dunning.recorded', 'dunning.notice.evidence', 'mail.thread.main.attachment', 'mail.activity.mixin',
        'dunning.bulk']
    _description = "Dunning Notice"
    _order = 'id desc'
    _check_company_auto = True
    _mail_post_access = 'read'
    _recorded_with = 'notice'
    _recording_context = {'mail_create_nosubscribe': True, 'mail_create_nolog': True, 'mail_notrack': True}
    _user_writable = USER_WRITABLE
    _user_writable_handed_out = USER_WRITABLE_HANDED_OUT
    _frozen_files = {'letter_file': (*MADE_STATES, 'sent', 'withdrawn', 'undelivered')}

    name = fields.Char(string="Number", readonly=True, copy=False, index='trigram')
    company_id = fields.Many2one(comodel_name='res.company', required=True, index=True, readonly=True)
    shared_company_ids = fields.Many2many(
        comodel_name='res.company', relation='dunning_notice_company_rel', column1='notice_id', column2='company_id',
        string="Companies It Is About", readonly=True, copy=False,
        groups=fields.NO_ACCESS,  # rules ask for it: nobody reads, and keeps in memory, a part of it
        help="When part of it is owed to one and part to another company of the creditor.")
    company_currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='restrict')
    recipient_id = fields.Many2one(
        comodel_name='res.partner', string="Addressed To", required=True, index=True, ondelete='restrict',
        tracking=True,
        help="Whom the level is addressed to: the contact for reminders, the contact on the invoice or the director.")
    currency_id = fields.Many2one(comodel_name='res.currency', required=True, readonly=True)
    level_id = fields.Many2one(
        comodel_name='dunning.level', required=True, index=True, readonly=True, ondelete='restrict',
        group_expand='_group_expand_level_id')
    level_legal_role = fields.Selection(related='level_id.legal_role', string="Role of the Level")
    policy_id = CopiedMany2one(related='level_id.policy_id', store=True)
    channel = fields.Selection(selection=CHANNELS, required=True, tracking=True)
    state = fields.Selection(
        selection=STATES, default='draft', required=True, readonly=True, copy=False, tracking=True)
    state_text = fields.Char(
        string="Status in Words", compute='_compute_state_text', exportable=False,
        help="A call or a task is done, not sent.")
    origin = fields.Selection(
        selection=[('scheduled', "Scheduled action"), ('manual', "By hand")],
        default='manual', required=True, readonly=True)
    backlog = fields.Boolean(readonly=True, help="About items that were overdue before dunning was started.")
    forced = fields.Boolean(
        string="Ahead of Time", readonly=True,
        help="A person decided to send it before its day or below the minimum amount.")
    author_id = fields.Many2one(
        comodel_name='res.users', string="Decided By", readonly=True, default=lambda self: self.env.user)
    date_planned = fields.Date(string="Planned On", readonly=True, required=True)
    date = fields.Date(readonly=True, copy=False, help="Date on the letter or of the call.", index='btree_not_null')
    deadline = fields.Date(string="Pay Before", copy=False, readonly=True,
                           help="Last day of the term this notice gives the debtor.")
    sent_on = fields.Datetime(readonly=True, copy=False)
    postal_state = fields.Selection(
        selection=[('to_print', "To print"), ('printed', "Printed"), ('posted', "Posted")],
        string="Post", readonly=True, copy=False)
    posted_on = fields.Date(readonly=True, copy=False)
    posted_by_id = fields.Many2one(comodel_name='res.users', readonly=True, copy=False)
    line_ids = fields.One2many(comodel_name='dunning.notice.line', inverse_name='notice_id', string="Due Items")
    # Computed, not a domain: a line that was taken off must be gone at once, also from the cache.
    live_line_ids = fields.One2many(
        comodel_name='dunning.notice.line', string="Items Asked For", compute='_compute_live_line_ids')
    dropped_count = fields.Integer(string="Items Taken Off", compute='_compute_live_line_ids')
    line_count = fields.Integer(string="Items", compute='_compute_amounts', store=True)
    amount_residual = fields.Monetary(string="Open", compute='_compute_amounts', store=True)
    amount_netted = fields.Monetary(string="Credits", compute='_compute_amounts', store=True,
                                    help="Open credit notes and payments of the debtor that cover part of it.")
    amount_held = fields.Monetary(
        string="On Hold", compute='_compute_amounts', store=True,
        help="Part of the items that is not asked now, such as a part in dispute.")
    amount_principal = fields.Monetary(
        string="Principal", compute='_compute_amounts', store=True,
        help="What is asked of the invoices themselves: open, less credits and parts on hold.")
    amount_interest = fields.Monetary(string="Interest", compute='_compute_amounts', store=True)
    amount_costs = fields.Monetary(string="Collection Costs", compute='_compute_amounts', store=True)
    amount_announced = fields.Monetary(
        string="Announced Costs", compute='_compute_amounts', store=True,
        help="Collection costs that a 14-day letter announces: owed only when its term has run out.")
    amount_due = fields.Monetary(
        string="To Pay", compute='_compute_amounts', store=True,
        help="The principal, and the interest and collection costs that the notice asks for.")
    amount_due_company = fields.Monetary(
        string="To Pay (company currency)", compute='_compute_amounts', store=True,
        currency_field='company_currency_id')
    oldest_due_date = fields.Date(compute='_compute_amounts', store=True)
    # What the law sees in it: taken from the level, its text and the debtor when the notice leaves, then frozen.
    legal_role = fields.Selection(
        selection=lambda self: self.env['dunning.level']._fields['legal_role'].selection,
        readonly=True, copy=False, index='btree_not_null')
    debtor_type = fields.Selection(
        selection=DEBTOR_TYPES, readonly=True, copy=False,
        help="What the debtor was treated as when the notice left.")
    interrupts_prescription = fields.Boolean(
        readonly=True, copy=False,
        help="The text reserved the right to performance, so that prescription starts anew (article 3:317 BW).")
    claim_data = WholeJson(
        readonly=True, copy=False, help="How interest and collection costs were worked out when it left.")
    apart_data = WholeJson(
        readonly=True, copy=False,
        help="Of a 14-day letter: due items of the debtor that could not be claimed together with it, with the reason.")
    receipt_ids = fields.One2many(
        comodel_name='dunning.receipt', inverse_name='notice_id', string="Evidence of Receipt", readonly=True)
    receipt_kind = fields.Selection(selection=KINDS, string="Received", readonly=True, copy=False)
    receipt_date = fields.Date(
        readonly=True, copy=False, help="The day on which the debtor received it, proven or presumed.")
    costs_from = fields.Date(
        readonly=True, copy=False,
        help="Of a 14-day letter: the first day on which the debtor owes collection costs.")
    costs_from_text = fields.Char(compute='_compute_costs_from_text')
    void_text = fields.Char(string="Holds No Longer", compute='_compute_costs_from_text')
    waiver_text = fields.Char(string="Waived", compute='_compute_waiver_text')
    lang = fields.Char(string="Language", compute='_compute_lang', store=True, readonly=False,
                       tracking=True)
    subject = fields.Char(readonly=True, copy=False)
    body_intro = fields.Html(readonly=True, copy=False, sanitize=False)
    body_closing = fields.Html(readonly=True, copy=False, sanitize=False)
    letter_file = WholeBinary(string="Letter", attachment=True, readonly=True, copy=False)
    letter_sha256 = fields.Char(string="SHA-256 of the Letter", readonly=True, copy=False)
    mail_id = fields.Many2one(comodel_name='mail.mail', readonly=True, copy=False, ondelete='set null',
                              index='btree_not_null')
    mail_message_id = fields.Many2one(comodel_name='mail.message', string="E-mail", readonly=True, copy=False,
                                      ondelete='set null', index='btree_not_null')
    email_to = fields.Char(string="E-mailed To", readonly=True, copy=False)
    waiting_reason = fields.Char(
        string="Waits Because", readonly=True, copy=False,
        help="Why it stays in the queue; it leaves by itself when this is over.")
    error_message = fields.Text(string="What Went Wrong", readonly=True, copy=False)
    cancel_reason = fields.Char(readonly=True, copy=False)
    note = fields.Text(string="Note of the Call or Task", copy=False)
    promised_date = fields.Date(
        copy=False, readonly=True, help="The day on which the debtor said in this call that he will have paid.")

    _pending_idx = models.Index("(state, id) WHERE state IN ('draft', 'queued', 'todo', 'to_post', 'leaving', 'error')")
    _number_idx = models.Index("(REGEXP_REPLACE(UPPER(name), '[^A-Z0-9]', '', 'g'))")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('name')
    def _compute_display_name(self):
        for notice in self:
            notice.display_name = notice.name or self.env._("New notice")

    @api.depends(
        'line_ids.amount_residual', 'line_ids.amount_netted', 'line_ids.amount_held', 'line_ids.amount_interest',
        'line_ids.amount_costs', 'line_ids.amount_announced', 'line_ids.amount_due_company', 'line_ids.drop_reason',
        'line_ids.date_maturity')
    def _compute_amounts(self):
        for notice in self:
            lines = notice.line_ids.filtered(lambda line: not line.drop_reason)
            figures = self._sum_up({name: lines.mapped(name) for name in SUMMED})
            # Of a new notice they stand there already, see `create`.
            notice.update({
                name: value for name, value in figures.items() if not notice.id or notice[name] != value})

    @api.model
    def _sum_up(self, columns):
        """Return the figures of a notice.

        :param columns: of each of the fields ``SUMMED`` the values of its lines
        """
        # Of rounded amounts: only what adding floats left over is to go.
        sums = {
            name: round(sum(filter(None, values)), 6) for name, values in columns.items() if name != 'date_maturity'}
        principal = round(sums['amount_residual'] - sums['amount_netted'] - sums['amount_held'], 6)
        extras = round(sums['amount_interest'] + sums['amount_costs'], 6)
        return {
            **sums,
            'line_count': len(columns['date_maturity']),
            'amount_principal': principal,
            'amount_due': principal + extras,
            # Interest and costs are only ever asked in the currency of the company.
            'amount_due_company': sums['amount_due_company'] + extras,
            'oldest_due_date': min(filter(None, columns['date_maturity']), default=False),
        }

    @api.depends('line_ids.drop_reason')
    def _compute_live_line_ids(self):
        for notice in self:
            notice.live_line_ids = notice.line_ids.filtered(lambda line: not line.drop_reason)
            notice.dropped_count = len(notice.line_ids) - len(notice.live_line_ids)

    @api.depends('recipient_id', 'partner_id', 'level_id')
    def _compute_lang(self):
        for notice in self:
            notice.lang = self._choose_lang(notice.recipient_id or notice.partner_id, notice.level_id)

    @api.model
    def _choose_lang(self, recipient, level):
        """Return the language of a notice of this level to this recipient."""
        lang = recipient._get_dunning_lang()
        return level.policy_id._nearest_letter_lang(lang) if level else lang

    def _get_term_days(self):
        """Return the days the debtor gets: with items of several levels the longest term counts for all."""
        self.ensure_one()
        return max((self.level_id | self.live_line_ids.level_id).mapped('payment_term_days'), default=0)

    @api.model
    def _group_expand_level_id(self, levels, domain):
        return levels.search([('policy_id', 'in', levels.policy_id.ids)]) if levels else levels

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model
    def _prepare_create_values(self, vals_list):
        # EXTENDS 'base': behind the guard of what is recorded, so that nothing is drawn or worked out in vain.
        names = iter(self._next_names(sum(not vals.get('name') for vals in vals_list)))
        recipients = self.env['res.partner'].browse([vals['recipient_id'] for vals in vals_list])
        recipients._read_dunning_lang()
        levels = self.env['dunning.level'].browse([vals['level_id'] for vals in vals_list])
        for vals, recipient, level in zip(vals_list, recipients, levels, strict=True):
            vals['name'] = vals.get('name') or next(names)
            # Computed as well: given, so that a row is written once.
            vals['lang'] = vals.get('lang') or self._choose_lang(recipient, level)
            vals['policy_id'] = level.policy_id.id
            lines = [line for command, _id, line in vals.get('line_ids') or () if command == Command.CREATE]
            vals.update(self._sum_up({name: [line.get(name) for line in lines] for name in SUMMED}))
        return super()._prepare_create_values(vals_list)

    @api.model
    def _next_names(self, count):
        """Draw ``count`` numbers from the sequence of notices, in one query."""
        if not count:
            return []
        if self.env.context.get('dunning_preview') is RECORDING:  # not something a browser can say
            return [''] * count  # made to be looked at: draws no number
        # sudo: users may number, not read sequences
        sequence = self.env.ref('l10n_nl_dunning.sequence_notice').sudo().with_context(
            ir_sequence_date=fields.Date.to_string(self.env.company._dunning_today()))
        if sequence.implementation != 'standard' or sequence.use_date_range:
            return [sequence.next_by_id() for _i in range(count)]
        numbers = self.env.execute_query(SQL(
            "SELECT nextval(%s) FROM generate_series(1, %s)", 'ir_sequence_%03d' % sequence.id, count))
        # As get_next_char does, with the date looked at once.
        prefix, suffix = sequence._get_prefix_suffix()
        return [f"{prefix}{number:0{sequence.padding}d}{suffix}" for (number,) in numbers]

    def _get_frozen_message(self, action):
        return {
            'create': self.env._(
                "Notices are made by the scheduled action or by “Send reminder” on invoices and contacts, "
                "so that nothing wrong leaves."),
            'write': self.env._(
                "A notice follows from the due items and the policy. By hand only its channel, recipient, language "
                "and note can be changed; use the buttons to approve, send or cancel it."),
        }.get(action)

    def _write_by_user(self, vals):
        # Hook: a final notice stays as it is; that a user changed a note is logged, not its text.
        names = self._get_frozen_names(vals)
        final = self.filtered(lambda notice: notice.state in FINAL_STATES)
        if names and final:
            raise UserError(self.env._(
                "%(notice)s has left or was closed, so it cannot be changed any more. "
                "It is the proof of what the debtor was told.",
                notice=final[:1].display_name,
            ))
        if names - self._user_writable_handed_out and any(notice.state in ('todo', *MADE_STATES) for notice in self):
            raise UserError(self.env._(
                "The letter was made or the call was handed out already, so only the note can be changed. "
                "Cancel the notice to let it be planned again.",
            ))
        changed = 'note' in vals and self.filtered(lambda notice: (notice.note or '') != (vals['note'] or ''))
        result = super()._write_by_user(vals)
        if changed:
            changed._log_act(lambda notice: notice.env._("The note was changed."))
        return result

    def _check_unlink(self):
        for notice in self:
            if notice.state not in ('draft', 'cancelled') or notice.sent_on:
                raise UserError(self.env._(
                    "%(notice)s cannot be deleted. A proposal or a notice in the queue can be cancelled.",
                    notice=notice.display_name,
                ))

    @api.model
    def _check_frozen_files(self, files, *, new=False):
        result = super()._check_frozen_files(files, new=new)
        attached = files.filtered(lambda attachment: not attachment.res_field)
        # sudo: only asks whether they left
        notices = self.sudo().browse(attached.mapped('res_id')).exists()
        mailed = notices.filtered(lambda notice: notice.mail_message_id.attachment_ids & attached)
        if mailed:
            raise UserError(self.env._(
                "This was attached to the e-mail with which %(notice)s left, so it cannot be changed or deleted.",
                notice=mailed[:1].display_name))
        return result

    def action_open_invoices(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('account.action_move_out_invoice_type')
        action['domain'] = [('id', 'in', self.line_ids.move_id.ids)]
        return action

    def _get_action_show(self):
        """Return the action that shows exactly these notices."""
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_notice_action')
        action.update({'domain': [('id', 'in', self.ids)], 'context': {'create': False}, 'target': 'current'})
        if len(self) == 1:
            action.update({'res_id': self.id, 'view_mode': 'form', 'views': [(False, 'form')]})
        return action

    @api.depends('state', 'channel')
    @api.depends_context('lang')
    def _compute_state_text(self):
        words = dict(self._fields['state']._description_selection(self.env))
        for notice in self:
            done = notice.state == 'sent' and notice.channel in MANUAL_CHANNELS
            notice.state_text = self.env._("Done") if done else words.get(notice.state)

    def _notify_result(self, message, notices=None, kind='success', undo=False):
        """Return a client notification with a button that shows the notices, and for a minute one that undoes it.

        Own client action: a link of ``display_notification`` opens an address, which cannot say which records.
        """
        notices = self if notices is None else notices
        params = {'type': kind, 'message': message, 'next': {'type': 'ir.actions.act_window_close'}}
        if notices:
            params['button'] = {
                'name': self.env._("Show it") if len(notices) == 1 else self.env._("Show them"),
                'action': notices._get_action_show(),
            }
            if undo:
                params['undo'] = {'model': self._name, 'ids': notices.ids}
        return {'type': 'ir.actions.client', 'tag': 'l10n_nl_dunning.notification', 'params': params}

    # -------------------------------------------------------------------------
    # RECORDING
    # -------------------------------------------------------------------------

    def _cancel(self, reason):
        self._stop_mails()
        self._recording().write({'state': 'cancelled', 'cancel_reason': reason})
        self._unlink_level_activities()
        self._log_act(lambda notice: notice.env._("Cancelled: %s", notice.cancel_reason))

    def _make_again(self):
        """Put what was made back into the queue: what it says is not true any more, so it does not leave as it is."""
        self._stop_mails()
        self._recording().write({'state': 'queued', 'postal_state': False, 'mail_message_id': False})

    def _stop_mails(self):
        """Take the mails of these notices that did not leave out of the mail queue, also those that failed."""
        # sudo: mail.mail belongs to the system
        mails = self._recording().mail_id.sudo().exists()
        waiting = mails.filtered(lambda mail: mail.state in ('outgoing', 'exception'))
        if waiting:
            waiting.write({'state': 'cancel'})
            waiting.mail_message_id.notification_ids.filtered(
                lambda row: row.notification_status == 'ready').write({'notification_status': 'canceled'})

    def _skip(self, at_date):
        self._recording().write({
            'state': 'skipped', 'date': at_date, 'deadline': at_date, 'sent_on': False,
        })
        self._unlink_level_activities()
        self._log_everywhere(lambda notice, env: env._(
            "%(level)s was passed over.", level=notice.level_id.name))
        self._log_act(lambda notice: notice.env._("Passed over."))

    def _unlink_level_activities(self):
        """Remove what a level planned for a person: it was done."""
        # sudo: activities of colleagues are to go as well
        self.sudo().activity_ids.filtered('automated').unlink()

    def _get_link(self, label):
        self.ensure_one()
        return Markup('<a href="#" data-oe-model="dunning.notice" data-oe-id="%s">%s</a>') % (self.id, label)

    def _log_act(self, get_text):
        """Write one line on each of these notices, in the language of the company where nobody is at work.

        :param get_text: called with a notice in that language
        """
        if self:
            self._message_log_batch({
                notice.id: get_text(in_language_of(notice, notice.company_id)) for notice in self})

    def _log_everywhere(self, get_body):
        """Log one line on each invoice and each debtor of the notices, in two batches."""
        bodies = {'account.move': {}, 'res.partner': {}}
        for notice in self:
            notice = in_language_of(notice, notice.company_id)
            body = get_body(notice, notice.env)
            for target in (*notice.live_line_ids.move_id, notice.partner_id):
                found = bodies[target._name]
                found[target.id] = found[target.id] + Markup("<br/>") + body if target.id in found else body
        cleaned = {}  # most debtors read the same line on their invoices and on themselves
        for model, found in bodies.items():
            log_on(self.env[model].browse(found), found, cleaned)

    # -------------------------------------------------------------------------
    # ADDRESS
    # -------------------------------------------------------------------------

    def _get_email(self):
        """Return the address the notice is mailed to: the recipient's, else the debtor's; or an empty string."""
        self.ensure_one()
        # sudo: it may be in the name of a head office that the user does not see
        people = (person.sudo().with_company(self.company_id) for person in self._get_people())
        return next((person.dunning_email for person in people if person.dunning_email), '')

    def _get_mailbox(self):
        """Return the mailbox it is mailed to, as ``res.partner._get_dunning_mailbox_sql``."""
        self.ensure_one()
        return next(iter(email_normalize_all(self._get_email())), False)

    def _get_people(self):
        """Return whom it can be delivered to: the recipient, when that is somebody of the debtor, else the debtor."""
        self.ensure_one()
        person, debtor = self.recipient_id, self.partner_id
        return (person, debtor) if person == debtor or person._is_dunning_person_of(debtor) else (debtor,)

    def _get_postal_partner(self):
        """Return the partner whose address is on the envelope: the first that a letter can be posted to."""
        self.ensure_one()
        return next((person for person in self._get_people() if person._has_dunning_address()), self.partner_id)

    def _has_postal_address(self):
        self.ensure_one()
        return any(person._has_dunning_address() for person in self._get_people())

    def _get_responsible(self):
        """Return the user on whose behalf the notice goes out: its author, else the collector."""
        self.ensure_one()
        return self._get_responsibles()[self]

    def _get_responsibles(self):
        return self.env['res.company']._get_dunning_responsibles(self, lambda notice: notice.author_id)

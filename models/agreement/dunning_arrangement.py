"""Payment arrangements: a written agreement in which a debtor acknowledges a debt and pays it in instalments.

An arrangement is drawn up from due items and terms (:meth:`DunningArrangement._make`), offered with a document that
never changes, signed by the debtor and by us, and from then on followed by the ledger. From the offer on, as long as
it can be signed and is kept, a hold rests on exactly its items. Here is its life; each of the other ideas is a part
with a file of its own: what is owed and paid when (``terms``), drawing that up (``schedule``), who approves what
(``limits``), the document, the signatures (``signing``), the mail, what the ledger says (``ledger``), what becomes of
it (``follow``), the debtor's ``page``, and what is told about it to colleagues (``history``).

A promise (``dunning.promise``) is the same thing with one instalment and no signature; it has a model of its own, since
nothing of it is written down but what was said.
"""

from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..kernel.groups import ACCOUNTING
from .arrangement_states import CLOSED_STATES, DECIDED_STATES, OPEN_STATES, STATES
from .dunning_arrangement_terms import SCHEDULE_TERMS, TERMS

# What a visitor may write in the portal: as many as things sent from the debtor's page.
POSTS_A_DAY = 10


class DunningArrangement(models.Model):
    """A debtor pays what he owes on some due items in instalments, as both sides signed.

    Amounts are in the currency of the items. What was agreed is fixed when it is offered; what was paid follows from
    the ledger.
    """

    _name = 'dunning.arrangement'
    _inherit = [
        'dunning.arrangement.terms',
        'dunning.arrangement.schedule',
        'dunning.arrangement.limits',
        'dunning.arrangement.text',
        'dunning.arrangement.document',
        'dunning.arrangement.mail',
        'dunning.arrangement.signing',
        'dunning.arrangement.ledger',
        'dunning.arrangement.follow',
        'dunning.arrangement.page',
        'dunning.arrangement.history',
        'dunning.agreement',
        'portal.mixin',
        'mail.thread',
        'mail.activity.mixin',
    ]
    _description = "Payment Arrangement"
    _order = 'id desc'
    _check_company_auto = True
    _mail_post_access = 'read'

    _hold_kind = 'arrangement'
    _decided_states = DECIDED_STATES
    _recording_context = {'mail_create_nosubscribe': True, 'mail_create_nolog': True}
    _user_writable = TERMS | {'note', 'user_id'}

    name = fields.Char(string="Number", required=True, readonly=True, copy=False, index='trigram')
    contact_id = fields.Many2one(
        comodel_name='res.partner', string="Offered To", index='btree_not_null', ondelete='restrict',
        domain="[('id', 'child_of', partner_id)]", help="Who gets the offer and signs it.")
    user_id = fields.Many2one(
        comodel_name='res.users', string="Collector", required=True, index=True, tracking=True,
        help="Who answers for the arrangement, and is told what becomes of it.")
    lang = fields.Selection(
        selection=lambda self: self.env['res.lang'].get_installed(), string="Language", help="In which it is written.")
    previous_id = fields.Many2one(
        comodel_name='dunning.arrangement', string="Takes the Place Of", readonly=True, index='btree_not_null')
    replaced_by_id = fields.Many2one(
        comodel_name='dunning.arrangement', readonly=True, index='btree_not_null')
    state = fields.Selection(
        selection=STATES, required=True, readonly=True, default='draft', index=True, tracking=True,
        group_expand='_expand_states')

    # --- what it is about ---
    line_ids = fields.One2many(
        comodel_name='dunning.arrangement.line', inverse_name='arrangement_id', string="Debt", readonly=True)
    item_ids = fields.Many2many(
        comodel_name='account.move.line', string="Due Items", compute='_compute_item_ids', search='_search_item_ids')
    move_ids = fields.Many2many(comodel_name='account.move', string="Invoices", compute='_compute_item_ids')
    booking_move_id = fields.Many2one(
        comodel_name='account.move', string="Interest and Costs Booked As", readonly=True, index='btree_not_null',
        copy=False, ondelete='restrict')
    booking_ids = fields.One2many(
        comodel_name='account.move', inverse_name='dunning_arrangement_id', string="Booked As",
        groups=ACCOUNTING)

    note = fields.Text(help="For colleagues; the debtor does not see it.")
    # The key is a password of the debtor, who signs with it: only the code that writes to him reads it.
    access_token = fields.Char(groups=fields.NO_ACCESS)

    # --- amounts ---
    claim_data = fields.Json(readonly=True, copy=False)
    claim_date = fields.Date(readonly=True, help="The day on which the debt was worked out.")
    amount_principal = fields.Monetary(string="Principal", readonly=True)
    amount_interest = fields.Monetary(string="Interest", readonly=True)
    amount_costs = fields.Monetary(string="Collection Costs", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True, aggregator='sum', tracking=True)
    amount_paid = fields.Monetary(string="Paid", readonly=True, aggregator='sum')
    amount_left = fields.Monetary(string="Left", readonly=True, aggregator='sum')
    amount_lowered = fields.Monetary(
        string="No Longer Owed", readonly=True, copy=False, help="What was credited or otherwise settled since.")
    amount_over = fields.Monetary(
        string="Paid Too Much", readonly=True, copy=False, help="What came in beyond the last instalment.")
    instalment_ids = fields.One2many(
        comodel_name='dunning.arrangement.instalment', inverse_name='arrangement_id', readonly=True)
    date_last = fields.Date(string="Last Instalment", readonly=True)
    next_date = fields.Date(string="Next Instalment", readonly=True, index='btree_not_null')
    next_amount = fields.Monetary(readonly=True)

    # --- its life ---
    offered_on = fields.Datetime(readonly=True, copy=False)
    offered_by_id = fields.Many2one(comodel_name='res.users', readonly=True, copy=False)
    activated_on = fields.Date(string="Runs Since", readonly=True, copy=False)
    closed_on = fields.Date(string="Ended On", readonly=True, copy=False)
    close_code = fields.Selection(
        selection=[
            ('paid', "Paid"),
            ('credited', "Settled otherwise"),
            ('missed', "An instalment was missed"),
            ('new_invoice', "A new invoice was not paid"),
            ('expired', "The offer was not signed in time"),
            ('withdrawn', "Taken back by us"),
            ('by_debtor', "Turned down by the debtor"),
            ('replaced', "Another arrangement took its place"),
        ],
        readonly=True, copy=False)
    close_reason = fields.Char(string="Ended Because", readonly=True, copy=False)
    new_invoice_last_date = fields.Date(
        readonly=True, copy=False, help="Until when the debtor was told that a new invoice can still be paid.")
    end_told_on = fields.Date(readonly=True, copy=False, help="The debtor was told that it ended.")
    waived_on = fields.Date(
        readonly=True, copy=False, help="The interest over the time it ran was waived, as agreed.")
    hold_ids = fields.One2many(
        comodel_name='dunning.hold', inverse_name='arrangement_id', string="Holds", readonly=True)
    interruption_id = fields.Many2one(
        comodel_name='dunning.interruption', string="Acknowledgement of the Debt", readonly=True, copy=False,
        ondelete='restrict')
    kept_percent = fields.Float(
        string="Kept (%)", compute='_compute_kept_percent', store=True, aggregator='avg',
        help="100 when it was kept, 0 when it was broken. Only what was decided can be told.")

    _name_uniq = models.Constraint('UNIQUE(name)', "That number is taken by another payment arrangement.")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.model
    def _expand_states(self, states, domain):
        """Show the columns of what is not closed, in the order of its life, and others only when they are filled."""
        return [state for state, _label in STATES if state in OPEN_STATES or state in states]

    @api.depends('name', 'partner_id.display_name')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for arrangement in self:
            arrangement.display_name = (
                f"{arrangement.name} – {arrangement.partner_id.name}" if arrangement.partner_id.name
                else arrangement.name or self.env._("New payment arrangement"))

    def _compute_access_url(self):
        result = super()._compute_access_url()
        for arrangement in self:
            arrangement.access_url = f'/my/arrangements/{arrangement.id}'
        return result

    def message_post(self, **kwargs):
        # EXTENDS 'mail': core's chatter in the portal knows no limit, and each message mails its followers.
        if self.env.user.share:
            since = fields.Datetime.subtract(fields.Datetime.now(), days=1)
            # sudo: how many there are
            written = self.env['mail.message'].sudo().search_count([
                ('model', '=', self._name), ('res_id', 'in', self.ids), ('create_uid.share', '=', True),
                ('create_date', '>=', since)], limit=POSTS_A_DAY)
            if written >= POSTS_A_DAY:
                raise UserError(self.env._("That is enough for today. Please call us, or write again tomorrow."))
        return super().message_post(**kwargs)

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        # EXTENDS 'portal': who shares an address, or is notified, does not get the key along.
        return super()._get_share_url(redirect=redirect, signup_partner=signup_partner, pid=pid, share_token=False)

    def _sign_token(self, pid):
        # EXTENDS 'portal'
        # sudo: the key is read to notify somebody, whoever does that
        return super(DunningArrangement, self.sudo())._sign_token(pid)

    def _portal_ensure_token(self):
        # EXTENDS 'portal': the key to its page is drawn by the program, and by nobody else.
        arrangement = self.sudo()  # sudo: nobody else reads the key
        return arrangement.access_token or super(DunningArrangement, arrangement._recording())._portal_ensure_token()

    @api.depends('line_ids.move_line_id')
    def _compute_item_ids(self):
        for arrangement in self:
            arrangement.item_ids = arrangement.line_ids.move_line_id
            arrangement.move_ids = arrangement.line_ids.move_id

    def _search_item_ids(self, operator, value):
        return Domain('line_ids.move_line_id', operator, value)

    def _get_lang(self):
        # OVERRIDE: chosen when it was drawn up.
        self.ensure_one()
        return self.env['res.lang']._get_code(self.lang) or super()._get_lang()

    # -------------------------------------------------------------------------
    # CHECKS
    # -------------------------------------------------------------------------

    @api.constrains('contact_id', 'partner_id')
    def _check_contact(self):
        for arrangement in self:
            contact = arrangement.contact_id
            if contact and contact.commercial_partner_id != arrangement.partner_id.commercial_partner_id:
                raise ValidationError(self.env._(
                    "%(contact)s is no contact of %(debtor)s, so the debt of one would be told to the other. Choose "
                    "the debtor or one of his contacts.",
                    contact=contact.display_name, debtor=arrangement.partner_id.display_name))

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self._check_recording('create')  # before a number is drawn
        sequence = self.env['ir.sequence'].sudo()  # sudo: users may number, not read sequences
        for vals in vals_list:
            vals['name'] = vals.get('name') or sequence.next_by_code('dunning.arrangement')
        return super().create(vals_list)

    def _write_by_user(self, vals):
        # EXTENDS: what is worked out follows from the terms.
        result = super()._write_by_user(vals)
        names = vals.keys() & TERMS
        for arrangement in self if names else self.browse():
            # Who changes the terms is the author now. What was approved was approved with other terms.
            arrangement._recording().write({
                'author_id': self.env.uid, **arrangement._prepare_approval(arrangement.approval_reason)})
            if names & SCHEDULE_TERMS:
                arrangement._draw_up(arrangement.company_id._dunning_today())
        return result

    def _check_user_write(self, vals):
        result = super()._check_user_write(vals)
        fixed = self.filtered(lambda arrangement: arrangement.state != 'draft')
        if vals.keys() & TERMS and fixed:
            raise UserError(self.env._(
                "%s was offered already, so its terms are fixed. Take it back, or let a new one take its place.",
                fixed[:1].display_name))
        return result

    def _check_unlink(self):
        # OVERRIDE: a draft binds nobody.
        for arrangement in self:
            if arrangement.state != 'draft' or arrangement.offered_on:
                arrangement._refuse('unlink')

    def _get_frozen_message(self, action):
        return {
            'create': self.env._(
                "A payment arrangement is drawn up from what a debtor owes: use “Payment arrangement” on the debtor, "
                "his invoices or a call."),
            'write': self.env._(
                "What was agreed, signed and paid is on record and cannot be changed by hand; use the buttons."),
            'unlink': self.env._(
                "%s cannot be deleted: it was offered to the debtor. Take it back instead.", self[:1].display_name),
            'copy': self.env._("A payment arrangement cannot be copied. Draw up a new one."),
        }[action]

    @api.model
    def _check_frozen_files(self, files, *, new=False):
        # EXTENDS: what both sides read and signed stays as it was.
        result = super()._check_frozen_files(files, new=new)
        # sudo: only asks whether it is a proof
        Arrangement = self.sudo()
        pictures = files.filtered(lambda file: file.res_field == 'signed_signature')
        proof = Arrangement.browse(pictures.mapped('res_id')).exists()[:1] or Arrangement.search(
            Domain.OR([(name, 'in', files.ids)] for name in (
                'offer_attachment_id', 'agreement_attachment_id', 'scan_attachment_id')), limit=1)
        if proof:
            raise UserError(self.env._(
                "This file belongs to %s: it is what both sides read and signed, so it cannot be changed or deleted.",
                proof.display_name))
        return result

    # -------------------------------------------------------------------------
    # MAKING
    # -------------------------------------------------------------------------

    @api.model
    def _make(self, company, partner, items, terms, *, user=None, call=None, contact=None, previous=None, note=None):
        """Draw up an arrangement; nothing is offered yet.

        :param user: the collector; None for the current user
        :param call: the ``dunning.call`` in which it came up, or None
        :param contact: whom it is offered to; None for the debtor
        :param previous: the arrangement whose place it is to take, or None
        :param str note: for colleagues, or None
        :return: the ``dunning.arrangement`` in draft. For the other parameters see :meth:`_preview`
        :raise UserError: when it cannot be; nothing is written then
        """
        self.check_access('create')
        company.with_env(self.env).check_access('read')
        answer = self._preview(company, partner, items, terms, previous=previous)
        contact = contact or partner
        vals = {
            'company_id': company._get_dunning_for(self.env['account.move.line'].browse(
                [line['move_line_id'] for line in answer['lines']])).id,
            'partner_id': partner.commercial_partner_id.id,
            'contact_id': contact.id,
            'currency_id': answer['currency'].id,
            'user_id': (user or self.env.user).id,
            'author_id': self.env.uid,
            'lang': contact._get_dunning_lang() or company.partner_id.lang or self.env.lang,
            'call_id': call.id if call else False,
            'previous_id': previous.id if previous else False,
            'note': note,
            **answer['terms'],
            **self._prepare_draft(answer),
        }
        with self.env.cr.savepoint():
            arrangement = self._recording().create(vals).with_env(self.env)
        arrangement._follow_call(made=True)
        return arrangement

    # -------------------------------------------------------------------------
    # OFFERING
    # -------------------------------------------------------------------------

    @api.model
    def _make_and_offer(self, company, partner, items, terms, *, send=True, **made_with):
        """Draw up an arrangement and offer it at once; where a manager has to approve it, it waits for that.

        The debt is worked out once: nobody pays, credits or disputes these items between the two.

        :param bool send: see :meth:`_offer`; ``made_with``: see :meth:`_make`
        :return: the ``dunning.arrangement``
        """
        # What is locked is read as it is; who was first makes the whole request start again.
        (items or self._get_open_items(company, partner.commercial_partner_id))._lock_dunning_items()
        arrangement = self._make(company, partner, items, terms, **made_with)
        if arrangement.approval_state == 'needed':
            arrangement.action_submit()
        else:
            for step in arrangement._get_offer_steps(arrangement.claim_date, send=send):
                step()
        return arrangement

    def action_offer(self):
        """Offer drafts to their debtors: the debt of today is fixed, the document frozen and sent."""
        self.check_access('write')
        asked = self._get_asked()
        for arrangement in self:
            arrangement._offer()
        asked.exists().unlink()
        return True

    def _offer(self, *, send=True):
        """Offer one draft.

        :param bool send: whether it goes to the debtor; not when the debtor is reading it on its page
        """
        self.ensure_one()
        today = self.company_id._dunning_today()
        self._lock_with_items()
        if self.state != 'draft':
            raise UserError(self.env._("%s was offered already.", self.display_name))
        self._find_items_again()
        self._renew_debt(today)
        for step in self._get_offer_steps(today, send=send):
            step()

    def _get_offer_steps(self, today, *, send):
        """Return the steps of offering one draft: what may stop it comes first, then nothing fails but the document."""
        return [
            partial(self._check_offer, today),
            self._end_offered_previous,
            self._record_offer,
            partial(self._keep_held, today),
            self._store_offer,
            *([self._send_offer] if send else []),
            self._follow_call,
        ]

    def _lock_with_items(self):
        """Wait for whoever offers, signs or closes it, and for whoever is paying its items.

        Other than ``lock_for_update`` this waits. When another one changed something meanwhile, PostgreSQL says that it
        cannot be serialized, and Odoo does the request again with what is true by then: no error for the log.
        """
        self.ensure_one()
        self.env.flush_all()
        self.env.cr.execute(
            SQL("SELECT id FROM dunning_arrangement WHERE id = %s FOR UPDATE", self.id), log_exceptions=False)
        self.invalidate_recordset()
        self.line_ids.move_line_id._lock_dunning_items()

    def _end_offered_previous(self):
        """End the one whose place it takes where that does not run: the items of one that runs stay there so long."""
        previous = self.previous_id.filtered(lambda other: other.state in ('offered', 'signed'))
        previous._close('replaced', 'replaced', self.env._("%s took its place.", self.name))

    # -------------------------------------------------------------------------
    # RUNNING AND ENDING
    # -------------------------------------------------------------------------

    def _activate(self):
        """Let arrangements that both sides signed run: their items are held, the debt counts as acknowledged."""
        for arrangement in self:
            for step in arrangement._get_activation_steps(arrangement.company_id._dunning_today()):
                step()

    def _get_activation_steps(self, today):
        """Return the steps by which one arrangement that both sides signed begins to run."""
        return [
            self._lock_with_items,
            self._check_signed,
            self._end_previous,
            partial(self._book_extras, today),
            partial(self._record_activation, today),
            self._acknowledge,
            partial(self._place_holds, today),
            partial(self._count_early_money, today),
            self._follow_call,
        ]

    def _check_signed(self):
        if self.state != 'signed' or not self.countersigned_on:
            raise UserError(self.env._("%s runs only after both sides signed it.", self.display_name))

    def _end_previous(self):
        """End the arrangement that runs about these items, and take them over."""
        previous = self.previous_id
        if previous.state == 'active':
            previous._recording().replaced_by_id = self
            previous._close('replaced', 'replaced', self.env._("%s took its place.", self.name))
        self.line_ids._recording().write({'is_live': True})
        self.env.flush_all()

    def _record_activation(self, today):
        self._recording().write({'state': 'active', 'activated_on': today})

    def _count_early_money(self, today):
        """Count what the debtor paid before we signed."""
        self.sudo()._decide(today, matched_only=True)  # sudo: as when it is judged

    def _close(self, state, code, reason):
        """End arrangements: holds are lifted, and nothing is asked or expected any more.

        :param state: one of :data:`CLOSED_STATES`
        :param code: of ``close_code``
        :param str reason: one sentence for the history
        """
        for arrangement in self.filtered(lambda arrangement: arrangement.state not in CLOSED_STATES):
            today = arrangement.company_id._dunning_today()
            arrangement._recording().write({
                'state': state, 'closed_on': today, 'close_code': code, 'close_reason': reason, 'next_date': False,
                'next_amount': 0.0, 'end_told_on': False})
            arrangement.line_ids._recording().write({'is_live': False})
            # At once: another one may take its items over in this transaction.
            arrangement.line_ids.flush_recordset(['is_live'])
            # sudo: holds end with what they are for, whoever noticed
            arrangement.sudo().hold_ids._close(reason)
            arrangement._unlink_reminders()
            arrangement._message_log(body=reason)
            lapsed = arrangement.instalment_ids.filtered(lambda part: (
                part.state not in ('paid', 'cancelled') and (state != 'broken' or not part.last_date)))
            if lapsed:
                lapsed._recording().write({'state': 'cancelled', 'amount_left': 0.0})
        self._follow_call()

    def _cancel(self, why, code='withdrawn'):
        """Take arrangements back that were not kept or broken yet."""
        if not (why or '').strip():
            raise UserError(self.env._("Say why it is taken back: it is kept in its history."))
        closed = self.filtered(lambda arrangement: arrangement.state in CLOSED_STATES)
        if closed:
            raise UserError(self.env._("%s has ended already.", closed[:1].display_name))
        self.lock_for_update()
        self._close('cancelled', code, why)

    def action_ask_cancel(self):
        """Open the wizard that cancels arrangements and asks why."""
        return self.env['dunning.arrangement.cancel']._action_open(self)

    def action_replace(self):
        """Open the wizard for an arrangement that takes the place of this one."""
        self.ensure_one()
        return self.env['dunning.arrangement.make']._action_open(previous=self)

"""Payment arrangements: a written agreement in which a debtor acknowledges a debt and pays it in instalments.

An arrangement is drawn up from due items and terms (:meth:`DunningArrangement._make`), offered with a document that
never changes, signed by the debtor and by us, and from then on followed by the ledger. From the offer on, as long as
it can be signed and is kept, a hold rests on exactly its items. Who approves what is in ``dunning_arrangement_limit``,
the documents are in ``dunning_arrangement_document``, the signatures in ``dunning_arrangement_sign``, and what becomes
of it in ``dunning_arrangement_follow``.

A promise (``dunning.promise``) is the same thing with one instalment and no signature; it has a model of its own, since
nothing of it is written down but what was said.
"""

from datetime import timedelta
from decimal import Decimal

from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, clean_context

from ...tools.agreement import instalments
from ...tools.law.dutch_calendar import add_bank_days, extended
from ..claim.dunning_claim import ZERO, to_decimal
from ..debtor.res_company import FIRST_DAYS
from ..hold.dunning_hold import format_date

STATES = [
    ('draft', "Draft"),
    ('offered', "Offered"),
    ('signed', "Signed by Debtor"),
    ('active', "Running"),
    ('kept', "Kept"),
    ('broken', "Broken"),
    ('cancelled', "Cancelled"),
    ('replaced', "Replaced"),
]
# An item is in one of these at a time: what was offered can be signed any moment.
LIVE_STATES = ('offered', 'signed', 'active')
CLOSED_STATES = ('kept', 'broken', 'cancelled', 'replaced')
# What was agreed: the user's to choose while it is a draft.
TERMS = frozenset({
    'date_first', 'period', 'day_of_month', 'calculate', 'instalment_count', 'instalment_amount', 'down_payment',
    'down_payment_date', 'interest_mode', 'with_interest', 'with_costs', 'grace_days', 'new_invoices', 'valid_until',
    'lang', 'contact_id',
})
# Of those, what changes amounts and days.
SCHEDULE_TERMS = TERMS - {'valid_until', 'lang', 'contact_id', 'grace_days', 'new_invoices'}
# What a user may change at any time.
USER_WRITABLE = frozenset({'note', 'user_id'})
MIXIN_PREFIXES = ('activity_', 'message_', 'my_activity_', 'website_message_', 'rating_', 'has_message')
# Days for which items are held each time while what a debtor signed waits for our signature past its own days.
WAITING_DAYS = 7
# Put into the context by code that records what happened to an arrangement. Being one object of this process, no
# integration or browser can send it.
RECORDING = object()


def is_recording(env):
    """Return whether code, and not a user, is writing down what happened to an arrangement."""
    return env.context.get('dunning_arrangement_recording') is RECORDING


class DunningArrangement(models.Model):
    """A debtor pays what he owes on some due items in instalments, as both sides signed.

    Amounts are in the currency of the items. What was agreed is fixed when it is offered; what was paid follows from
    the ledger.
    """

    _name = 'dunning.arrangement'
    _inherit = ['portal.mixin', 'mail.thread', 'mail.activity.mixin']
    _description = "Payment Arrangement"
    _order = 'id desc'
    _check_company_auto = True
    _mail_post_access = 'read'

    name = fields.Char(string="Number", required=True, readonly=True, copy=False, index='trigram')
    company_id = fields.Many2one(comodel_name='res.company', required=True, index=True, readonly=True)
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='restrict')
    contact_id = fields.Many2one(
        comodel_name='res.partner', string="Offered To", index='btree_not_null', ondelete='restrict',
        domain="[('id', 'child_of', partner_id)]", help="Who gets the offer and signs it.")
    currency_id = fields.Many2one(comodel_name='res.currency', required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name='res.users', string="Collector", required=True, index=True, tracking=True,
        help="Who answers for the arrangement, and is told what becomes of it.")
    lang = fields.Selection(selection='_selection_lang', string="Language", help="In which it is written.")
    call_id = fields.Many2one(
        comodel_name='dunning.call', readonly=True, index='btree_not_null', ondelete='set null')
    previous_id = fields.Many2one(
        comodel_name='dunning.arrangement', string="Takes the Place Of", readonly=True, index='btree_not_null')
    replaced_by_id = fields.Many2one(
        comodel_name='dunning.arrangement', readonly=True, index='btree_not_null')

    state = fields.Selection(selection=STATES, required=True, readonly=True, default='draft', index=True, tracking=True)
    approval_state = fields.Selection(
        selection=[('not_needed', "Not Needed"), ('needed', "Needed"), ('approved', "Approved")],
        string="Approval", required=True, readonly=True, default='not_needed')
    approval_reason = fields.Char(readonly=True, help="Why a manager has to approve it.")
    author_id = fields.Many2one(
        comodel_name='res.users', string="Drawn Up By", readonly=True,
        help="Who made or last changed it: cannot approve it himself.")
    approved_by_id = fields.Many2one(comodel_name='res.users', readonly=True)
    approved_on = fields.Datetime(readonly=True)

    # --- what it is about ---
    line_ids = fields.One2many(
        comodel_name='dunning.arrangement.line', inverse_name='arrangement_id', string="Debt", readonly=True)
    item_ids = fields.Many2many(
        comodel_name='account.move.line', string="Due Items", compute='_compute_item_ids', search='_search_item_ids')
    move_ids = fields.Many2many(comodel_name='account.move', string="Invoices", compute='_compute_item_ids')
    booking_move_id = fields.Many2one(
        comodel_name='account.move', string="Interest and Costs Booked As", readonly=True, index='btree_not_null',
        copy=False, ondelete='restrict')

    # --- terms ---
    date_first = fields.Date(string="First Instalment", required=True)
    period = fields.Selection(
        selection=[('week', "Each Week"), ('fortnight', "Every Two Weeks"), ('month', "Each Month")],
        required=True, default='month')
    day_of_month = fields.Integer(
        help="Day on which each month is paid; 31 is the last day of the month, 0 the day of the first instalment.")
    calculate = fields.Selection(
        selection=[('count', "Number of Instalments"), ('amount', "Amount of an Instalment")],
        required=True, default='count')
    instalment_count = fields.Integer(string="Instalments", default=3)
    instalment_amount = fields.Monetary(string="Each")
    down_payment = fields.Monetary()
    down_payment_date = fields.Date()
    interest_mode = fields.Selection(
        selection=[
            ('none', "No interest while it is kept"),
            ('runs', "Interest runs on"),
        ],
        string="Interest Meanwhile", required=True, default='none',
        help="No interest: as long as it is kept no interest is asked over the time it runs. Interest runs on: what it "
             "comes to is asked as a last instalment.")
    with_interest = fields.Boolean(default=True, help="The interest until today is part of it.")
    with_costs = fields.Boolean(default=True, help="The collection costs that are owed today are part of it.")
    grace_days = fields.Integer(
        string="Grace (bank days)", help="Days on which banks settle, before an instalment counts as missed.")
    new_invoices = fields.Selection(
        selection=[('ignore', "Not part of it"), ('must_pay', "Have to be paid on time")],
        required=True, default='ignore',
        help="What new invoices of the debtor mean for it while it runs.")
    valid_until = fields.Date(help="Until which day the offer can be signed.")
    note = fields.Text(help="For colleagues; the debtor does not see it.")

    # --- amounts ---
    claim_data = fields.Json(readonly=True, copy=False)
    claim_date = fields.Date(readonly=True, help="The day on which the debt was worked out.")
    amount_principal = fields.Monetary(string="Principal", readonly=True)
    amount_interest = fields.Monetary(string="Interest", readonly=True)
    amount_costs = fields.Monetary(string="Collection Costs", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True, aggregator='sum', tracking=True)
    amount_paid = fields.Monetary(string="Paid", readonly=True, aggregator='sum')
    amount_left = fields.Monetary(string="Left", readonly=True, aggregator='sum')
    instalment_ids = fields.One2many(
        comodel_name='dunning.arrangement.instalment', inverse_name='arrangement_id', readonly=True)
    date_last = fields.Date(string="Last Instalment", readonly=True)
    next_date = fields.Date(string="Next Instalment", readonly=True, index='btree_not_null')
    next_amount = fields.Monetary(readonly=True)

    # --- offer and signatures ---
    offer_attachment_id = fields.Many2one(comodel_name='ir.attachment', string="Offer", readonly=True, copy=False)
    offer_sha256 = fields.Char(readonly=True, copy=False)
    offered_on = fields.Datetime(readonly=True, copy=False)
    offered_by_id = fields.Many2one(comodel_name='res.users', readonly=True, copy=False)
    signed_name = fields.Char(string="Signed By", readonly=True, copy=False)
    signed_on = fields.Datetime(readonly=True, copy=False)
    signed_date = fields.Date(
        readonly=True, copy=False, help="The day of the signature where the company is: the debt is acknowledged.")
    signed_ip = fields.Char(string="IP Address", readonly=True, copy=False, groups='account.group_account_invoice')
    signed_signature = fields.Image(
        string="Signature of the Debtor", readonly=True, copy=False, max_width=1024, max_height=1024)
    signed_via = fields.Selection(
        selection=[('portal', "Online"), ('paper', "On Paper")], string="Signed", readonly=True, copy=False)
    countersigned_by_id = fields.Many2one(
        comodel_name='res.users', string="Signed for Us By", readonly=True, copy=False)
    countersigned_on = fields.Datetime(readonly=True, copy=False)
    agreement_attachment_id = fields.Many2one(
        comodel_name='ir.attachment', string="Agreement", readonly=True, copy=False)
    agreement_sha256 = fields.Char(readonly=True, copy=False)
    scan_attachment_id = fields.Many2one(
        comodel_name='ir.attachment', string="Signed on Paper", readonly=True, copy=False)

    # --- its life ---
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
    hold_ids = fields.One2many(
        comodel_name='dunning.hold', inverse_name='arrangement_id', string="Holds", readonly=True)
    interruption_id = fields.Many2one(
        comodel_name='dunning.interruption', string="Acknowledgement of the Debt", readonly=True, copy=False,
        ondelete='restrict')
    # What was matched or lay ready already when it was agreed: none of it pays an instalment.
    known = fields.Json(readonly=True, copy=False)
    story = fields.Char(compute='_compute_story', help="What was agreed and how it goes, in one sentence.")

    _name_uniq = models.Constraint('UNIQUE(name)', "That number is taken by another payment arrangement.")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.model
    def _selection_lang(self):
        return self.env['res.lang'].get_installed()

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

    def _portal_ensure_token(self):
        # OVERRIDE: the key to its page is drawn by the program, and by nobody else.
        return super(DunningArrangement, self._recording())._portal_ensure_token()

    @api.depends('line_ids.move_line_id')
    def _compute_item_ids(self):
        for arrangement in self:
            arrangement.item_ids = arrangement.line_ids.move_line_id
            arrangement.move_ids = arrangement.line_ids.move_id

    def _search_item_ids(self, operator, value):
        return Domain('line_ids.move_line_id', operator, value)

    @api.depends('state', 'amount_total', 'amount_paid', 'next_date', 'next_amount', 'valid_until', 'close_reason')
    @api.depends_context('lang')
    def _compute_story(self):
        for arrangement in self:
            arrangement.story = arrangement._tell_story() if arrangement.partner_id else False

    def _tell_story(self):
        """Return in one sentence what was agreed and how it goes; see ``dunning_arrangement_follow``."""
        self.ensure_one()
        return self.close_reason or False

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
        if not is_recording(self.env):
            raise UserError(self.env._(
                "A payment arrangement is drawn up from what a debtor owes: use “Payment arrangement” on the debtor, "
                "his invoices or a call."))
        sequence = self.env['ir.sequence'].sudo()  # sudo: users may number, not read sequences
        for vals in vals_list:
            vals['name'] = vals.get('name') or sequence.next_by_code('dunning.arrangement')
        env = self.env(context={
            **clean_context(self.env.context), 'mail_create_nosubscribe': True, 'mail_create_nolog': True})
        return super(DunningArrangement, self.with_env(env)).create(vals_list).with_env(self.env)

    def write(self, vals):
        if is_recording(self.env):
            return super().write(vals)
        names = {name for name in vals if not name.startswith(MIXIN_PREFIXES)}
        self._check_user_write(names)
        result = super().write(vals)
        if names & TERMS:
            for arrangement in self:
                arrangement._recording().write(arrangement._prepare_redrawn(names))
                if names & SCHEDULE_TERMS:
                    arrangement._draw_up()
                arrangement._judge_limits()
        return result

    def _check_user_write(self, names):
        if names - TERMS - USER_WRITABLE:
            raise UserError(self.env._(
                "What was agreed, signed and paid is on record and cannot be changed by hand; use the buttons."))
        fixed = self.filtered(lambda arrangement: arrangement.state != 'draft')
        if names & TERMS and fixed:
            raise UserError(self.env._(
                "%s was offered already, so its terms are fixed. Take it back, or let a new one take its place.",
                fixed[:1].display_name))

    def _prepare_redrawn(self, names):
        """Return what follows when somebody changes the terms: he is the author now."""
        return {'author_id': self.env.uid}

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        for arrangement in self:
            if arrangement.state != 'draft' or arrangement.offered_on:
                raise UserError(self.env._(
                    "%s cannot be deleted: it was offered to the debtor. Take it back instead.",
                    arrangement.display_name))

    def unlink(self):
        # The chatter deletes its messages before the guards are asked; ask first.
        self._unlink_except_draft()
        return super().unlink()

    def copy_data(self, default=None):
        self.check_access('create')
        raise UserError(self.env._("A payment arrangement cannot be copied. Draw up a new one."))

    def _recording(self):
        """Return the arrangements in the context in which code records what happened to them."""
        return self.with_context(dunning_arrangement_recording=RECORDING)

    # -------------------------------------------------------------------------
    # DRAWING UP
    # -------------------------------------------------------------------------

    @api.model
    def _preview(self, company, partner, items, terms, at_date=None):
        """Return what an arrangement would say; nothing is written.

        :param company: one ``res.company``
        :param partner: the debtor, or one of his contacts
        :param items: open due items of the debtor in one currency; None or empty for all
        :param dict terms: names of :data:`TERMS`; what is missing gets its default
        :param date at_date: the day on which it is drawn up; None for today
        :return: dict with ``lines`` (``item_id``, ``move_id``, ``name``, ``date_due``, ``amount_principal``,
            ``amount_interest``, ``amount_costs``), ``instalments`` (``kind``, ``date_due``, ``amount``),
            ``amount_principal``, ``amount_interest``, ``amount_costs``, ``amount_total`` (floats in ``currency``),
            ``claim_data``, ``terms`` (completed) and ``approval_reason`` (a sentence, or False)
        :raise UserError: when no such arrangement can be made
        """
        company = company.with_env(self.env).ensure_one()
        at_date = at_date or company._dunning_today()
        debtor = partner.with_env(self.env).commercial_partner_id
        items = self._find_items(company, debtor, items)
        terms = self._complete_terms(company, debtor, terms, at_date)
        debt = self._get_debt(company, items, terms, at_date)
        schedule = self._get_schedule(debt['amount_total'], items.currency_id, terms, at_date)
        answer = {
            **debt,
            'currency': items.currency_id,
            'terms': terms,
            'instalments': [
                {'kind': part.kind, 'date_due': part.due_date, 'amount': float(part.amount)} for part in schedule],
        }
        answer['approval_reason'] = self._get_approval_reason(company, debtor, answer)
        return answer

    @api.model
    def _make(self, company, partner, items, terms, *, user=None, call=None, contact=None, previous=None):
        """Draw up an arrangement; nothing is offered yet.

        :param user: the collector; None for the current user
        :param call: the ``dunning.call`` in which it came up, or None
        :param contact: whom it is offered to; None for the debtor
        :param previous: the arrangement whose place it is to take, or None
        :return: the ``dunning.arrangement`` in draft. For the other parameters see :meth:`_preview`
        :raise UserError: when it cannot be; nothing is written then
        """
        self.check_access('create')
        company = company.with_env(self.env).ensure_one()
        company.check_access('read')
        debtor = partner.with_env(self.env).commercial_partner_id
        today = company._dunning_today()
        items = self._find_items(company, debtor, items)
        terms = self._complete_terms(company, debtor, terms, today)
        contact = contact or (partner if partner != debtor else debtor)
        with self.env.cr.savepoint():
            arrangement = self._recording().create({
                'company_id': company.id,
                'partner_id': debtor.id,
                'contact_id': contact.id,
                'currency_id': items.currency_id.id,
                'user_id': (user or self.env.user).id,
                'author_id': self.env.uid,
                'lang': (contact or debtor)._get_dunning_lang() or company.partner_id.lang or self.env.lang,
                'call_id': call.id if call else False,
                'previous_id': previous.id if previous else False,
                **terms,
                'line_ids': [Command.create({'move_line_id': item.id}) for item in items],
            })
            arrangement = arrangement.with_env(self.env)
            arrangement._draw_up()
            arrangement._judge_limits()
        return arrangement

    def _draw_up(self):
        """Work out the debt and the schedule of drafts anew, by the ledger of today."""
        for arrangement in self.filtered(lambda arrangement: arrangement.state == 'draft'):
            company = arrangement.company_id
            today = company._dunning_today()
            items = arrangement.line_ids.move_line_id
            terms = {name: arrangement[name] for name in SCHEDULE_TERMS}
            debt = self._get_debt(company, items, terms, today)
            schedule = self._get_schedule(debt['amount_total'], arrangement.currency_id, terms, today)
            recording = arrangement._recording()
            recording.instalment_ids.unlink()
            by_item = {line['item_id']: line for line in debt['lines']}
            for line in recording.line_ids:
                values = by_item[line.move_line_id.id]
                line.write({name: values[name] for name in (
                    'name', 'date_due', 'amount_principal', 'amount_interest', 'amount_costs', 'is_booking')})
            regular = [part for part in schedule if part.kind == 'instalment']
            recording.write({
                'claim_data': debt['claim_data'],
                'claim_date': today,
                **{name: debt[name] for name in (
                    'amount_principal', 'amount_interest', 'amount_costs', 'amount_total')},
                'amount_paid': 0.0,
                'amount_left': debt['amount_total'],
                'instalment_count': len(regular),
                'instalment_amount': float(regular[0].amount),
                'date_last': schedule[-1].due_date,
                'next_date': schedule[0].due_date,
                'next_amount': float(schedule[0].amount),
                'instalment_ids': [
                    Command.create({
                        'sequence': number,
                        'kind': part.kind,
                        'date_due': part.due_date,
                        'grace_date': add_bank_days(part.due_date, arrangement.grace_days),
                        'amount': float(part.amount),
                        'amount_left': float(part.amount),
                    })
                    for number, part in enumerate(schedule, 1)],
            })

    @api.model
    def _get_open_items(self, company, debtor):
        """Return what the debtor owes the company, the oldest due date first."""
        return self.env['dunning.promise']._get_open_items(company, debtor)

    @api.model
    def _find_items(self, company, debtor, items):
        """Return the open due items an arrangement can be about, or raise what is wrong with them."""
        owed = self._get_open_items(company, debtor)
        if items:
            items = items.with_env(self.env)
            items.check_access('read')
            strange = items - owed
            if strange:
                raise UserError(self.env._(
                    "%(item)s is not an open due item of %(debtor)s, so it cannot be part of a payment arrangement. It "
                    "may have been paid meanwhile.",
                    item=strange[:1].move_id.display_name or strange[:1].display_name, debtor=debtor.display_name))
            owed = owed.filtered(lambda item: item in items) | self._get_bookings(items, owed)
        if not owed:
            raise UserError(self.env._("%s owes nothing, so there is nothing to arrange.", debtor.display_name))
        if len(owed.currency_id) > 1:
            raise UserError(self.env._(
                "These items are in several currencies (%s). Draw up one payment arrangement for each currency.",
                ", ".join(owed.currency_id.mapped('name'))))
        disputed = self.env['dunning.hold']._get_items_in_dispute(owed)
        if disputed:
            raise UserError(self.env._(
                "%s is disputed. Settle the dispute first, or leave it out: nobody acknowledges a debt he disputes.",
                disputed[:1].move_id.display_name))
        taken = self.env['dunning.arrangement.line'].search(
            [('move_line_id', 'in', owed.ids), ('is_live', '=', True)], limit=1)
        if taken and not self.env.context.get('dunning_arrangement_replacing') == taken.arrangement_id.id:
            raise UserError(self.env._(
                "%(item)s is part of %(arrangement)s already. Take that one back or let a new one take its place.",
                item=taken.move_id.display_name, arrangement=taken.arrangement_id.display_name))
        return owed

    @api.model
    def _get_bookings(self, items, owed):
        """Return what is owed of interest and costs that were booked for items; see ``dunning_arrangement_booking``."""
        return items.browse()

    @api.model
    def _complete_terms(self, company, debtor, terms, at_date):
        """Return the terms with everything that was not said."""
        known = {name: value for name, value in terms.items() if name in TERMS}
        completed = {
            'date_first': extended(at_date + timedelta(days=FIRST_DAYS)),
            'period': 'month',
            'day_of_month': 0,
            'calculate': 'count',
            'instalment_count': 3,
            'instalment_amount': 0.0,
            'down_payment': 0.0,
            'down_payment_date': False,
            # Free of charge for consumers: interest over the time it runs would make it credit.
            'interest_mode': 'none',
            'with_interest': True,
            'with_costs': True,
            'grace_days': company.dunning_arrangement_grace_days,
            'new_invoices': 'ignore',
            'valid_until': at_date + timedelta(days=company.dunning_arrangement_valid_days),
            **known,
        }
        for name in ('date_first', 'down_payment_date', 'valid_until'):
            completed[name] = fields.Date.to_date(completed[name]) or False
        if not completed['date_first']:
            raise UserError(self.env._("Choose the day of the first instalment."))
        return completed

    @api.model
    def _get_debt(self, company, items, terms, at_date):
        """Return what is owed on the items on a day, as the claim works it out; see :meth:`_preview`.

        An item that books interest and costs of others counts there, and is covered all the same: what is paid on it
        pays the arrangement.
        """
        Claim = self.env['dunning.claim'].with_company(company)
        # Of paid invoices, what was booked and is open still.
        claimed = Claim._replace_bookings(items, whole=True).filtered(lambda item: item in items or item.reconciled)
        claim = Claim._compute(
            claimed, at_date, with_interest=terms['with_interest'], with_costs=terms['with_costs'])
        by_item = {entry.item_id: entry for entry in claim.items}
        extras = Claim._read_extras(claimed - items)
        left_over = [
            (ZERO, min(entry.interest, booked.interest - booked.settled_interest),
             min(entry.costs, booked.costs - booked.settled_costs))
            for entry in claim.items if entry.item_id not in items.ids and (booked := extras.get(entry.item_id))]
        lines, totals = [], [ZERO, ZERO, ZERO]
        for item in items:
            entry = by_item.get(item.id)
            if entry:
                parts = [(entry.principal, entry.interest, entry.costs)]
            else:
                parts, left_over = left_over, []
            amounts = [sum((part[index] for part in parts), ZERO) for index in range(3)]
            totals = [total + amount for total, amount in zip(totals, amounts, strict=True)]
            lines.append({
                'item_id': item.id,
                'move_id': item.move_id.id,
                'name': item.move_id.name,
                'date_due': item.date_maturity or item.date,
                'is_booking': entry is None,
                'amount_principal': float(amounts[0]),
                'amount_interest': float(amounts[1]),
                'amount_costs': float(amounts[2]),
            })
        return {
            'lines': lines,
            'claim_data': claim.to_json(),
            'amount_principal': float(totals[0]),
            'amount_interest': float(totals[1]),
            'amount_costs': float(totals[2]),
            'amount_total': float(sum(totals)),
        }

    @api.model
    def _get_schedule(self, total, currency, terms, at_date):
        """Return the tuple of :class:`tools.agreement.instalments.Instalment` of a debt.

        :raise UserError: when the terms do not fit
        """
        if not terms['date_first'] or terms['date_first'] < at_date:
            raise UserError(self.env._("The first instalment lies in the past: choose today or a later day."))
        if terms['down_payment'] and terms['down_payment_date'] and terms['down_payment_date'] < at_date:
            raise UserError(self.env._("The down payment lies in the past: choose today or a later day."))
        by_count = terms['calculate'] == 'count'
        try:
            return instalments.make_schedule(
                to_decimal(total), first=terms['date_first'], period=terms['period'],
                day_of_month=terms['day_of_month'] or 0,
                count=terms['instalment_count'] if by_count else None,
                amount=None if by_count else to_decimal(terms['instalment_amount'] or 0.0),
                down_payment=to_decimal(terms['down_payment'] or 0.0),
                down_payment_date=terms['down_payment_date'] or None,
                digits=currency.decimal_places)
        except ValueError as error:
            raise UserError(self._explain_schedule_error(terms, total, currency)) from error

    @api.model
    def _explain_schedule_error(self, terms, total, currency):
        """Return what to do about terms of which no schedule can be made."""
        if currency.compare_amounts(total, 0) <= 0:
            return self.env._("There is nothing to pay in instalments: nothing is owed on these items.")
        down = terms['down_payment'] or 0.0
        if down < 0 or currency.compare_amounts(down, total) >= 0:
            return self.env._("The down payment has to be less than the whole amount, and not negative.")
        if not 0 <= (terms['day_of_month'] or 0) <= 31:
            return self.env._("Choose a day of the month between 1 and 31; 31 is the last day of each month.")
        if terms['calculate'] == 'amount' and currency.compare_amounts(terms['instalment_amount'] or 0.0, 0) <= 0:
            return self.env._("Enter the amount of an instalment: more than zero.")
        if terms['calculate'] == 'count' and (terms['instalment_count'] or 0) < 1:
            return self.env._("Enter the number of instalments: at least one.")
        rest = to_decimal(total) - to_decimal(down)
        count = terms['instalment_count'] if terms['calculate'] == 'count' else instalments.count_for(
            rest, to_decimal(terms['instalment_amount']))
        if count > instalments.MAX_INSTALMENTS:
            return self.env._(
                "That would be %(count)s instalments, and there can be %(most)s at most. Choose a higher amount.",
                count=count, most=instalments.MAX_INSTALMENTS)
        if rest < Decimal(count).scaleb(-currency.decimal_places):
            return self.env._("That is less than a cent for each instalment. Choose fewer instalments.")
        return self.env._("The down payment has to be paid before the first instalment: choose an earlier day.")

    @api.model
    def _get_approval_reason(self, company, debtor, answer):
        """Return why a manager has to approve what was worked out, or False; see ``dunning_arrangement_limit``."""
        return False

    def _judge_limits(self):
        """Write down whether a manager has to approve; see ``dunning_arrangement_limit``."""

    # -------------------------------------------------------------------------
    # OFFERING
    # -------------------------------------------------------------------------

    def action_offer(self):
        """Offer drafts to their debtors: the debt of today is fixed, the document frozen and sent."""
        self.check_access('write')
        for arrangement in self:
            arrangement._offer()
        return True

    def _offer(self, *, send=True):
        """Offer one draft.

        :param bool send: whether it goes to the debtor; not when he is reading it on his page
        """
        self.ensure_one()
        self._lock_with_items()
        if self.state != 'draft':
            raise UserError(self.env._("%s was offered already.", self.display_name))
        today = self.company_id._dunning_today()
        before = self.amount_total
        self._find_items_again()
        self._draw_up()
        self._judge_limits()
        if self.approval_state == 'needed':
            raise UserError(self.env._(
                "A manager has to approve %(arrangement)s before it is offered: %(why)s",
                arrangement=self.display_name, why=self.approval_reason or ''))
        if self.currency_id.compare_amounts(before, self.amount_total):
            self._message_log(body=self.env._("The debt was worked out anew on the day of the offer."))
        if not self.valid_until or self.valid_until < today:
            raise UserError(self.env._("The offer would have expired already: choose a later “valid until”."))
        if self.valid_until > self.next_date:
            self._recording().valid_until = self.next_date
            self._message_log(body=self.env._(
                "It can be signed until the day of the first payment, %s.", format_date(self.env, self.next_date)))
        self._check_hold_length(today)
        previous = self.previous_id.filtered(lambda other: other.state in LIVE_STATES)
        if previous.state in ('offered', 'signed'):
            previous._close('replaced', 'replaced', self.env._("%s took its place.", self.name))
        # What it takes over stays with the one that runs, until this one does.
        running = previous.line_ids.move_line_id if previous.state == 'active' else self.env['account.move.line']
        self.line_ids.filtered(lambda line: line.move_line_id not in running)._recording().write({'is_live': True})
        self.env.flush_all()  # what another offer holds is found here, not at the end
        self._recording().write({
            'state': 'offered', 'offered_on': fields.Datetime.now(), 'offered_by_id': self.env.uid,
            # Money that comes in from now on pays instalments.
            'known': self._get_known()})
        self._keep_held(today)
        self._portal_ensure_token()
        self._store_offer()
        if send:
            self._send_offer()

    def _lock_with_items(self):
        """Wait for whoever offers, signs or closes it, and for whoever is paying its items.

        When another one changed something meanwhile, PostgreSQL says that it cannot be serialized, and Odoo does the
        request again with what is true by then.
        """
        self.ensure_one()
        self.env.flush_all()
        self.env.execute_query(SQL("SELECT id FROM dunning_arrangement WHERE id = %s FOR UPDATE", self.id))
        self.env.execute_query(SQL(
            """
            SELECT id FROM account_move_line
             WHERE id IN (SELECT move_line_id FROM dunning_arrangement_line WHERE arrangement_id = %s)
          ORDER BY id FOR NO KEY UPDATE
            """, self.id))
        self.invalidate_recordset()
        self.line_ids.move_line_id.invalidate_recordset(
            ['amount_residual', 'amount_residual_currency', 'reconciled', 'parent_state'])

    def _find_items_again(self):
        """Raise when what the draft is about was paid, disputed or arranged meanwhile."""
        env = self.env(context={**self.env.context, 'dunning_arrangement_replacing': self.previous_id.id})
        items = self.line_ids.move_line_id
        if len(items) < len(self.line_ids):
            raise UserError(self.env._(
                "An invoice of this arrangement is not what it was any more. Draw up a new arrangement."))
        self.with_env(env)._find_items(self.company_id, self.partner_id, items.with_env(env))

    def _check_hold_length(self, today):
        """Raise when its items could not be held for as long as it runs."""
        # sudo: a number of days
        most = self._get_hold_reason().sudo().max_days
        if (self._get_hold_end() - today).days > most:
            raise UserError(self.env._(
                "It would run until %(end)s, and a hold for an arrangement lasts %(days)s days at most. Choose fewer "
                "or larger instalments, or let a manager lengthen the hold under Configuration, Reasons to Hold.",
                end=format_date(self.env, self._get_hold_end()), days=most))

    def _store_offer(self):
        """Make and freeze the document of the offer; see ``dunning_arrangement_document``."""

    def _send_offer(self):
        """Send the offer to the debtor; see ``dunning_arrangement_document``."""

    def _store_agreement(self):
        """Make and freeze the document with both signatures; see ``dunning_arrangement_document``."""

    def _send_agreement(self):
        """Send the agreement to both sides; see ``dunning_arrangement_document``."""

    # -------------------------------------------------------------------------
    # RUNNING AND ENDING
    # -------------------------------------------------------------------------

    def _activate(self):
        """Let arrangements that both sides signed run: their items are held, the debt counts as acknowledged."""
        for arrangement in self:
            arrangement._lock_with_items()
            if arrangement.state != 'signed' or not arrangement.countersigned_on:
                raise UserError(self.env._(
                    "%s runs only after both sides signed it.", arrangement.display_name))
            today = arrangement.company_id._dunning_today()
            previous = arrangement.previous_id
            if previous.state == 'active':
                previous._recording().replaced_by_id = arrangement
                previous._close('replaced', 'replaced', self.env._("%s took its place.", arrangement.name))
            arrangement.line_ids._recording().write({'is_live': True})
            self.env.flush_all()
            arrangement._book_extras(today)
            arrangement._recording().write({'state': 'active', 'activated_on': today})
            arrangement._acknowledge()
            arrangement._place_holds(today)
            arrangement._follow_activation()

    def _book_extras(self, today):
        """Book what is asked on top of the ledger; see ``dunning_arrangement_booking``."""

    def _get_known(self):
        """Return what was matched to the items and lay ready before; see ``dunning_arrangement_follow``."""
        return {}

    def _follow_activation(self):
        """Do what follows when it begins to run; see ``dunning_arrangement_follow``."""

    def _acknowledge(self):
        """Write down that the debtor acknowledged the debt: it interrupts prescription (article 3:318 BW)."""
        for arrangement in self:
            if arrangement.interruption_id:
                continue
            # Not what is booked from here on: it starts a term of its own.
            own = arrangement.booking_move_id
            items = arrangement.line_ids.filtered(lambda line, own=own: line.move_id != own).move_line_id
            # sudo: it follows from the signature, whoever countersigns
            act = self.env['dunning.interruption'].sudo().create({
                'company_id': arrangement.company_id.id,
                'partner_id': arrangement.partner_id.id,
                'kind': 'recognition',
                'date': arrangement.signed_date or arrangement.activated_on,
                'scope': 'items',
                'item_ids': [Command.set(items.ids)],
                'note': self.env._("Payment arrangement %s, signed by the debtor.", arrangement.name),
            })
            arrangement._recording().interruption_id = act.sudo(False)

    @api.model
    def _get_hold_reason(self):
        """Return the reason of the holds of arrangements.

        :raise UserError: when there is none
        """
        # sudo: which reason stands for arrangements is the same for every user
        Reason = self.env['dunning.hold.reason'].sudo()
        reason = self.env.ref('l10n_nl_dunning.hold_reason_arrangement', raise_if_not_found=False)
        if not reason or reason.sudo().kind != 'arrangement':  # sudo: as above
            reason = Reason.search([('kind', '=', 'arrangement')], limit=1)
        if not reason:
            raise UserError(self.env._(
                "There is no reason to hold of the kind “Payment arrangement”. Make one under Configuration, Reasons "
                "to Hold."))
        return reason.sudo(False)

    def _get_hold_end(self):
        """Return the last day on which its items are held: that of the grace of the last instalment."""
        self.ensure_one()
        return max(self.instalment_ids.mapped('grace_date'))

    def _get_held_until(self, today):
        """Return the last day on which its items have to be on hold as it stands now.

        Who was offered an arrangement is not reminded of what it is about while he can still sign; who signed it is
        not reminded while it waits for us.
        """
        self.ensure_one()
        if self.state == 'offered':
            return self.valid_until
        if self.state == 'signed':
            # Lengthened on its last day: what has ended cannot be.
            return max(self.valid_until, min(self.instalment_ids.mapped('grace_date')), today + timedelta(days=1))
        return self._get_hold_end()

    def _keep_held(self, today):
        """Keep exactly its open items on hold from the offer until it ends, no longer than a hold can last."""
        for arrangement in self:
            end = arrangement._get_held_until(today)
            items = arrangement.line_ids.move_line_id.filtered(
                lambda item: item.parent_state == 'posted' and not item.reconciled)
            if arrangement.state != 'active':
                # Held by the one that runs, until this one takes its place.
                items -= arrangement.previous_id.hold_ids.filtered(
                    lambda hold: not hold.closed_on and hold.date_end >= today).move_line_id
            holds = arrangement.hold_ids.filtered(lambda hold: not hold.closed_on and hold.date_end >= today)
            if items <= holds.filtered(lambda hold, end=end: hold.date_end >= end).move_line_id:
                continue
            if arrangement.state == 'signed':
                end = max(end, today + timedelta(days=WAITING_DAYS))
            reason = arrangement._get_hold_reason()
            # sudo: a number of days
            end = max(today, min(end, today + timedelta(days=reason.sudo().max_days)))
            short = holds.filtered(lambda hold, end=end: hold.date_end < end)
            if short:
                local = arrangement.with_context(lang=arrangement.company_id.partner_id.lang)
                short._extend(end, local.env._(
                    "The payment arrangement %s still runs.", arrangement.name) if arrangement.state == 'active'
                    else local.env._("The debtor signed the payment arrangement %s.", arrangement.name))
            missing = items - holds.move_line_id
            if missing:
                self.env['dunning.hold']._recording().create([
                    {
                        'move_line_id': item.id,
                        'reason_id': reason.id,
                        'user_id': arrangement._get_owner().id,
                        'date_end': end,
                        'arrangement_id': arrangement.id,
                    }
                    for item in missing]).with_env(self.env)._take_back_notices()

    def _place_holds(self, today):
        """Hold exactly the items until the end of the last grace; other short holds for an arrangement end."""
        for arrangement in self:
            items = arrangement.line_ids.move_line_id
            short = self.env['dunning.hold'].search(
                Domain('company_id', '=', arrangement.company_id.id) & Domain('kind', '=', 'arrangement')
                & Domain('closed_on', '=', False) & Domain('arrangement_id', '=', False)
                & Domain('partner_id', '=', arrangement.partner_id.id)
                & (Domain('move_line_id', 'in', items.ids)
                   | (Domain('move_line_id', '=', False) & Domain('move_id', 'in', items.move_id.ids))))
            arrangement._keep_held(today)
            short._close(self.env._("The payment arrangement %s began.", arrangement.name))

    def _get_owner(self):
        """Return who answers for the holds: the collector, or who acts where he cannot see them."""
        self.ensure_one()
        probe = self.env['dunning.hold'].new({'company_id': self.company_id.id})
        return self.user_id if probe._can_own(self.user_id) else self.env.user

    def _close(self, state, code, reason):
        """End arrangements: holds are lifted, and nothing is asked that was not owed.

        :param state: one of :data:`CLOSED_STATES`
        :param code: of ``close_code``
        :param str reason: one sentence for the history
        """
        for arrangement in self.filtered(lambda arrangement: arrangement.state not in CLOSED_STATES):
            today = arrangement.company_id._dunning_today()
            arrangement._recording().write({
                'state': state, 'closed_on': today, 'close_code': code, 'close_reason': reason})
            arrangement.line_ids._recording().write({'is_live': False})
            # At once: another one may take its items over in this transaction.
            arrangement.line_ids.flush_recordset(['is_live'])
            # sudo: holds end with what they are for, whoever noticed
            arrangement.sudo().hold_ids._close(reason)
            arrangement._unlink_reminders()
            arrangement._message_log(body=reason)

    def _unlink_reminders(self):
        # sudo: activities of colleagues are to go as well
        self.sudo().activity_ids.filtered('automated').unlink()

    def _cancel(self, why, code='withdrawn'):
        """Take arrangements back that were not kept or broken yet."""
        if not (why or '').strip():
            raise UserError(self.env._("Say why it is taken back: it is kept in its history."))
        closed = self.filtered(lambda arrangement: arrangement.state in CLOSED_STATES)
        if closed:
            raise UserError(self.env._("%s has ended already.", closed[:1].display_name))
        self.lock_for_update()
        self._close('cancelled', code, why)

"""Promises to pay: who promised what by when, and what the ledger says became of it.

A promise is made in a call or by hand (:meth:`_make`). While it runs, a hold rests on exactly its items, until the last
day of grace. Nobody says that it was kept or broken: that follows from payments, credit notes and bounces on its items,
again each time those change (:meth:`_judge`). What was decided is decided anew when a payment comes into the books
late, or turns out to have bounced.
"""

from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_amount

from ...tools.law.dutch_calendar import add_bank_days
from ..kernel.colors import CLOSE, DONE, LAPSED, SERIOUS, WAITS
from ..kernel.formats import format_day, letter_amount, letter_day
from .dunning_promise_follow import DECIDED

COLORS = {'running': WAITS, 'kept': DONE, 'partly': CLOSE, 'broken': SERIOUS, 'cancelled': LAPSED}
# Days on which banks settle after the promised day: money that was sent on that day is still on its way.
GRACE_DAYS = 2


class DunningPromise(models.Model):
    """A debtor said that he will pay an amount of some due items by a day.

    Amounts are in the currency of the items. All but the note follows from what was said and from the ledger.
    """

    _name = 'dunning.promise'
    _inherit = [
        'dunning.promise.follow',
        'dunning.agreement',
        'mail.thread',
        'mail.activity.mixin',
    ]
    _description = "Promise to Pay"
    _order = 'date_promised desc, id desc'
    _check_company_auto = True
    _mail_post_access = 'read'

    _hold_kind = 'promise'
    _decided_states = DECIDED
    _recording_context = {'mail_create_nosubscribe': True, 'mail_create_nolog': True}
    _user_writable = frozenset({'note'})

    user_id = fields.Many2one(
        comodel_name='res.users', string="Collector", required=True, index=True, readonly=True,
        help="Who took the promise, and is told when it is broken.")
    contact_id = fields.Many2one(
        comodel_name='res.partner', string="Promised By", readonly=True, index='btree_not_null', ondelete='set null')
    date_made = fields.Date(string="Promised On", required=True, readonly=True)
    date_promised = fields.Date(string="Will Pay By", required=True, readonly=True, index=True)
    grace_date = fields.Date(
        string="Waits Until", required=True, readonly=True,
        help="The promised date and the bank days of grace after it. Until then its items get no reminder.")
    amount = fields.Monetary(string="Promised", required=True, readonly=True, aggregator='sum')
    line_ids = fields.One2many(comodel_name='dunning.promise.line', inverse_name='promise_id', readonly=True)
    item_ids = fields.Many2many(
        comodel_name='account.move.line', string="Due Items", compute='_compute_item_ids', search='_search_item_ids')
    move_ids = fields.Many2many(comodel_name='account.move', string="Invoices", compute='_compute_item_ids')
    hold_ids = fields.One2many(comodel_name='dunning.hold', inverse_name='promise_id', string="Holds", readonly=True)

    state = fields.Selection(
        selection=[
            ('running', "Running"),
            ('kept', "Kept as promised"),
            ('partly', "Kept in part"),
            ('broken', "Broken"),
            ('cancelled', "Lapsed"),
        ],
        default='running', required=True, readonly=True, copy=False, index=True)
    color = fields.Integer(compute='_compute_color', exportable=False)
    amount_paid = fields.Monetary(
        string="Paid", readonly=True, copy=False, help="What came in after the promise, until the end of the grace.")
    amount_lowered = fields.Monetary(
        string="No Longer Owed", readonly=True, copy=False,
        help="Of what was promised, what was credited or otherwise settled since.")
    amount_missing = fields.Monetary(string="Missing", compute='_compute_amount_missing', store=True)
    paid_on = fields.Date(string="Last Payment", readonly=True, copy=False)
    decided_on = fields.Date(readonly=True, copy=False)
    lapsed_by = fields.Selection(
        selection=[
            ('replaced', "A later promise took its place"),
            ('credited', "Nothing was owed any more"),
            ('hand', "Taken back by hand"),
        ],
        string="Lapsed Because", readonly=True, copy=False)
    lapse_reason = fields.Char(string="Why Taken Back", readonly=True, copy=False)
    previous_id = fields.Many2one(
        comodel_name='dunning.promise', string="Replaces", readonly=True, copy=False, index='btree_not_null',
        ondelete='set null', help="The promise about the same items that this one took the place of.")
    turn = fields.Integer(
        string="Number in a Row", default=1, readonly=True, copy=False,
        help="Which promise about these items this is: each later one moved the day or came after a broken one.")
    kept_percent = fields.Float(
        string="Kept (%)", compute='_compute_kept_percent', store=True, aggregator='avg', digits=(6, 2),
        help="100 for a promise that was kept, else 0: the average of decided promises is the rate of kept ones.")
    story = fields.Char(compute='_compute_story')
    note = fields.Text(
        copy=False, help="What was said about the payment. Nothing about health or private circumstances: that is not "
                         "ours to keep.")
    confirmed_on = fields.Datetime(string="Confirmed", readonly=True, copy=False)
    email_to = fields.Char(string="Confirmed To", readonly=True, copy=False)

    # Words for the text, in the language of the debtor.
    lang = fields.Char(string="Language", compute='_compute_words')
    salutation = fields.Char(compute='_compute_words')
    amount_text = fields.Char(string="Amount", compute='_compute_words')
    date_text = fields.Char(string="Promised Day", compute='_compute_words')
    made_text = fields.Char(string="Day of the Promise", compute='_compute_words')
    invoices_text = fields.Char(
        string="Invoices in Words", compute='_compute_words', help="The numbers of the invoices.")
    invoice_count = fields.Integer(string="How Many Invoices", compute='_compute_words')
    contact_text = fields.Char(string="Our Contact", compute='_compute_words')
    mail_payment = fields.Html(string="How to Pay", compute='_compute_mail_payment', sanitize=False)

    _check_amount = models.Constraint('CHECK(amount > 0)', "The promised amount is more than zero.")
    _running_idx = models.Index("(company_id, grace_date) WHERE state = 'running'")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('partner_id', 'amount', 'date_promised')
    def _compute_display_name(self):
        for promise in self:
            promise.display_name = self.env._(
                "%(debtor)s: %(amount)s by %(date)s", debtor=promise.partner_id.name or '',
                amount=format_amount(self.env, promise.amount, promise.currency_id),
                date=format_day(self.env, promise.date_promised))

    @api.depends('line_ids.replaced_by_id')
    def _compute_item_ids(self):
        for promise in self:
            lines = promise._get_live_lines()
            promise.item_ids = lines.move_line_id
            promise.move_ids = lines.move_line_id.move_id

    def _search_item_ids(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        return Domain('line_ids', 'any', Domain('move_line_id', operator, value) & Domain('replaced_by_id', '=', False))

    @api.depends('state')
    def _compute_color(self):
        for promise in self:
            promise.color = COLORS[promise.state]

    @api.depends('amount', 'amount_paid', 'amount_lowered', 'state')
    def _compute_amount_missing(self):
        for promise in self:
            left = promise.amount - promise.amount_lowered - promise.amount_paid
            promise.amount_missing = max(0.0, left) if promise.state in ('running', 'partly', 'broken') else 0.0

    @api.depends('state', 'amount', 'amount_paid', 'amount_lowered', 'date_promised', 'grace_date', 'paid_on',
                 'contact_id', 'lapsed_by', 'lapse_reason', 'turn')
    @api.depends_context('lang')
    def _compute_story(self):
        for promise in self:
            promise.story = promise._tell_story() if promise.date_promised else False

    def _tell_story(self):
        """Return in one sentence what was promised and what became of it."""
        self.ensure_one()
        env = self.env
        facts = {
            'who': self.contact_id.name or self.partner_id.name or '',
            'made': format_day(env, self.date_made),
            'amount': format_amount(env, self.amount, self.currency_id),
            'date': format_day(env, self.date_promised),
            'grace': format_day(env, self.grace_date),
            'paid': format_amount(env, self.amount_paid, self.currency_id),
            'missing': format_amount(env, self.amount_missing, self.currency_id),
            'paid_on': format_day(env, self.paid_on),
            'why': self.lapse_reason or '',
        }
        said = env._("%(who)s promised on %(made)s to pay %(amount)s by %(date)s", **facts)
        if self.state == 'kept':
            end = (
                env._("paid on %(paid_on)s.", **facts) if self.paid_on
                else env._("the money is in, but not matched yet."))
        elif self.state == 'partly':
            end = env._("%(paid)s came until %(grace)s, %(missing)s did not.", **facts)
        elif self.state == 'broken':
            end = env._("nothing came until %(grace)s.", **facts)
        elif self.state == 'cancelled':
            end = {
                'replaced': env._("a later promise took its place."),
                'credited': env._("that was credited or otherwise settled, so nothing was left to pay."),
                'hand': env._("taken back: %(why)s", **facts),
            }.get(self.lapsed_by, '')
        elif self.amount_paid:
            end = env._("%(paid)s came so far; the rest is waited for until %(grace)s.", **facts)
        else:
            end = env._("it is waited for until %(grace)s.", **facts)
        story = env._("%(said)s: %(end)s", said=said, end=end)
        if self.turn > 1:
            story = env._("%(story)s It is promise number %(turn)s about this.", story=story, turn=self.turn)
        return story

    # -------------------------------------------------------------------------
    # GUARDS
    # -------------------------------------------------------------------------

    def _get_frozen_message(self, action):
        return {
            'create': self.env._(
                "A promise is recorded from a call, or with “Promise to pay” on the debtor or his invoices."),
            'write': self.env._(
                "What was promised and what became of it follows from what was said and from the ledger; only the note "
                "can be changed. Record a new promise if another day was agreed."),
            'unlink': self.env._(
                "%s cannot be deleted: it explains why reminders waited. Take it back instead.",
                self[:1].display_name),
            'copy': self.env._("A promise cannot be copied. Record a new one."),
        }[action]

    # -------------------------------------------------------------------------
    # MAKING
    # -------------------------------------------------------------------------

    @api.model
    def _make(self, company, partner, date, amount=None, items=None, user=None, call=None, contact=None, *, note=None,
              confirm=None, keep_notices=None):
        """Record a promise made today: hold its items, and confirm it where that is wanted.

        :param company: one ``res.company``
        :param partner: the debtor, or one of his contacts
        :param date date: the day by which he will pay: today or later
        :param float amount: in the currency of the items; None for all that is open of them. Less than that covers
            the oldest items first; items it does not reach are not part of the promise and are not held
        :param items: open due items (``account.move.line``) of the debtor, in one currency; None or empty for all
        :param user: the collector; None for the current user
        :param call: the ``dunning.call`` in which it was promised, or None
        :param contact: the person who promised, or None
        :param note: facts about the payment, or None
        :param confirm: whether an e-mail goes to the debtor at once; None for the setting of the company
        :param keep_notices: notices not to judge again, such as the call that is going on
        :return: the ``dunning.promise``
        :raise UserError: when it cannot be; nothing is written then
        """
        self.check_access('create')
        company = company.with_env(self.env).ensure_one()
        company.check_access('read')
        today = company._dunning_today()
        debtor = partner.with_env(self.env).commercial_partner_id
        date = fields.Date.to_date(date)
        grace = self._check_date(date, today)
        items = self._find_open_items(company, debtor, items)[0]
        shares = self._share_amount(items, amount)
        items = items.filtered(lambda item: item.id in shares)
        known = self.env['dunning.money']._get_known(company, debtor, items)
        lines = self.env['dunning.promise.line'].search([
            ('move_line_id', 'in', items.ids), ('replaced_by_id', '=', False),
            ('promise_id.partner_id', '=', debtor.id)])
        earlier = lines.promise_id.filtered(lambda promise: promise.state in ('running', 'partly', 'broken')).sorted(
            lambda promise: (promise.date_made, promise.id))
        with self.env.cr.savepoint():
            promise = self._recording().create({
                'company_id': company._get_dunning_for(items).id,
                'partner_id': debtor.id,
                'currency_id': items.currency_id.id,
                'user_id': (user or self.env.user).id,
                'contact_id': contact.id if contact else False,
                'date_made': today,
                'date_promised': date,
                'grace_date': grace,
                'amount': sum(shares.values()),
                'previous_id': earlier[-1:].id,
                'turn': max(earlier.mapped('turn'), default=0) + 1,
                'call_id': call.id if call else False,
                'note': note,
                'known': known,
                'line_ids': [
                    Command.create({
                        'move_line_id': item.id, 'amount': shares[item.id],
                        'amount_open': item.amount_residual_currency})
                    for item in items],
            })
            promise._replace(lines.filtered(lambda line: line.promise_id.state == 'running'))
            promise._place_holds(keep_notices=keep_notices)
            if company.dunning_promise_confirm if confirm is None else confirm:
                promise._send_confirmation()
        return promise.with_env(self.env)

    def _replace(self, lines):
        """Take running promises about the same items over: the day was moved.

        The others of their items keep their promise. Whoever promises anew after the day has passed did not keep the
        first; that is decided by the ledger of now.
        """
        self.ensure_one()
        for promise in lines.promise_id:
            if promise.date_promised < self.date_made:
                promise._decide(self.date_made, early=True)
                if promise.state != 'running':
                    continue
            mine = lines.filtered(lambda line, promise=promise: line.promise_id == promise)._recording()
            mine.write({'replaced_by_id': self.id})
            promise.hold_ids.filtered(
                lambda hold, mine=mine: hold.move_line_id in mine.move_line_id)._close(
                    self.env._("A later promise took its place."))
            if not promise._get_live_lines():
                promise._lapse('replaced', self.date_made)
            else:
                promise._recording().write({
                    'amount': sum(promise._get_live_lines().mapped('amount'))})
                promise._message_log(body=self.env._("A later promise took the place of a part of it."))

    # -------------------------------------------------------------------------
    # WHAT CAN BE PROMISED
    # -------------------------------------------------------------------------

    @api.model
    def _get_grace_date(self, date):
        """Return the last day on which money counts for a promise for ``date``."""
        return add_bank_days(date, GRACE_DAYS)

    @api.model
    def _get_hold_limit(self, today):
        """Return the last day on which the items of a promise can be held."""
        return today + timedelta(days=self._get_hold_reason().sudo().max_days)  # sudo: a number of days

    @api.model
    def _get_last_date(self, today):
        """Return the latest day that can be promised: with its grace it is not held longer than its reason allows."""
        last = limit = self._get_hold_limit(today)
        while last > today and self._get_grace_date(last) > limit:
            last -= timedelta(days=1)
        return last

    @api.model
    def _check_date(self, date, today):
        """Return the last day of grace of a promised date, or raise why it cannot be promised."""
        if not date:
            raise UserError(self.env._("Enter the day by which the debtor will have paid."))
        if date < today:
            raise UserError(self.env._(
                "%s lies in the past. Enter the day by which the debtor will have paid: today or later.",
                format_day(self.env, date)))
        limit, grace = self._get_hold_limit(today), self._get_grace_date(date)
        if date > today and grace > limit:
            raise UserError(self.env._(
                "A promise can be for %(last)s at the latest, and this one is for %(date)s. Agree on an earlier day; "
                "for longer there is the payment arrangement.",
                last=format_day(self.env, self._get_last_date(today)), date=format_day(self.env, date)))
        return grace

    @api.model
    def _share_amount(self, items, amount):
        """Return ``{item id: part of the amount}``, the oldest items first; items that get nothing are left out."""
        currency = items.currency_id
        owed = sum(items.mapped('amount_residual_currency'))
        amount = owed if amount is None else currency.round(amount)
        if currency.compare_amounts(amount, 0) <= 0:
            raise UserError(self.env._("Enter the promised amount: more than zero."))
        if currency.compare_amounts(amount, owed) > 0:
            raise UserError(self.env._(
                "%(amount)s was promised, but only %(owed)s of these items is open. Lower the amount or choose more "
                "items.",
                amount=format_amount(self.env, amount, currency), owed=format_amount(self.env, owed, currency)))
        shares = {}
        for item in items:
            share = min(amount, item.amount_residual_currency)
            if currency.compare_amounts(share, 0) > 0:
                shares[item.id] = currency.round(share)
            amount -= share
        return shares

    # -------------------------------------------------------------------------
    # ITEMS AND HOLDS
    # -------------------------------------------------------------------------

    def _get_live_lines(self):
        return self.line_ids.filtered(lambda line: not line.replaced_by_id)

    def _place_holds(self, keep_notices=None):
        """Hold exactly the items of these promises until the end of their grace, and take back what waits."""
        self._create_holds([
            vals for promise in self
            for vals in promise._prepare_holds(
                promise._get_live_lines().move_line_id & promise._get_own_items(), promise.grace_date)
        ], keep_notices)

    # -------------------------------------------------------------------------
    # CONFIRMING
    # -------------------------------------------------------------------------

    @api.depends('amount', 'date_promised', 'date_made', 'contact_id', 'partner_id', 'company_id')
    def _compute_words(self):
        for promise in self:
            lang = promise._get_lang()
            env = self.with_context(lang=lang).env
            moves = promise.move_ids
            promise.lang = lang
            promise.salutation = promise._get_salutation()
            promise.amount_text = letter_amount(env, promise.amount, promise.currency_id)
            promise.date_text = letter_day(env, promise.date_promised)
            promise.made_text = letter_day(env, promise.date_made)
            promise.invoices_text = self.env['dunning.notice']._join_words(
                env, [move.name or '' for move in moves.sorted('invoice_date')])
            promise.invoice_count = len(moves)
            promise.contact_text = promise.company_id._get_dunning_contact_text()

    @api.depends('amount', 'amount_paid', 'amount_lowered', 'date_promised')
    def _compute_mail_payment(self):
        for promise in self:
            lang = promise._get_lang()
            promise.mail_payment = promise._render_transfer(
                promise._get_amount_to_pay(), letter_day(self.env, promise.date_promised, lang),
                promise._prepare_pay_links(lang) if promise._origin.id else [], promise._get_reference())

    def _get_reference(self):
        return self.env['dunning.letter']._get_moves_reference(self.move_ids)

    def _get_amount_to_pay(self):
        return self.currency_id.round(self.amount - self.amount_lowered - self.amount_paid)

    def _prepare_pay_links(self, lang):
        """Return where each invoice is paid, or seen where paying online is off; see :meth:`_render_transfer`."""
        self.ensure_one()
        online, links = self.env['dunning.letter']._can_pay_online(self.company_id), []
        lines = self._get_live_lines()
        for move in lines.move_id.sorted('invoice_date'):
            amount = sum(line.amount for line in lines if line.move_id == move)
            move = move.sudo()  # sudo: the debtor gets the address of his own invoice
            base = move.get_base_url()
            url = self.env['payment.link.wizard'].sudo().create({  # sudo: the link of that one invoice
                'res_model': 'account.move', 'res_id': move.id, 'amount': amount, 'amount_max': amount,
                'currency_id': move.currency_id.id, 'partner_id': move.partner_id.id,
            }).link.replace(f'{base}//', f'{base}/') if online else f'{base}{move.get_portal_url()}'
            links.append({
                'name': move.name or '', 'amount': letter_amount(self.env, amount, self.currency_id, lang), 'url': url})
        return links

    def action_send_confirmation(self):
        """Send the debtor what he promised and how to pay it."""
        self.check_access('write')
        for promise in self:
            if promise.state != 'running':
                raise UserError(self.env._(
                    "“%s” is not running any more, so there is nothing to confirm.", promise.display_name))
            promise._send_confirmation()
        return True

    def _send_confirmation(self):
        """Hand the confirmation to the mail queue.

        :raise UserError: when no e-mail address of the debtor works
        """
        self.ensure_one()
        person = self._get_recipient()
        if not person:
            raise UserError(self.env._(
                "%s has no e-mail address that works, so the promise cannot be confirmed. Complete the contact, or "
                "record the promise without confirmation.", self.partner_id.display_name))
        mail = self._send_mail('l10n_nl_dunning.mail_template_promise', person, picture=self._get_qr_png(
            self._get_amount_to_pay(), self._get_reference()))
        self._recording().write({'confirmed_on': fields.Datetime.now(), 'email_to': person.dunning_email})
        return mail

    # -------------------------------------------------------------------------
    # TAKING BACK
    # -------------------------------------------------------------------------

    def action_take_back(self):
        """Open the wizard that takes promises back and asks why."""
        return self.env['dunning.promise.cancel']._action_open(self)

    def _take_back(self, why):
        """Let running promises lapse: recorded by mistake, or the debtor took his word back.

        :param str why: one sentence for the history
        :raise UserError: without a reason, or when the ledger decided already
        """
        if not (why or '').strip():
            raise UserError(self.env._("Say why: it is kept in the history of the promise."))
        decided = self.filtered(lambda promise: promise.state != 'running')
        if decided:
            raise UserError(self.env._(
                "“%s” was decided by the ledger already, so it cannot be taken back.", decided[:1].display_name))
        for company, promises in self.grouped('company_id').items():
            promises._lapse('hand', company._dunning_today(), why)

    def _lapse(self, lapsed_by, at_date, why=None):
        self._recording().write({
            'state': 'cancelled', 'lapsed_by': lapsed_by, 'lapse_reason': why, 'decided_on': at_date})
        self._follow_up(dict.fromkeys(self.ids, 'running'), at_date)

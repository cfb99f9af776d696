"""Promises to pay: who promised what by when, and what the ledger says became of it.

A promise is made in a call or by hand (:meth:`DunningPromise._make`). While it runs, a hold rests on exactly its
items, until the last day of grace. Nobody says that it was kept or broken: that follows from payments, credit notes
and bounces on its items, again each time those change (:meth:`DunningPromise._judge`). What was decided is decided
anew when a payment comes into the books late, or turns out to have bounced.
"""

from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup, escape

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_amount

from ...tools.law.dutch_calendar import add_bank_days
from ..hold.dunning_hold import format_date
from ..kernel.dunning_bulk import schedule_activities

# How long after its date a promise that was decided is looked at again every day, in days. What is matched later than
# that is noticed when it is matched.
LOOK_BACK_DAYS = 60
USER_WRITABLE = frozenset({'note'})
MIXIN_PREFIXES = ('activity_', 'message_', 'my_activity_', 'website_message_', 'rating_', 'has_message')
DECIDED = ('kept', 'partly', 'broken')
# Put into the context by code that records what happened to a promise. Being one object of this process, no
# integration or browser can send it.
RECORDING = object()


class DunningPromise(models.Model):
    """A debtor said that he will pay an amount of some due items by a day.

    Amounts are in the currency of the items. All but the note follows from what was said and from the ledger.
    """

    _name = 'dunning.promise'
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _description = "Promise to Pay"
    _order = 'date_promised desc, id desc'
    _check_company_auto = True
    _mail_post_access = 'read'

    company_id = fields.Many2one(comodel_name='res.company', required=True, index=True, readonly=True)
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='restrict')
    currency_id = fields.Many2one(comodel_name='res.currency', required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name='res.users', string="Collector", required=True, index=True, readonly=True,
        help="Who took the promise, and is told when it is broken.")
    contact_id = fields.Many2one(
        comodel_name='res.partner', string="Promised By", readonly=True, index='btree_not_null', ondelete='set null')
    call_id = fields.Many2one(
        comodel_name='dunning.call', readonly=True, index='btree_not_null', ondelete='set null')
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
    # What was matched or lay ready already when it was promised: none of it keeps the promise.
    known = fields.Json(readonly=True, copy=False)

    state = fields.Selection(
        selection=[
            ('running', "Running"),
            ('kept', "Kept as promised"),
            ('partly', "Kept in part"),
            ('broken', "Broken"),
            ('cancelled', "Lapsed"),
        ],
        default='running', required=True, readonly=True, copy=False, index=True)
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
                date=format_date(self.env, promise.date_promised) if promise.date_promised else '')

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

    @api.depends('amount', 'amount_paid', 'amount_lowered', 'state')
    def _compute_amount_missing(self):
        for promise in self:
            left = promise.amount - promise.amount_lowered - promise.amount_paid
            promise.amount_missing = max(0.0, left) if promise.state in ('running', 'partly', 'broken') else 0.0

    @api.depends('state')
    def _compute_kept_percent(self):
        for promise in self:
            promise.kept_percent = 100.0 if promise.state == 'kept' else 0.0

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
            'made': format_date(env, self.date_made),
            'amount': format_amount(env, self.amount, self.currency_id),
            'date': format_date(env, self.date_promised),
            'grace': format_date(env, self.grace_date),
            'paid': format_amount(env, self.amount_paid, self.currency_id),
            'missing': format_amount(env, self.amount_missing, self.currency_id),
            'paid_on': format_date(env, self.paid_on) if self.paid_on else '',
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
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not self._is_recording():
            raise UserError(self.env._(
                "A promise is recorded from a call, or with “Promise to pay” on the debtor or his invoices."))
        return super(DunningPromise, self.with_context(mail_create_nosubscribe=True, mail_create_nolog=True)).create(
            vals_list).with_env(self.env)

    def write(self, vals):
        names = {name for name in vals if not name.startswith(MIXIN_PREFIXES)}
        if names - USER_WRITABLE and not self._is_recording():
            raise UserError(self.env._(
                "What was promised and what became of it follows from what was said and from the ledger; only the note "
                "can be changed. Record a new promise if another day was agreed."))
        return super().write(vals)

    def unlink(self):
        # The chatter deletes its messages before the guards are asked; ask first.
        self._unlink_never()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        if self:
            raise UserError(self.env._(
                "%s cannot be deleted: it explains why reminders waited. Take it back instead.",
                self[:1].display_name))

    def copy_data(self, default=None):
        self.check_access('create')
        raise UserError(self.env._("A promise cannot be copied. Record a new one."))

    def _is_recording(self):
        return self.env.context.get('dunning_promise_recording') is RECORDING

    def _recording(self):
        """Return the promises in the context in which code records what happened to them."""
        return self.with_context(dunning_promise_recording=RECORDING)

    def _get_live_lines(self):
        return self.line_ids.filtered(lambda line: not line.replaced_by_id)

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
        date = self._check_date(company, fields.Date.to_date(date), today)
        items = self._find_items(company, debtor, items)
        shares = self._share_amount(items, amount)
        items = items.filtered(lambda item: item.id in shares)
        user = user or self.env.user
        grace = self._get_grace_date(company, date)
        lines = self.env['dunning.promise.line'].search([
            ('move_line_id', 'in', items.ids), ('replaced_by_id', '=', False)])
        earlier = lines.promise_id.filtered(lambda promise: promise.state in ('running', 'partly', 'broken')).sorted(
            lambda promise: (promise.date_made, promise.id))
        with self.env.cr.savepoint():
            promise = self._recording().create({
                'company_id': company.id,
                'partner_id': debtor.id,
                'currency_id': items.currency_id.id,
                'user_id': user.id,
                'contact_id': contact.id if contact else False,
                'date_made': today,
                'date_promised': date,
                'grace_date': grace,
                'amount': sum(shares.values()),
                'previous_id': earlier[-1:].id,
                'turn': max(earlier.mapped('turn'), default=0) + 1,
                'call_id': call.id if call else False,
                'note': note,
                'known': self.env['dunning.money']._get_known(company, debtor, items),
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

    @api.model
    def _get_reason(self):
        """Return the reason of the holds of promises.

        :raise UserError: when there is none
        """
        # sudo: which reason stands for promises is the same for every user
        Reason = self.env['dunning.hold.reason'].sudo()
        reason = self.env.ref('l10n_nl_dunning.hold_reason_promise', raise_if_not_found=False)
        if not reason or reason.sudo().kind != 'promise':  # sudo: as above
            reason = Reason.search([('kind', '=', 'promise')], limit=1)
        if not reason:
            raise UserError(self.env._(
                "There is no reason to hold of the kind “Promise to pay”. Make one under Configuration, Reasons to "
                "Hold."))
        return reason.sudo(False)

    @api.model
    def _get_grace_date(self, company, date):
        """Return the last day on which money counts for a promise for ``date``."""
        return add_bank_days(date, company.dunning_promise_grace_days)

    @api.model
    def _get_last_date(self, company, today):
        """Return the latest day that can be promised: with its grace it is not held longer than its reason allows."""
        last = limit = today + timedelta(days=self._get_reason().sudo().max_days)  # sudo: a number of days
        while last > today and self._get_grace_date(company, last) > limit:
            last -= timedelta(days=1)
        return last

    @api.model
    def _check_date(self, company, date, today):
        if not date:
            raise UserError(self.env._("Enter the day by which the debtor will have paid."))
        if date < today:
            raise UserError(self.env._(
                "%s lies in the past. Enter the day by which the debtor will have paid: today or later.",
                format_date(self.env, date)))
        last = self._get_last_date(company, today)
        if date > last:
            raise UserError(self.env._(
                "A promise can be for %(last)s at the latest, and this one is for %(date)s. Agree on an earlier day; "
                "for longer there is the payment arrangement.",
                last=format_date(self.env, last), date=format_date(self.env, date)))
        return date

    @api.model
    def _get_open_items(self, company, debtor):
        """Return what the debtor owes the company, the oldest due date first."""
        return self.env['account.move.line'].search(
            self.env['account.move']._get_dunning_open_items_domain()
            & Domain('company_id', '=', company.id)
            & Domain('partner_id.commercial_partner_id', '=', debtor.id),
            order='date_maturity, id')

    @api.model
    def _find_items(self, company, debtor, items):
        owed = self._get_open_items(company, debtor)
        if items:
            items = items.with_env(self.env)
            items.check_access('read')
            strange = items - owed
            if strange:
                raise UserError(self.env._(
                    "%(item)s is not an open due item of %(debtor)s, so nothing can be promised about it. "
                    "It may have been paid meanwhile.",
                    item=strange[:1].move_id.display_name or strange[:1].display_name, debtor=debtor.display_name))
            owed = owed.filtered(lambda item: item in items)
        if not owed:
            raise UserError(self.env._(
                "%s owes nothing, so there is nothing to promise.", debtor.display_name))
        if len(owed.currency_id) > 1:
            raise UserError(self.env._(
                "These items are in several currencies (%s). Record one promise for each currency.",
                ", ".join(owed.currency_id.mapped('name'))))
        return owed

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

    def _place_holds(self, keep_notices=None):
        """Hold exactly the items of these promises until the end of their grace, and take back what waits."""
        if not self:
            return
        vals_list, reason = [], self._get_reason()
        for promise in self:
            owner = promise._get_owner()
            vals_list += [
                {
                    'move_line_id': line.move_line_id.id,
                    'reason_id': reason.id,
                    'user_id': owner.id,
                    'date_end': promise.grace_date,
                    'promise_id': promise.id,
                }
                for line in promise._get_live_lines()]
        if not vals_list:
            return
        holds = self.env['dunning.hold']._recording().create(vals_list)
        holds.with_env(self.env)._take_back_notices(keep=keep_notices)

    def _get_owner(self):
        """Return who answers for the holds: the collector, or who records it where he cannot see them."""
        self.ensure_one()
        probe = self.env['dunning.hold'].new({'company_id': self.company_id.id})
        return self.user_id if probe._can_own(self.user_id) else self.env.user

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
    # WHAT THE LEDGER SAYS
    # -------------------------------------------------------------------------

    @api.model
    def _judge(self, company, at_date):
        """Let the ledger decide about the promises of a company on a day, before reminders are planned.

        :return: the promises about which something was decided
        """
        since = at_date - timedelta(days=LOOK_BACK_DAYS)
        # sudo: what became of a promise follows from the books, whoever plans
        promises = self.sudo().search(
            Domain('company_id', '=', company.id) & Domain('date_made', '<=', at_date)
            & (Domain('state', '=', 'running') | (
                (Domain('state', 'in', DECIDED) | Domain('lapsed_by', '=', 'credited'))
                & Domain('grace_date', '>=', since))))
        promises = promises.try_lock_for_update()
        return promises._decide(at_date)

    def _decide(self, at_date, *, early=False, matched_only=False):
        """Write down what the ledger says of these promises on a day; return those that changed.

        :param bool early: do not wait for the end of the grace
        :param bool matched_only: payments are being matched now: nothing runs out yet, it can only be kept
        """
        befores = {}
        figures = self._get_figures(at_date)
        for promise in self.sorted(lambda promise: (promise.date_promised, promise.id)):
            paid, unmatched, need, need_at_end, paid_on = figures[promise.id]
            currency = promise.currency_id
            over = early or at_date > promise.grace_date
            if over:
                need = need_at_end
            if currency.compare_amounts(need, 0) <= 0 and not paid:
                state = 'cancelled'
            elif currency.compare_amounts(paid, need) >= 0:
                state = 'kept'
            elif not over or (matched_only and promise.state == 'running'):
                state = 'running'
            elif currency.compare_amounts(paid + unmatched, need) >= 0:
                state = 'kept'
            else:
                state = 'partly' if currency.compare_amounts(paid + unmatched, 0) > 0 else 'broken'
            total = paid + (unmatched if over else 0.0)
            vals = {
                'state': state,
                'amount_paid': currency.round(total),
                'amount_lowered': currency.round(max(0.0, promise.amount - need)),
                'paid_on': paid_on,
                'lapsed_by': 'credited' if state == 'cancelled' else False,
            }
            changes = {name: value for name, value in vals.items() if (promise[name] or False) != (value or False)}
            if not changes:
                continue
            if state != promise.state:
                befores[promise.id] = promise.state
                changes['decided_on'] = at_date if state != 'running' else False
            promise._recording().write(changes)
        changed = self.browse(befores)
        changed._follow_up(befores, at_date)
        return changed

    def _decide_matched(self):
        """Decide again while payments are being matched or undone."""
        for company, promises in self.filtered(
            lambda promise: promise.state in ('running', *DECIDED) or promise.lapsed_by == 'credited'
        ).grouped('company_id').items():
            promises.with_company(company)._decide(company._dunning_today(), matched_only=True)

    def _get_figures(self, at_date):
        """Return ``{promise id: (paid, unmatched money, to be paid, to be paid at the end, date of last payment)}``.

        Counts what is dated until the end of the grace and was not known when it was promised. What is not matched
        yet may be about something else: it counts at the end only (``to be paid at the end`` is less unmatched credit
        notes). Two statements, however many promises.
        """
        if not self:
            return {}
        Money = self.env['dunning.money']
        by_promise = {promise: promise._get_live_lines().sorted('id') for promise in self}
        matched = Money._read_matched(self.line_ids.move_line_id, at_date)
        pools = Money._get_pools(
            {company: promises.partner_id for company, promises in self.grouped('company_id').items()}, at_date)
        result = {}
        for promise in self.sorted(lambda promise: (promise.date_promised, promise.id)):
            ready = set((promise.known or {}).get('open', ()))
            paid, paid_on, lowered = 0.0, False, defaultdict(float)
            for item_id, _move_id, is_money, amount, day in Money._split_new(
                by_promise[promise].move_line_id.ids, matched, promise.known, promise.currency_id, promise.grace_date
            ):
                if is_money:
                    paid += amount
                    paid_on = max(paid_on or day, day)
                else:
                    lowered[item_id] += amount
            lines = promise._get_live_lines()
            owed = [(line.amount, max(0.0, line.amount_open - lowered[line.move_line_id.id])) for line in lines]
            need = sum(min(amount, left) for amount, left in owed)
            unmatched, need_at_end = 0.0, need
            pool = pools.get((promise.company_id.id, promise.partner_id.id, promise.currency_id.id), [])
            left = sum(left for _amount, left in owed)
            for credit in pool:
                if credit['date'] > promise.grace_date or credit['move_id'] in ready or not credit['amount']:
                    continue
                if credit['is_money']:
                    take = min(credit['amount'], max(0.0, need_at_end - paid - unmatched))
                    unmatched += take
                else:
                    take = max(0.0, min(credit['amount'], left - paid))
                    left -= take
                    need_at_end = min(need_at_end, left)
                credit['amount'] -= take
            result[promise.id] = (paid, unmatched, max(0.0, need), max(0.0, need_at_end), paid_on)
        return result

    # -------------------------------------------------------------------------
    # WHAT FOLLOWS
    # -------------------------------------------------------------------------

    def _follow_up(self, befores, at_date):
        """Let holds, activities and the history follow what was decided; in a few queries for all of them.

        :param dict befores: ``{promise id: its state before}``
        """
        if not self:
            return
        by_lang = self.grouped(lambda promise: promise.company_id.partner_id.lang)
        stories = {
            promise.id: promise.story
            for lang, promises in by_lang.items() for promise in promises.with_context(lang=lang)}
        again = self.filtered(lambda promise: promise.state == 'running')
        broken = self.filtered(lambda promise: promise.state in ('partly', 'broken'))
        # Running again, a payment bounced within the time that was promised: it is waited for.
        (self - broken)._unlink_reminders()
        again.filtered(lambda promise: promise.company_id._dunning_today() <= promise.grace_date)._place_holds()
        (self - again).hold_ids.filtered(lambda hold: not hold.closed_on)._close(
            lambda hold: stories[hold.promise_id.id], at_date=at_date)
        broken._tell_broken(befores, at_date)
        self._message_log_batch(stories)
        told = defaultdict(list)
        for promise in self.filtered(lambda promise: promise.state in DECIDED):
            told[promise.partner_id.id].append(escape(stories[promise.id]))
        if told:
            self.env['res.partner'].browse(told)._message_log_batch({
                partner_id: Markup("<br/>").join(parts) for partner_id, parts in told.items()})

    def _unlink_reminders(self):
        # sudo: activities of colleagues are to go as well
        self.sudo().activity_ids.filtered('automated').unlink()

    def _tell_broken(self, befores, at_date):
        """Plan one call about each promise that was not kept, for the collector."""
        told, responsible = {}, {}
        for promise in self.filtered(lambda promise: not promise.activity_ids.filtered('automated')):
            key = promise.user_id, promise.company_id
            if key not in responsible:
                responsible[key] = promise._get_responsible()
            user = responsible[key]
            if not user:
                continue
            local = promise.with_context(lang=user.lang)
            summary = (
                local.env._("%s paid only a part of what was promised", promise.partner_id.name)
                if promise.state == 'partly' else local.env._("%s did not pay as promised", promise.partner_id.name))
            note = local.story
            if befores[promise.id] == 'kept':
                note = local.env._("%s It had been paid, but that payment was undone.", note)
            told[promise.id] = {'date_deadline': at_date, 'user_id': user.id, 'summary': summary, 'note': note}
        if told:
            # The list of activities tells the collector, as of all that a night finds out: no e-mail for each.
            schedule_activities(
                self.with_context(mail_activity_quick_update=True), 'mail.mail_activity_data_call', told)

    def _get_responsible(self):
        """Return the collector; where he left, the contact on letters of the company, else a manager."""
        self.ensure_one()
        # sudo: which user belongs to the contact on our own letters
        contact = self.company_id.dunning_contact_id.sudo().user_ids.filtered(lambda user: not user.share).sudo(False)
        for user in (self.user_id | contact):
            # sudo: whether a colleague works in a company
            if user.active and not user._is_superuser() and self.company_id in user.sudo().company_ids:
                return user
        return self.env['dunning.interest.rate']._get_manager(self.company_id)

    def action_take_back(self):
        """Open the wizard that takes promises back and asks why."""
        return self.env['dunning.promise.cancel']._action_open(self)

    def action_open_invoices(self):
        """Show the invoices that were promised."""
        self.ensure_one()
        self.check_access('read')
        return self.move_ids._get_records_action(name=self.env._("Invoices"))

    def _lapse(self, lapsed_by, at_date, why=None):
        self._recording().write({
            'state': 'cancelled', 'lapsed_by': lapsed_by, 'lapse_reason': why, 'decided_on': at_date})
        self._follow_up(dict.fromkeys(self.ids, 'running'), at_date)

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

    # -------------------------------------------------------------------------
    # HOW RELIABLE
    # -------------------------------------------------------------------------

    @api.model
    def _get_kept_ratio(self, records, company):
        """Return ``{id: (kept, decided)}`` of debtors (``res.partner``) or collectors (``res.users``).

        Kept in part is not kept; what lapsed was not decided. Whoever never promised is not in it.
        """
        name = 'user_id' if records._name == 'res.users' else 'partner_id'
        ids = records.ids if name == 'user_id' else records.commercial_partner_id.ids
        groups = self._read_group(
            [(name, 'in', ids), ('company_id', '=', company.id), ('state', 'in', DECIDED)],
            [name, 'state'], ['__count'])
        counts = defaultdict(lambda: [0, 0])
        for record, state, count in groups:
            counts[record.id][0] += count if state == 'kept' else 0
            counts[record.id][1] += count
        found = {record_id: tuple(pair) for record_id, pair in counts.items()}
        if name == 'partner_id':
            return {
                partner.id: found[partner.commercial_partner_id.id] for partner in records
                if partner.commercial_partner_id.id in found}
        return found

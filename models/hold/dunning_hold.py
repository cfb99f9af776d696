"""Holds: dated reasons not to dun, and who answers for them.

Every hold has a reason, an owner and an end date. When it ends somebody is told,
and nothing leaves on that day: reminders go on after the soft days of the policy,
and after a fresh look of the planner.

How it ends is in ``dunning_hold_life``, which items it reaches on which day in ``dunning_hold_reach``.
"""

from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_amount

from ..kernel.formats import format_day, in_language_of
from .dunning_hold_reach import INSOLVENCY_WRITABLE

# What whoever places a hold says about it; the rest follows.
USER_CREATABLE = frozenset({
    'company_id', 'partner_id', 'move_id', 'move_line_id', 'amount', 'reason_id', 'user_id', 'date_end', 'note',
    'dispute_category',
}) | INSOLVENCY_WRITABLE
# What can be changed while a hold is open.
USER_WRITABLE = frozenset({'user_id', 'note'}) | INSOLVENCY_WRITABLE
# How a dispute went: can be told until it was told, also after the hold itself ended.
DISPUTE_WRITABLE = frozenset({'dispute_category', 'dispute_right', 'dispute_outcome', 'credit_move_id'})
# What was written about a hold and is not copied into its log: what is erased from a note has to be gone.
NOTES = frozenset({'note', 'dispute_outcome', 'credit_move_id'})


class DunningHold(models.Model):
    """A dated reason not to dun a due item, an invoice or a debtor, or a part of an amount.

    Amounts are in the currency of the item or invoice; ``date_end`` is the last day
    of the hold. Placed and closed holds are history: see :meth:`write`.
    """

    _name = 'dunning.hold'
    _inherit = [
        'dunning.hold.life', 'dunning.hold.reach', 'dunning.recorded', 'mail.thread',
        'mail.activity.mixin']
    _description = "Dunning Hold"
    _order = 'date_end, id'
    _check_company_auto = True
    _mail_post_access = 'read'
    _recording_context = {'mail_notrack': True, 'mail_create_nosubscribe': True}
    _user_writable = USER_WRITABLE | DISPUTE_WRITABLE

    company_id = fields.Many2one(comodel_name='res.company', required=True, index=True, readonly=True)
    company_currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    scope = fields.Selection(
        selection=[('item', "Due item"), ('invoice', "Invoice"), ('debtor', "Whole debtor")],
        string="About", required=True, readonly=True)
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='restrict')
    move_id = fields.Many2one(
        comodel_name='account.move', string="Invoice", index='btree_not_null', readonly=True, ondelete='set null',
        check_company=True)
    # An invoice that is reset to draft may get new journal items: then the hold is about the invoice.
    move_line_id = fields.Many2one(
        comodel_name='account.move.line', string="Due Item", index='btree_not_null', readonly=True,
        ondelete='set null', check_company=True)
    date_maturity = fields.Date(string="Due Date", compute='_compute_date_maturity')
    currency_id = fields.Many2one(comodel_name='res.currency', required=True, readonly=True)
    is_part = fields.Boolean(string="Part of the Amount", readonly=True)
    amount = fields.Monetary(
        string="Part on Hold", readonly=True, help="Empty: the whole amount, also when it changes.")
    amount_held = fields.Monetary(
        string="Amount on Hold", compute='_compute_amount_held', currency_field='company_currency_id',
        help="What is open today of what this hold is about, as long as it was not closed.")
    reason_id = fields.Many2one(
        comodel_name='dunning.hold.reason', required=True, index=True, readonly=True, ondelete='restrict',
        tracking=True)
    kind = fields.Selection(related='reason_id.kind', store=True)
    # As the reason was when the hold was placed: another setting does not change what held yesterday.
    stops_everything = fields.Boolean(readonly=True)
    needs_decision = fields.Boolean(string="Until a Person Decides", readonly=True)
    soft_days = fields.Integer(
        readonly=True, help="Days between the end of the hold and the first reminder after it.")
    user_id = fields.Many2one(
        comodel_name='res.users', string="Owner", required=True, index=True, tracking=True,
        default=lambda self: self.env.user, domain="[('share', '=', False), ('company_ids', 'in', company_id)]")
    note = fields.Text()
    opened_on = fields.Date(readonly=True, required=True)
    opened_by_id = fields.Many2one(comodel_name='res.users', readonly=True, required=True)
    date_end = fields.Date(
        string="End Date", required=True, readonly=True, tracking=True, help="The last day of the hold.")
    closed_on = fields.Date(readonly=True, copy=False, index='btree_not_null')
    closed_by_id = fields.Many2one(
        comodel_name='res.users', readonly=True, copy=False, help="Empty: the end date passed.")
    close_reason = fields.Char(string="Why It Ended", readonly=True, copy=False)
    ended_on = fields.Date(compute='_compute_ended_on', store=True)
    free_on = fields.Date(
        string="Reminders From", compute='_compute_ended_on', store=True,
        help="The first day on which a reminder can go out again. Empty: not before a person decides.")
    reminded_on = fields.Date(readonly=True, copy=False)
    state = fields.Selection(
        selection=[
            ('active', "On hold"),
            ('overdue', "Decision overdue"),
            ('ended', "Ended"),
        ],
        compute='_compute_state')
    days_open = fields.Integer(compute='_compute_days_open')
    is_dispute = fields.Boolean(compute='_compute_is_dispute', store=True)
    dispute_category = fields.Selection(
        selection=[
            ('quality', "Quality or complaint"),
            ('delivery', "Not or not completely delivered"),
            ('quantity', "Wrong quantity"),
            ('price', "Price or discount"),
            ('not_ordered', "Not ordered"),
            ('paid', "Says it was paid"),
            ('data', "Wrong data on the invoice"),
            ('other', "Other"),
        ],
        string="What Is Disputed", tracking=True)
    dispute_right = fields.Selection(
        selection=[
            ('open', "Not settled yet"),
            ('debtor', "The debtor is right"),
            ('us', "We are right"),
            ('partly', "Each partly"),
        ],
        string="Who Is Right", tracking=True)
    dispute_outcome = fields.Text(string="Outcome")
    credit_move_id = fields.Many2one(
        comodel_name='account.move', string="Credit Note", index='btree_not_null', check_company=True,
        domain="[('move_type', '=', 'out_refund'), ('commercial_partner_id', '=', partner_id),"
               " ('company_id', '=', company_id)]")
    resolved_on = fields.Date(
        string="Settled On", readonly=True, copy=False, help="The day on which somebody said who is right.")

    # The planner looks for what holds on a day; see `_get_held_sql`.
    _free_on_idx = models.Index("(company_id, free_on)")
    _dispute_idx = models.Index("(company_id, resolved_on) WHERE is_dispute")
    _check_amount = models.Constraint(
        "CHECK((is_part AND amount > 0 AND scope != 'debtor') OR (is_part IS NOT TRUE AND COALESCE(amount, 0) = 0))",
        "A part on hold is a positive amount of an invoice or a due item.",
    )

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('move_line_id')
    def _compute_date_maturity(self):
        for hold in self:
            item = hold.move_line_id.sudo()  # sudo: a day of an item whose hold can be read
            hold.date_maturity = item and item._get_dunning_due_date()

    @api.depends('reason_id', 'move_id', 'partner_id', 'scope')
    def _compute_display_name(self):
        for hold in self:
            target = hold.partner_id.name if hold.scope == 'debtor' else hold.move_id.name
            hold.display_name = f"{hold.reason_id.name}: {target}" if target else hold.reason_id.name

    @api.depends('reason_id.kind')
    def _compute_is_dispute(self):
        for hold in self:
            hold.is_dispute = hold.reason_id.kind == 'dispute'

    @api.depends('date_end', 'closed_on', 'needs_decision', 'soft_days')
    def _compute_ended_on(self):
        """The last day counts as the end; closed, it is the day of closing, that does not hold any more."""
        for hold in self:
            ends = [hold.closed_on, not hold.needs_decision and hold.date_end]
            hold.ended_on = min(filter(None, ends), default=False)
            hold.free_on = hold.ended_on and hold.ended_on + timedelta(days=hold.soft_days + 1)

    @api.depends('date_end', 'closed_on', 'needs_decision', 'company_id')
    @api.depends_context('dunning_at_date')
    def _compute_state(self):
        for hold in self:
            today = hold.company_id._dunning_today()
            if hold.closed_on and hold.closed_on <= today:
                hold.state = 'ended'
            elif hold.date_end and hold.date_end < today:
                hold.state = 'overdue' if hold.needs_decision else 'ended'
            else:
                hold.state = 'active'

    @api.depends('opened_on', 'ended_on', 'resolved_on', 'is_dispute')
    @api.depends_context('dunning_at_date')
    def _compute_days_open(self):
        """Days since it was placed, until it ended or, for a dispute, until it was settled."""
        for hold in self:
            today = hold.company_id._dunning_today()
            end = hold.resolved_on if hold.is_dispute else hold.ended_on
            hold.days_open = (min(end or today, today) - hold.opened_on).days if hold.opened_on else 0

    @api.depends('amount', 'closed_on', 'move_id', 'move_line_id', 'partner_id')
    def _compute_amount_held(self):
        groups = self.env['dunning.hold.report']._read_group(
            [('hold_id', 'in', self.ids)], ['hold_id'], ['amount_reached:sum'])
        amounts = {hold.id: amount for hold, amount in groups}
        for hold in self:
            hold.amount_held = amounts.get(hold._origin.id, 0.0)

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        holds = super().create(vals_list)
        if any(vals.get('insolvent_on') for vals in vals_list):
            self.env.registry.clear_cache()
        holds._log_on_target(lambda hold, env: (
            env._(
                "%(what)s on hold until somebody decides: %(reason)s (%(owner)s). To be reviewed by %(date)s.",
                **hold._get_facts(env))
            if hold.needs_decision else
            env._("%(what)s on hold until %(date)s: %(reason)s (%(owner)s).", **hold._get_facts(env))))
        return holds

    def write(self, vals):
        done = super().write(vals)
        if 'insolvent_on' in vals or (
            'closed_on' in vals and not set(self.ids).isdisjoint(self._get_insolvency_ids())
        ):
            self.env.registry.clear_cache()
        return done

    def _check_user_create(self, vals_list):
        # OVERRIDE: holds are placed by hand.
        for vals in vals_list:
            unknown = self._get_frozen_names(vals) - USER_CREATABLE
            if unknown:
                raise UserError(self.env._(
                    "A hold starts today and is placed by you. Say what it is about, its reason, owner, end date "
                    "and note; the rest follows from that (%(fields)s).", fields=", ".join(sorted(unknown))))

    @api.model
    def _prepare_create_values(self, vals_list):
        # EXTENDS 'base': behind the guard.
        known = self._find_targets(vals_list)
        for vals in vals_list:
            vals.update(self._complete_vals(vals, known))
        drafts = self.concat(*map(self.new, vals_list))
        soft_days = drafts._get_soft_days()
        for vals, draft in zip(vals_list, drafts, strict=True):
            vals['soft_days'] = soft_days[draft.id]
        return super()._prepare_create_values(vals_list)

    @api.model
    def _find_targets(self, vals_list):
        """Return ``{field: what these holds name and what there is}``, in a query each."""
        return {
            name: self.env[self._fields[name].comodel_name].browse(
                {vals[name] for vals in vals_list if vals.get(name)}).exists()
            for name in ('reason_id', 'move_line_id', 'move_id', 'partner_id')}

    def _complete_vals(self, vals, known):
        """Return the values of a new hold with everything that follows from what was said.

        :param dict known: as of :meth:`_find_targets`
        """
        def find(name):
            return (known[name].browse(vals.get(name) or []) & known[name]).with_prefetch(known[name].ids)

        reason = find('reason_id')
        if not reason:
            raise ValidationError(self.env._("Choose the reason of the hold."))
        item = find('move_line_id')
        move = item.move_id or find('move_id')
        partner = (item.partner_id or move.partner_id if move else find('partner_id')).commercial_partner_id
        if not partner:
            raise ValidationError(self.env._(
                "A hold is about a due item, an invoice or a debtor. Choose one; an item needs a partner."))
        company = (item or move).company_id or self.env['res.company'].browse(
            vals.get('company_id') or self.env.company.id)
        items = item or move._get_dunning_items()
        if move and (move.state != 'posted' or not items or items != items._filter_dunning_due()):
            raise ValidationError(self.env._(
                "%(name)s cannot be put on hold: only what a debtor has to pay can, so a posted customer invoice.",
                name=move.display_name))
        amount = vals.get('amount') or 0.0
        if amount:
            self._check_part(items, amount)
        if reason.stops_everything and (move or amount):
            raise ValidationError(self.env._(
                "A hold for “%(reason)s” is always about everything of the debtor. Place it on the debtor.",
                reason=reason.name))
        today = company._dunning_today()
        date_end = fields.Date.to_date(vals.get('date_end'))
        reason._check_date_end(date_end, today)
        return {
            'user_id': vals.get('user_id', self.env.uid),
            'company_id': company.id,
            'scope': 'item' if item else 'invoice' if move else 'debtor',
            'partner_id': partner.id,
            'move_id': move.id,
            'move_line_id': item.id,
            'currency_id': (item or move).currency_id.id or company.currency_id.id,
            'is_part': bool(amount),
            'amount': amount,
            'stops_everything': reason.stops_everything,
            'needs_decision': reason.needs_person_decision,
            'opened_on': vals.get('opened_on') or today,
            'opened_by_id': vals.get('opened_by_id') or self.env.uid,
            'dispute_right': 'open' if reason.kind == 'dispute' else False,
        }

    def _check_part(self, items, amount):
        if not items:
            raise ValidationError(self.env._("Of a whole debtor no part can be put on hold. Choose an invoice."))
        currency = items[:1].currency_id
        left = sum(item.amount_residual_currency for item in items)
        if currency.compare_amounts(amount, 0) < 0 or currency.compare_amounts(amount, left) > 0:
            raise ValidationError(self.env._(
                "%(open)s is open, so the part on hold lies between zero and that. "
                "Leave the amount empty to hold everything.",
                open=format_amount(self.env, left, currency)))

    @api.constrains('user_id', 'company_id')
    def _check_user_id(self):
        """The owner must be able to see what he answers for."""
        for hold in self:
            if not hold.user_id._is_superuser() and not hold.company_id._is_dunning_colleague(hold.user_id):
                raise ValidationError(self.env._(
                    "%(user)s cannot see holds of %(company)s, so cannot own one. Choose a colleague who works in "
                    "accounting there.", user=hold.user_id.name, company=hold.company_id.name))

    @api.constrains('insolvency_kind', 'insolvent_on', 'reason_id')
    def _check_insolvency(self):
        for hold in self:
            if (hold.insolvent_on or hold.insolvency_kind) and hold.reason_id.kind != 'insolvency':
                raise ValidationError(self.env._("A hold for “%s” is about no insolvency.", hold.reason_id.name))
            if hold.insolvent_on and not hold.insolvency_kind:
                raise ValidationError(self.env._(
                    "Say of which kind the insolvency is: it decides whether interest goes on."))
            if hold.insolvent_on and hold.insolvent_on > hold.company_id._dunning_today():
                raise ValidationError(self.env._("The day of the ruling lies in the future."))

    def _write_by_user(self, vals):
        # Hook: a dispute is settled today; that a note was changed is logged, not its text.
        changed = self.filtered(lambda hold: any(
            hold._fields[name].convert_to_write(hold[name], hold) != vals[name] for name in vals.keys() & NOTES))
        result = super()._write_by_user(vals)
        if vals.get('dispute_right', 'open') != 'open':
            self._recording().write({'resolved_on': self.company_id[:1]._dunning_today()})
        if changed:
            text = self.env._("The note or the outcome of the dispute was changed.")
            changed._message_log_batch(dict.fromkeys(changed.ids, text))
        return result

    def _check_user_write(self, vals):
        names = self._get_frozen_names(vals)
        told = self.filtered(lambda hold: hold.is_dispute and hold.dispute_right != 'open')
        if names & DISPUTE_WRITABLE and (told or not all(hold.is_dispute for hold in self)):
            raise UserError(self.env._(
                "%(hold)s: there is no open dispute, or it was settled already. What was decided stays as it was; "
                "place a new hold if there is a new dispute.",
                hold=(told or self.filtered(lambda hold: not hold.is_dispute))[:1].display_name))
        closed = self.filtered('closed_on')
        if names - DISPUTE_WRITABLE and closed:
            raise UserError(self.env._(
                "%(hold)s was closed on %(date)s, so it cannot be changed any more. It explains why reminders "
                "waited. Place a new hold if there is a new reason.",
                hold=closed[:1].display_name, date=format_day(self.env, closed[:1].closed_on)))
        return super()._check_user_write(vals)

    def _get_frozen_message(self, action):
        return {
            'write': self.env._(
                "Of an open hold the owner, the note and the facts of an insolvency can be changed. Use “Extend” for "
                "another end date, “Close” to end it, and close it and place a new one for everything else."),
            'unlink': self.env._(
                "%(hold)s cannot be deleted: it explains why reminders waited. Close it instead.",
                hold=self[:1].display_name),
            'copy': self.env._("A hold cannot be copied. Place a new one where it is needed."),
        }[action]

    # -------------------------------------------------------------------------
    # WHAT HAPPENS TO A HOLD
    # -------------------------------------------------------------------------

    def action_open_target(self):
        """Show the invoice or the debtor that is on hold."""
        self.ensure_one()
        target = self.partner_id if self.scope == 'debtor' or not self.move_id else self.move_id
        return target._get_records_action()

    # -------------------------------------------------------------------------
    # WORDS
    # -------------------------------------------------------------------------

    def _get_link(self, label):
        self.ensure_one()
        return Markup('<a href="#" data-oe-model="dunning.hold" data-oe-id="%s">%s</a>') % (self.id, label)

    def _get_facts(self, env):
        """Return the words of the sentences about a hold."""
        return {
            'what': self._get_what(env),
            'date': format_day(env, self.date_end),
            'reason': self._get_link(self.reason_id._get_name_in_sentence()),
            'owner': self.user_id.name,
        }

    def _get_what(self, env):
        """Return what is on hold: “€ 40.00 of it”, “It”, “Everything”."""
        self.ensure_one()
        if self.scope == 'debtor':
            return env._("Everything")
        if self.is_part:
            return env._("%s of it", format_amount(env, self.amount, self.currency_id))
        if self.scope == 'item' and self.move_line_id:
            return env._("What is due on %s", format_day(env, self.date_maturity))
        return env._("This invoice")

    def _log_on_target(self, get_body):
        """Log one line on each invoice or debtor the holds are about, in two batches."""
        bodies = {'account.move': {}, 'res.partner': {}}
        for company, holds in self.grouped('company_id').items():
            for hold in in_language_of(holds, company):
                target = hold.partner_id if hold.scope == 'debtor' or not hold.move_id else hold.move_id
                body, found = get_body(hold, hold.env), bodies[target._name]
                found[target.id] = found[target.id] + Markup("<br/>") + body if target.id in found else body
        for model, found in bodies.items():
            if found:
                self.env[model].browse(found)._message_log_batch(found)

    def _take_back_notices(self, keep=None):
        """Judge again what waits about these holds, so that it does not wait for the night (hook of ``sending``).

        :param keep: notices to leave alone, such as the call that is going on
        """

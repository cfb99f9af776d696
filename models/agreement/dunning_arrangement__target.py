"""Where arrangements are made and seen: contacts, invoices, due items, calls, the worklist and the debtor screen.

Whoever offers an arrangement sees first what became of earlier ones (:meth:`DunningArrangement._get_history`).
"""

from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_amount

from .dunning_arrangement import STATES

#: States in which something is still to come of an arrangement, and those in which it was decided.
OPEN_STATES = ('draft', 'offered', 'signed', 'active')
DECIDED = ('kept', 'broken')
APPROVAL_ACTIVITY = 'l10n_nl_dunning.mail_activity_type_arrangement_approval'
# How many earlier arrangements are told before another one is offered.
HISTORY = 5


class DunningArrangement(models.Model):
    _inherit = 'dunning.arrangement'

    state = fields.Selection(group_expand='_expand_states')
    kept_percent = fields.Float(
        string="Kept (%)", compute='_compute_kept_percent', store=True, aggregator='avg',
        help="100 when it was kept, 0 when it was broken. Only what was decided can be told.")
    move_count = fields.Integer(string="Number of Invoices", compute='_compute_target_counts')
    hold_count = fields.Integer(string="Number of Holds", compute='_compute_target_counts')
    payment_count = fields.Integer(string="Number of Payments", compute='_compute_target_counts')
    mail_count = fields.Integer(string="Number of Mails", compute='_compute_target_counts')
    is_late = fields.Boolean(string="Late", compute='_compute_is_late', search='_search_is_late')
    history = fields.Html(string="Payment History", compute='_compute_history', sanitize=False)

    @api.model
    def _expand_states(self, states, domain):
        """Show the columns of what is not closed, in the order of its life, and others only when they are filled."""
        return [state for state, _label in STATES if state in OPEN_STATES or state in states]

    @api.depends('state')
    def _compute_kept_percent(self):
        for arrangement in self:
            arrangement.kept_percent = 100.0 if arrangement.state == 'kept' else 0.0

    @api.depends('line_ids', 'hold_ids', 'message_ids')
    def _compute_target_counts(self):
        payments = self._get_payments()
        for arrangement in self:
            arrangement.move_count = len(arrangement.move_ids)
            arrangement.hold_count = len(arrangement.hold_ids)
            arrangement.payment_count = len(payments[arrangement.id])
            arrangement.mail_count = len(arrangement._get_mails())

    @api.depends('state', 'instalment_ids.state')
    def _compute_is_late(self):
        for arrangement in self:
            arrangement.is_late = arrangement.state == 'active' and any(
                instalment.state in ('late', 'missed') for instalment in arrangement.instalment_ids)

    @api.model
    def _search_is_late(self, operator, value):
        if operator != 'in':
            return NotImplemented
        late = Domain('state', '=', 'active') & Domain('instalment_ids', 'any', [('state', 'in', ('late', 'missed'))])
        if len(set(value)) > 1:
            return Domain.TRUE
        return late if True in value else ~late

    # -------------------------------------------------------------------------
    # BEFORE ONE IS OFFERED
    # -------------------------------------------------------------------------

    @api.model
    def _get_kept_ratio(self, records, company=None):
        """Return ``{id: (kept, decided)}`` of debtors (``res.partner``), collectors (``res.users``) or companies.

        Cancelled and replaced arrangements were not decided. Whoever never had one is not in it.

        :param company: the company in which they were made; companies stand for themselves
        """
        name = {'res.users': 'user_id', 'res.company': 'company_id'}.get(records._name, 'partner_id')
        ids = records.commercial_partner_id.ids if name == 'partner_id' else records.ids
        domain = Domain(name, 'in', ids) & Domain('state', 'in', DECIDED)
        if name != 'company_id':
            domain &= Domain('company_id', '=', company.id)
        counts = defaultdict(lambda: [0, 0])
        for record, state, count in self._read_group(domain, [name, 'state'], ['__count']):
            counts[record.id][0] += count if state == 'kept' else 0
            counts[record.id][1] += count
        found = {record_id: tuple(pair) for record_id, pair in counts.items()}
        if name == 'partner_id':
            return {
                partner.id: found[partner.commercial_partner_id.id] for partner in records
                if partner.commercial_partner_id.id in found}
        return found

    @api.model
    def _get_history(self, company, partner, without=None):
        """Return what became of earlier agreements with a debtor and how he pays, to look at before offering.

        :param without: an arrangement that is not told, being the one that is made
        :return: dict with ``promises`` and ``arrangements`` as (kept, decided), ``days_late`` (None when nothing was
            paid for a year) and ``trend``, ``open`` and ``overdue`` (amounts in the company's currency), and
            ``earlier``: a list of dicts with ``id``, ``name``, ``state``, ``label``, ``story``
        """
        company, debtor = company.with_env(self.env), partner.with_env(self.env).commercial_partner_id
        earlier = self.search([
            ('company_id', '=', company.id), ('partner_id', '=', debtor.id), ('state', '!=', 'draft'),
            ('id', '!=', without.id if without else False)], limit=HISTORY)
        labels = dict(self._fields['state']._description_selection(self.env))
        behaviour = self.env['dunning.behaviour'].search([
            ('company_id', '=', company.id), ('partner_id', '=', debtor.id)], limit=1)
        today = company._dunning_today()
        items = self.env['dunning.promise']._get_open_items(company, debtor)
        late = items.filtered(lambda item: (item.date_maturity or item.date) < today)
        return {
            'promises': self.env['dunning.promise']._get_kept_ratio(debtor, company).get(debtor.id, (0, 0)),
            'arrangements': self._get_kept_ratio(debtor, company).get(debtor.id, (0, 0)),
            # 0.0 is also what is read where nothing is known.
            'days_late': round(behaviour.average_days_late) if behaviour.average_days_late else None,
            'trend': round(behaviour.trend_days) if behaviour else 0,
            'open': sum(items.mapped('amount_residual')),
            'overdue': sum(late.mapped('amount_residual')),
            'earlier': [
                {
                    'id': arrangement.id, 'name': arrangement.name, 'state': arrangement.state,
                    'label': labels.get(arrangement.state, ''), 'story': arrangement.story or '',
                }
                for arrangement in earlier],
        }

    @api.model
    def _render_history(self, company, partner, without=None):
        """Return the history as HTML."""
        history = self._get_history(company, partner, without)
        currency = company.currency_id
        return self.env['ir.qweb']._render('l10n_nl_dunning.arrangement_history', {
            **history,
            'open': format_amount(self.env, history['open'], currency),
            'overdue': format_amount(self.env, history['overdue'], currency),
            'tones': {'kept': 'text-success', 'broken': 'text-danger', 'active': 'text-info'},
        }, minimal_qcontext=True)

    @api.depends('partner_id', 'company_id')
    @api.depends_context('lang')
    def _compute_history(self):
        for arrangement in self:
            arrangement.history = arrangement.partner_id and self._render_history(
                arrangement.company_id, arrangement.partner_id, arrangement._origin)

    # -------------------------------------------------------------------------
    # WHAT BELONGS TO IT
    # -------------------------------------------------------------------------

    def _get_payments(self):
        """Return ``{id: journal entries}`` that were set against the covered items since the arrangement was offered.

        One query for all of them.
        """
        found = {arrangement.id: self.env['account.move'] for arrangement in self}
        partials = self.env['account.partial.reconcile'].search([
            ('debit_move_id', 'in', self.line_ids.move_line_id.ids)])
        by_item = partials.grouped('debit_move_id')
        for arrangement in self:
            since = arrangement.offered_on and arrangement.claim_date
            for line in arrangement.line_ids:
                for partial in by_item.get(line.move_line_id, partials.browse()):
                    entry = partial.credit_move_id.move_id
                    if since and entry.date >= since:
                        found[arrangement.id] |= entry
        return found

    def _get_mails(self):
        """Return the messages between us and the debtor: not the notes for colleagues."""
        self.ensure_one()
        comment = self.env.ref('mail.mt_comment')
        return self.message_ids.filtered(lambda message: (
            message.message_type in ('email', 'email_outgoing')
            or (message.message_type == 'comment' and message.subtype_id == comment and not message.is_internal)))

    def action_open_invoices(self):
        """Show the invoices of this arrangement."""
        self.ensure_one()
        self.check_access('read')
        return self.move_ids._get_records_action(name=self.env._("Invoices"))

    def action_open_holds(self):
        """Show the holds of this arrangement."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_hold_action')
        action.update({'domain': [('id', 'in', self.hold_ids.ids)], 'context': {}})
        return action

    def action_open_payments(self):
        """Show what was paid or credited since the arrangement was offered."""
        self.ensure_one()
        self.check_access('read')
        return self._get_payments()[self.id]._get_records_action(name=self.env._("Payments"))

    def action_open_mails(self):
        """Show the e-mails of this arrangement."""
        self.ensure_one()
        self.check_access('read')
        return {
            **self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.mail_message_action_arrangement'),
            'domain': [('id', 'in', self._get_mails().ids)],
        }

    def action_ask_cancel(self):
        """Open the wizard that cancels arrangements and asks why."""
        return self.env['dunning.arrangement.cancel']._action_open(self)

    def action_submit(self):
        """Ask an accounting manager to approve drafts that go beyond the limits."""
        self.check_access('write')
        for arrangement in self:
            if arrangement.state != 'draft' or arrangement.approval_state != 'needed':
                raise UserError(self.env._("%s does not need approval.", arrangement.display_name))
            if arrangement._get_asked():
                continue
            manager = arrangement._get_approver()
            if not manager:
                raise UserError(self.env._(
                    "There is no other accounting manager in %s who could approve it. Choose fewer instalments, or let "
                    "an administrator give a colleague that right.", arrangement.company_id.name))
            local = arrangement.with_context(lang=manager.lang, mail_activity_quick_update=True)
            local.activity_schedule(
                APPROVAL_ACTIVITY, date_deadline=arrangement.company_id._dunning_today(), user_id=manager.id,
                automated=True, summary=local.env._("Approve a payment arrangement"), note=arrangement.approval_reason)
            arrangement._message_log(body=self.env._("%s was asked to approve it.", manager.name))
        return True

    def action_approve(self):
        # EXTENDED: nobody has to be asked any more, and the collector can offer it.
        result = super().action_approve()
        for arrangement in self:
            arrangement._get_asked().unlink()
            if arrangement.user_id != self.env.user:
                local = arrangement.with_context(lang=arrangement.user_id.lang, mail_activity_quick_update=True)
                local.activity_schedule(
                    APPROVAL_ACTIVITY, date_deadline=arrangement.company_id._dunning_today(),
                    user_id=arrangement.user_id.id, automated=True,
                    summary=local.env._("Approved: offer the payment arrangement"))
        return result

    def action_offer(self):
        # EXTENDED: what was to be done before is done.
        asked = self._get_asked()
        result = super().action_offer()
        asked.exists().unlink()
        return result

    def _get_asked(self):
        """Return the activities about the approval."""
        kind = self.env.ref(APPROVAL_ACTIVITY, raise_if_not_found=False)
        # sudo: activities of colleagues as well
        activities = self.sudo().activity_ids
        return activities.filtered(lambda activity: activity.automated and activity.activity_type_id == kind)

    def _get_approver(self):
        """Return a manager who did not draw it up; the one who is told of other things first."""
        self.ensure_one()
        first = self.env['dunning.interest.rate']._get_manager(self.company_id)
        # sudo: who works as a manager in this company
        others = self.env['res.users'].sudo().search([
            ('all_group_ids', 'in', self.env.ref('account.group_account_manager').id), ('share', '=', False),
            ('company_ids', 'in', self.company_id.id)], order='id')
        for user in (first | others.sudo(False)):
            if user != self.author_id and not user._is_superuser():
                return user
        return self.env['res.users']

    def action_replace(self):
        """Open the wizard for an arrangement that takes the place of this one."""
        self.ensure_one()
        return self.env['dunning.arrangement.make']._action_open(previous=self)

    def action_offer_again(self):
        """Send the offer once more, as it was frozen."""
        self.check_access('write')
        for arrangement in self:
            if arrangement.state != 'offered':
                raise UserError(self.env._("“%s” is not on offer, so there is nothing to send.", arrangement.name))
            arrangement._send_offer()
        return True

    # -------------------------------------------------------------------------
    # THE CALL IN WHICH IT CAME UP
    # -------------------------------------------------------------------------

    @api.model
    def _make(self, *args, **kwargs):
        # EXTENDED: the task of the call is done
        arrangement = super()._make(*args, **kwargs)
        arrangement._follow_call(made=True)
        return arrangement

    def _offer(self, **kwargs):
        # EXTENDED
        result = super()._offer(**kwargs)
        self._follow_call()
        return result

    def _activate(self):
        # EXTENDED
        result = super()._activate()
        self._follow_call()
        return result

    def _close(self, *args, **kwargs):
        # EXTENDED
        result = super()._close(*args, **kwargs)
        self._follow_call()
        return result

    def _follow_call(self, *, made=False):
        """Let the call in which it came up say what comes next, so that the worklist does.

        :param bool made: it was drawn up just now
        """
        for arrangement in self.filtered('call_id'):
            # sudo: the call may be that of a colleague; only what follows from it is written
            call = arrangement.call_id.sudo()
            local = arrangement.with_context(lang=call.user_id.lang or self.env.lang)
            name = arrangement.name
            step, day = {
                'draft': (local.env._("Offer %s", name), call.next_date),
                'offered': (local.env._("See whether %s was signed", name), arrangement.valid_until),
                'signed': (local.env._("Countersign %s", name), arrangement.company_id._dunning_today()),
            }.get(arrangement.state, (False, False))
            values = {'next_step': step, 'next_date': day}
            if made:
                holds = call.hold_ids.filtered(lambda hold: not hold.closed_on)
                values['summary'] = local.env._(
                    "Reminders wait until %(date)s. %(arrangement)s was drawn up.",
                    date=call._format_end(holds), arrangement=name) if holds else local.env._(
                    "%s was drawn up.", name)
                call.activity_ids.filtered(lambda activity: (
                    activity.automated and activity.activity_type_id.category != 'phonecall'
                )).action_feedback(feedback=values['summary'])
            call._recording().write(values)

    # -------------------------------------------------------------------------
    # WHERE IT IS SHOWN
    # -------------------------------------------------------------------------

    @api.model
    def _get_current(self, company, partners, *, by_currency=False):
        """Return ``{debtor id: arrangement}`` of those that are not closed: the one that runs goes first.

        :param bool by_currency: the keys are ``(debtor id, currency id)``
        """
        found = {}
        if not partners:
            return found
        # The last of these states goes first.
        order = ('draft', 'offered', 'signed', 'active')
        arrangements = self.search([
            ('company_id', '=', company.id), ('partner_id', 'in', partners.commercial_partner_id.ids),
            ('state', 'in', order)])
        for arrangement in arrangements.sorted(lambda one: (order.index(one.state), one.id)):
            key = arrangement.partner_id.id
            found[(key, arrangement.currency_id.id) if by_currency else key] = arrangement
        return found

    def _get_last_day(self):
        """Return the day of the last thing that happened to it."""
        self.ensure_one()
        moments = [self.closed_on, self.activated_on, self.signed_on, self.offered_on, self.create_date]
        return next(fields.Date.to_date(moment) for moment in moments if moment)

    def _prepare_screen_arrangement(self):
        """Return what the debtor screen shows of it."""
        self.ensure_one()
        labels = dict(self._fields['state']._description_selection(self.env))
        return {
            'id': self.id,
            'name': self.name or '',
            'state': self.state,
            'label': labels.get(self.state, ''),
            'story': self.story or '',
            'late': self.is_late,
            'next_date': fields.Date.to_string(self.next_date) or False,
            'next_amount': self.next_amount,
            'paid': self.amount_paid,
            'total': self.amount_total,
        }

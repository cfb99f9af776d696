"""What colleagues see of an arrangement: how it goes in one sentence, what belongs to it, and how earlier ones went.

Whoever offers an arrangement sees first what became of earlier ones (:meth:`_get_history`).
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount

from ..kernel.formats import format_day
from .arrangement_states import OPEN_STATES

# How many earlier arrangements are told before another one is offered.
HISTORY = 5


class DunningArrangementHistory(models.AbstractModel):
    _name = 'dunning.arrangement.history'
    _description = "Payment Arrangement"

    story = fields.Char(compute='_compute_story', help="What was agreed and how it goes, in one sentence.")
    move_count = fields.Integer(string="Number of Invoices", compute='_compute_target_counts')
    hold_count = fields.Integer(string="Number of Holds", compute='_compute_target_counts')
    is_late = fields.Boolean(string="Late", compute='_compute_is_late', search='_search_is_late')
    history = fields.Html(string="Payment History", compute='_compute_history', sanitize=False)

    # -------------------------------------------------------------------------
    # THE STORY
    # -------------------------------------------------------------------------

    @api.depends('state', 'amount_total', 'amount_paid', 'amount_left', 'amount_over', 'next_date', 'next_amount',
                 'valid_until', 'close_reason', 'closed_on', 'instalment_ids.state', 'instalment_ids.last_date',
                 'new_invoice_last_date', 'signed_name', 'signed_date')
    @api.depends_context('lang')
    def _compute_story(self):
        for arrangement in self:
            arrangement.story = arrangement._tell_story() if arrangement.partner_id else False

    def _get_facts(self):
        """Return the words of the sentences about it, in the language of the reader."""
        env = self.env
        parts = self.instalment_ids
        agreed = parts.filtered(lambda part: part.kind != 'interest')
        return {
            'name': self.name,
            'debtor': self.partner_id.name or '',
            'total': format_amount(env, self.amount_total, self.currency_id),
            'count': len(agreed),
            'first': format_day(env, min(agreed.mapped('date_due'))) if agreed else '',
            'until': format_day(env, self.valid_until),
            'offered': format_day(env, self.offered_on.date()) if self.offered_on else '',
            'who': self.signed_name or self.partner_id.name or '',
            'signed': format_day(env, self.signed_date),
            'paid': format_amount(env, self.amount_paid, self.currency_id),
            'left': format_amount(env, self.amount_left, self.currency_id),
            'closed': format_day(env, self.closed_on),
            'why': self.close_reason or '',
            'done': len(parts.filtered(lambda part: part.state == 'paid')),
            'all': len(parts.filtered(lambda part: part.state != 'cancelled')),
            'amount': format_amount(env, self.next_amount, self.currency_id),
            'date': format_day(env, self.next_date),
        }

    def _tell_story(self):
        """Return in one sentence what was agreed and how it goes, in the language of the reader."""
        self.ensure_one()
        env, facts = self.env, self._get_facts()
        if self.state == 'active':
            return self._tell_active(facts)
        if self.state == 'kept':
            return self._tell_kept(facts)
        return {
            'draft': env._("%(total)s in %(count)s instalments from %(first)s; not offered yet.", **facts),
            'offered': env._(
                "%(total)s in %(count)s instalments was offered on %(offered)s; it can be signed until %(until)s.",
                **facts),
            'signed': env._("%(who)s signed on %(signed)s; it runs as soon as we have signed it too.", **facts),
            'broken': env._("Broken on %(closed)s, %(paid)s of %(total)s was paid: %(why)s", **facts),
            'cancelled': env._("Ended on %(closed)s: %(why)s", **facts),
            'replaced': env._("Replaced on %(closed)s: %(why)s", **facts),
        }[self.state]

    def _tell_active(self, facts):
        env, part = self.env, self._get_next_part()
        done = env._("%(done)s of %(all)s instalments paid", **facts)
        if not part:
            rest = (
                env._("everything is in; the interest that ran is worked out by the next run")
                if self.interest_mode == 'runs' else env._("the money for the rest is in, but not matched yet"))
        elif part.last_date:
            rest = env._("%(amount)s of %(date)s did not come and is waited for until %(last)s", **facts,
                         last=format_day(env, part.last_date))
        elif part.state == 'missed':
            rest = env._("%(amount)s of %(date)s did not come", **facts)
        elif part.state == 'late':
            rest = env._("%(amount)s of %(date)s is waited for until %(grace)s", **facts,
                         grace=format_day(env, part.grace_date))
        elif part.kind == 'interest':
            rest = env._("%(amount)s interest is due on %(date)s", **facts)
        else:
            rest = env._("%(amount)s is due on %(date)s", **facts)
        if self.new_invoice_last_date:
            rest = env._("%(rest)s; a new invoice has to be paid by %(last)s", rest=rest,
                         last=format_day(env, self.new_invoice_last_date))
        return env._("%(done)s; %(rest)s.", done=done, rest=rest)

    def _tell_kept(self, facts):
        last = max(filter(None, self.instalment_ids.mapped('paid_on')), default=False)
        story = (
            self.env._("Kept: %(paid)s was paid, the last of it on %(last)s.", **facts,
                       last=format_day(self.env, last))
            if last else self.env._("Kept: %(paid)s was paid.", **facts))
        if self.currency_id.compare_amounts(self.amount_over, 0) > 0:
            story = self.env._("%(story)s %(over)s came in too much.", story=story, over=format_amount(
                self.env, self.amount_over, self.currency_id))
        return story

    @api.depends('state', 'instalment_ids.state')
    def _compute_is_late(self):
        for arrangement in self:
            arrangement.is_late = arrangement.state == 'active' and any(
                instalment.state in ('late', 'missed') for instalment in arrangement.instalment_ids)

    @api.model
    def _search_is_late(self, operator, value):
        if operator != 'in':
            return NotImplemented  # then the ORM asks for the opposite; of a Boolean it only asks for True
        return Domain('state', '=', 'active') & Domain('instalment_ids', 'any', [('state', 'in', ('late', 'missed'))])

    # -------------------------------------------------------------------------
    # EARLIER ONES
    # -------------------------------------------------------------------------

    @api.model
    def _get_history(self, company, partner, without=None):
        """Return what became of earlier agreements with a debtor and how he pays, to look at before offering.

        :param without: an arrangement that is not told, being the one that is made
        :return: dict with ``promises`` and ``arrangements`` as (kept, decided), ``days_late`` (None when nothing was
            paid for a year) and ``trend``, ``open`` and ``overdue`` (amounts in the company's currency), and
            ``earlier``: a list of :meth:`_prepare_screen_arrangement`
        """
        company, debtor = company.with_env(self.env), partner.with_env(self.env).commercial_partner_id
        earlier = self.search([
            ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', debtor.id),
            ('state', '!=', 'draft'),
            ('id', '!=', without.id if without else False)], limit=HISTORY)
        behaviour = self.env['dunning.behaviour'].search([
            ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', debtor.id)], limit=1)
        today = company._dunning_today()
        items = self.env['dunning.promise']._get_open_items(company, debtor)
        late = items.filtered(lambda item: item._get_dunning_due_date() < today)
        return {
            'promises': self.env['dunning.promise']._get_kept_ratio(debtor, company).get(debtor.id, (0, 0)),
            'arrangements': self._get_kept_ratio(debtor, company).get(debtor.id, (0, 0)),
            # 0.0 is also what is read where nothing is known.
            'days_late': round(behaviour.average_days_late) if behaviour.average_days_late else None,
            'trend': round(behaviour.trend_days) if behaviour else 0,
            'open': sum(items.mapped('amount_residual')),
            'overdue': sum(late.mapped('amount_residual')),
            'earlier': [arrangement._prepare_screen_arrangement() for arrangement in earlier],
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

    @api.depends('line_ids', 'hold_ids')
    def _compute_target_counts(self):
        for arrangement in self:
            arrangement.move_count = len(arrangement.move_ids)
            arrangement.hold_count = len(arrangement.hold_ids)

    def action_open_holds(self):
        """Show the holds of this arrangement."""
        self.ensure_one()
        self.check_access('read')
        return self.hold_ids._get_records_action(name=self.env._("Holds"), context={})

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
        arrangements = self.search([
            ('company_id', 'in', company._get_dunning_company_ids()),
            ('partner_id', 'in', partners.commercial_partner_id.ids),
            ('state', 'in', OPEN_STATES)])
        # The last of these states goes first.
        for arrangement in arrangements.sorted(lambda one: (OPEN_STATES.index(one.state), one.id)):
            key = arrangement.partner_id.id
            found[(key, arrangement.currency_id.id) if by_currency else key] = arrangement
        return found

    def _get_last_day(self):
        """Return the day of the last thing that happened to it."""
        self.ensure_one()
        moments = [self.closed_on, self.activated_on, self.signed_on, self.offered_on, self.create_date]
        return next(fields.Date.to_date(moment) for moment in moments if moment)

    def _prepare_screen_arrangement(self):
        """Return what is shown of it on the debtor screen, and before another one is made."""
        self.ensure_one()
        labels = dict(self._fields['state']._description_selection(self.env))
        return {
            'id': self.id,
            'name': self.name or '',
            'state': self.state,
            'label': labels.get(self.state, ''),
            'story': self.story or '',
            'late': self.is_late,
        }

    # -------------------------------------------------------------------------
    # THE CALL IN WHICH IT CAME UP
    # -------------------------------------------------------------------------

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
                    date=format_day(call.env, max(holds.mapped('date_end'))), arrangement=name,
                ) if holds else local.env._("%s was drawn up.", name)
                call.activity_ids.filtered(lambda activity: (
                    activity.automated and activity.activity_type_id.category != 'phonecall'
                )).action_feedback(feedback=values['summary'])
            call._recording().write(values)

"""How a hold ends or goes on, and who is told: nothing is forgotten because it is on hold."""

from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..kernel.dunning_bulk import schedule_activities
from ..kernel.formats import format_day

# How long a review that is overdue is left alone before its owner is reminded again, in days.
REMIND_EVERY = 7
# Soft days where no policy applies.
DEFAULT_SOFT_DAYS = 3


class DunningHoldLife(models.AbstractModel):
    """The part of a hold that lets it go on or end."""

    _name = 'dunning.hold.life'
    _description = "Dunning Hold"

    def _close(self, why, at_date=None):
        """End open holds today, by the current user, and tell their owners.

        :param str why: one sentence for the history, or a function of a hold that returns it
        """
        holds = self.filtered(lambda hold: not hold.closed_on)
        for company, batch in holds.grouped('company_id').items():
            batch._record_end(at_date or company._dunning_today(), why, self.env.user)
        return holds

    def _extend(self, date_end, why):
        """Give open holds another last day; logged with the reason.

        :param date date_end: the new last day, no further ahead than the reason allows, counted from today
        """
        if not (why or '').strip():
            raise UserError(self.env._("Say why the hold goes on: it is kept in its history."))
        for hold in self:
            today = hold.company_id._dunning_today()
            if hold.closed_on or (hold.date_end < today and not hold.needs_decision):
                raise UserError(self.env._(
                    "%(hold)s has ended, so it cannot be extended. Place a new hold.", hold=hold.display_name))
            hold.reason_id._check_date_end(date_end, today)
        bodies = {
            hold.id: self.env._(
                "End date moved from %(before)s to %(after)s: %(why)s",
                before=format_day(self.env, hold.date_end), after=format_day(self.env, date_end), why=why)
            for hold in self
        }
        self._recording().write({'date_end': date_end, 'reminded_on': False})
        self._unlink_reminders()
        self._message_log_batch(bodies)

    @api.model
    def _end_holds(self, company, at_date):
        """Record what ended by its date and tell the owners; remind those who have to decide.

        Run every day by the planning, in a few queries however many holds there are.
        """
        open_holds = Domain('company_id', 'in', company._get_dunning_company_ids()) & Domain('closed_on', '=', False)
        passed = open_holds & Domain('date_end', '<', at_date)
        to_end = passed & Domain('needs_decision', '=', False)
        lapsed = self.search(to_end).try_lock_for_update().filtered_domain(to_end)
        for lang, batch in lapsed.grouped(lambda hold: hold.user_id.lang).items():
            batch._record_end(at_date, self.with_context(lang=lang).env._("The end date passed."))
        to_remind = passed & Domain('needs_decision', '=', True) & (
            Domain('reminded_on', '=', False) | Domain('reminded_on', '<=', at_date - timedelta(days=REMIND_EVERY)))
        waiting = self.search(to_remind).try_lock_for_update().filtered_domain(to_remind)
        waiting.filtered(lambda hold: not hold.activity_ids.filtered('automated'))._tell_owners(
            at_date, lambda hold, env: env._(
                "Decide: %(hold)s. Reminders stay stopped until you close it.", hold=hold.display_name))
        waiting._recording().write({'reminded_on': at_date})
        return lapsed

    def _record_end(self, at_date, why, user=None):
        """Write down that holds ended, freeze their soft days and tell the owners."""
        if not self:
            return
        self._refresh_soft_days()
        for reason, holds in self.grouped(why if callable(why) else lambda hold: why).items():
            holds._recording().write({'closed_on': at_date, 'closed_by_id': user and user.id, 'close_reason': reason})
        self._unlink_reminders()
        # Whoever closes his own hold knows; and nobody needs to act on what is no longer owed.
        told = self.filtered(lambda hold: hold.user_id != user)
        settled = told.filtered(lambda hold: hold.scope != 'debtor')._get_settled()
        (told - settled)._tell_owners(at_date, lambda hold, env: env._(
            "Hold ended: %(hold)s. Reminders go on from %(date)s.",
            hold=hold.display_name, date=format_day(env, hold.free_on)))
        self._log_on_target(lambda hold, env: env._(
            "Hold ended (%(reason)s): %(why)s Reminders go on from %(date)s.",
            reason=hold._get_link(hold.reason_id._get_name_in_sentence()), why=hold.close_reason,
            date=format_day(env, hold.free_on)))

    def _get_settled(self):
        """Return the holds of invoices and items of which nothing is open any more; one query."""
        Item = self.env['account.move.line']
        open_moves = Item._read_group(
            Item._get_dunning_open_domain() & Domain('move_id', 'in', self.move_id.ids), ['move_id'])
        still_open = {move.id for (move,) in open_moves}
        return self.filtered(lambda hold: hold.move_id.id not in still_open)

    def _tell_owners(self, at_date, get_summary):
        """Plan one activity per hold, for its owner or whoever answers for him."""
        told = {}
        for hold, user in self._get_responsibles().items():
            if user:
                hold_of_user = hold.with_context(lang=user.lang)
                told[hold.id] = {
                    'date_deadline': at_date, 'user_id': user.id,
                    'summary': get_summary(hold_of_user, hold_of_user.env)}
        if told:
            schedule_activities(
                self.with_context(mail_activity_quick_update=True), 'mail.mail_activity_data_todo', told)

    def _get_responsibles(self):
        """Return ``{hold: who is to act}``: the owner, else whoever placed it, else the collector of the debtor."""
        return self.env['res.company']._get_dunning_responsibles(self, lambda hold: hold.user_id | hold.opened_by_id)

    def _unlink_reminders(self):
        # sudo: activities of colleagues are to go as well
        self.sudo().activity_ids.filtered('automated').unlink()

    def _refresh_soft_days(self):
        """Write the soft days that count: those of the reason or of the policy, whichever is more."""
        wanted = self._get_soft_days()
        for soft_days, holds in self.grouped(lambda hold: wanted[hold.id]).items():
            changed = holds.filtered(lambda hold, soft_days=soft_days: hold.soft_days != soft_days)
            if changed:
                changed._recording().write({'soft_days': soft_days})

    def _get_soft_days(self):
        """Return ``{hold_id: days}``."""
        result = {}
        for company, holds in self.grouped('company_id').items():
            debtors = holds.filtered(lambda hold: hold.scope == 'debtor').partner_id
            # sudo: the policies a debtor's invoices have of their own, whoever asks
            own = self.env['account.move'].sudo()._read_group(
                [
                    ('company_id', 'in', company._get_dunning_company_ids()),
                    ('commercial_partner_id', 'in', debtors.ids),
                    ('dunning_policy_id', '!=', False), ('state', '=', 'posted'),
                    ('payment_state', 'in', ('not_paid', 'partial', 'in_payment')),
                ], ['commercial_partner_id'], ['dunning_policy_id:recordset']) if debtors else []
            policies_of = {debtor.id: policies for debtor, policies in own}
            for hold in holds.with_company(company):
                # sudo: what a policy says holds for every user
                policies = (hold.move_id.dunning_policy_id or hold.partner_id.dunning_effective_policy_id).sudo()
                if hold.scope == 'debtor' and hold.partner_id.id in policies_of:
                    policies |= policies_of[hold.partner_id.id]
                result[hold.id] = max([hold.reason_id.soft_days, *(
                    policies.mapped('soft_days') or [DEFAULT_SOFT_DAYS])])
        return result

    def _get_badge_text(self):
        """Return “On hold until 3 Dec 2026”, “Partly on hold until …”, or False for holds that hold nothing today."""
        holds = self.filtered(lambda hold: hold.state in ('active', 'overdue'))
        if not holds:
            return False
        whole = holds.filtered(lambda hold: not hold.is_part)
        shown = whole or holds
        if any(hold.needs_decision for hold in shown):
            return self.env._("On hold until a decision")
        last = format_day(self.env, max(shown.mapped('date_end')))
        return self.env._("On hold until %s", last) if whole else self.env._("Partly on hold until %s", last)

    def action_close(self):
        """Open the wizard that ends holds and asks why."""
        return self.env['dunning.hold.close']._action_open(self, 'close')

    def action_extend(self):
        """Open the wizard that gives holds a later end date and asks why."""
        return self.env['dunning.hold.close']._action_open(self, 'extend')

"""What the planner is asked before notices leave, and the gates: why a notice that is owed waits in the queue.

Each gate is a step of the dispatcher: it takes out what has to wait in the queue, and writes on each of these why. A
notice that is owed is not cancelled for it: the next run asks again. What lacks an approval goes back to a person.
"""

from datetime import datetime, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.fields import Domain

from ..debtor.res_company import DAY_STARTS
from ..kernel.formats import format_day, format_weekday
from ..notice.dunning_notice_evidence import TOLD_STATES
from ..planner.dunning_planner_turns import PATIENCE_DAYS

MAIL_CHANNELS = ('email', 'both')


class DunningDispatcherGates(models.AbstractModel):
    """The part of the dispatcher that asks the planner and holds notices back for a while."""

    _name = 'dunning.dispatcher.gates'
    _description = "Dunning Dispatcher"

    @api.model
    def _wait_for_confirmation(self, dispatch):
        """Gate: a restored or copied database does not know what its debtors got; see ``dunning.marker``."""
        reason = self.env['dunning.marker']._explain()
        if reason:
            dispatch.notices._recording().write({'waiting_reason': reason})
            dispatch.notices -= dispatch.notices

    @api.model
    def _ask_planner(self, dispatch):
        """Step: ask once what is not owed and what has to wait, since hardly anything ever has to wait.

        Whatever does is asked about twice: the gate takes nothing off, and what it stops may not be owed either.
        """
        gates = self._get_gate_reasons()
        decisions = self._judge(dispatch.notices, dispatch.at_date, gates=gates)
        dispatch.gate_open = not any(decision.reason in gates for decision in decisions.values())
        dispatch.decisions = decisions if dispatch.gate_open else None

    @api.model
    def _get_gate_reasons(self):
        """Return the reasons of the planner for which a notice waits in the queue.

        Whether another message goes is asked of what is in the queue, not of all that is owed.
        """
        return self.env['dunning.planner']._get_reason_codes(gate=True, late=False)

    @api.model
    def _judge(self, notices, at_date, *, gates=frozenset()):
        """Ask the planner about the items of notices, as if those were not there.

        :param gates: reasons that ask for patience only, to be asked along; all others of that kind take nothing off
        :return: ``{item id: decision}``; who asked for the gates and finds none of them has the answer without them
        """
        codes = self.env['dunning.planner']._get_reason_codes
        return self._decide(notices, at_date, codes(at_recheck=False) | (codes(gate=True) - gates))

    @api.model
    def _decide(self, notices, at_date, ignore):
        """Return ``{item id: decision}`` of the planner; what goes ahead of time is not asked what that sets aside."""
        Planner = self.env['dunning.planner']
        overridable = Planner._get_reason_codes(overridable=True)
        return {
            decision.item_id: decision
            for (_creditor, forced), batch in notices.grouped(lambda notice: (
                notice.company_id.sudo().dunning_creditor_id, notice.forced)).items()  # sudo: only which it is
            for decision in Planner._plan(
                batch.company_id[:1], at_date, items=batch.live_line_ids.move_line_id,
                ignore=ignore | overridable if forced else ignore)}

    @api.model
    def _wait_for_planner(self, dispatch):
        """Gate: what the planner says, such as that the bank data are old. Also clears what was said before."""
        reasons = {} if dispatch.gate_open else self._explain_waiting(dispatch)
        waiting = dispatch.notices.browse()
        for notice in dispatch.notices:
            found = list(dict.fromkeys(
                reasons[line.move_line_id.id] for line in notice.live_line_ids if line.move_line_id.id in reasons))
            waiting_reason = " ".join(found) or False
            if notice.waiting_reason != waiting_reason:
                notice._recording().waiting_reason = waiting_reason
            if found:
                waiting |= notice
        dispatch.notices -= waiting

    @api.model
    def _explain_waiting(self, dispatch):
        """Return ``{item id: sentence}`` of what has to wait by the planner."""
        Planner, gates = self.env['dunning.planner'], self._get_gate_reasons()
        decisions = self._decide(dispatch.notices, dispatch.at_date, Planner._get_reason_codes() - gates)
        return {
            item_id: Planner._explain(decision, dispatch.company)
            for item_id, decision in decisions.items() if decision.reason in gates}

    @api.model
    def _in_turn(self, notices, at_date):
        """Return notices in the order in which they may leave: who waited for a week, then the highest level."""
        patience = at_date - timedelta(days=PATIENCE_DAYS)
        return notices.sorted(lambda notice: (
            notice.date_planned if notice.date_planned <= patience else at_date,
            -notice.level_id.sequence, -notice.level_id.id,
            notice.currency_id != notice.company_currency_id, notice.id))

    @api.model
    def _wait_for_turn(self, dispatch):
        """Gate: on one day no more than one message leaves for one addressee, and no more than one to a mailbox.

        Of several in one batch the highest level goes; who waited for a week goes before it, so nothing waits forever.
        """
        at_date = dispatch.at_date
        notices = dispatch.notices.filtered(lambda notice: notice.channel != 'task')
        if not notices:
            return
        addressees = {notice: self._get_addressees(notice) for notice in notices}
        mailboxes = Domain('email_normalized', 'in', [
            mailbox for _addressee, *mailed_to in addressees.values() for mailbox in mailed_to])
        told = self.env['dunning.notice'].search(
            Domain('company_id', 'in', notices.company_id._get_dunning_company_ids())
            & (Domain('partner_id', 'in', notices.partner_id.ids) | Domain('partner_id', 'any', mailboxes)
               | Domain('recipient_id', 'any', mailboxes))
            & Domain('channel', '!=', 'task') & Domain('state', 'in', TOLD_STATES)
            & (Domain('date', '=', at_date) | Domain('posted_on', '=', at_date)) & Domain('id', 'not in', notices.ids))
        taken = {key: notice for notice in told for key in self._get_addressees(notice)}
        tomorrow = at_date + timedelta(days=1)
        waiting = notices.browse()
        for notice in self._in_turn(notices, at_date):
            other = next((taken[key] for key in addressees[notice] if key in taken), None)
            if not other:
                taken.update(dict.fromkeys(addressees[notice], notice))
            else:
                waiting |= notice
                notice._recording().waiting_reason = self.env._(
                    "Another message goes to this debtor today (“%(level)s”). It leaves on %(date)s.",
                    level=other.level_id.name, date=format_day(self.env, tomorrow))
        if waiting:
            self._wake_at(datetime.combine(tomorrow, DAY_STARTS))
            dispatch.notices -= waiting

    @api.model
    def _get_addressees(self, notice):
        """Return what a message to others can have in common with this one: its addressee, by e-mail its mailbox."""
        mailbox = notice.channel in MAIL_CHANNELS and notice._get_mailbox()
        return [(notice.partner_id, notice.recipient_id), *([mailbox] if mailbox else [])]

    @api.model
    def _wait_for_morning(self, dispatch):
        """Gate: no e-mails leave at night, on Sundays and on holidays."""
        by_mail = dispatch.notices.filtered(lambda notice: notice.channel in MAIL_CHANNELS)
        for country, batch in by_mail.grouped(lambda notice: notice.partner_id.country_id.code).items():
            until = dispatch.company._get_dunning_quiet_until(country)
            if until:
                batch._recording().write({'waiting_reason': self.env._(
                    "No e-mails leave on Sundays, holidays or between 20:00 and 07:00. It leaves on %(date)s at "
                    "%(time)s.",
                    date=format_weekday(self.env, until.date()),
                    time=until.strftime('%H:%M'))})
                self._wake_at(until)
                dispatch.notices -= batch

    @api.model
    def _wait_for_details(self, dispatch):
        """Gate: nothing leaves that does not say where to pay, or from whom it comes."""
        Letter = self.env['dunning.letter']
        for notice in dispatch.notices.filtered(lambda notice: notice.channel in ('letter', *MAIL_CHANNELS)):
            company = notice.company_id
            bank = Letter._get_bank(company, notice.live_line_ids.move_id)
            lacks = '' if (bank.acc_number or '').strip() else self.env._(
                "%s has no bank account to pay on. Add its IBAN to the company, or choose one on the invoice.",
                company.display_name)
            lacks = lacks or (notice.channel in MAIL_CHANNELS and company._explain_dunning_sender())
            if lacks:
                notice._recording().waiting_reason = lacks
                dispatch.notices -= notice

    @api.model
    def _get_cron(self):
        """Return the scheduled action that sends the queue, or an empty record."""
        cron = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch', raise_if_not_found=False)
        return (cron or self.env['ir.cron']).sudo()  # sudo: users may wake the queue, not see scheduled actions

    @api.model
    def _trigger(self):
        """Wake the scheduled action that sends the queue; refuse when it sleeps for good."""
        cron = self._get_cron()
        if not cron.active:
            message = self.env._(
                "The scheduled action “Debtors: send reminders” is switched off, so nothing would leave. "
                "Switch it on, or use “Send now”.")
            if cron and self.env.user.has_group('base.group_system'):
                raise RedirectWarning(
                    message, {
                        'type': 'ir.actions.act_window', 'res_model': 'ir.cron', 'res_id': cron.id,
                        'views': [(False, 'form')],
                    }, self.env._("Open the scheduled action"))
            raise UserError(message)
        cron._trigger()

    @api.model
    def _wake(self, moment=None):
        """Let the queue go on now or at a moment (UTC), where anything wakes it at all."""
        cron = self._get_cron()
        if cron:
            cron._trigger(moment)

    @api.model
    def _wake_at(self, until):
        """Let the queue go on at a local time of the current company."""
        moment = self.env.company._get_dunning_tz().localize(until).astimezone(pytz.utc).replace(tzinfo=None)
        if moment > fields.Datetime.now():
            self._wake(moment)

    @api.model
    def _send_back_unapproved(self, dispatch):
        """Step: make proposals of queued notices that a colleague did not approve as they are now."""
        watched = dispatch.notices.filtered(
            lambda notice: notice.state == 'queued' and notice.policy_id.four_eyes != 'never')
        unapproved = watched.filtered(lambda notice: notice._needs_colleague() and not notice._is_approved())
        for notice in unapproved:
            name = notice.approver_id.name
            text = {
                'more': self.env._("It asks more than was approved by %s, so it needs a new approval.", name),
                'address': self.env._("The address changed since %s approved it, so it needs a new approval.", name),
            }.get(notice._get_approval_gap()) or self.env._(
                "The policy “%s” asks a second pair of eyes, and no colleague approved this.", notice.policy_id.name)
            recording = notice._recording()
            recording.write({**notice._get_unapproved_vals(), 'colleague_kept': True})
            recording._message_log(body=text)
        dispatch.notices -= unapproved

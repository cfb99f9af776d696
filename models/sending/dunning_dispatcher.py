"""The dispatcher: recheck, render, deliver, record. Only then the level rises."""

import logging
from collections import defaultdict
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError, ValidationError

from ..ladder.dunning_level import MANUAL_CHANNELS
from ..planner.dunning_planner import IMPATIENT_IGNORED, RECHECK_IGNORED
from ..planner.dunning_simulation import NOT_ABOUT_THE_NOTICE

_logger = logging.getLogger(__name__)


class DunningDispatcher(models.AbstractModel):
    _name = 'dunning.dispatcher'
    _inherit = ['dunning.dispatcher.gates', 'dunning.dispatcher.law', 'dunning.dispatcher.mail']
    _description = "Dunning Dispatcher"

    # -------------------------------------------------------------------------
    # ENTRANCES
    # -------------------------------------------------------------------------

    @api.model
    def _trigger(self):
        """Wake the scheduled action that sends the queue; refuse when it sleeps for good."""
        cron = self.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch', raise_if_not_found=False)
        cron = cron and cron.sudo()  # sudo: users may wake the queue, not see scheduled actions
        if not cron or not cron.active:
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
    def _dispatch_interactively(self, notices):
        """Dispatch queued notices in a user's request; one bad notice does not stop the others."""
        queued = notices.filtered(lambda notice: notice.state == 'queued').try_lock_for_update()
        # Nobody else may be writing to the same debtor at this moment: what he is told then stays in the queue.
        queued = self.env['dunning.queue']._take_turns(queued)
        # The first to one addressee leaves, the others wait a day.
        for notice in self._in_turn(queued, self.env.company._dunning_today()):
            self._dispatch_one(notice)

    @api.model
    def _dispatch_one(self, notice):
        """Dispatch one notice; a failure takes it out of the queue with a readable message."""
        try:
            with self.env.cr.savepoint():
                self._dispatch(notice)
        except OperationalError:
            raise  # another transaction was first, or the database is away: it stays in the queue
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one notice, the others go on
            self._mark_failed(notice, error)

    @api.model
    def _mark_failed(self, notice, error):
        if isinstance(error, UserError | ValidationError):
            message = str(error)
        else:
            _logger.exception("Notice %s could not be sent", notice.id, exc_info=error)
            message = self.env._(
                "Something went wrong while making or sending this notice, so it did not leave. Try it again; "
                "if it fails again, show your administrator this: %(error)s",
                error=f"{type(error).__name__}: {error}")
        notice._mark_failed(message)

    # -------------------------------------------------------------------------
    # THE WAY OF A NOTICE
    # -------------------------------------------------------------------------

    @api.model
    def _dispatch(self, notices):
        """Let queued notices go. The caller holds their locks.

        :return: the notices that left or now wait for a person or the post
        """
        gone = self.env['dunning.notice']
        for company, batch in notices.grouped('company_id').items():
            dispatcher = self.with_company(company)
            at_date = company._dunning_today()
            batch = batch.with_company(company).with_env(dispatcher.env)
            # One question for both, since hardly anything ever has to wait at the gate. Whatever does is asked about
            # twice: the gate takes nothing off, and what it stops may not be owed either.
            decisions = dispatcher._judge(batch, at_date, gates=dispatcher._get_gate_reasons())
            gate_open = not any(decision.reason in dispatcher._get_gate_reasons() for decision in decisions.values())
            owed = dispatcher._recheck(batch, at_date, decisions=decisions if gate_open else None)
            owed -= dispatcher._stop_at_gate(owed, at_date, gate_open=gate_open)
            owed = dispatcher._refuse_unlawful(owed, at_date)
            # The last look before a letter is made, when its amounts are known.
            owed -= dispatcher._send_back_unapproved(owed)
            if not owed:
                continue
            manual = owed.filtered(lambda notice: notice.channel in MANUAL_CHANNELS)
            dispatcher._hand_to_person(manual, at_date)
            documents = dispatcher._drop_unreachable(owed - manual)
            documents = dispatcher._render(documents, at_date)
            if documents:
                dispatcher._deliver(documents, at_date)
            gone |= manual | documents
        gone._take_snapshots('left_data')  # to show what changed since it was proposed
        return gone

    @api.model
    def _send_back_unapproved(self, notices):
        """Make proposals of queued notices that a colleague did not approve as they are now; return those."""
        watched = notices.filtered(lambda notice: notice.state == 'queued' and notice.policy_id.four_eyes != 'never')
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
        return unapproved

    @api.model
    def _drop_unreachable(self, notices):
        """Return the notices whose own channel reaches the recipient or the debtor.

        The others fail, and somebody gets a to-do about each debtor.
        """
        unreachable = notices.filtered(lambda notice: not (
            (notice.channel in ('email', 'both') and notice._get_email())
            or (notice.channel in ('letter', 'both') and notice._has_postal_address())))
        for notice in unreachable:
            notice._mark_failed(self.env._("%s Then try again.", notice._explain_unreachable()))
        for company, batch in unreachable.grouped('company_id').items():
            self.env['res.partner'].with_company(company)._flag_unreachable(company, {
                notice.partner_id.id: lambda env, notice=notice: notice.with_env(env)._explain_unreachable()
                for notice in batch})
        return notices - unreachable

    @api.model
    def _judge(self, notices, at_date, *, gates=frozenset()):
        """Ask the planner about the items of notices, as if those were not there.

        :param gates: reasons that ask for patience only, to be asked along; all others of that kind take nothing off
        :return: ``{item id: decision}``; who asked for the gates and finds none of them has the answer without them
        """
        Planner = self.env['dunning.planner']
        decisions = {}
        for company, batch in notices.grouped('company_id').items():
            for forced, group in batch.grouped('forced').items():
                ignore = RECHECK_IGNORED | NOT_ABOUT_THE_NOTICE | (Planner._gate_reasons() - gates)
                if forced:
                    ignore |= IMPATIENT_IGNORED
                decisions.update({
                    decision.item_id: decision
                    for decision in Planner._plan(
                        company, at_date, items=group.live_line_ids.move_line_id, ignore=ignore)
                })
        return decisions

    @api.model
    def _recheck(self, notices, at_date, *, decisions=None):
        """Take off what is no longer owed and cancel what is left empty.

        :param dict decisions: what ``_judge`` says, when it was asked already
        :return: the notices that still have something to say
        """
        if decisions is None:
            decisions = self._judge(notices, at_date)
        owed = self.env['dunning.notice']
        for company, batch in notices.grouped('company_id').items():
            for notice in batch._recording():
                if self._recheck_one(notice, decisions, company):
                    owed |= notice
        owed = notices.browse(owed.ids)
        # Interest runs on: what was worked out for a proposal is of that day. A letter on the pile is of its own day.
        pile = owed.filtered(lambda notice: notice.state == 'to_post')
        (owed - pile)._update_claim(at_date)
        # A letter on the pile may have been overtaken by a payment, by evidence or by a setting.
        for company, letters in pile.grouped('company_id').items():
            owed -= self.with_company(company)._recheck_pile(letters.with_company(company), at_date)
        # Addresses may have come, gone or bounced since it was planned.
        owed._reroute()
        return owed

    @api.model
    def _recheck_one(self, notice, decisions, company):
        """Refresh the items of one notice from the planner's answers. Return whether anything is still owed."""
        Planner = self.env['dunning.planner']
        currency, reasons, changed = notice.currency_id, [], False
        for line in notice.live_line_ids:
            decision = decisions.get(line.move_line_id.id)
            if decision is None:
                code, text = 'gone', self.env._("The item does not exist any more.")
            elif (decision.partner_id, decision.currency_id) != (notice.partner_id.id, currency.id):
                code, text = 'changed', self.env._("The invoice is for another debtor or in another currency now.")
            else:
                code, text = decision.reason, decision.reason and Planner._explain(decision, company)
            if code:
                line.write({'drop_reason': code, 'drop_text': text})
                reasons.append(text)
                continue
            if (
                currency.compare_amounts(line.amount_residual, decision.amount_residual)
                or currency.compare_amounts(line.amount_netted, decision.amount_netted)
                or currency.compare_amounts(line.amount_held, decision.amount_held)
                or line.date_maturity != decision.due_date
            ):
                changed = True
                line.write({
                    'amount_residual': decision.amount_residual,
                    'amount_netted': decision.amount_netted,
                    'amount_held': decision.amount_held,
                    'amount_due_company': decision.amount_company,
                    'date_maturity': decision.due_date,
                })
        if not notice.line_count or currency.compare_amounts(notice.amount_principal, 0) <= 0:
            notice._cancel(" ".join(dict.fromkeys(reasons)) or self.env._("Nothing is owed any more."))
            return False
        if reasons:
            # Each item was judged at its own step; of what is left the highest is what the notice says.
            notice._settle_level()
        if notice.state == 'to_post' and (changed or reasons):
            # The letter on the pile says something that is not true any more: make it again.
            notice.write({'state': 'queued', 'postal_state': False})
        return True

    @api.model
    def _hand_to_person(self, notices, at_date):
        """A call or an internal task: it waits for a person, and the planner waits with it."""
        for notice in notices._recording():
            notice.line_ids._freeze_snapshot()
            notice.write({
                'state': 'todo', 'date': at_date, 'deadline': False, 'error_message': False,
                'legal_role': notice.level_id.legal_role})
        self._schedule_activities(notices, at_date)

    @api.model
    def _render(self, notices, at_date):
        """Fix date, term, texts and PDF of notices that leave as a document; return those that may."""
        self._prepare_letters(notices, at_date)
        notices = self._refuse_unlawful_letters(notices)
        Letter = self.env['dunning.letter']
        Letter._store_pdfs(notices._recording(), Letter._render_pdfs(notices))
        return notices

    @api.model
    def _prepare_letters(self, notices, at_date):
        """Write on the notices what their letters say."""
        recording = notices._recording()
        recording.live_line_ids._freeze_snapshot()
        for (level, term), batch in recording.grouped(
            lambda notice: (notice.level_id, notice._get_term_days())
        ).items():
            batch.write({
                'date': at_date,
                'deadline': at_date + timedelta(days=term),
                'legal_role': level.legal_role,
            })
            if level.legal_role == 'fourteen_day':
                for notice in batch:
                    notice.deadline = notice._estimate_deadline(at_date)
        texts = self.env['dunning.letter']._render_texts(notices)
        for notice in recording:
            notice.write(texts[notice.id])

    @api.model
    def _deliver(self, notices, at_date):
        """Hand the documents to the mail queue or to the post."""
        by_mail = notices.filtered(lambda notice: notice.channel in ('email', 'both') and notice._get_email())
        by_post = notices.filtered(
            lambda notice: notice.channel == 'letter' or (notice.channel == 'both' and notice._has_postal_address()))
        self._queue_mails(by_mail)
        by_post._recording().write({'postal_state': 'to_print'})
        (by_post - by_mail)._recording().write({'state': 'to_post', 'error_message': False})
        by_mail._record_sent(at_date)
        # A letter plans its activity when it is posted.
        self._schedule_activities(by_mail, at_date)

    @api.model
    def _schedule_activities(self, notices, at_date):
        """Plan the activity of the level, for its user or else whoever decided about the notice."""
        for level, batch in notices.grouped('level_id').items():
            activity_type = level.activity_type_id
            if not activity_type and batch[0].channel == 'phone':
                activity_type = self.env.ref('mail.mail_activity_data_call', raise_if_not_found=False)
            if not activity_type and batch[0].channel == 'task':
                activity_type = self.env.ref('mail.mail_activity_data_todo', raise_if_not_found=False)
            if not activity_type:
                continue
            by_user = defaultdict(lambda: self.env['dunning.notice'])
            for notice in batch:
                by_user[level.activity_user_id or notice._get_responsible()] |= notice
            for user, group in by_user.items():
                if user._is_superuser():
                    continue  # nobody reads the activities of the system: the list “To do” shows the notice
                level_of_user = level.with_context(lang=user.lang)
                group.with_context(mail_activity_quick_update=True).activity_schedule(
                    activity_type_id=activity_type.id, date_deadline=at_date, user_id=user.id,
                    summary=level_of_user.activity_summary or level_of_user.name, automated=True)

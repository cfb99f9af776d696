"""The dispatcher: recheck, render, deliver, record. Only then the level rises."""

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from psycopg2 import OperationalError

from odoo import Command, api, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from ...tools.law.letters import FOURTEEN_DAY
from ..ladder.dunning_level import MANUAL_CHANNELS
from ..notice.dunning_notice import MADE_STATES

_logger = logging.getLogger(__name__)
# What is planned for a person where the level does not say it.
MANUAL_ACTIVITIES = {'phone': 'mail.mail_activity_data_call', 'task': 'mail.mail_activity_data_todo'}


@dataclass
class Dispatch:
    """Notices of one creditor that leave on one day, as the steps hand them on.

    :param notices: what goes on
    :param recorder: the environment in which code writes down what happened to notices
    :param handed: what a person took over
    :param decisions: of the planner by item; None where it is to be asked again
    :param gate_open: the planner was asked already, and none of these items has to wait
    :param ways: ``{notice id: what of its channel reaches somebody}``; see :meth:`DunningNotice._get_ways`
    :param attachments: ``{notice id: the letters of its mail}``
    """

    company: models.Model
    at_date: date
    notices: models.Model
    recorder: api.Environment
    handed: models.Model = field(init=False)
    decisions: dict | None = None
    gate_open: bool = False
    ways: dict | None = None
    attachments: dict | None = None

    def __post_init__(self):
        self.handed = self.notices.browse()

    @property
    def recording(self):
        """What goes on, in the context in which code writes down what happened."""
        return self.notices.with_env(self.recorder)

    def get_going_by(self, way):
        """Return what goes on and reaches somebody by this way: ``email`` or ``letter``."""
        return self.notices.filtered(lambda notice: self.ways[notice.id].get(way))


class DunningDispatcher(models.AbstractModel):
    _name = 'dunning.dispatcher'
    _inherit = ['dunning.dispatcher.gates', 'dunning.dispatcher.law']
    _description = "Dunning Dispatcher"

    # -------------------------------------------------------------------------
    # ENTRANCES
    # -------------------------------------------------------------------------

    @api.model
    def _dispatch_interactively(self, notices):
        """Dispatch queued notices in a user's request; one bad notice does not stop the others."""
        # sudo: whoever may let a letter of one branch go need not see what is owed to the others; what can be said
        # together goes together
        notices, run, dispatcher = notices.sudo(), self.env['dunning.run'].sudo(), self.sudo()  # sudo: as said
        queued = notices.filtered(lambda notice: notice.state == 'queued').try_lock_for_update()
        # Nobody else may be writing to the same debtor at this moment: what he is told then stays in the queue.
        queued = run._lock_debtors(queued)
        # The first to one addressee leaves, the others wait a day.
        for notice in dispatcher._in_turn(queued, self.env.company._dunning_today()):
            dispatcher._dispatch_one(notice)
        run._renew_debtors(queued)

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
        # Whose turn it is among the messages of all branches to one debtor is asked once.
        # sudo: only which creditor it is
        for batch in notices.grouped(lambda notice: notice.company_id.sudo().dunning_creditor_id).values():
            company = batch.company_id._get_dunning_common()
            dispatcher = self.with_company(company)
            batch = batch.with_company(company).with_env(dispatcher.env)
            dispatch = Dispatch(
                dispatcher.env.company, company._dunning_today(), batch, batch._recording().env)
            for step in dispatcher._get_dispatch_steps():
                if dispatch.notices:
                    step(dispatch)
            gone |= dispatch.handed | dispatch.notices
        gone._take_snapshots('left_data')  # to show what changed since it was proposed
        self.env['dunning.marker']._note(gone)
        return gone

    @api.model
    def _get_dispatch_steps(self):
        """Return what is done with notices of one creditor that leave, in order.

        Each step is called with the :class:`Dispatch` as long as a notice is left in it; it takes out what does not go
        on, and that is what writes on those why.
        """
        return [
            self._wait_for_confirmation,
            self._ask_planner,
            self._take_off_settled,
            # The gates: what has to wait stays in the queue.
            self._wait_for_planner,
            self._wait_for_turn,
            self._wait_for_morning,
            self._wait_for_details,
            self._stop_unlawful,
            self._send_back_unapproved,  # the last look before a letter is made, when its amounts are known
            self._hand_to_person,
            self._stop_unreachable,
            self._make_letters,
            self._deliver,
        ]

    @api.model
    def _take_off_settled(self, dispatch):
        """Step: take off what is no longer owed; see :meth:`_recheck`."""
        dispatch.notices = self._recheck(dispatch.notices, dispatch.at_date, decisions=dispatch.decisions)

    @api.model
    def _stop_unlawful(self, dispatch):
        """Step: the law guard; see :meth:`_refuse_unlawful`."""
        dispatch.notices = self._refuse_unlawful(dispatch.notices, dispatch.at_date)

    @api.model
    def _stop_unreachable(self, dispatch):
        """Step: fail the notices whose own channel reaches neither the recipient nor the debtor.

        Somebody gets a to-do about each debtor.
        """
        dispatch.ways = {notice.id: notice._get_ways() for notice in dispatch.notices}
        unreachable = dispatch.notices.filtered(lambda notice: not any(dispatch.ways[notice.id].values()))
        if not unreachable:
            return
        for notice in unreachable:
            notice._mark_failed(self.env._("%s Then try again.", notice._explain_unreachable()))
        self.env['res.partner'].with_company(dispatch.company)._flag_unreachable(dispatch.company, {
            notice.partner_id.id: lambda env, notice=notice: notice.with_env(env)._explain_unreachable()
            for notice in unreachable})
        dispatch.notices -= unreachable

    @api.model
    def _recheck(self, notices, at_date, *, decisions=None):
        """Take off what is no longer owed and cancel what is left empty.

        :param dict decisions: what ``_judge`` says, when it was asked already
        :return: the notices that still have something to say
        """
        if decisions is None:
            decisions = self._judge(notices, at_date)
        # Which addresses are ours is asked when it leaves.
        (notices.partner_id | notices.recipient_id).invalidate_recordset(['dunning_email'])
        owed = notices.filtered(lambda notice: self._recheck_one(notice, decisions))
        # Interest runs on: what was worked out for a proposal is of that day. What was made is of its own day.
        pile = owed.filtered(lambda notice: notice.state in MADE_STATES)
        (owed - pile)._update_claim(at_date)
        # It may have been overtaken by a payment, by evidence or by a setting.
        for company, letters in pile.grouped('company_id').items():
            owed -= self.with_company(company)._recheck_pile(letters.with_company(company), at_date)
        # Addresses may have come, gone or bounced since it was planned.
        owed._reroute()
        return owed

    @api.model
    def _recheck_one(self, notice, decisions):
        """Refresh the items of one notice from the planner's answers. Return whether anything is still owed."""
        Planner = self.env['dunning.planner']
        currency, reasons, changed = notice.currency_id, [], False
        own = self._is_asked_by_policy(notice, decisions)
        for line in notice.live_line_ids:
            decision = decisions.get(line.move_line_id.id)
            if decision is None:
                code, text = 'gone', self.env._("The item does not exist any more.")
            elif (decision.partner_id, decision.currency_id) != (notice.partner_id.id, currency.id):
                code, text = 'changed', self.env._("The invoice is for another debtor or in another currency now.")
            else:
                code, text = decision.reason, decision.reason and Planner._explain(decision, notice.company_id)
            if not code:
                text = self._explain_other_step(notice, line.level_id, decision, own)
                code = text and 'other_step'
            if code:
                line._recording().write({'drop_reason': code, 'drop_text': text})
                reasons.append(text)
                continue
            if (
                currency.compare_amounts(line.amount_residual, decision.amount_residual)
                or currency.compare_amounts(line.amount_netted, decision.amount_netted)
                or currency.compare_amounts(line.amount_held, decision.amount_held)
                or line.date_maturity != decision.due_date
            ):
                changed = True
                line._recording().write({
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
        if notice.recipient_id not in notice._get_people():
            notice._readdress(decisions)
            changed = True
        if notice.state in MADE_STATES and (changed or reasons):
            notice._make_again()
        return True

    @api.model
    def _is_asked_by_policy(self, notice, decisions):
        """Return whether a notice is of the policy of one of its items, as it is now."""
        found = (decisions.get(item.id) for item in notice.live_line_ids.move_line_id)
        return notice.policy_id.id in [decision.policy_id for decision in found if decision]

    @api.model
    def _explain_other_step(self, notice, level, decision, own):
        """Return why the policy of now does not ask for a step that was planned, or an empty string.

        Of a 14-day letter only the policy is asked: claims that join it are at other steps, or on another ladder; and
        an item that could join one keeps its own step. What a person chose is asked no date or order.

        :param level: of an item of the notice
        :param own: see :meth:`_is_asked_by_policy`
        """
        fourteen_day = notice.level_id.legal_role == FOURTEEN_DAY
        if not level.active:
            return self.env._("“%s” was archived: it is not part of the policy any more.", level.name)
        if decision.policy_id != level.policy_id.id and not (fourteen_day and own):
            return self.env._(
                "Another policy applies now: “%s”.",
                # sudo: only its name
                self.env['dunning.policy'].browse(decision.policy_id).sudo().name)
        # sudo: only its name and role
        other = self.env['dunning.level'].browse(decision.level_id).sudo()
        if fourteen_day or other.legal_role == FOURTEEN_DAY or notice.level_reason:
            return ''
        if other.id != level.id:
            return self.env._("By the policy of now another step follows: “%s”.", other.name) if other else self.env._(
                "By the policy of now no step follows.")
        if not notice.forced and decision.level_date > max(notice.company_id._dunning_today(), notice.date_planned):
            return self.env._(
                "By the policy and the due date of now “%(level)s” follows on %(date)s.", level=level.name,
                date=format_date(self.env, decision.level_date))
        return ''

    @api.model
    def _hand_to_person(self, dispatch):
        """Step: a call or an internal task waits for a person, and the planner waits with it."""
        manual = dispatch.notices.filtered(lambda notice: notice.channel in MANUAL_CHANNELS)
        if not manual:
            return
        recording = manual._recording()
        recording.line_ids._freeze_snapshot()
        for (level, debtor_type), batch in recording.grouped(
            lambda notice: (notice.level_id, notice.partner_id.dunning_effective_type)
        ).items():
            batch.write({
                'state': 'todo', 'date': dispatch.at_date, 'deadline': False, 'error_message': False,
                'legal_role': level.legal_role, 'debtor_type': debtor_type})
        self._schedule_activities(manual, dispatch.at_date)
        dispatch.handed |= manual
        dispatch.notices -= manual

    @api.model
    def _make_letters(self, dispatch):
        """Step: fix date, term, texts and PDF; what would be an unlawful letter fails."""
        self._prepare_letters(dispatch.notices, dispatch.at_date, dispatch.recording)
        dispatch.notices = self._refuse_unlawful_letters(dispatch.notices)
        if dispatch.notices:
            Letter = self.env['dunning.letter']
            dispatch.attachments = Letter._store_pdfs(
                dispatch.recording, Letter._render_pdfs(dispatch.notices), mailed=dispatch.get_going_by('email'))

    @api.model
    def _prepare_letters(self, notices, at_date, recording=None):
        """Write on the notices what their letters say.

        :param recording: the same notices, where the caller records already
        """
        recording = recording or notices._recording()
        recording.live_line_ids._freeze_snapshot()
        for (level, debtor_type, deadline), batch in recording.grouped(lambda notice: (
            notice.level_id, notice.partner_id.dunning_effective_type, notice._get_printed_deadline(at_date))
        ).items():
            batch.write({
                'date': at_date,
                'deadline': deadline,
                'legal_role': level.legal_role,
                'debtor_type': debtor_type,
            })
        texts = self.env['dunning.letter']._render_texts(notices)
        for notice in recording:
            notice.write(texts[notice.id])

    @api.model
    def _deliver(self, dispatch):
        """Step: hand the documents to the mail queue or to the post."""
        by_mail, by_post = dispatch.get_going_by('email'), dispatch.get_going_by('letter')
        if by_mail:
            by_mail._rehearse_booking(dispatch.at_date)  # afterwards it is too late to refuse
            self._queue_mails(by_mail, dispatch)
        if by_post:
            by_post._recording().write({'postal_state': 'to_print'})
        # The level rises, and its activity is planned, when a mail server or the post took it.
        for state, notices in (('leaving', by_mail), ('to_post', by_post - by_mail)):
            notices._recording().write({'state': state, 'error_message': False})

    # -------------------------------------------------------------------------
    # THE LAST LOOK
    # -------------------------------------------------------------------------

    @api.model
    def _hold_back(self, mails):
        """Look once more at notices whose mails are about to leave. Return the mails that do not leave.

        What was overtaken, or would give less than its term, is cancelled or made again under the same notice. Of what
        another process has in hand the mail waits.
        """
        # The mail first: who hands it over has locked that, and then writes on the notice.
        free = mails.try_lock_for_update()
        notices = self.env['dunning.notice'].search([
            ('mail_id', 'in', free.ids), ('state', 'in', ('leaving', 'sent'))])
        self._look_again(notices.filtered(lambda notice: notice.state == 'leaving'))
        # One that is sent already was posted as well; its e-mail goes. What colleagues write about it has recipients.
        going = free & (notices.filtered(lambda notice: notice.state in ('leaving', 'sent')).mail_id | free.filtered(
            'recipient_ids'))
        # What nobody let go, such as the mail of a cancelled notice that somebody tries again.
        (free - going).write({'state': 'cancel'})
        return mails - going

    @api.model
    def _look_again(self, notices):
        """Take back what must not leave as it is; a notice that cannot be judged fails and stops no other."""
        try:
            with self.env.cr.savepoint():
                for company, batch in notices.grouped('company_id').items():
                    self.with_company(company)._take_back_overtaken(batch.with_company(company))
        except OperationalError:
            raise  # another transaction was first: the mails wait for the next time
        except Exception as error:  # noqa: BLE001 - find the culprit, keep the others
            if len(notices) > 1:
                for notice in notices:
                    self._look_again(notice)
                return
            self._mark_failed(notices, error)
            notices._stop_mails()

    @api.model
    def _take_back_overtaken(self, notices):
        at_date = self.env.company._dunning_today()
        owed = self._recheck(notices, at_date).filtered(lambda notice: notice.state == 'leaving')
        overtaken = owed._filter_overtaken(at_date)
        overtaken._make_again()
        again = notices.filtered(lambda notice: notice.state == 'queued')
        again._log_act(lambda notice: notice.env._(
            "Its e-mail waited in the mail queue until what it says was not true any more; it is made again."))
        if again:
            self._wake()

    @api.model
    def _schedule_activities(self, notices, at_date):
        """Plan the activity of the level, for its user or else whoever decided about the notice."""
        for level, batch in notices.grouped('level_id').items():
            activity_type, fallback = level.activity_type_id, MANUAL_ACTIVITIES.get(batch[0].channel)
            if not activity_type and fallback:
                activity_type = self.env.ref(fallback, raise_if_not_found=False)
            if not activity_type:
                continue
            responsibles = batch._get_responsibles()
            named = level.activity_user_id
            by_user = defaultdict(lambda: self.env['dunning.notice'])
            for notice in batch:
                by_user[named if notice.company_id._is_dunning_colleague(named) else responsibles[notice]] |= notice
            for user, group in by_user.items():
                if not user:
                    continue  # the list “To do” shows the notice
                level_of_user = level.with_context(lang=user.lang)
                group.with_context(mail_activity_quick_update=True).activity_schedule(
                    activity_type_id=activity_type.id, date_deadline=at_date, user_id=user.id,
                    summary=level_of_user.activity_summary or level_of_user.name, automated=True)

    # -------------------------------------------------------------------------
    # E-MAIL
    # -------------------------------------------------------------------------

    @api.model
    def _queue_mails(self, notices, dispatch):
        """Put one mail per notice into Odoo's queue, with the letter (and the invoices) attached."""
        Letter = self.env['dunning.letter']
        values_list = []
        for template, batch in notices.grouped(self._get_mail_template).items():
            mails = Letter._prepare_mails(template, batch)
            self._refuse_unlawful_mails(template, batch, mails)
            values_list += mails
        # Those that failed, or were taken back, leave no more.
        notices._stop_mails()
        earlier = {notice.id: notice.mail_id.sudo().message_id for notice in notices}  # sudo: of our own mails
        for values in values_list:
            notice = notices.browse(values['res_id'])
            attachments = dispatch.attachments[notice.id] | self._get_invoice_attachments(notice)
            values.update({
                'email_to': dispatch.ways[notice.id]['email'], 'attachment_ids': [Command.set(attachments.ids)]})
        mails = Letter._create_mails(
            values_list, [notices.browse(values['res_id']).recipient_id for values in values_list])
        for mail in mails:
            notice = notices.browse(mail.res_id)
            if notice.level_id.read_receipt:
                mail.headers = repr({'Disposition-Notification-To': mail.reply_to or mail.email_from})
            notice.with_env(dispatch.recorder).write({
                'mail_id': mail.id, 'mail_message_id': mail.mail_message_id.id, 'email_to': mail.email_to})
            if earlier[mail.res_id]:
                # sudo: notes of the program
                self.env['dunning.handover'].sudo()._go_on_counting(earlier[mail.res_id], mail.message_id)
        # The mail queue looks by itself once an hour; “leaves in a moment” is sooner.
        cron = self.env.ref('mail.ir_cron_mail_scheduler_action', raise_if_not_found=False)
        if cron:
            cron.sudo()._trigger()  # sudo: users may wake the mail queue, not see it

    @api.model
    def _get_mail_template(self, notice):
        """Return the ``mail.template`` of a notice: that of its level, else the one that ships."""
        # Its id is kept in memory: asked of each notice, `ref` would look each time whether it is still there.
        shipped = self.env['ir.model.data']._xmlid_to_res_id(
            'l10n_nl_dunning.mail_template_notice', raise_if_not_found=True)
        return notice.level_id.mail_template_id or self.env['mail.template'].browse(shipped)

    @api.model
    def _get_invoice_attachments(self, notice):
        """Return the PDFs of the invoices, where the level wants them: as they were sent, else fresh prints."""
        # sudo: the invoices' own documents, sent to their own debtor
        attachments = self.env['ir.attachment'].sudo()
        # sudo: as above
        moves = notice.live_line_ids.move_id.sudo() if notice.level_id.attach_invoices else ()
        for move in moves:
            if move.move_type != 'out_invoice':
                continue
            pdf = move.invoice_pdf_report_id
            if not pdf:
                document, = move._get_dunning_documents()
                pdf = attachments.create({
                    'name': document['filename'],
                    'raw': document['content'],
                    'mimetype': 'application/pdf',
                    'res_model': 'account.move',
                    'res_id': move.id,
                })
            attachments |= pdf
        return attachments

"""What no longer holds: letters that rest on facts which changed, and what a user recorded a moment ago by mistake."""

from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ...tools.law.letters import CONSUMER, NO_JUDGEMENT, Consequence, Why, get_consequences
from ..kernel.formats import in_language_of

ACTIVITY = 'mail.mail_activity_data_warning'
# As long as whoever recorded something sees that it was a mistake, and nothing rests on it yet.
UNDO_SECONDS = 60
# What recording that a notice was posted, done or passed over writes.
REMEMBERED = (
    'state', 'date', 'deadline', 'sent_on', 'postal_state', 'posted_on', 'posted_by_id', 'receipt_date', 'receipt_kind',
    'costs_from', 'interrupts_prescription', 'promised_date')


def is_recent(moment):
    """Return whether something of that moment (naive UTC) can still be undone."""
    return bool(moment) and fields.Datetime.now() - moment <= timedelta(seconds=UNDO_SECONDS)


class DunningNoticeStanding(models.AbstractModel):
    """The part of a notice that follows the facts it rested on.

    Nothing is asked that rests on a letter which does not hold: claim and planner judge it each time. Here its items go
    back on the ladder, and somebody is told what else follows.
    """

    _name = 'dunning.notice.standing'
    _description = "Dunning Notice"

    undo_data = fields.Json(readonly=True, copy=False, exportable=False)

    @api.model
    def _follow_facts(self, company, at_date, debtors=None):
        """Take back the steps of items that do not hold any more, with all that came after them.

        :param debtors: of these only; None: of all
        :return: the lines that were taken back
        """
        notices = in_language_of(self.with_company(company), company)
        lines = notices._take_back_steps(
            at_date, notices._find_void(company, at_date, debtors) | notices._find_outdated(company, debtors))
        notices._propose_credits(company, at_date)
        return lines

    @api.model
    def _follow_outdated(self, company, at_date, decisions):
        """Take back what stands in the way of these decisions: steps about what the items were, for the ladder anew.

        Nothing rests on them already; an item has each level once.
        """
        anew = self.env['res.partner'].browse({
            decision.partner_id for decision in decisions if not decision.last_level_id})
        if anew:
            notices = in_language_of(self.with_company(company), company)
            notices._take_back_steps(at_date, notices._find_outdated(company, anew))

    @api.model
    def _take_back_steps(self, at_date, found):
        """Take back steps, with all that follows from it, and return their lines.

        :param found: ``{line: reason}``
        """
        lines = self.env['dunning.notice.line'].union(*found)
        if lines:
            for reason, batch in lines.grouped(found.get).items():
                batch._recording().write({'void_on': at_date, 'void_reason': reason})
            lines.flush_recordset(['status'])  # their levels are free
            for step in lines.notice_id._get_void_steps():
                step(lines)
        return lines

    @api.model
    def _get_void_steps(self):
        """Return what follows when steps were taken back, in order; each is called with their lines."""
        return [self._log_void, self._tell_void]

    # -------------------------------------------------------------------------
    # FINDING
    # -------------------------------------------------------------------------

    @api.model
    def _find_outdated(self, company, debtors):
        """Return ``{line: reason}`` of all steps of the items of which one was about something else."""
        Line = self.env['dunning.notice.line']
        whys = {
            Line.browse(line_id).move_line_id: why
            for line_id, why in self.env.execute_query(Line._get_outdated_sql(company, debtors))}
        steps = Line.search([
            ('move_line_id', 'in', [item.id for item in whys]), ('status', 'in', ('sent', 'skipped', 'pending'))])
        for line in steps.filtered(lambda line: line.status == 'pending')._recording():
            line.write({'drop_reason': 'changed', 'drop_text': self._explain_why(whys[line.move_line_id])})
        return {
            line: self._explain_why(whys[line.move_line_id]) for line in steps if line.status != 'dropped'}

    @api.model
    def _find_void(self, company, at_date, debtors):
        """Return ``{line: reason}`` of the steps of consumers that rest on a letter which does not hold."""
        Item = self.env['account.move.line']
        unpaid = Item._get_dunning_unreconciled_sql(
            SQL.identifier('line'), company, Item._get_dunning_receivables(company).ids)
        wanted = SQL("partner.id = ANY(%s)", list(debtors.ids)) if debtors is not None else SQL(
            "partner.id IN (SELECT debtor_id FROM (%s) owing)", Item._get_dunning_rows_sql(company, unpaid))
        Claim = self.env['dunning.claim'].with_company(company)
        judgements = Claim._judge_letters(company, at_date, wanted)
        since = {}
        for judgement in judgements.values():
            since |= self._find_returns(judgement)
        told = [
            line.item_id for judgement in judgements.values() for verdict in judgement.verdicts.values()
            for line in verdict.letter.items]
        asked = Domain('company_id', 'in', company._get_dunning_company_ids()) & (
            Domain('amount_costs', '>', 0) | Domain('amount_interest', '>', 0)
        ) & Domain('notice_id.debtor_type', '=', CONSUMER)
        if debtors is not None:
            asked &= Domain('notice_id.partner_id', 'in', debtors.ids)
        steps = self.env['dunning.notice.line'].search(
            Domain('status', 'in', ('sent', 'skipped')) & Domain('move_line_id.reconciled', '=', False)
            & (Domain('move_line_id', 'in', told) | asked), order='date, id')
        found = {}
        for item, lines in steps.grouped('move_line_id').items():
            first, why = since.get(item.id, (None, None))
            debtor = item.partner_id.commercial_partner_id.with_company(company)
            judgement = judgements.get(debtor.id, NO_JUDGEMENT)
            for line in lines:
                if not first and not self._was_owed(line, debtor, judgement, Claim):
                    first, why = line.date, 'asked_too_early'
                if first and line.date >= first:
                    found[line] = self._explain_why(why)
        return found

    @api.model
    def _was_owed(self, line, debtor, judgement, Claim):
        """Return whether a consumer owed the interest and costs of a step that left, by the facts of now."""
        if line.status != 'sent' or debtor.dunning_effective_type != CONSUMER:
            return True
        item_id = line.move_line_id.id
        in_default = judgement.is_in_default(item_id, line.date) or (
            Claim._read_creditor(line.company_id).agrees_term(Claim._read_debtor(debtor)))
        return (not line.amount_costs or judgement.owes_costs(item_id, line.date)) and (
            not line.amount_interest or in_default)

    @api.model
    def _find_returns(self, judgement):
        """Return ``{item id: (day, why)}``: from which step on items go back, by what is missing of them."""
        found = {}
        for verdict in judgement.verdicts.values():
            letter = verdict.letter
            for item_id in (line.item_id for line in letter.items):
                whys = [
                    breach.why for breach in verdict.get_breaches(item_id)
                    if Consequence.LADDER_RETURNS in get_consequences(breach, letter.role)]
                missing = judgement.get_missing(item_id)
                if not whys or not missing or item_id in judgement.awaited:
                    continue
                if item_id not in found or letter.role == missing != found[item_id][2]:
                    found[item_id] = (letter.day, whys[0].value, letter.role)
        return {item_id: (day, why) for item_id, (day, why, _role) in found.items()}

    # -------------------------------------------------------------------------
    # TELLING
    # -------------------------------------------------------------------------

    @api.model
    def _explain_why(self, why):
        """Return the sentence of a code of ``Why``, or of costs that were asked too early."""
        return {
            Why.OTHER_DEBTOR.value: self.env._("The invoice is owed by another debtor now."),
            Why.NUMBER_CHANGED.value: self.env._("The invoice has another number now."),
            Why.AMOUNT_RAISED.value: self.env._("The invoice is for more now than the debtor was told."),
            Why.DUE_DATE_LATER.value: self.env._("The invoice is due later now than the debtor was told."),
            Why.NOT_DUE.value: self.env._("The invoice was not due yet when it left."),
            Why.NOT_DELIVERED.value: self.env._("It did not reach the debtor."),
            Why.TERM_TOO_SHORT.value: self.env._(
                "When it was received, too little was left of its term to be a reasonable one (article 6:82 BW)."),
            Why.BECAME_CONSUMER.value: self.env._("It treated the debtor as a business, and he is a consumer."),
            Why.NOT_IN_DEFAULT.value: self.env._(
                "The debtor was not in default when it left (article 6:96 paragraph 6 BW)."),
            Why.NOT_JOINED.value: self.env._(
                "Another claim could have been claimed in the same letter and was not in it (article 6:96 paragraph 7 "
                "BW)."),
            Why.COSTS_TOO_HIGH.value: self.env._(
                "It announced more collection costs than the law gives for what was owed."),
            'asked_too_early': self.env._(
                "It asked interest or collection costs that a consumer did not owe yet (articles 6:82 and 6:96 BW)."),
        }[why]

    def _log_void(self, lines):
        """Step: say it on the notices, the invoices and the debtors."""
        for notice, taken in lines.grouped('notice_id').items():
            notice._log_act(lambda notice, taken=taken: notice.env._(
                "It holds no longer for %(invoices)s: %(reason)s",
                invoices=", ".join(filter(None, taken.mapped('name'))), reason=taken[0].void_reason))

    def _tell_void(self, lines):
        """Step: ask somebody to look at what it had asked, for each debtor once."""
        for taken in lines.grouped(lambda line: (line.company_id, line.notice_id.partner_id)).values():
            company = taken.company_id
            asking = taken.filtered(lambda line: line.amount_costs or line.amount_interest)
            role = taken.filtered('notice_id.legal_role')
            if not (asking or role):
                continue
            notice = (asking or role).sorted('date')[-1].notice_id
            user = notice._get_responsible() or company._get_dunning_manager()
            if not user:
                continue
            local = notice.with_context(lang=user.lang)
            local._recording().activity_schedule(
                ACTIVITY, date_deadline=company._dunning_today(), user_id=user.id, automated=True,
                summary=local.env._("It holds no longer: look at it"), note=local._explain_void(taken, asking))

    def _explain_void(self, taken, asking):
        """Return what follows when steps were taken back, in the language of the environment.

        :param asking: those of them that asked interest or costs
        """
        env = self.env
        sentences = [env._(
            "%(notice)s of %(date)s about %(invoices)s holds no longer. %(reason)s The ladder goes back for these "
            "invoices, and what is missing is sent again.",
            notice=", ".join(dict.fromkeys(taken.notice_id.mapped('display_name'))),
            date=format_date(env, min(taken.mapped('date'))),
            invoices=", ".join(dict.fromkeys(filter(None, taken.mapped('name')))), reason=taken[0].void_reason)]
        costs, interest = (sum(asking.mapped(name)) for name in ('amount_costs', 'amount_interest'))
        if costs or interest:
            sentences.append(env._(
                "%(costs)s of collection costs and %(interest)s of interest were asked. What rests on it is not owed: "
                "tell the debtor that it is withdrawn, or pay back what was paid.",
                costs=self.currency_id.format(costs), interest=self.currency_id.format(interest)))
        booked = taken.notice_id.filtered('booking_left')
        if booked:
            sentences.append(env._(
                "%s booked interest or costs that are still open: choose “Waive Booked Interest and Costs” there to "
                "credit them.", ", ".join(booked.mapped('display_name'))))
        return " ".join(sentences)

    # -------------------------------------------------------------------------
    # UNDOING WHAT WAS RECORDED BY MISTAKE
    # -------------------------------------------------------------------------

    def _remember(self):
        """Keep how these notices are, before the user records something of them."""
        now = fields.Datetime.to_string(fields.Datetime.now())
        for notice, values in zip(self, self.read(REMEMBERED, load=None), strict=True):
            del values['id']
            before = {name: str(value) if isinstance(value, date) else value for name, value in values.items()}
            notice._recording().undo_data = {
                'user_id': self.env.uid, 'at': now, 'known': notice.receipt_ids.ids, 'before': before}

    def _get_undoable(self):
        """Return those of these notices of which the user recorded something in the last minute."""
        return self.filtered(lambda notice: (
            (notice.undo_data or {}).get('user_id') == self.env.uid
            and is_recent(fields.Datetime.to_datetime(notice.undo_data['at']))))

    def action_undo(self):
        """Take back that letters were posted, or calls and tasks done or passed over: they wait again.

        Only by who recorded it, within a minute, and only while nothing followed from it.

        :raise UserError: a sentence, where it cannot be undone; then nothing changes
        """
        self.check_access('write')
        self._undo()
        return self._notify_result(self.env._("Undone: %s notices wait again.", len(self)))

    def _undo(self):
        """Let these notices be as they were remembered, and write down who undid it.

        :raise UserError: where that cannot be
        """
        self.lock_for_update()
        if self != self._get_undoable():
            raise UserError(self.env._(
                "It can be undone within a minute, by who recorded it. Correct it on the notice, or ask a manager."))
        booked = self.filtered('booking_ids')
        if booked:
            raise UserError(self.env._(
                "%s booked interest and costs already, so it cannot be undone. Waive them instead.",
                booked[:1].display_name))
        later = self.env['dunning.notice.line'].search(
            Domain('move_line_id', 'in', self.live_line_ids.move_line_id.ids) & Domain('status', '=', 'pending')
            & Domain('notice_id', 'not in', self.ids), limit=1)
        if later:
            raise UserError(self.env._(
                "%s was planned since, so it cannot be undone. Cancel that one first.", later.notice_id.display_name))
        self._unlink_level_activities()
        for notice in self._recording():
            data = notice.undo_data
            # sudo: evidence is the program's; it was recorded a moment ago by this user
            notice.receipt_ids.sudo().filtered(
                lambda receipt, known=data['known']: not receipt.withdrawn_on and receipt.id not in known).write({
                    'withdrawn_on': notice.company_id._dunning_today(), 'withdrawn_by_id': self.env.uid,
                    'withdraw_reason': self.env._("Undone by %s.", self.env.user.name)})
            notice.write({**data['before'], 'undo_data': False})
        for today, batch in self.filtered(lambda notice: notice.state == 'todo')._group_by_today():
            self.env['dunning.dispatcher']._schedule_activities(batch, today)
        self._log_act(lambda notice: notice.env._("Undone by %s: it waits again.", self.env.user.name))
        self._log_everywhere(lambda notice, env: env._(
            "%s was undone: it waits again.", notice._get_link(notice.level_id.name)))

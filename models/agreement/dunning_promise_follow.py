"""What becomes of a promise: the ledger decides, and holds, activities and the history follow."""

from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup, escape

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..kernel.dunning_bulk import schedule_activities

# How long after its date a promise that was decided is looked at again every day, in days. What is matched later than
# that is noticed when it is matched.
LOOK_BACK_DAYS = 60
DECIDED = ('kept', 'partly', 'broken')
# How long a broken promise is held against a debtor.
BROKEN_MONTHS = 12


class DunningPromiseFollow(models.AbstractModel):
    _name = 'dunning.promise.follow'
    _description = "Promise to Pay"

    # -------------------------------------------------------------------------
    # WHAT THE LEDGER SAYS
    # -------------------------------------------------------------------------

    @api.model
    def _judge(self, company, at_date):
        """Let the ledger decide about the promises to a creditor on a day, before reminders are planned.

        :return: the promises about which something was decided
        """
        since = at_date - timedelta(days=LOOK_BACK_DAYS)
        # sudo: what became of a promise follows from the books, whoever plans
        promises = self.sudo().search(
            Domain('company_id', 'in', company._get_dunning_company_ids()) & Domain('date_made', '<=', at_date)
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
        # What somebody else owes by now, this debtor owes no longer.
        own = {promise: promise._get_own_items() for promise in self}
        by_promise = {
            promise: (promise._get_live_lines().move_line_id & own[promise]).sorted('id') for promise in self}
        matched = Money._read_matched(self.line_ids.move_line_id, at_date)
        # sudo: only which creditor it is
        creditor_of = {company: company.sudo().dunning_creditor_id for company in self.company_id}
        pools = Money._get_pools({
            creditor: promises.partner_id
            for creditor, promises in self.grouped(lambda promise: creditor_of[promise.company_id]).items()}, at_date)
        result = {}
        for promise in self.sorted(lambda promise: (promise.date_promised, promise.id)):
            ready = set((promise.known or {}).get('open', ()))
            paid, paid_on, lowered = 0.0, False, defaultdict(float)
            for item_id, _move_id, is_money, amount, day in Money._split_new(
                by_promise[promise].ids, matched, promise.known, promise.currency_id, promise.grace_date
            ):
                if is_money:
                    paid += amount
                    paid_on = max(paid_on or day, day)
                else:
                    lowered[item_id] += amount
            lines = promise._get_live_lines()
            owed = [
                (line.amount, max(0.0, line.amount_open - lowered[line.move_line_id.id]))
                for line in lines if not line.move_line_id or line.move_line_id in own[promise]]
            need = sum(min(amount, left) for amount, left in owed)
            unmatched, need_at_end = 0.0, need
            pool = pools.get((
                creditor_of[promise.company_id].id, promise.partner_id.id, promise.currency_id.id), [])
            left = sum(left for _amount, left in owed)
            for credit in pool:
                free = Money._get_free(credit, own[promise].ids)
                if credit['date'] > promise.grace_date or credit['move_id'] in ready or not free:
                    continue
                if credit['is_money']:
                    take = min(free, max(0.0, need_at_end - paid - unmatched))
                    unmatched += take
                else:
                    take = max(0.0, min(free, left - paid))
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

    def _tell_broken(self, befores, at_date):
        """Plan one call about each promise that was not kept, for the collector."""
        told = {}
        untold = self.filtered(lambda promise: not promise.activity_ids.filtered('automated'))
        for promise, user in untold._get_responsibles().items():
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

    # -------------------------------------------------------------------------
    # ROWS FOR STATEMENTS
    # -------------------------------------------------------------------------

    @api.model
    def _get_running_sql(self):
        """Return SQL of the running promise that ends first, per creditor (``company_id``), debtor and currency."""
        return SQL(
            """
            SELECT DISTINCT ON (%(creditor)s, partner_id, currency_id)
                   %(creditor)s AS company_id, partner_id, currency_id, id AS promise_id,
                   date_promised AS promise_date, grace_date AS promise_end, amount AS promise_amount
              FROM dunning_promise
             WHERE state = 'running'
          ORDER BY %(creditor)s, partner_id, currency_id, date_promised, id
            """, creditor=self.env['res.company']._get_dunning_creditor_sql(SQL("company_id")))

    @api.model
    def _get_broken_sql(self, companies):
        """Return SQL of the number of broken promises of a year, and when the last one was.

        Per creditor (``company_id``) and debtor.

        :param SQL companies: a table named ``company`` with ``creditor_id`` and ``today``
        """
        return SQL(
            """
            SELECT company.creditor_id AS company_id, promise.partner_id, COUNT(*)::int AS broken_count,
                   MAX(promise.decided_on) AS last_broken
              FROM dunning_promise promise
              JOIN %(companies)s ON company.creditor_id = %(creditor)s
             WHERE promise.state = 'broken'
               AND promise.decided_on > company.today - MAKE_INTERVAL(months => %(months)s)
               AND promise.decided_on <= company.today
          GROUP BY company.creditor_id, promise.partner_id
            """,
            companies=companies, months=BROKEN_MONTHS,
            creditor=self.env['res.company']._get_dunning_creditor_sql(SQL("promise.company_id")))

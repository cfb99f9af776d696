"""A look at a whole day before its notices are made: may they leave by themselves?

A person who approves notices sees how many there are. Nobody sees those that a policy sends by itself, and a mistake,
such as an import of old invoices or a mail server that refuses everything, would reach every debtor at once.
"""

from odoo import api, models
from odoo.fields import Date, Domain

from ..ladder.dunning_level import MANUAL_CHANNELS
from .dunning_notice import GONE_STATES

# A smaller number of notices on a day is never a reason to wait.
LARGE_DAY = 50
# How many times the usual number is far more than usual, and how many days on which notices left make up the usual.
TIMES_USUAL, USUAL_DAYS = 3, 30
# How few failures are no reason to wait, whatever their share (%).
FAILURES_AT_LEAST, FAILED_SHARE = 10, 25
# States of notices that reached, or may have reached, a debtor.
LEFT_STATES = ('sent', 'withdrawn', 'undelivered')
MAILS = 'mail_message_id.notification_ids'


class DunningRunCheck(models.AbstractModel):
    _name = 'dunning.run.check'
    _description = "Check of a Day of Reminders"

    @api.model
    def _get_groups_that_go(self, company, groups):
        """Return the groups of decisions whose notice may leave without a person having looked at it."""
        policies = self.env['dunning.policy'].browse({group[0].policy_id for group in groups})
        automatic = set(policies.filtered(
            lambda policy: policy.approval == 'automatic' and policy.four_eyes != 'always').ids)
        # What was overdue before the start is always looked at first.
        groups = [
            group for group in groups
            if group[0].policy_id in automatic and not any(decision.backlog for decision in group)]
        # While another program reminds as well, somebody compares.
        if not groups or company._get_dunning_rivals():
            return []
        # Few debtors are flagged for review or abroad, so these are queried instead of read of each debtor.
        domain = Domain('dunning_review', '=', True) | Domain(
            'country_id.code', 'not in', [False, company._get_dunning_country()])
        found = self.env['res.partner'].with_context(active_test=False).search(
            Domain('id', 'in', [group[0].partner_id for group in groups]) & domain, order='id')
        reviewed = {
            debtor.id for debtor in found if debtor.dunning_review or company._is_dunning_abroad(debtor)}
        owed = self.env['account.move.line']._get_dunning_payables(company, {group[0].partner_id for group in groups})
        return [
            group for group in groups if group[0].partner_id not in reviewed
            and owed.get(group[0].partner_id, 0.0) < group[0].group_amount_company]

    @api.model
    def _hold_back(self, company, at_date, count):
        """Return whether notices that are about to be made wait for a person; the manager reads once why.

        :param count: how many notices would leave by themselves
        """
        if not count:
            return False
        failed, tried = self._count_failures(company, at_date)
        number = self._count_day(company, at_date) + count
        usual = self._get_usual(company, at_date) if number > LARGE_DAY else 0.0
        many_failed = failed >= FAILURES_AT_LEAST and 100 * failed > FAILED_SHARE * tried
        # Without a history the number of a large day is all there is to compare with.
        if not many_failed and (number <= LARGE_DAY or number <= TIMES_USUAL * usual):
            return False
        counts = {'failed': failed, 'tried': tried, 'number': number, 'count': count, 'usual': round(usual)}
        self._tell_manager(company, at_date, many_failed, counts)
        return True

    @api.model
    def _tell_manager(self, company, at_date, many_failed, counts):
        """Plan one to-do a day, on the contact of the company."""
        user = company._get_dunning_manager()
        # sudo: a person who plans need not be allowed to change the contact of the company
        partner = company.sudo().partner_id.with_context(lang=user.lang)
        summary = partner.env._("Reminders wait for approval: look at them before they leave")
        if not user or partner.activity_ids.filtered(lambda activity: (
            activity.user_id == user and activity.summary == summary and activity.date_deadline == at_date)):
            return
        note = partner.env._(
            "%(failed)s of the %(tried)s reminders of today and yesterday failed or came back, so the next ones do not "
            "leave by themselves: %(count)s are proposals. Look at the failed ones first.", **counts,
        ) if many_failed else partner.env._(
            "%(number)s reminders would leave by themselves in one day, and %(usual)s a day are usual, so they do not: "
            "%(count)s are proposals. Approve them when they are right.", **counts)
        partner.activity_schedule(
            'mail.mail_activity_data_warning', date_deadline=at_date, user_id=user.id, automated=True,
            summary=summary, note=note)

    @api.model
    def _review_law(self, company, at_date):
        """Keep one to-do on the contact of a company as long as a ladder of another law than its own is in use."""
        activity_type = self.env.ref('l10n_nl_dunning.mail_activity_type_law', raise_if_not_found=False)
        if not activity_type:
            return
        # sudo: as above
        partner = company.sudo().partner_id
        todo = partner.activity_ids.filtered(lambda activity: activity.activity_type_id == activity_type)
        policies = self.env['dunning.policy'].sudo()  # sudo: only their names
        if not company._get_dunning_law():
            decisions = self.env['dunning.planner']._plan(company, at_date, only_due={'foreign_law'})
            in_use = policies.browse(filter(None, (
                policy_id for kind in ('business', 'consumer') for policy_id in company._get_dunning_companies(
                )._get_dunning_choices(f'dunning_policy_{kind}_id').values())))
            in_use |= policies.browse({decision.policy_id for decision in decisions if decision.reason})
            # sudo: what a policy asks holds for every user
            policies = in_use.sudo().filtered(lambda policy: not policy._suits(company))
        if todo and not policies:
            todo.action_feedback(feedback=self.env._("No policy of another law is in use any more."))
        user = company._get_dunning_manager()
        if todo or not policies or not user:
            return
        partner = partner.with_context(lang=user.lang)
        partner.activity_schedule(
            'l10n_nl_dunning.mail_activity_type_law', date_deadline=at_date, user_id=user.id, automated=True,
            summary=partner.env._("Reminders wait: their policy follows Dutch law"),
            note=partner.env._(
                "%(why)s These are in use: %(policies)s. Nothing of them leaves until you choose another policy in the "
                "settings, and on the contacts and invoices that have one of these.",
                why=company.with_env(partner.env)._explain_dunning_law(),
                # sudo: only their names
                policies=", ".join(policies.with_env(partner.env).sudo().mapped('name'))))

    @api.model
    def _count_day(self, company, at_date):
        """Return how many notices nobody approved left on a day, are about to, or were held back on it before."""
        held_back = Domain([
            ('state', '=', 'draft'), ('date_planned', '=', at_date), ('backlog', '=', False),
            ('policy_id.approval', '=', 'automatic'), ('policy_id.four_eyes', '!=', 'always')])
        gone = Domain('date', '=', at_date) & Domain('state', 'in', GONE_STATES)
        return self.env['dunning.notice'].search_count(
            Domain([
                ('company_id', 'in', company._get_dunning_company_ids()), ('origin', '=', 'scheduled'),
                ('approved', '=', False)])
            & (Domain('state', '=', 'queued') | gone | held_back))

    @api.model
    def _get_usual(self, company, at_date):
        """Return the average number of notices of the last days before a day on which any left; 0 without."""
        days = self.env['dunning.notice']._read_group(
            [
                ('company_id', 'in', company._get_dunning_company_ids()), ('state', 'in', LEFT_STATES),
                ('date', '<', at_date)],
            ['date:day'], ['__count'], order='date:day desc', limit=USUAL_DAYS)
        return sum(count for _day, count in days) / len(days) if days else 0.0

    @api.model
    def _count_failures(self, company, at_date):
        """Return (failed, tried) notices of a day and the day before.

        Tried are those of which it is known what became of them: a mail that still waits in the mail queue is neither.
        """
        Notice = self.env['dunning.notice'].sudo()  # sudo: what became of the mails is the same for whoever plans
        since = Date.subtract(at_date, days=1)
        ours = Domain([
            ('company_id', 'in', company._get_dunning_company_ids()), ('channel', 'not in', MANUAL_CHANNELS)])
        left = Domain('state', 'in', LEFT_STATES) & Domain('date', '>=', since)
        failed = Domain('state', '=', 'error') & Domain('failed_on', '>=', since) | left & (
            Domain('state', '=', 'undelivered')
            | Domain(MAILS, 'any', [('notification_status', 'in', ('exception', 'bounce'))]))
        known = failed | left & ~Domain(MAILS, 'any', [('notification_status', 'in', ('ready', 'process', 'pending'))])
        return Notice.search_count(ours & failed), Notice.search_count(ours & known)

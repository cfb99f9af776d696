"""The place of an item on its ladder."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL


class DunningPlannerLadder(models.AbstractModel):
    _name = 'dunning.planner.ladder'
    _description = "Dunning Planner"

    # -------------------------------------------------------------------------
    # POLICIES AND LEVELS
    # -------------------------------------------------------------------------

    @api.model
    def _read_policy_ids(self, company):
        # sudo: what a policy says holds for every user
        return self.env['dunning.policy'].sudo().search_fetch(
            Domain('company_id', 'in', [False, *company.parent_ids.ids]),
            ['debtor_type', 'minimum_amount', 'currency_id', 'require_invoice_sent', 'agreed_interest_percent']).ids

    def _get_policies(self):
        """Return the policies that can be used in the company; no query."""
        return self.env['dunning.policy'].sudo().browse(self.env.context['dunning_policy_ids'])  # sudo: as above

    def _get_policies_sql(self, company, at_date):
        """Return SQL of the usable policies with their minimum in the company's currency."""
        policies = self._get_policies()
        rows = SQL(", ").join(
            SQL("(%s, %s, %s, %s, %s)", policy.id, policy.debtor_type,
                self._get_policy_minimum(policy, company, at_date), policy.require_invoice_sent,
                policy.agreed_interest_percent)
            for policy in policies
        ) or SQL("(0, 'any', 0.0, FALSE, 0.0)")
        return SQL(
            "SELECT id::int, debtor_type::varchar, minimum_amount::numeric, require_invoice_sent::boolean,"
            "       agreed_interest::numeric"
            " FROM (VALUES %s) AS policy (id, debtor_type, minimum_amount, require_invoice_sent, agreed_interest)",
            rows)

    def _get_policy_minimum(self, policy, company, at_date):
        scenario = self._get_scenario()
        if scenario and policy.id in scenario.minimums:
            return policy.currency_id._convert(
                scenario.minimums[policy.id], company.currency_id, company, at_date)
        return policy._minimum_in(company, at_date)

    @api.model
    def _read_level_ids(self):
        # sudo: what a level says holds for every user
        return self.env['dunning.level'].sudo().search_fetch(
            Domain.TRUE, ['policy_id', 'legal_role', 'channel', 'fallback_channel', 'letter_intro', 'letter_closing'],
        ).ids

    def _get_levels(self):
        """Return the levels of all policies; no query."""
        return self.env['dunning.level'].sudo().browse(self.env.context['dunning_level_ids'])  # sudo: as above

    # -------------------------------------------------------------------------
    # THE NEXT LEVEL
    # -------------------------------------------------------------------------

    def _get_laddered_sql(self, at_date):
        """Return SQL that adds to the items: policy, last level, next level, its day and its recipient."""
        def told(what, nothing):
            return SQL(
                """CASE WHEN next.with_costs AND item.debtor_type = 'consumer' THEN (
                            SELECT %s
                              FROM dunning_notice_line told
                              JOIN dunning_notice notice ON notice.id = told.notice_id
                             WHERE told.move_line_id = item.id AND told.status IN ('sent', 'skipped')
                               AND notice.legal_role = 'fourteen_day' AND notice.date <= %s) ELSE %s END""",
                what, at_date, nothing)

        return SQL(
            """
            SELECT item.*,
                   policy.id AS policy_id, policy.debtor_type AS policy_debtor_type,
                   policy.minimum_amount, policy.require_invoice_sent, policy.agreed_interest,
                   -- What holds reserve of the item, in its own currency and in that of the company.
                   COALESCE(held.hold_amount, 0) AS amount_held_currency,
                   %(held_company)s AS amount_held,
                   held.hold_active, held.hold_free_on, held.hold_reason_id, held.hold_user_id, held.hold_until,
                   held.hold_disputed,
                   pending.id AS pending_line_id,
                   last.level_id AS last_level_id, last.date AS last_date, last.deadline AS last_deadline,
                   next.id AS level_id, next.channel AS level_channel, next.legal_role AS level_legal_role,
                   next.with_interest AS level_with_interest, next.with_costs AS level_with_costs,
                   -- Each behind a CASE: looked up where it matters, which a join would do for every item.
                   %(letters)s AS fourteen_day_letters, %(costs_from)s AS fourteen_day_costs_from,
                   %(passed_over)s AS fourteen_day_passed_over,
                   -- A due date that was moved after the last notice counts as well: what is not due is not owed.
                   CASE WHEN next.delay_from = 'previous_deadline' AND last.deadline IS NOT NULL
                        THEN GREATEST(last.deadline + next.delay_days, last.deadline + 1, item.due_date + 1)
                        ELSE GREATEST(item.due_date + next.delay_days, last.deadline + 1)
                   END AS level_date,
                   %(recipient)s AS recipient_id,
                   -- Credits are set against what could be reminded, the oldest first.
                   item.parent_state = 'posted' AND item.amount_residual > 0 AND item.reconciled IS NOT TRUE
                       AND %(countable)s AS countable
              FROM item
         LEFT JOIN held ON held.item_id = item.id
         LEFT JOIN policy ON policy.id = CASE
                       WHEN item.move_policy_id = ANY(%(policies)s) THEN item.move_policy_id
                       WHEN item.debtor_policy_id = ANY(%(policies)s) THEN item.debtor_policy_id
                       WHEN item.debtor_type = 'consumer' THEN %(consumer)s::int ELSE %(business)s::int END
         LEFT JOIN dunning_notice_line pending
                ON pending.move_line_id = item.id AND pending.status = 'pending'
         LEFT JOIN LATERAL (
                   SELECT done.level_id, done.date, done.deadline
                     FROM dunning_notice_line done
                    WHERE done.move_line_id = item.id AND done.status IN ('sent', 'skipped')
                      AND done.date <= %(at_date)s
                 ORDER BY done.date DESC, done.id DESC
                    LIMIT 1) last ON TRUE
         LEFT JOIN next_level
                ON next_level.last_level_id = COALESCE(last.level_id, 0)
               AND next_level.policy_id = policy.id AND next_level.overdue = (item.due_date < %(at_date)s)
               AND next_level.consumer = (item.debtor_type = 'consumer')
         LEFT JOIN dunning_level next
                ON next.id = CASE
                       WHEN last.level_id IS NULL THEN next_level.id
                       -- Of its own: a step that this item had out of turn, or that is taken once.
                       WHEN next_level.legal_role = 'fourteen_day' OR EXISTS (
                                SELECT FROM dunning_notice_line used
                                 WHERE used.move_line_id = item.id AND used.level_id = next_level.id
                                   AND used.status IN ('sent', 'skipped'))
                       THEN (
                              SELECT level.id
                                FROM dunning_level level
                                JOIN dunning_level last_level ON last_level.id = last.level_id
                               WHERE level.policy_id = policy.id AND level.active
                                 AND (level.sequence, level.id) > (last_level.sequence, last_level.id)
                                 AND NOT (%(too_late)s AND item.due_date < %(at_date)s)
                                 AND (level.legal_role IS DISTINCT FROM 'fourteen_day'
                                      -- For consumers, and once: a second one would announce the same costs again.
                                      OR (item.debtor_type = 'consumer' AND NOT EXISTS (
                                             SELECT FROM dunning_notice_line told
                                               JOIN dunning_notice notice ON notice.id = told.notice_id
                                              WHERE told.move_line_id = item.id AND told.status = 'sent'
                                                AND notice.legal_role = 'fourteen_day')))
                                 AND NOT EXISTS (
                                         SELECT FROM dunning_notice_line used
                                          WHERE used.move_line_id = item.id AND used.level_id = level.id
                                            AND used.status IN ('sent', 'skipped'))
                            ORDER BY level.sequence, level.id
                               LIMIT 1)
                       ELSE next_level.id END
                   -- Fence: what is worked out here is asked by many reasons, and worked out once.
            OFFSET 0
            """,
            letters=told(SQL("COUNT(*) FILTER (WHERE told.status = 'sent')"), SQL("0::bigint")),
            costs_from=told(SQL("MIN(notice.costs_from) FILTER (WHERE told.status = 'sent')"), SQL("NULL::date")),
            # There was nothing to announce: the ladder goes on without costs.
            passed_over=told(
                SQL("COALESCE(BOOL_AND(told.status = 'skipped'), FALSE)"), SQL("FALSE")),
            recipient=self._get_recipient_sql(
                SQL.identifier('next'), SQL.identifier('item'), SQL("item.invoice_contact_id")),
            too_late=self._get_too_late_sql(),
            business=self.env.company.dunning_policy_business_id.id or None,
            consumer=self.env.company.dunning_policy_consumer_id.id or None,
            policies=self._get_policies().ids,
            held_company=self._get_held_company_sql(
                SQL.identifier('item'), SQL("%s", self.env.company.currency_id.decimal_places)),
            countable=self._get_countable_sql(SQL.identifier('item'), SQL.identifier('item')),
            at_date=at_date,
        )

    @staticmethod
    def _get_too_late_sql():
        """Return SQL that is true for a ``level`` before the due date: it makes no sense once an item is overdue."""
        return SQL("level.delay_from = 'due_date' AND level.delay_days < 0")

    def _get_in_default_sql(self, item):
        """Return SQL that is true when a consumer is in default (verzuim) for ``item``, a table name.

        After an agreed term: without notice (article 6:83 under a BW). Else only when the term of a written notice of
        default has run out (article 6:82 BW); a 14-day letter whose term ran out is one as well.
        """
        return SQL(
            """%(item)s.due_date < %(at_date)s
               AND CASE WHEN COALESCE(%(item)s.debtor_term_agreed = 'yes', %(agreed)s) THEN TRUE ELSE EXISTS (
                       SELECT FROM dunning_notice_line told
                         JOIN dunning_notice notice ON notice.id = told.notice_id
                        WHERE told.move_line_id = %(item)s.id AND told.status = 'sent'
                          AND notice.legal_role IN ('default_notice', 'fourteen_day')
                          -- A term that was over before the debtor could read of it is none.
                          AND notice.receipt_date <= told.deadline
                          AND told.deadline < %(at_date)s) END""",
            item=item,
            at_date=self._at_date(),
            agreed=self.env.company.dunning_term_agreed_consumer,
        )

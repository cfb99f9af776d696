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
    def _read_policies(self, company):
        """Return the policies that can be used in the company."""
        # sudo: what a policy says holds for every user
        return self.env['dunning.policy'].sudo().search_fetch(
            Domain('company_id', 'in', [False, *company.parent_ids.ids]),
            ['debtor_type', 'minimum_amount', 'currency_id', 'require_invoice_sent', 'agreed_interest_percent'])

    @api.model
    def _read_levels(self):
        """Return the levels of all policies."""
        # sudo: what a level says holds for every user
        return self.env['dunning.level'].sudo().search_fetch(
            Domain.TRUE, ['policy_id', 'legal_role', 'channel', 'fallback_channel', 'letter_intro', 'letter_closing'])

    def _get_policy_sql(self, question):
        """Return SQL of the usable policies with their minimum in the company's currency."""
        rows = SQL(", ").join(
            SQL("(%s, %s, %s, %s, %s)", policy.id, policy.debtor_type,
                policy._minimum_in(question.company, question.day), policy.require_invoice_sent,
                policy.agreed_interest_percent)
            for policy in question.policies
        ) or SQL("(0, 'any', 0.0, FALSE, 0.0)")
        return SQL(
            "SELECT id::int, debtor_type::varchar, minimum_amount::numeric, require_invoice_sent::boolean,"
            "       agreed_interest::numeric"
            " FROM (VALUES %s) AS policy (id, debtor_type, minimum_amount, require_invoice_sent, agreed_interest)",
            rows)

    # -------------------------------------------------------------------------
    # THE NEXT LEVEL
    # -------------------------------------------------------------------------

    def _get_laddered_sql(self, question):
        """Return SQL that adds to the items: policy, last level, next level, its day and its recipient."""
        company = question.company
        Line = self.env['dunning.notice.line']
        letters = Line._get_steps_sql('status', 'date', 'notice.legal_role', 'notice.costs_from')

        def told(what, nothing):
            return SQL(
                """CASE WHEN next.with_costs AND item.debtor_type = 'consumer' THEN (
                            SELECT %s
                              FROM (%s) told
                             WHERE told.item_id = item.id AND told.legal_role = 'fourteen_day' AND told.date <= %s)
                        ELSE %s END""",
                what, letters, question.day, nothing)

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
                   pending.notice_id AS pending_notice_id,
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
                   %(countable)s AS countable
              FROM item
         LEFT JOIN held ON held.item_id = item.id
         LEFT JOIN policy ON policy.id = CASE
                       WHEN item.move_policy_id = ANY(%(policies)s) THEN item.move_policy_id
                       WHEN item.debtor_policy_id = ANY(%(policies)s) THEN item.debtor_policy_id
                       WHEN item.debtor_type = 'consumer' THEN %(consumer)s::int ELSE %(business)s::int END
         LEFT JOIN (%(waiting)s) pending ON pending.item_id = item.id
         LEFT JOIN LATERAL (
                   SELECT done.level_id, done.date, done.deadline
                     FROM (%(steps)s) done
                    WHERE done.item_id = item.id AND done.date <= %(at_date)s
                 ORDER BY done.date DESC, done.id DESC
                    LIMIT 1) last ON TRUE
         LEFT JOIN next_level
                ON next_level.last_level_id = COALESCE(last.level_id, 0)
               AND next_level.policy_id = policy.id AND next_level.overdue = (item.due_date < %(at_date)s)
               AND next_level.consumer = (item.debtor_type = 'consumer')
         LEFT JOIN level next
                ON next.id = CASE
                       WHEN last.level_id IS NULL THEN next_level.id
                       -- Of its own: a step that this item had out of turn, or that is taken once.
                       WHEN next_level.legal_role = 'fourteen_day' OR EXISTS (
                                SELECT FROM (%(steps)s) used
                                 WHERE used.item_id = item.id AND used.level_id = next_level.id)
                       THEN (
                              SELECT level.id
                                FROM level
                                JOIN level last_level ON last_level.id = last.level_id
                               WHERE level.policy_id = policy.id AND level.active
                                 AND (level.sequence, level.id) > (last_level.sequence, last_level.id)
                                 AND NOT (%(too_late)s AND item.due_date < %(at_date)s)
                                 AND (level.legal_role IS DISTINCT FROM 'fourteen_day'
                                      -- For consumers, and once: a second one would announce the same costs again.
                                      OR (item.debtor_type = 'consumer' AND NOT EXISTS (
                                             SELECT FROM (%(told)s) told
                                              WHERE told.item_id = item.id AND told.legal_role = 'fourteen_day')))
                                 AND NOT EXISTS (
                                         SELECT FROM (%(steps)s) used
                                          WHERE used.item_id = item.id AND used.level_id = level.id)
                            ORDER BY level.sequence, level.id
                               LIMIT 1)
                       ELSE next_level.id END
                   -- Fence: what is worked out here is asked by many reasons, and worked out once.
            OFFSET 0
            """,
            letters=told(SQL("COUNT(*) FILTER (WHERE told.status = 'sent')"), SQL("0::bigint")),
            costs_from=told(SQL("MIN(told.costs_from) FILTER (WHERE told.status = 'sent')"), SQL("NULL::date")),
            # There was nothing to announce: the ladder goes on without costs.
            passed_over=told(
                SQL("COALESCE(BOOL_AND(told.status = 'skipped'), FALSE)"), SQL("FALSE")),
            recipient=self._get_recipient_sql(
                SQL.identifier('next'), SQL.identifier('item'), SQL("item.invoice_contact_id")),
            steps=Line._get_steps_sql('id', 'level_id', 'date', 'deadline'),
            told=Line._get_told_sql(SQL("TRUE")),
            waiting=Line._get_waiting_sql(),
            too_late=self.env['dunning.level']._get_too_late_sql(SQL.identifier('level')),
            business=company.dunning_policy_business_id.id or None,
            consumer=company.dunning_policy_consumer_id.id or None,
            policies=question.policies.ids,
            held_company=self._get_held_company_sql(
                SQL.identifier('item'), SQL("%s", company.currency_id.decimal_places)),
            countable=self._get_countable_sql(SQL.identifier('item'), SQL.identifier('item')),
            at_date=question.day,
        )

    def _get_in_default_sql(self, item, company, at_date):
        """Return SQL that is true when a consumer is in default (verzuim) for ``item``, a table name, on a day.

        After an agreed term: without notice (article 6:83 under a BW). Else only when the term of a written notice of
        default has run out (article 6:82 BW); a 14-day letter whose term ran out is one as well.
        """
        return SQL(
            """%(item)s.due_date < %(at_date)s
               AND CASE WHEN COALESCE(%(item)s.debtor_term_agreed = 'yes', %(agreed)s) THEN TRUE ELSE EXISTS (
                       SELECT FROM (%(told)s) told
                        WHERE told.item_id = %(item)s.id AND told.legal_role IN ('default_notice', 'fourteen_day')
                          -- A term that was over before the debtor could read of it is none.
                          AND told.receipt_date <= told.deadline
                          AND told.deadline < %(at_date)s) END""",
            item=item,
            at_date=at_date,
            agreed=company.dunning_term_agreed_consumer,
            told=self.env['dunning.notice.line']._get_told_sql(SQL("TRUE")),
        )

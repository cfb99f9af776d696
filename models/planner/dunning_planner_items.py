"""The open items, what is known of their debtors and set against them, and the place of each on its ladder."""

from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.law.letters import DEFAULT_NOTICE, FOURTEEN_DAY
from ..claim.dunning_claim import READ_OF_ITEMS, READ_OF_MOVES
from .question import Question, Sources


class DunningPlannerItems(models.AbstractModel):
    _name = 'dunning.planner.items'
    _description = "Dunning Planner"

    # -------------------------------------------------------------------------
    # WHAT IS ASKED ABOUT
    # -------------------------------------------------------------------------

    @api.model
    def _ask(self, company, day, *, items=None, partners=None, blocking=None, **arguments):
        """Return the :class:`Question` about due items of a creditor on a day, without ladder and reasons.

        :param SQL blocking: condition on ``hold`` of what holds an item; None: what holds reminders back
        """
        company._get_dunning_companies()._read_for_dunning()
        law = company._get_dunning_law()
        Line, line = self.env['account.move.line'], SQL.identifier('line')
        asked = []
        if partners is not None:
            asked.append(SQL("ANY(%s)", list(partners.commercial_partner_id.ids)))
        if items is not None:
            # All items of the debtors concerned take part: they share their credits.
            asked.append(SQL("ANY(ARRAY(%s))", Line._get_dunning_debtors_sql(items)))
        scope, whose = (
            SQL(" AND ").join(SQL("%s = %s", debtor, debtors) for debtors in asked) or SQL("TRUE")
            for debtor in (SQL("partner.commercial_partner_id"), SQL("debtor.id")))
        open_debts = SQL("%s AND line.amount_residual > 0 AND %s", Line._get_dunning_unreconciled_sql(
            line, company), scope)
        held = self.env['dunning.hold']._get_held_sql(company, day, open_debts, blocking)
        bookings = None
        if items is not None:
            items.fetch(READ_OF_ITEMS)
            items.move_id.fetch(READ_OF_MOVES)
            bookings = items.move_id.filtered('dunning_notice_id')
        if bookings is None or bookings:
            held = self._get_not_asked_sql(company, day, held, open_debts, bookings)
        return Question(
            company, day, law, items=items, partners=partners, companies=company._get_dunning_companies(), **arguments,
            scope=scope, held=held,
            lines=Line._get_dunning_rows_sql(company, open_debts, items),
            due_date=Line._get_dunning_due_date_sql(line, SQL.identifier('move')),
            # Of the past it is not known what had been named by then.
            **({'credits': Line._get_dunning_credits_sql(company, day, whose)} if arguments.get('past') else {
                'imputed': self.env['dunning.imputation']._impute(
                    company, day, None if items is None and partners is None else whose)}))

    @api.model
    def _get_not_asked_sql(self, company, day, held, open_debts, bookings):
        """Return SQL of what is not asked of due items: what is on hold, and what was booked and is not owed.

        :param SQL held: of what is on hold
        :param SQL open_debts: condition on open items
        :param bookings: invoices that book interest and costs; None: all
        """
        overbooked = self.env['dunning.claim']._read_overbooked(company, day, bookings, alone=True)
        if not overbooked:
            return held
        return SQL(
            """
            SELECT COALESCE(held.item_id, line.id) AS item_id,
                   LEAST(COALESCE(line.amount_residual_currency, held.hold_amount),
                         COALESCE(held.hold_amount, 0) + COALESCE(overbooked.amount, 0)) AS hold_amount,
                   hold_active, hold_free_on, hold_reason_id, hold_user_id, hold_until, hold_disputed
              FROM (%(held)s) held
         FULL JOIN (UNNEST(%(bookings)s::int[], %(amounts)s::numeric[]) AS overbooked (move_id, amount)
                    JOIN (%(lines)s) line ON line.move_id = overbooked.move_id)
                ON line.id = held.item_id
            """,
            held=held, bookings=list(overbooked), amounts=[found.amount for found in overbooked.values()],
            lines=self.env['account.move.line']._get_dunning_rows_sql(
                company, SQL("%s AND line.move_id = ANY(%s)", open_debts, list(overbooked))))

    @api.model
    def _get_sources(self, question):
        """Return the :class:`Sources` of the statement; package by package, in the order in which they are."""
        company, day, reasons = question.company, question.day, question.item_reasons
        Level, Line = self.env['dunning.level'], self.env['dunning.notice.line']
        return Sources(
            levels=Level._get_levels_sql(),
            foreign_policy_ids=question.levels._get_foreign_policies(question.law).ids,
            next_levels=Level._get_next_level_sql(),
            too_late=Level._get_too_late_sql(SQL.identifier('level')),
            said=Level._get_said_sql(SQL("asked_channel"), SQL.identifier('asked_level')),
            written_call_ids=[
                level.id for level in question.levels
                if level.fallback_channel and level.channel == 'phone' and level._can_be_written()],
            policies=SQL(", ").join(
                SQL("(%s, %s, %s, %s, %s)", policy.id, policy.debtor_type,
                    policy.minimum_amount if policy.currency_id == company.currency_id else
                    policy.currency_id._convert(policy.minimum_amount, company.currency_id, company, day),
                    policy.require_invoice_sent, policy.agreed_interest_percent)
                for policy in question.policies) or SQL("(0, 'any', 0.0, FALSE, 0.0)"),
            judgements=self.env['dunning.claim']._judge_letters(
                company, day, question.scope if question.past else SQL(
                    "notice.partner_id IN (SELECT debtor_id FROM (%s) owing)", question.lines),
            ) if {DEFAULT_NOTICE, FOURTEEN_DAY} & set(question.levels.mapped('legal_role')) else {},
            steps=Line._get_steps_sql(SQL.identifier('item'), 'id', 'level_id', 'date', 'deadline'),
            passed_over=Line._get_passed_over_sql(SQL.identifier('laddered'), day),
            waiting=Line._get_waiting_sql(),
            messages=self.env['dunning.notice']._get_messages_sql(company, day),
            asked_and_owed=SQL(
                "SELECT asked.notice_id FROM (%s) asked WHERE %s", Line._get_asked_sql(),
                self.env['account.move.line']._get_dunning_is_owed_sql(SQL("asked.item_id"))),
            stale_rates=self.env['dunning.interest.rate']._freshness(day) if 'rates_stale' in reasons else (),
            prescribed=self.env['dunning.prescription']._get_is_prescribed_sql(
                SQL.identifier('laddered'), company, day) if question.law else SQL("FALSE"),
            debtor_type=self.env['res.partner']._get_dunning_type_sql(SQL.identifier('debtor')),
            bank_states=company._get_dunning_bank_states() if 'bank_stale' in reasons else (),
        )

    # -------------------------------------------------------------------------
    # ITEMS AND DEBTORS
    # -------------------------------------------------------------------------

    def _get_item_sql(self, question):
        """Return SQL of the items with what is known of their move and debtor."""
        company = question.company
        Partner = self.env['res.partner'].with_company(company)
        Move = self.env['account.move']
        debtor, line = SQL.identifier('debtor'), SQL.identifier('line')
        return SQL(
            """
            SELECT line.id, line.move_id, line.company_id, line.currency_id,
                   line.amount_residual, line.amount_residual_currency, line.reconciled, line.no_followup,
                   line.parent_state, %(due_date)s AS due_date,
                   move.payment_state, move.is_move_sent, move.dunning_sent_state, move.move_type,
                   %(no_debt)s AS no_debt,
                   %(debit_on)s AS debit_on,
                   debtor.id AS partner_id,
                   -- What a notice would tell of it: what was told before about something else does not count.
                   debtor.id AS debtor_id, CASE WHEN move.move_type <> 'entry' THEN move.name END AS number,
                   line.amount_currency AS amount,
                   person.id AS invoice_contact_id,
                   contact.dunning_id AS dunning_contact_id, contact.director_id AS director_contact_id,
                   %(debtor_type)s AS debtor_type,
                   %(debtor_term)s AS debtor_term_agreed,
                   move.dunning_policy_id AS move_policy_id, move.dunning_notice_id AS claim_notice_id,
                   %(debtor_policy)s AS debtor_policy_id,
                   GREATEST(COALESCE(credit.amount, 0), COALESCE(named.amount, 0)) AS credit_company,
                   COALESCE(credit.loose, 0) AS credit_loose, COALESCE(named.amount, 0) AS amount_named,
                   %(start_date)s::date AS start_date,
                   %(oldest_due_date)s::date AS oldest_due_date,
                   %(debtor_email)s AS debtor_email, debtor.dunning_email_bounced_on AS debtor_bounced_on,
                   %(debtor_phone)s AS debtor_phone, %(debtor_address)s AS debtor_address
              FROM (%(lines)s) line
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN res_partner debtor ON debtor.id = line.debtor_id
                   -- Whoever left the debtor, or left altogether, reads nothing of it.
         LEFT JOIN res_partner person ON person.id = move.partner_id AND person.commercial_partner_id = debtor.id
                                     AND person.active
         LEFT JOIN contact ON contact.commercial_partner_id = debtor.id
         LEFT JOIN credit ON credit.partner_id = debtor.id
         LEFT JOIN named ON named.item_id = line.id
             WHERE %(may_be_due)s
                   -- Fence: the kind of debtor and the due date are asked all over the statement.
            OFFSET 0
            """,
            lines=question.lines,
            due_date=question.due_date,
            may_be_due=self._get_may_be_due_sql(question),
            debtor_type=question.sources.debtor_type,
            no_debt=self.env['account.move.line']._get_dunning_no_debt_sql(SQL("line.id"), SQL.identifier('move')),
            debit_on=self._get_debit_day_sql(question) or SQL("NULL::date"),
            debtor_policy=self._get_debtor_policy_sql(Partner),
            debtor_email=Partner._get_dunning_has_email_sql(debtor),
            debtor_phone=self._get_has_phone_sql(debtor),
            debtor_address=self._get_has_address_sql(debtor),
            debtor_term=SQL(
                "CASE WHEN debtor.dunning_term_agreed IS NULL THEN NULL ELSE %s END",
                Partner._field_to_sql('debtor', 'dunning_term_agreed')),
            start_date=self._get_own_sql(question, 'dunning_start_date', line),
            oldest_due_date=self._get_own_sql(question, 'dunning_oldest_due_date', line),
            # The columns read here, named so that pending changes are written first.
            to_flush=[
                *(Move._fields[name] for name in (
                    'payment_state', 'is_move_sent', 'dunning_sent_state', 'move_type', 'partner_id', 'name',
                    'dunning_policy_id', 'dunning_notice_id')),
                *(Partner._fields[name] for name in (
                    'dunning_policy_id', 'dunning_term_agreed', 'commercial_partner_id', 'active')),
            ],
        )

    @staticmethod
    def _get_may_be_due_sql(question):
        """Return the SQL condition that a level can be due: what is not even near its due date is judged only when
        all answers are wanted. Money goes to older items first, so these take nothing from those.
        """
        if not question.only_due:
            return SQL("TRUE")
        return SQL("%s <= %s", question.due_date, question.day - timedelta(
            days=min([0, *question.levels.mapped('delay_days')])))

    def _get_debtor_policy_sql(self, Partner):
        """Return SQL of the own policy of ``debtor``; the ORM's expression only where something was chosen.

        It looks up the policy for each row, and few debtors have one of their own.
        """
        default = Partner._fields['dunning_policy_id'].get_company_dependent_fallback(Partner)
        return SQL(
            "CASE WHEN debtor.dunning_policy_id IS NULL THEN %s ELSE %s END",
            default.id or None, Partner._field_to_sql('debtor', 'dunning_policy_id'))

    # -------------------------------------------------------------------------
    # WHAT EACH COMPANY CHOSE
    # -------------------------------------------------------------------------

    @staticmethod
    def _get_own_sql(question, name, item):
        """Return SQL of what the company of ``item`` chose, or the one above it; one value where all are the same.

        :param str name: a setting of ``res.company``, a date or a reference
        :param SQL item: the name of a row with a ``company_id``
        """
        values = question.companies._get_dunning_choices(name)
        if len(set(values.values())) == 1:
            return SQL("%s", next(iter(values.values())))
        return SQL("CASE %s.company_id %s END", item, SQL(" ").join(
            SQL("WHEN %s THEN %s", company_id, value) for company_id, value in values.items()))

    def _get_company_policy_sql(self, question, item):
        """Return SQL of the policy of the company of ``item`` for this type of debtor.

        A debtor has one ladder: where the companies at which it owes chose different ones, that of the creditor counts.
        """
        names = ('dunning_policy_consumer_id', 'dunning_policy_business_id')

        def get_sql(get):
            return SQL("CASE WHEN %s.debtor_type = 'consumer' THEN %s::int ELSE %s::int END", item, *map(get, names))

        own = get_sql(lambda name: self._get_own_sql(question, name, item))
        if all(len(set(question.companies._get_dunning_choices(name).values())) == 1 for name in names):
            return own
        creditor = question.companies.dunning_creditor_id
        return SQL(
            """CASE WHEN MIN(COALESCE(%(own)s, 0)) OVER (PARTITION BY %(item)s.partner_id)
                         = MAX(COALESCE(%(own)s, 0)) OVER (PARTITION BY %(item)s.partner_id)
                    THEN %(own)s ELSE %(creditors)s END""",
            own=own, item=item, creditors=get_sql(lambda name: SQL("%s", creditor[name].id or None)))

    # -------------------------------------------------------------------------
    # POLICIES AND LEVELS
    # -------------------------------------------------------------------------

    @api.model
    def _read_policies(self, company):
        """Return the policies that can be used in a company of the creditor."""
        # sudo: what a policy says holds for every user
        return self.env['dunning.policy'].sudo().search_fetch(
            Domain('company_id', 'in', [False, *company._get_dunning_companies().parent_ids.ids]),
            ['debtor_type', 'minimum_amount', 'currency_id', 'require_invoice_sent', 'agreed_interest_percent',
             'bank_max_age'])

    @api.model
    def _read_levels(self):
        """Return the levels of all policies."""
        # The texts in all languages: whether a level can be written is asked of each.
        # sudo: what a level says holds for every user
        return self.env['dunning.level'].sudo().with_context(prefetch_langs=True).search_fetch(
            Domain.TRUE, [
                'policy_id', 'delay_days', 'legal_role', 'with_interest', 'with_costs', 'channel', 'fallback_channel',
                'letter_intro', 'letter_closing'])

    def _get_policy_sql(self, question):
        """Return SQL of the usable policies with their minimum in the company's currency."""
        return SQL(
            "SELECT id::int, debtor_type::varchar, minimum_amount::numeric, require_invoice_sent::boolean,"
            "       agreed_interest::numeric"
            " FROM (VALUES %s) AS policy (id, debtor_type, minimum_amount, require_invoice_sent, agreed_interest)",
            question.sources.policies)

    def _get_level_sql(self, question):
        return question.sources.levels

    def _get_next_level_sql(self, question):
        # The same for all items at one place of the ladder: worked out once.
        return question.sources.next_levels

    # -------------------------------------------------------------------------
    # THE NEXT LEVEL
    # -------------------------------------------------------------------------

    def _get_laddered_sql(self, question):
        """Return SQL that adds to the items: policy, last level, next level, its day and its recipient."""
        company, sources = question.company, question.sources

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
                   -- A due date that was moved after the last notice counts as well: what is not due is not owed.
                   CASE WHEN next.delay_from = 'previous_deadline' AND last.deadline IS NOT NULL
                        THEN GREATEST(last.deadline + next.delay_days, last.deadline + 1, item.due_date + 1)
                        ELSE GREATEST(item.due_date + next.delay_days, last.deadline + 1)
                   END AS level_date,
                   %(recipient)s AS recipient_id,
                   -- Credits are set against what could be reminded, the oldest first.
                   %(countable)s AS countable
              FROM (SELECT item.*, effect.default_from, effect.costs_from, COALESCE(effect.awaited, FALSE) AS awaited,
                           %(company_policy)s::int AS company_policy_id
                      FROM item LEFT JOIN effect ON effect.item_id = item.id) item
         LEFT JOIN held ON held.item_id = item.id
         LEFT JOIN policy ON policy.id = CASE
                       WHEN item.move_policy_id = ANY(%(policies)s) THEN item.move_policy_id
                       WHEN item.debtor_policy_id = ANY(%(policies)s) THEN item.debtor_policy_id
                       ELSE item.company_policy_id END
         LEFT JOIN (%(waiting)s) pending ON pending.item_id = item.id
         LEFT JOIN LATERAL (
                   SELECT done.level_id, done.date, done.deadline
                     FROM (%(steps)s) done
                    WHERE done.date <= %(at_date)s
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
                                SELECT FROM (%(steps)s) used WHERE used.level_id = next_level.id)
                       THEN (
                              SELECT level.id
                                FROM level
                                JOIN level last_level ON last_level.id = last.level_id
                               WHERE level.policy_id = policy.id AND level.active
                                 AND (level.sequence, level.id) > (last_level.sequence, last_level.id)
                                 AND NOT (%(too_late)s AND item.due_date < %(at_date)s)
                                 AND (level.legal_role IS DISTINCT FROM 'fourteen_day'
                                      -- For consumers, and once: a second one would announce the same costs again.
                                      OR (item.debtor_type = 'consumer' AND item.costs_from IS NULL
                                          AND NOT item.awaited))
                                 AND NOT EXISTS (
                                         SELECT FROM (%(steps)s) used WHERE used.level_id = level.id)
                            ORDER BY level.sequence, level.id
                               LIMIT 1)
                       ELSE next_level.id END
                   -- Fence: what is worked out here is asked by many reasons, and worked out once.
            OFFSET 0
            """,
            recipient=self._get_recipient_sql(
                SQL.identifier('next'), SQL.identifier('item'), SQL("item.invoice_contact_id")),
            steps=sources.steps,
            waiting=sources.waiting,
            too_late=sources.too_late,
            company_policy=self._get_company_policy_sql(question, SQL.identifier('item')),
            policies=question.policies.ids,
            held_company=self._get_held_company_sql(SQL.identifier('item'), self._get_places_sql(company)),
            countable=self._get_countable_sql(
                SQL.identifier('item'), SQL.identifier('item'), SQL("item.move_id"), SQL("item.no_debt")),
            at_date=question.day,
        )

    @api.model
    def _get_in_default_sql(self, item, question):
        """Return SQL that is true when a consumer is in default (verzuim) for ``item``, a table name, on the day.

        After an agreed term: without notice (article 6:83 under a BW). Else only when a written notice of default has
        run out (article 6:82 BW) and still holds.
        """
        return SQL(
            """%(item)s.due_date < %(day)s
               AND (COALESCE(%(item)s.debtor_term_agreed = 'yes', %(agreed)s) OR %(item)s.default_from <= %(day)s)""",
            item=item, day=question.day, agreed=question.company.dunning_term_agreed_consumer)

    def _get_effect_sql(self, question):
        """Return SQL of what the letters to consumers amount to: first days of default and of costs, a row by item."""
        rows = [
            (item_id, found.default_from.get(item_id), found.costs_from.get(item_id), item_id in found.awaited)
            for found in question.sources.judgements.values()
            for item_id in {*found.default_from, *found.costs_from, *found.awaited}]
        columns = zip(*rows, strict=True) if rows else ((),) * 4
        return SQL(
            "SELECT * FROM UNNEST(%s::int[], %s::date[], %s::date[], %s::boolean[])"
            " AS effect (item_id, default_from, costs_from, awaited)", *map(list, columns))

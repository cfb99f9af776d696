"""The open items, what is known of their debtors, and what is set against them."""

from odoo import api, models
from odoo.tools import SQL


class DunningPlannerItems(models.AbstractModel):
    _name = 'dunning.planner.items'
    _description = "Dunning Planner"

    # -------------------------------------------------------------------------
    # SCOPE
    # -------------------------------------------------------------------------

    def _get_scope_sql(self, items, partners):
        """Return SQL that keeps the rows (aliases ``line``, ``partner``) of the debtors asked for."""
        clauses = []
        if partners is not None:
            clauses.append(SQL("partner.commercial_partner_id = ANY(%s)", list(partners.commercial_partner_id.ids)))
        if items is not None:
            # All items of the debtors concerned take part: they share his credits.
            clauses.append(SQL(
                """partner.commercial_partner_id = ANY(ARRAY(
                       SELECT DISTINCT asked_partner.commercial_partner_id
                         FROM account_move_line asked
                         JOIN res_partner asked_partner ON asked_partner.id = asked.partner_id
                        WHERE asked.id = ANY(%s)))""",
                list(items.ids)))
        return SQL(" AND ").join(clauses) or SQL("TRUE")

    def _get_open_lines_sql(self, company):
        """Return the conditions on ``line`` for open posted receivable items of the company.

        The column tests are those of the index on unreconciled lines.
        """
        return SQL(
            "line.company_id = %s AND line.parent_state = 'posted' AND line.reconciled IS NOT TRUE"
            " AND line.account_id = ANY(%s)",
            company.id, self.env.context['dunning_receivable_ids'])

    # -------------------------------------------------------------------------
    # NETTING
    # -------------------------------------------------------------------------

    @api.model
    def _get_open_credits_sql(self, company, partners=None):
        """Return SQL of the open credits per debtor (``partner_id``, ``amount``), for other statements."""
        receivable_ids = self.env['account.move.line']._get_dunning_receivables(company).ids
        planner = self.with_company(company).with_context(dunning_receivable_ids=receivable_ids)
        return planner._get_credits_sql(company, None, partners)

    def _get_credits_sql(self, company, items, partners):
        """Return SQL of the open credits per debtor, in the currency of the company.

        Credits are unreconciled credit notes and payments, payments that have no
        journal entry (yet) because their journal has no outstanding account, and
        receipts on a bank statement that nobody matched yet.
        """
        return SQL(
            """
            SELECT partner_id, SUM(amount) AS amount FROM (
                SELECT partner.commercial_partner_id AS partner_id, -line.amount_residual AS amount
                  FROM account_move_line line
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE %(open_lines)s AND line.amount_residual < 0 AND %(scope)s
             UNION ALL
                SELECT partner.commercial_partner_id, payment.amount_company_currency_signed
                  FROM account_payment payment
                  JOIN res_partner partner ON partner.id = payment.partner_id
                 WHERE payment.company_id = %(company)s AND payment.move_id IS NULL
                   AND payment.state = 'in_process'
                   AND payment.payment_type = 'inbound' AND payment.partner_type = 'customer'
                   AND NOT EXISTS (SELECT FROM account_move__account_payment rel WHERE rel.payment_id = payment.id)
                   AND %(scope)s
             UNION ALL
                SELECT partner.commercial_partner_id, -line.balance
                  FROM account_bank_statement_line receipt
                  JOIN account_journal journal ON journal.id = receipt.journal_id
                  JOIN account_move_line line ON line.move_id = receipt.move_id
                                             AND line.account_id = journal.suspense_account_id
                  JOIN res_partner partner ON partner.id = receipt.partner_id
                 WHERE receipt.company_id = %(company)s AND receipt.is_reconciled IS NOT TRUE
                   AND line.parent_state = 'posted' AND line.balance < 0 AND %(scope)s
            ) open_credit
            GROUP BY partner_id
            """,
            open_lines=self._get_open_lines_sql(company),
            scope=self._get_scope_sql(items, partners),
            company=company.id,
        )

    @staticmethod
    def _get_countable_sql(line, move):
        """Return SQL that is true when open credits are set against an open item: it could be asked for."""
        return SQL(
            "%s.no_followup IS NOT TRUE"
            " AND COALESCE(%s.payment_state, '') NOT IN ('blocked', 'in_payment', 'paid', 'reversed')", line, move)

    @staticmethod
    def _get_covered_sql(free, credit, so_far):
        """Return SQL of what credits cover of an item.

        :param free: SQL of what is open on it and not on hold
        :param credit: SQL of the credits of the debtor
        :param so_far: SQL of what is free of this item and the older ones together
        """
        return SQL("GREATEST(0, LEAST(%(free)s, %(credit)s - %(so_far)s + %(free)s))",
                   free=free, credit=credit, so_far=so_far)

    def _get_held_sql(self, company, at_date, items, partners):
        """Return SQL of the due items that are wholly or partly on hold, see ``dunning.hold``."""
        return self.env['dunning.hold']._get_held_sql(
            company, at_date,
            SQL("%s AND line.amount_residual > 0 AND %s",
                self._get_open_lines_sql(company), self._get_scope_sql(items, partners)))

    @staticmethod
    def _get_held_company_sql(line, places):
        """Return SQL of what is on hold of an item in the currency of the company.

        :param line: SQL name of the item; the row of ``dunning.hold._get_held_sql`` is joined to it as ``held``
        :param places: SQL of the decimals of the company's currency
        """
        return SQL(
            """CASE WHEN held.hold_amount > 0 THEN CASE
                       WHEN held.hold_amount >= %(line)s.amount_residual_currency THEN %(line)s.amount_residual
                       ELSE ROUND(
                           %(line)s.amount_residual * held.hold_amount / %(line)s.amount_residual_currency, %(places)s)
                   END ELSE 0 END""",
            line=line, places=places)

    # -------------------------------------------------------------------------
    # ITEMS AND DEBTORS
    # -------------------------------------------------------------------------

    def _get_items_sql(self, company, items, partners):
        """Return SQL of the items with what is known of their move and debtor."""
        Partner = self.env['res.partner'].with_company(company)
        Line = self.env['account.move.line']
        Move = self.env['account.move']
        # The columns read below, named so that pending changes are written first.
        flushed = [
            *(Line._fields[name] for name in (
                'reconciled', 'amount_residual', 'amount_residual_currency', 'no_followup', 'parent_state',
                'partner_id', 'account_id', 'company_id', 'currency_id', 'balance')),
            *(Move._fields[name] for name in (
                'payment_state', 'is_move_sent', 'move_type', 'partner_id', 'dunning_policy_id',
                'dunning_notice_id')),
            *(Partner._fields[name] for name in (
                'commercial_partner_id', 'type', 'active', 'phone', 'email_normalized', 'dunning_email_bounced_on',
                'company_id', 'street', 'city', 'dunning_policy_id', 'dunning_term_agreed')),
            *(self.env['dunning.notice.line']._fields[name] for name in (
                'move_line_id', 'level_id', 'status', 'date', 'deadline')),
            *(self.env['dunning.level']._fields[name] for name in (
                'policy_id', 'sequence', 'active', 'delay_days', 'delay_from', 'channel', 'legal_role',
                'with_interest', 'with_costs', 'recipient', 'fallback_channel')),
            *(self.env['dunning.notice']._fields[name] for name in (
                'legal_role', 'costs_from', 'receipt_date', 'date', 'date_planned', 'posted_on', 'state', 'channel',
                'partner_id', 'recipient_id', 'currency_id', 'level_id', 'company_id')),
            *(self.env['account.payment']._fields[name] for name in (
                'state', 'move_id', 'amount_company_currency_signed', 'partner_id', 'payment_type', 'partner_type',
                'company_id')),
            *(self.env['account.bank.statement.line']._fields[name] for name in ('is_reconciled', 'partner_id')),
        ]
        asked = SQL("%s AND line.amount_residual > 0", self._get_open_lines_sql(company))
        scope = self._get_scope_sql(items, partners)
        source, wanted = SQL("account_move_line line"), SQL("%s AND %s", asked, scope)
        if items is not None:
            # Two index look-ups instead of one look at everything that is open.
            source = SQL(
                """(SELECT line.id
                      FROM account_move_line line
                      JOIN res_partner partner ON partner.id = line.partner_id
                     WHERE %(wanted)s
                     UNION
                    SELECT line.id FROM account_move_line line
                     WHERE line.id = ANY(%(items)s) AND line.company_id = %(company)s) asked
              JOIN account_move_line line ON line.id = asked.id""",
                wanted=wanted, items=list(items.ids), company=company.id)
            wanted = SQL("TRUE")
        return SQL(
            """
            SELECT line.id, line.move_id, line.currency_id,
                   line.amount_residual, line.amount_residual_currency, line.reconciled, line.no_followup,
                   line.parent_state, %(due_date)s AS due_date,
                   move.payment_state, move.is_move_sent, move.move_type,
                   debtor.id AS partner_id,
                   COALESCE(move.partner_id, partner.id, debtor.id) AS invoice_contact_id,
                   contact.dunning_id AS dunning_contact_id, contact.director_id AS director_contact_id,
                   %(debtor_type)s AS debtor_type,
                   %(debtor_term)s AS debtor_term_agreed,
                   move.dunning_policy_id AS move_policy_id, move.dunning_notice_id AS claim_notice_id,
                   %(debtor_policy)s AS debtor_policy_id,
                   COALESCE(credit.amount, 0) AS credit_company,
                   %(start_date)s::date AS start_date,
                   %(oldest_due_date)s::date AS oldest_due_date,
                   %(debtor_email)s AS debtor_email, debtor.dunning_email_bounced_on AS debtor_bounced_on,
                   %(debtor_phone)s AS debtor_phone, %(debtor_address)s AS debtor_address
              FROM %(source)s
              JOIN account_move move ON move.id = line.move_id
         LEFT JOIN res_partner partner ON partner.id = line.partner_id
         LEFT JOIN res_partner debtor ON debtor.id = partner.commercial_partner_id
         LEFT JOIN contact ON contact.commercial_partner_id = debtor.id
         LEFT JOIN credit ON credit.partner_id = debtor.id
             WHERE %(wanted)s
                   -- Fence: the kind of debtor and the due date are asked all over the statement.
            OFFSET 0
            """,
            due_date=Line._get_dunning_due_date_sql(SQL.identifier('line')),
            debtor_type=Partner._get_dunning_type_sql(SQL.identifier('debtor')),
            debtor_policy=self._get_debtor_policy_sql(Partner),
            debtor_email=self._get_has_email_sql(SQL.identifier('debtor')),
            debtor_phone=self._get_has_phone_sql(SQL.identifier('debtor')),
            debtor_address=self._get_has_address_sql(SQL.identifier('debtor')),
            debtor_term=SQL(
                "CASE WHEN debtor.dunning_term_agreed IS NULL THEN NULL ELSE %s END",
                Partner._field_to_sql('debtor', 'dunning_term_agreed')),
            start_date=company.dunning_start_date or None,
            oldest_due_date=company.dunning_oldest_due_date or None,
            source=source,
            wanted=wanted,
            to_flush=flushed,
        )

    def _get_debtor_policy_sql(self, Partner):
        """Return SQL of the own policy of ``debtor``; the ORM's expression only where something was chosen.

        It looks up the policy for each row, and few debtors have one of their own. A scenario may have debtors follow
        its policy.
        """
        default = Partner._fields['dunning_policy_id'].get_company_dependent_fallback(Partner)
        own = SQL(
            "CASE WHEN debtor.dunning_policy_id IS NULL THEN %s ELSE %s END",
            default.id or None, Partner._field_to_sql('debtor', 'dunning_policy_id'))
        scenario = self._get_scenario()
        if not scenario or not scenario.policy_id:
            return own
        return SQL(
            "CASE WHEN debtor.id = ANY(%s) THEN %s ELSE %s END",
            scenario.policy_partner_ids, scenario.policy_id, own)

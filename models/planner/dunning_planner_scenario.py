"""The planner in a scenario: the ledger of a past day, notices that were not made, another ladder.

The planner's statement reads tables. A scenario puts others before it, under the same names: in PostgreSQL a
``WITH account_move_line AS (…)`` hides the real table from everything that follows. So there is one planner for
today, for the past, for a dry run and for every reason a bridge adds; nothing is written anywhere; and without
a scenario the statement is, to the letter, the one it always was.
"""

import datetime
from dataclasses import dataclass, field

from odoo import models
from odoo.tools import SQL


@dataclass(slots=True)
class Step:
    """A notice line that only exists in a scenario: one item that was told at one level."""

    item_id: int
    notice_id: int  # negative: no record has such an id
    partner_id: int
    level_id: int
    channel: str
    status: str  # as of dunning.notice.line
    date: datetime.date
    deadline: datetime.date | None
    legal_role: str | None = None
    costs_from: datetime.date | None = None
    receipt_date: datetime.date | None = None
    recipient_id: int | None = None


@dataclass(slots=True)
class Scenario:
    """What differs from what is in the database.

    :param date as_of: read the ledger as it was at the end of that day
    :param date told_until: notices count as they stood at the end of that day
    :param bool only_sent: of the real notices only those count that left or were passed over
    :param list steps: notice lines of this scenario (:class:`Step`) besides the real ones
    :param settled_ids: due items that are paid in this scenario
    :param dict levels: ``{level id: {column: value}}``, what differs on the ladder
    :param int policy_id: the policy that the debtors in ``policy_partner_ids`` follow, whatever was chosen
    :param dict minimums: ``{policy id: amount}`` in the currency of the policy
    :param contacts: function of a day and a company giving who had his contacts of the week, or None: the real ones
    """

    as_of: datetime.date | None = None
    told_until: datetime.date | None = None
    only_sent: bool = False
    steps: list = field(default_factory=list)
    settled_ids: list = field(default_factory=list)
    levels: dict = field(default_factory=dict)
    policy_id: int | None = None
    policy_partner_ids: list = field(default_factory=list)
    minimums: dict = field(default_factory=dict)
    contacts: object = None

    @classmethod
    def of(cls, day):
        """Return the scenario as it was at the end of a past day, as far as the database knows."""
        return cls(as_of=day, told_until=day)


class DunningPlannerScenario(models.AbstractModel):
    _name = 'dunning.planner.scenario'
    _description = "Dunning Planner"

    def _get_scenario(self):
        scenario = self.env.context.get('dunning_scenario')
        return scenario if isinstance(scenario, Scenario) else None

    def _put_in_scenario(self, statement, company, items, partners):
        """Return a statement with the tables of the scenario before it; without a scenario to the letter as it is."""
        scenario = self._get_scenario()
        tables = scenario and self._get_scenario_tables(scenario, company, items, partners)
        if not tables:
            return statement
        return SQL("WITH %s SELECT * FROM (%s) decision", SQL(", ").join(
            SQL("%s AS %s (%s)", SQL.identifier(name), materialized, rows)
            for name, materialized, rows in tables
        ), statement)

    def _get_scenario_tables(self, scenario, company, items, partners):
        """Return [(name, SQL of how to keep it, SQL of its rows)] of the tables that are another one."""
        inline, kept = SQL("NOT MATERIALIZED"), SQL("MATERIALIZED")
        tables = []
        if scenario.as_of:
            tables += [
                ('account_move_line', kept, self._get_past_lines_sql(scenario, company, items, partners)),
                ('account_move', inline, self._get_past_moves_sql(scenario)),
                ('account_payment', inline, SQL(
                    "SELECT * FROM account_payment WHERE date <= %s", scenario.as_of,
                    to_flush=self.env['account.payment']._fields['date'])),
            ]
        else:
            if scenario.settled_ids:
                tables.append(('account_move_line', inline, SQL(
                    "SELECT * FROM account_move_line WHERE id <> ALL(%s)", scenario.settled_ids)))
            if scenario.policy_id:
                tables.append(('account_move', inline, self._get_columns_sql('account.move', SQL("account_move"), {
                    'dunning_policy_id': self._get_move_policy_sql(scenario)})))
        if scenario.told_until or scenario.only_sent or scenario.steps:
            for model, (real, rows) in {
                'dunning.notice.line': self._get_told_lines(scenario, company),
                'dunning.notice': self._get_told_notices(scenario),
            }.items():
                table = self.env[model]._table
                if rows:
                    # Kept apart: written into the statement once, however often it looks at the table.
                    tables.append((f'{table}_told', kept, self._get_rows_sql(model, rows)))
                    real = self._add_rows(model, real, f'{table}_told', rows)
                tables.append((table, inline, real))
        if scenario.levels:
            tables.append(('dunning_level', inline, self._get_ladder_sql(scenario)))
        return tables

    def _get_columns_sql(self, model, source, others, where=None):
        """Return SQL of all columns of a model, some of them (``others``) with another value."""
        table = SQL.identifier(self.env[model]._table)
        names = self._get_column_names(model)
        columns = SQL(", ").join(
            SQL("%s AS %s", others.get(name, SQL("%s.%s", table, SQL.identifier(name))), SQL.identifier(name))
            for name in names)
        return SQL("SELECT %s FROM %s WHERE %s", columns, source, where or SQL("TRUE"), to_flush=[
            self.env[model]._fields[name] for name in others])

    def _get_column_names(self, model):
        return [name for name, column in self.env[model]._fields.items() if column.store and column.column_type]

    # -------------------------------------------------------------------------
    # THE LEDGER OF A PAST DAY
    # -------------------------------------------------------------------------

    def _get_past_lines_sql(self, scenario, company, items, partners):
        """Return SQL of the journal items as they stood at the end of a day.

        What was reconciled later was open: each reconciliation counts from the later of its two dates, as in the
        aged receivable report. Only what the statement can ask for is looked at: of the debtors concerned, what was
        open, and the invoices it is on.
        """
        Line, Partial = self.env['account.move.line'], self.env['account.partial.reconcile']
        source = SQL(
            """account_move_line
               LEFT JOIN (
                   SELECT line_id, SUM(amount) AS amount, SUM(amount_currency) AS amount_currency FROM (
                       SELECT debit_move_id AS line_id, amount, debit_amount_currency AS amount_currency
                         FROM account_partial_reconcile WHERE max_date > %(as_of)s
                    UNION ALL
                       SELECT credit_move_id, -amount, -credit_amount_currency
                         FROM account_partial_reconcile WHERE max_date > %(as_of)s) reconciled
                   GROUP BY line_id) later ON later.line_id = account_move_line.id""",
            as_of=scenario.as_of,
            to_flush=[Partial._fields[name] for name in (
                'debit_move_id', 'credit_move_id', 'amount', 'debit_amount_currency', 'credit_amount_currency',
                'max_date')])
        # An invoice is wanted with all its lines: what was sold says when a claim is prescribed.
        wanted = SQL(
            """account_move_line.date <= %(as_of)s AND account_move_line.id <> ALL(%(settled)s)
               AND account_move_line.move_id IN (
                   SELECT line.move_id
                     FROM account_move_line line
                     JOIN res_partner partner ON partner.id = line.partner_id
                    WHERE line.company_id = %(company)s AND line.account_id = ANY(%(accounts)s)
                      AND (line.reconciled IS NOT TRUE OR EXISTS (
                              SELECT FROM account_partial_reconcile partial
                               WHERE line.id IN (partial.debit_move_id, partial.credit_move_id)
                                 AND partial.max_date > %(as_of)s))
                      AND %(scope)s
                UNION
                   SELECT line.move_id FROM account_move_line line WHERE line.id = ANY(%(items)s)
                UNION
                   SELECT receipt.move_id FROM account_bank_statement_line receipt
                    WHERE receipt.company_id = %(company)s AND receipt.is_reconciled IS NOT TRUE)""",
            as_of=scenario.as_of, company=company.id, settled=scenario.settled_ids,
            accounts=self.env.context['dunning_receivable_ids'], scope=self._get_scope_sql(items, partners),
            items=list(items.ids) if items is not None else [],
            to_flush=[Line._fields[name] for name in ('date', 'reconciled', 'account_id', 'partner_id', 'company_id')])
        residual = SQL("account_move_line.amount_residual + COALESCE(later.amount, 0)")
        in_currency = SQL("account_move_line.amount_residual_currency + COALESCE(later.amount_currency, 0)")
        return self._get_columns_sql('account.move.line', source, {
            'amount_residual': residual,
            'amount_residual_currency': in_currency,
            'reconciled': SQL(
                "CASE WHEN later.line_id IS NULL THEN account_move_line.reconciled ELSE %s = 0 AND %s = 0 END",
                residual, in_currency),
        }, wanted)

    def _get_past_moves_sql(self, scenario):
        """Return SQL of the moves: that one is paid today says nothing of then; a payment that waited does."""
        Payment = self.env['account.payment']
        others = {
            'payment_state': SQL(
                """CASE WHEN account_move.payment_state = 'blocked' THEN 'blocked'
                        WHEN account_move.payment_state = 'in_payment' AND EXISTS (
                                 SELECT FROM account_move__account_payment rel
                                   JOIN account_payment payment ON payment.id = rel.payment_id
                                  WHERE rel.invoice_id = account_move.id AND payment.move_id IS NULL
                                    AND payment.date <= %s) THEN 'in_payment'
                        WHEN account_move.payment_state IS NULL THEN NULL
                        ELSE 'not_paid' END""",
                scenario.as_of, to_flush=Payment._fields['date']),
        }
        if scenario.policy_id:
            others['dunning_policy_id'] = self._get_move_policy_sql(scenario)
        return self._get_columns_sql('account.move', SQL("account_move"), others)

    # -------------------------------------------------------------------------
    # OTHER NOTICES
    # -------------------------------------------------------------------------

    def _get_told_lines(self, scenario, company):
        """Return (SQL of the real notice lines as far as they count, dicts of those of this scenario)."""
        others, where = {}, SQL("TRUE")
        if scenario.told_until:
            later = SQL(
                "(dunning_notice_line.status IN ('sent', 'skipped', 'undelivered')"
                " AND dunning_notice_line.date > %s)", scenario.told_until)
            # Made by then and left later: it waited.
            others['status'] = SQL("CASE WHEN %s THEN 'pending' ELSE dunning_notice_line.status END", later)
            others['date'] = SQL("CASE WHEN %s THEN NULL ELSE dunning_notice_line.date END", later)
            others['deadline'] = SQL("CASE WHEN %s THEN NULL ELSE dunning_notice_line.deadline END", later)
            where = SQL(
                "EXISTS (SELECT FROM dunning_notice notice WHERE notice.id = dunning_notice_line.notice_id"
                " AND notice.date_planned <= %s)", scenario.told_until)
        if scenario.only_sent:
            where = SQL(
                "dunning_notice_line.status IN ('sent', 'skipped') AND (%(until)s::date IS NULL"
                " OR dunning_notice_line.date <= %(until)s::date)", until=scenario.told_until)
            others = {}
        real = self._get_columns_sql('dunning.notice.line', SQL("dunning_notice_line"), others, where)
        return real, [
            {
                'id': -1 - number, 'notice_id': step.notice_id, 'company_id': company.id, 'move_line_id': step.item_id,
                'level_id': step.level_id, 'status': step.status, 'date': step.date, 'deadline': step.deadline,
            }
            for number, step in enumerate(scenario.steps)
        ]

    def _get_told_notices(self, scenario):
        others, where = {}, SQL("TRUE")
        if scenario.told_until:
            where = SQL("dunning_notice.date_planned <= %s", scenario.told_until)
            others = {
                'state': SQL(
                    "CASE WHEN dunning_notice.state IN ('sent', 'skipped') AND dunning_notice.date > %s THEN 'queued'"
                    " ELSE dunning_notice.state END", scenario.told_until),
                'costs_from': SQL(
                    "CASE WHEN dunning_notice.date > %s THEN NULL ELSE dunning_notice.costs_from END",
                    scenario.told_until),
            }
        real = self._get_columns_sql('dunning.notice', SQL("dunning_notice"), others, where)
        return real, [
            {
                'id': step.notice_id, 'partner_id': step.partner_id, 'recipient_id': step.recipient_id,
                'company_id': self.env.company.id,
                'level_id': step.level_id, 'channel': step.channel, 'legal_role': step.legal_role,
                'state': {'sent': 'sent', 'skipped': 'skipped'}.get(step.status, 'todo'),
                'date': step.date, 'date_planned': step.date, 'deadline': step.deadline,
                'costs_from': step.costs_from, 'receipt_date': step.receipt_date,
            }
            for step in {step.notice_id: step for step in scenario.steps}.values()
        ]

    def _get_rows_sql(self, model, rows):
        """Return SQL of the dicts ``rows``, which all have the same keys: columns of the model."""
        return SQL("SELECT * FROM UNNEST(%s) AS told (%s)", SQL(", ").join(
            SQL("%s::%s[]", [row[name] for row in rows], SQL.identifier(
                self.env[model]._fields[name].column_type[0]))
            for name in rows[0]
        ), SQL(", ").join(SQL.identifier(name) for name in rows[0]))

    def _add_rows(self, model, real, table, rows):
        """Return SQL of the rows of ``real`` and those of ``table``, which has the columns in the dicts ``rows``."""
        given = set(rows[0])
        columns = SQL(", ").join(
            SQL("told.%s", SQL.identifier(name)) if name in given else SQL(
                "NULL::%s", SQL.identifier(self.env[model]._fields[name].column_type[0]))
            for name in self._get_column_names(model))
        return SQL("%s UNION ALL SELECT %s FROM %s told", real, columns, SQL.identifier(table))

    # -------------------------------------------------------------------------
    # ANOTHER LADDER
    # -------------------------------------------------------------------------

    def _get_ladder_sql(self, scenario):
        """Return SQL of the levels, some of them with other values."""
        Level = self.env['dunning.level']
        others = {}
        for name in {name for values in scenario.levels.values() for name in values}:
            column = SQL("dunning_level.%s", SQL.identifier(name))
            whens = SQL(" ").join(
                SQL("WHEN %s THEN %s::%s", level_id, values[name], SQL.identifier(Level._fields[name].column_type[0]))
                for level_id, values in scenario.levels.items() if name in values)
            others[name] = SQL("CASE dunning_level.id %s ELSE %s END", whens, column)
        return self._get_columns_sql('dunning.level', SQL("dunning_level"), others)

    def _get_move_policy_sql(self, scenario):
        return SQL(
            "CASE WHEN account_move.commercial_partner_id = ANY(%s) THEN NULL ELSE account_move.dunning_policy_id END",
            scenario.policy_partner_ids)

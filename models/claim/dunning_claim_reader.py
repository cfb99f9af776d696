"""Reading for a claim: the ledger, what was told, booked and waived, as the plain facts of ``tools/law``."""

from collections import defaultdict
from decimal import Decimal

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.law.amounts import to_decimal
from ...tools.law.claim import Agreements, Creditor, Debtor, DueItem, Ledger, Request, Settlement, Told, Waiver
from ...tools.law.collection_costs import AgreedScale
from ...tools.law.engine import get_first_claiming
from ...tools.law.statutory_interest import RateTable

# Journals whose entries are money that came in; see _read_settlements for the others.
MONEY_JOURNALS = ('bank', 'cash', 'credit')
# Of costs, when the creditor cannot deduct it.
VAT_RATE = Decimal(21)


class DunningClaimReader(models.AbstractModel):
    """Records in, facts out: ids instead of records, exact amounts instead of floats; a fixed number of queries."""

    _name = 'dunning.claim.reader'
    _description = "Dunning Claim"

    @api.model
    def _read_ledger(self, requests):
        """Return the ``Ledger`` and the ``Request`` of each of these ``ClaimRequest``.

        :raise UserError: for items of several currencies in one of them
        """
        debtors = self.env['res.partner'].browse({request.debtor.id for request in requests})
        items = self.env['account.move.line'].browse({item_id for request in requests for item_id in request.items.ids})
        told, letters = self._read_told(debtors, items)
        # The other items of earlier 14-day letters count for the costs of those letters.
        items = items.browse({*items.ids, *(line.item_id for lines in letters.values() for line in lines)})
        items.fetch(['amount_currency', 'date_maturity', 'move_id', 'currency_id', 'date'])
        items.move_id.fetch(['name', 'invoice_date', 'date', 'dunning_notice_id', 'dunning_policy_id'])
        agreements = {}
        asked = [self._read_request(request, agreements) for request in requests]
        Rate = self.env['dunning.interest.rate']
        bookings = items.move_id._filter_dunning_bookings()
        ledger = Ledger(
            creditor=self._read_creditor(),
            items={item.id: self._read_item(item, item.move_id in bookings) for item in items},
            told=told,
            letters=letters,
            settlements=self._read_settlements(items),
            booked=self._read_extras(items),
            waivers=self._read_waivers(items),
            claimed=self._read_claimed(told, items),
            rates={kind: RateTable(Rate._get_rates(kind)) for kind in {line.debtor.rate_kind for line in asked}})
        return ledger, asked

    # -------------------------------------------------------------------------
    # RECORDS
    # -------------------------------------------------------------------------

    @api.model
    def _read_creditor(self):
        company = self.env.company
        return Creditor(
            company.id, company.currency_id.name, company.dunning_postal_days,
            VAT_RATE if company.dunning_vat_on_costs else None, company.dunning_term_agreed_consumer,
            company.dunning_term_agreed_business)

    @api.model
    def _read_item(self, item, is_booking):
        move = item.move_id
        return DueItem(
            item.id, move.id, move.name or '', to_decimal(item.amount_currency), item._get_dunning_due_date(),
            move.invoice_date or move.date, is_booking)

    @api.model
    def _read_request(self, request, agreements):
        """Return the ``Request`` of a ``ClaimRequest``.

        :param dict agreements: those of policies found so far
        """
        company = self.env.company
        debtor = request.debtor.with_company(company)
        currencies = request.items.currency_id
        if len(currencies) > 1:
            raise UserError(self.env._("A claim is worked out in one currency at a time."))
        by_item = {}
        for item in request.items:
            policy = request.policy or item.move_id.dunning_policy_id or debtor.dunning_effective_policy_id
            if policy.id not in agreements:
                agreements[policy.id] = self._read_agreements(policy)
            by_item[item.id] = agreements[policy.id]
        return Request(
            request.key,
            Debtor(
                debtor.id, debtor.dunning_effective_type, debtor.dunning_term_agreed or '',
                debtor.dunning_waive_interest, debtor.dunning_waive_costs, debtor.dunning_waive_reason or ''),
            tuple(request.items.ids), by_item, request.at_date, (currencies or company.currency_id).name,
            request.with_interest, request.with_costs, request.announce, request.reductions, request.held,
            request.notice_id and ('dunning.notice', request.notice_id))

    @api.model
    def _read_agreements(self, policy):
        """Return the ``Agreements`` of a policy; of none those of the law."""
        if not policy:
            return Agreements()
        formula = policy.cost_formula or 'scale'
        return Agreements(
            policy.id, to_decimal(policy.agreed_interest_percent, 3), formula,
            AgreedScale(to_decimal(policy.agreed_cost_percent, 3), to_decimal(policy.agreed_cost_minimum))
            if formula == 'agreed' else None,
            policy.day_count)

    # -------------------------------------------------------------------------
    # TABLES
    # -------------------------------------------------------------------------

    @api.model
    def _read_settlements(self, items):
        """Return ``{item id: [Settlement]}``: what was set against items, in their currency, the oldest first.

        Money is what came in through bank, cash or card, and an entry between accounts of the balance sheet, such as
        the account of a payment provider or a supplier's bill that was set off. A credit note, and an entry that takes
        a loss, lowers what was owed from the beginning: no interest or costs over what the creditor gave up.
        """
        found = defaultdict(list)
        if items:
            for item_id, day, amount, is_money, label in self.env.execute_query(SQL(
                """
                SELECT settled.item_id, settled.date, settled.amount,
                       journal.type = ANY(%(money)s) OR (
                           journal.type = 'general' AND move.move_type = 'entry' AND move.reversed_entry_id IS NULL
                           AND NOT %(takes_loss)s),
                       move.name
                  FROM (%(settled)s) settled
                  JOIN account_move move ON move.id = settled.move_id
                  JOIN account_journal journal ON journal.id = settled.journal_id
              ORDER BY settled.item_id, settled.date, settled.id
                """,
                money=list(MONEY_JOURNALS), takes_loss=items._get_dunning_takes_loss_sql(SQL.identifier('move')),
                settled=items._get_dunning_settlements_sql(SQL("item.id = ANY(%s)", list(items.ids))),
                to_flush=[self.env['account.move']._fields[name] for name in (
                    'name', 'move_type', 'reversed_entry_id')],
            )):
                found[item_id].append(Settlement(day, to_decimal(amount), is_money, label or ''))
        return found

    @api.model
    def _read_told(self, debtors, items):
        """Return what was told about the items, and the 14-day letters of the debtors, the oldest first.

        :return: two dicts of lists of ``Told``: by item, and the letters by debtor
        """
        told, letters = defaultdict(list), defaultdict(list)
        for item_id, model, source_id, *row in self.env.execute_query(SQL(
            "SELECT item_id, model, ABS(source_id), partner_id, sent_on, deadline, legal_role, costs_from, name,"
            "       receipt_date, receipt_kind, agreed, interest, costs, announced, principal"
            "  FROM (%s) told ORDER BY sent_on, agreed, source_id, line_id",
            SQL(" UNION ALL ").join(self._get_told_sql(debtors, items)),
        )):
            line = Told(item_id, (model, source_id), *row[:9], *map(to_decimal, row[9:]))
            told[item_id].append(line)
            if line.legal_role == 'fourteen_day':
                letters[line.debtor_id].append(line)
        return told, letters

    @api.model
    def _get_told_sql(self, debtors, items):
        """Return a list of SQL of what was told about the items, and by 14-day letters to the debtors.

        Columns as in :meth:`_read_told`. On one day lines come in the order of ``source_id``, which may be negative.
        """
        return [SQL(
            """
            SELECT item_id, 'dunning.notice' AS model, notice_id AS source_id, partner_id, sent_on, deadline,
                   legal_role, costs_from, name, receipt_date, receipt_kind, FALSE AS agreed, interest, costs,
                   announced, principal, line_id
              FROM (%s) told
            """, self.env['dunning.notice.line']._get_told_sql(SQL(
                "notice.company_id = %s AND (line.move_line_id = ANY(%s)"
                " OR (notice.partner_id = ANY(%s) AND notice.legal_role = 'fourteen_day'))",
                self.env.company.id, list(items.ids), list(debtors.ids))))]

    @api.model
    def _read_waivers(self, items):
        """Return ``{item id: [Waiver]}``: interest and costs of which a person said that they are not asked."""
        found = defaultdict(list)
        if items:
            self.env['dunning.waiver'].flush_model()
            for item_id, *row in self.env.execute_query(SQL(
                """
                SELECT item_id, date, amount_interest, amount_costs, reason
                  FROM dunning_waiver
                 WHERE kind = 'waive' AND revoked_on IS NULL AND item_id = ANY(%s)
              ORDER BY date, id
                """, list(items.ids),
            )):
                found[item_id].append(Waiver(row[0], to_decimal(row[1]), to_decimal(row[2]), row[3] or ''))
        return found

    @api.model
    def _read_claimed(self, told, items):
        """Return ``{source: claim_data}`` of what was the first to claim costs of items."""
        by_model = defaultdict(set)
        for item_id in items.ids:
            first = get_first_claiming(told.get(item_id, ()))
            if first:
                model, source_id = first.source
                by_model[model].add(source_id)
        claimed = {}
        for model, ids in by_model.items():
            # sudo: the claim is worked out for whoever may ask for it
            sources = self.env[model].sudo().browse(ids)
            sources.fetch(['claim_data'])
            claimed |= {(model, source.id): source.claim_data or {} for source in sources}
        return claimed

    @api.model
    def _read_paid(self, company, at_date, partners=None, items=None):
        """Return ``{item id: day of the last payment}`` of items that were claimed with extras and have been paid."""
        extras = SQL("(line.amount_interest > 0 OR line.amount_costs > 0 OR line.amount_announced > 0)")
        if partners is not None:
            extras = SQL("%s AND notice.partner_id = ANY(%s)", extras, list(partners.ids))
        if items is not None:
            extras = SQL("%s AND line.move_line_id = ANY(%s)", extras, list(items.ids))
        Item = self.env['account.move.line']
        return dict(self.env.execute_query(SQL(
            """
            WITH told AS (%(told)s),
            paid AS (
                SELECT item_id, MAX(date) AS last_day
                  FROM (%(settled)s) settled
                 WHERE date <= %(at_date)s
              GROUP BY item_id, item_amount
                HAVING SUM(amount) = item_amount)
            SELECT item_id, last_day
              FROM paid
             WHERE EXISTS (
                       SELECT FROM told
                        WHERE told.item_id = paid.item_id AND told.sent_on <= paid.last_day
                          AND (told.interest > 0 OR told.costs > 0
                               OR (told.announced > 0 AND told.costs_from <= paid.last_day)))
            """,
            at_date=at_date,
            told=self.env['dunning.notice.line']._get_told_sql(
                SQL("notice.company_id = %s AND %s", company.id, extras)),
            settled=Item._get_dunning_settlements_sql(SQL(
                "item.id IN (SELECT item_id FROM told) AND item.amount_currency > 0 AND item.parent_state = 'posted'"
                " AND item.company_id = %s", company.id)),
            to_flush=[Item._fields['parent_state'], Item._fields['company_id']],
        )))

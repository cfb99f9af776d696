"""Which due items the money that lies ready is for: the ledger read for :mod:`tools.payment.imputation`."""

from collections import defaultdict
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ...tools.law.amounts import ZERO, to_decimal
from ...tools.payment.imputation import Books, Credit, Document, Item


class Ready(NamedTuple):
    """What lies ready and nobody matched, see ``account.move.line._get_dunning_credits_sql``."""

    id: int
    entry: int
    debtor_id: int
    currency_id: int
    date: date
    amount: float
    balance: float
    is_money: bool
    text: str
    payer: str
    item_ids: list


class Imputed(NamedTuple):
    """What lies ready for due items, in the currency of the company (Decimal).

    :ivar credits: all that lies ready, :class:`Ready`, also what names nothing
    :ivar ready: its sum, by debtor id
    :ivar covered: what is certainly not asked any more, by item id
    :ivar taken: what that takes of the credits of a debtor, by debtor id
    :ivar likely: ids of items that somebody unknown may have paid
    :ivar entries: the parts of a credit that are certainly for items, ``{entry: {item id: part of 1}}`` (the entry of a
        payment: minus its id)
    :ivar of_others: what somebody else paid for items of a debtor, by debtor id: ``(entry, day, {item id: amount})``
    """

    credits: list = ()
    ready: dict = MappingProxyType({})
    covered: dict = MappingProxyType({})
    taken: dict = MappingProxyType({})
    likely: frozenset = frozenset()
    entries: dict = MappingProxyType({})
    of_others: dict = MappingProxyType({})


def _to_array(values, kind):
    """Return SQL of an array of numbers, or of words of letters and digits. As one text it is read in a tenth of the
    time that PostgreSQL takes for as many parameters.
    """
    return SQL("%s::%s", '{%s}' % ','.join(map(str, values)), kind)


KEYS, IDS, AMOUNTS = SQL("text[]"), SQL("int[]"), SQL("numeric[]")


class DunningImputation(models.AbstractModel):
    _name = 'dunning.imputation'
    _description = "Dunning Imputation"

    @api.model
    def _impute(self, company, day, debtors=None):
        """Return :class:`Imputed` of a company.

        Receipts are read whoever is asked about: somebody else may have paid, or somebody unknown.

        :param SQL debtors: condition on ``debtor``: credit notes and payments of these only, and receipts that can
            concern these; None: of all
        """
        rows = [Ready(*row) for row in self.env.execute_query(SQL(
            "SELECT %s FROM (%s) credit", SQL(", ").join(map(SQL.identifier, Ready._fields)),
            self.env['account.move.line']._get_dunning_credits_sql(
                company, day, SQL("TRUE") if debtors is None else debtors,
                receipts=None if debtors is None else self._get_concerns_sql(company, debtors))))]
        if not rows:
            return Imputed()
        amounts, ready = {row.id: to_decimal(row.balance) for row in rows}, defaultdict(lambda: ZERO)
        for row in rows:
            if row.debtor_id:
                ready[row.debtor_id] += amounts[row.id]
        books = Books(
            Credit(
                row.id, row.debtor_id, amounts[row.id], row.date, tuple((row.text or '').split('\n')),
                row.payer or '', tuple(row.item_ids))
            for row in rows if row.balance > 0)
        books.add(*self._read_payable(
            company, books.get_keys(), amounts={credit.amount for credit in books.credits if credit.debtor_id is None},
            item_ids=[item_id for credit in books.credits for item_id in credit.item_ids], digits=books.get_digits()))
        if debtor_ids := books.get_pending_debtor_ids():
            books.add(*self._read_payable(company, debtor_ids=debtor_ids))
        found, owner = books.impute(), {item.id: item.debtor_id for item in books.items.values()}
        if debtors is not None and found.crosses:
            # How much is left for it depends on what others paid on what they owe.
            return self._impute(company, day)
        covered, taken = defaultdict(lambda: ZERO), defaultdict(lambda: ZERO)
        entries, of_others = defaultdict(dict), defaultdict(list)
        for row in rows:
            shares = found.shares.get(row.id, ())
            for other_id in {owner[share.item_id] for share in shares} - {row.debtor_id}:
                of_others[other_id].append((row.entry, row.date, {
                    share.item_id: share.amount for share in shares if owner[share.item_id] == other_id}))
            for share in shares:
                covered[share.item_id] += share.covered
                entries[row.entry][share.item_id] = share.amount / amounts[row.id]
                if row.debtor_id:
                    taken[row.debtor_id] += share.amount
        return Imputed(rows, ready, covered, taken, found.likely, entries, of_others)

    @api.model
    def _get_concerns_sql(self, company, debtors):
        """Return the SQL condition that a ``receipt``, of anybody, can be for what these debtors owe: the last digits
        of a number of theirs stand in its text, or it has the sum of an item or of all that one owes. Only reading
        tells whether it is.

        :param SQL debtors: condition on ``debtor``
        """
        debtor_ids = SQL("ARRAY(SELECT debtor.id FROM res_partner debtor WHERE %s)", debtors)
        return self.env['account.move.line']._get_dunning_concerns_sql(
            company, debtor_ids, SQL(" UNION ALL ").join(
                self._get_document_queries(company, _to_array((), KEYS), debtor_ids)))

    @api.model
    def _get_document_queries(self, company, keys, debtor_ids):
        """Return queries of ``(number, debtor id, sum asked, ids of due items)`` of what asks items and has a number.

        A package that asks by a number of its own adds one.

        :param SQL keys: array of those of numbers that credits name
        :param SQL debtor_ids: array of whom all that is open is wanted, so that a sum is known
        """
        return [self.env['dunning.notice.line']._get_asked_sums_sql(company, keys, debtor_ids)]

    @api.model
    def _read_payable(self, company, keys=(), debtor_ids=(), amounts=(), item_ids=(), digits=()):
        """Return the open items that credits can be for, what asked for them, and names of debtors who owe what
        somebody unknown paid; see ``account.move.line._get_dunning_payable_sql``.
        """
        Line = self.env['account.move.line']
        documents, rows, entry_ids = [], [], []
        keys, debtors = _to_array(keys, KEYS), _to_array(debtor_ids, IDS)
        documents_sql = SQL(" UNION ALL ").join(self._get_document_queries(company, keys, debtors))
        for item_id, debtor_id, number, amount, *facts, is_entry, asked_ids in self.env.execute_query(
            Line._get_dunning_payable_sql(
                company, keys, debtors, _to_array(amounts, AMOUNTS) if amounts else None,
                _to_array(item_ids, IDS), documents_sql, _to_array(digits, KEYS))
        ):
            if item_id is None:
                documents.append(Document(number, debtor_id, to_decimal(amount), tuple(asked_ids)))
            else:
                rows.append((item_id, debtor_id, number, to_decimal(amount), *facts))
                if is_entry:
                    entry_ids.append(item_id)
        # A payment that went back is paid once more under the number of its invoice.
        returned = {
            item.id: move.name for item, move in Line.browse(entry_ids)._get_dunning_named_invoices().items()
        } if entry_ids else {}
        items, names = [], {}
        for item_id, debtor_id, number, amount, reference, due_date, discounted, discount_until, name in rows:
            numbers = filter(None, dict.fromkeys((number, reference, returned.get(item_id))))
            items.append(Item(
                item_id, debtor_id, tuple(numbers), amount,
                due_date, None if discount_until is None else to_decimal(discounted), discount_until))
            if name:
                names[debtor_id] = name
        return items, documents, names

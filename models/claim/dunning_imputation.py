"""Which due items the money that lies ready is for: the ledger read for :mod:`tools.payment.imputation`."""

from collections import defaultdict
from types import MappingProxyType
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ...tools.law.amounts import ZERO, to_decimal
from ...tools.payment.imputation import Credit, Document, Item, get_keys, impute


class Imputed(NamedTuple):
    """What lies ready for due items, in the currency of the company (Decimal).

    :ivar covered: what is certainly not asked any more, by item id
    :ivar taken: what that takes of the credits of a debtor, by debtor id
    :ivar likely: ids of items that somebody unknown may have paid
    :ivar entries: the parts of a credit that are certainly for items, ``{entry: {item id: part of 1}}`` (the entry of a
        payment: minus its id)
    :ivar of_others: what somebody else paid for items of a debtor, by debtor id: ``(entry, day, {item id: amount})``
    """

    covered: dict = MappingProxyType({})
    taken: dict = MappingProxyType({})
    likely: frozenset = frozenset()
    entries: dict = MappingProxyType({})
    of_others: dict = MappingProxyType({})


class DunningImputation(models.AbstractModel):
    _name = 'dunning.imputation'
    _description = "Dunning Imputation"

    @api.model
    def _impute(self, company, day, debtors=None):
        """Return :class:`Imputed` of a company.

        Receipts are read whoever is asked about: somebody else may have paid, or somebody unknown.

        :param SQL debtors: condition on ``debtor``: credit notes and payments of these only; None: of all
        """
        Line = self.env['account.move.line']
        rows = self.env.execute_query(SQL(
            "SELECT id, entry, debtor_id, date, balance, text, payer, invoice_ids FROM (%s) credit",
            Line._get_dunning_credits_sql(
                company, day, SQL("TRUE") if debtors is None else debtors, any_receipt=True)))
        if not rows:
            return Imputed()
        linked = self._read_linked({invoice_id for row in rows for invoice_id in row[7]})
        credits = [
            Credit(credit_id, debtor_id, to_decimal(balance), date, tuple((text or '').split('\n')), payer or '', tuple(
                item_id for invoice_id in invoice_ids for item_id in linked[invoice_id]))
            for credit_id, _entry, debtor_id, date, balance, text, payer, invoice_ids in rows if balance > 0]
        keys = sorted({key for credit in credits for key in get_keys(credit)})
        debtor_ids = sorted({credit.debtor_id for credit in credits if credit.debtor_id})
        amounts = sorted({credit.amount for credit in credits if credit.debtor_id is None})
        documents = [
            Document(number, debtor_id, to_decimal(amount), tuple(item_ids))
            for number, debtor_id, amount, item_ids in self.env.execute_query(
                SQL(" UNION ALL ").join(self._get_document_queries(company, keys, debtor_ids)))]
        items, names = self._read_items(company, keys, debtor_ids, amounts, {
            *(item_id for document in documents for item_id in document.item_ids),
            *(item_id for credit in credits for item_id in credit.item_ids)})
        found = impute(credits, items, documents, names)
        covered, taken = defaultdict(lambda: ZERO), defaultdict(lambda: ZERO)
        entries, of_others, owner = defaultdict(dict), defaultdict(list), {item.id: item.debtor_id for item in items}
        for credit_id, entry, debtor_id, date, balance, *_texts in rows:
            shares = found.shares.get(credit_id, ())
            for other_id in {owner[share.item_id] for share in shares} - {debtor_id}:
                of_others[other_id].append((entry, date, {
                    share.item_id: share.amount for share in shares if owner[share.item_id] == other_id}))
            for share in shares:
                covered[share.item_id] += share.covered
                entries[entry][share.item_id] = share.amount / to_decimal(balance)
                if debtor_id:
                    taken[debtor_id] += share.amount
        return Imputed(covered, taken, found.likely, entries, of_others)

    @api.model
    def _get_document_queries(self, company, keys, debtor_ids):
        """Return queries of ``(number, debtor id, sum asked, ids of due items)`` of what asks items and has a number.

        A package that asks by a number of its own adds one.

        :param list keys: of numbers that credits name
        :param list debtor_ids: of whom all that is open is wanted, so that a sum is known
        """
        return [self.env['dunning.notice.line']._get_asked_sums_sql(company, keys, debtor_ids)]

    @api.model
    def _read_linked(self, invoice_ids):
        """Return the ids of the open due items of invoices, by invoice."""
        linked = defaultdict(list)
        if invoice_ids:
            for item_id, invoice_id in self.env.execute_query(
                self.env['account.move.line']._get_dunning_owed_on_sql(invoice_ids)
            ):
                linked[invoice_id].append(item_id)
        return linked

    @api.model
    def _read_items(self, company, keys, debtor_ids, amounts, item_ids):
        """Return the open items that credits can be for, and names of debtors who owe what somebody unknown paid."""
        Line = self.env['account.move.line']
        rows = self.env.execute_query(Line._get_dunning_payable_sql(
            company, keys, debtor_ids, amounts, list(item_ids)))
        # A payment that went back is paid once more under the number of its invoice.
        entries = Line.browse(item_id for item_id, *_facts, is_entry in rows if is_entry)
        returned = {item.id: move.name for item, move in entries._get_dunning_named_invoices().items()}
        items, names = [], {}
        for item_id, debtor_id, number, reference, amount, due_date, discounted, discount_until, name, _entry in rows:
            numbers = filter(None, dict.fromkeys((number, reference, returned.get(item_id))))
            items.append(Item(
                item_id, debtor_id, tuple(numbers), to_decimal(amount),
                due_date, None if discount_until is None else to_decimal(discounted), discount_until))
            if name:
                names[debtor_id] = name
        return items, names

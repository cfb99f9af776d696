"""Letters, read for the law: does each that something rests on still hold, and was it paid as it asked?"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ...tools.law import claim
from ...tools.law.amounts import to_decimal
from ...tools.law.claim import Correspondence, Ledger
from ...tools.law.engine import Engine
from ...tools.law.letters import (
    DEFAULT_NOTICE,
    FOURTEEN_DAY,
    NO_JUDGEMENT,
    Item,
    Letter,
    LetterItem,
    Period,
    Settlement,
)
from ...tools.law.paid_as_asked import Money, find_paid
from ...tools.law.receipt import Evidence, read_evidence

# Journals whose entries are money that came in; see _read_settlements for the others.
MONEY_JOURNALS = ('bank', 'cash', 'credit')
ROLES = (DEFAULT_NOTICE, FOURTEEN_DAY)


class Effect(NamedTuple):
    """What letters to a consumer amount to for one due item.

    :ivar in_default: whether he is in default
    :ivar costs_from: first day on which he owes collection costs, or None
    :ivar awaited: a 14-day letter left, and nobody knows yet when he received it
    """

    in_default: bool
    costs_from: date | None
    awaited: bool


class DunningClaimLetters(models.AbstractModel):
    """The part of the claim that asks whether letters still hold, and whether they were paid as they asked.

    The judging is in ``tools/law/letter_validity`` and ``tools/law/paid_as_asked``.
    """

    _name = 'dunning.claim.letters'
    _description = "Dunning Claim"

    @api.model
    def _judge_letters(self, company, at_date, wanted):
        """Return ``{debtor id: Judgement}`` of the consumers of a creditor to whom letters with a legal role went.

        :param date at_date: last day that counts; facts are taken as they are now
        :param SQL wanted: condition on the debtor's ``partner``
        """
        debtors = self.env['res.partner'].sudo().with_company(company)  # sudo: as of :meth:`_compute_batch`
        correspondence = self.with_company(company)._read_correspondence(wanted)
        if not correspondence:
            return {}
        engine = Engine(Ledger(self._read_creditor(company), {}, letters=correspondence))
        found = debtors.browse(correspondence)
        found.fetch(['dunning_debtor_type', 'dunning_term_agreed', 'vat', 'company_registry', 'is_company'])
        return {debtor.id: engine.judge(self._read_debtor(debtor), at_date) for debtor in found}

    @api.model
    def _get_effects(self, items, at_date):
        """Return ``{item id: Effect}`` of due items of consumers in the current company on a day."""
        debtors = items.partner_id.commercial_partner_id.with_company(self.env.company)
        judgements = self._judge_letters(
            self.env.company, at_date, SQL("partner.id = ANY(%s)", list(debtors.ids))) if items else {}
        creditor, effects = self._read_creditor(self.env.company), {}
        for item in items:
            debtor = item.partner_id.commercial_partner_id.with_company(self.env.company)
            found = judgements.get(debtor.id, NO_JUDGEMENT)
            agreed = creditor.agrees_term(self._read_debtor(debtor))
            effects[item.id] = Effect(
                item._get_dunning_due_date() < at_date and (agreed or found.is_in_default(item.id, at_date)),
                found.costs_from.get(item.id), item.id in found.awaited)
        return effects

    # -------------------------------------------------------------------------
    # READING
    # -------------------------------------------------------------------------

    @api.model
    def _read_correspondence(self, wanted):
        """Return ``{debtor id: Correspondence}`` of the debtors of the current company who got such a letter.

        Two queries, whatever their number; one when there is no such letter.

        :param SQL wanted: condition on the debtor's ``partner``
        """
        company = self.env.company
        # By its id, which is kept in memory: the name of its currency is nothing that planning reads.
        if company.currency_id.id != self.env['ir.model.data']._xmlid_to_res_id('base.EUR'):
            return {}
        letters, names, left_out = {}, {}, {}
        for row in self.env.execute_query(self.env['dunning.notice']._get_letters_sql(company, ROLES, wanted)):
            letter, name, apart = self._read_letter(*row)
            letters.setdefault(letter.debtor_id, []).append(letter)
            names[letter.source] = name
            left_out.setdefault(letter.debtor_id, []).append((letter, apart))
        items = self._read_letter_items(company, left_out) if letters else {}
        return {
            debtor_id: Correspondence(tuple(found), items.get(debtor_id, {}), {
                letter.source: names[letter.source] for letter in found})
            for debtor_id, found in letters.items()}

    @api.model
    def _read_letter(
        self, notice_id, name, debtor_id, role, debtor_type, day, deadline, posted_on, by_mail, by_post, announced,
        vat_rate, apart, receipt_kind, lines, receipts,
    ):
        """Return one ``Letter``, what it is called with the evidence of its receipt, and the items left out of it."""
        ways, proofs = read_evidence(
            [Evidence(kind, date.fromisoformat(on), documented) for kind, on, documented in receipts or ()],
            by_mail=by_mail, by_post=by_post, posted_on=posted_on)
        letter = Letter(
            ('dunning.notice', notice_id), role, debtor_id, debtor_type, day,
            tuple(
                LetterItem(item_id, number or '', to_decimal(amount), date.fromisoformat(due))
                for item_id, number, amount, due in lines or ()),
            ways, proofs, deadline, to_decimal(announced or 0), vat_rate and Decimal(vat_rate))
        return letter, (name, receipt_kind), apart

    @api.model
    def _read_letter_items(self, company, letters):
        """Return ``{debtor id: {item id: Item}}`` of all that letters could be about.

        :param letters: the letters of each debtor, each with the ids of the items that were left out with a reason;
            None: nobody wrote that down, so that all others were
        """
        found = {}
        for item_id, debtor_id, number, amount, due_date, known_on, settlements, holds in self.env.execute_query(
            self._get_letter_items_sql(company, list(letters))
        ):
            apart = [
                Period(letter.day, letter.day) for letter, left_out in letters[debtor_id]
                if left_out is None or str(item_id) in left_out]
            apart += [
                Period(date.fromisoformat(since), until and date.fromisoformat(until)) for since, until in holds or ()]
            found.setdefault(debtor_id, {})[item_id] = Item(
                item_id, debtor_id, number, to_decimal(amount), due_date, False, known_on,
                tuple(
                    Settlement(date.fromisoformat(day), to_decimal(part), is_money)
                    for day, part, is_money in settlements or ()),
                tuple(apart))
        return found

    @api.model
    def _get_letter_items_sql(self, company, debtor_ids):
        """Return SQL of the due items of debtors, paid or not, with what was set against them and what held them."""
        Line, Move, line = self.env['account.move.line'], self.env['account.move'], SQL.identifier('line')
        origins = [claimer.origin for claimer in self._get_claimers()]
        return SQL(
            """
            SELECT line.id, partner.commercial_partner_id,
                   CASE WHEN move.move_type = 'entry' THEN '' ELSE COALESCE(move.name, '') END, line.amount_currency,
                   %(due_date)s, move.invoice_date,
                   (SELECT JSONB_AGG(JSONB_BUILD_ARRAY(settled.date, settled.amount, settled.is_money))
                      FROM (%(settled)s) settled),
                   (SELECT JSONB_AGG(JSONB_BUILD_ARRAY(held.since, held.until))
                      FROM (%(holds)s UNION ALL %(terms)s) held)
              FROM %(rows)s
              JOIN account_move move ON move.id = line.move_id
              JOIN res_currency currency ON currency.id = line.currency_id
             WHERE line.company_id IN %(companies)s AND line.parent_state = 'posted' AND line.balance > 0
               AND line.account_id = ANY(%(accounts)s) AND currency.name = 'EUR' AND %(is_own)s
               AND partner.commercial_partner_id = ANY(%(debtors)s)
            """,
            rows=Line._get_dunning_with_partner_sql(),
            due_date=Line._get_dunning_due_date_sql(line),
            settled=self._get_settlements_sql(SQL("item.id = line.id")),
            holds=self.env['dunning.hold']._get_periods_sql(line, SQL("partner.commercial_partner_id")),
            # Nor is a term cut short that was given for it: also of what was paid then, and is owed again.
            terms=self.env['dunning.notice.line']._get_terms_sql(SQL("line.id")),
            is_own=SQL(" AND ").join(SQL("%s IS NULL", SQL.identifier('move', origin)) for origin in origins),
            companies=company._get_dunning_company_ids(), accounts=Line._get_dunning_receivables(company).ids,
            debtors=debtor_ids,
            to_flush=[
                *(Line._fields[name] for name in (
                    'company_id', 'parent_state', 'balance', 'account_id', 'move_id', 'currency_id',
                    'amount_currency')),
                *(Move._fields[name] for name in ('name', 'move_type', 'invoice_date', *origins))])

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
                "SELECT item_id, date, amount, is_money, label FROM (%s) settled ORDER BY item_id, date, id",
                self._get_settlements_sql(SQL("item.id = ANY(%s)", list(items.ids))),
            )):
                found[item_id].append(claim.Settlement(day, to_decimal(amount), is_money, label or ''))
        return found

    @api.model
    def _get_settlements_sql(self, wanted):
        """Return SQL of what was set against items, whether it is money, and what it is called (``label``).

        :param SQL wanted: condition on ``item``
        """
        Item = self.env['account.move.line']
        return SQL(
            """
            SELECT settled.id, settled.item_id, settled.date, settled.amount, %(is_money)s AS is_money,
                   entry.name AS label
              FROM (%(settled)s) settled
              JOIN account_move entry ON entry.id = settled.move_id
              JOIN account_journal journal ON journal.id = settled.journal_id
            """,
            is_money=self._get_is_money_sql(), settled=Item._get_dunning_settlements_sql(wanted),
            to_flush=self.env['account.move']._fields['name'])

    @api.model
    def _get_is_money_sql(self):
        """Return the SQL condition that an ``entry`` of a ``journal`` is money; see :meth:`_read_settlements`."""
        return SQL(
            "(journal.type = ANY(%(money)s) OR (journal.type = 'general' AND entry.move_type = 'entry'"
            " AND entry.reversed_entry_id IS NULL AND NOT %(takes_loss)s))",
            money=list(MONEY_JOURNALS),
            takes_loss=self.env['account.move.line']._get_dunning_takes_loss_sql(SQL.identifier('entry')),
            to_flush=[self.env['account.move']._fields[name] for name in ('move_type', 'reversed_entry_id')])

    # -------------------------------------------------------------------------
    # PAID AS ASKED
    # -------------------------------------------------------------------------

    @api.model
    def _find_paid(self, asked, ledger):
        """Return ``{item id: PaidAsAsked}`` of the items of these letters.

        :param asked: what letters asked, of :meth:`_read_told`
        :param ledger: that knows all of these items
        """
        money = self._read_money(asked) if asked else {}
        return {
            item_id: paid for debtor_id, entries in money.items()
            for item_id, paid in find_paid(asked[debtor_id], entries, ledger).items()}

    @api.model
    def _read_money(self, asked):
        """Return ``{debtor id: [Money]}``: what debtors paid since the oldest of these letters."""
        Item = self.env['account.move.line']
        since = min(letter.sent_on for letters in asked.values() for letter in letters)
        rows = self.env.execute_query(Item._get_dunning_money_sql(
            self.env.company, list(asked), since, self._get_is_money_sql()))
        matched = Item.browse({item_id for *_row, matches in rows for item_id, _amount in matches or ()})
        about = {item.id: frozenset([item.id]) for item in matched}
        for claimer in self._get_claimers():
            for item in matched.filtered(f'move_id.{claimer.origin}'):
                about[item.id] |= frozenset(item.move_id[claimer.origin]._get_claimed_items().ids)
        money = defaultdict(list)
        for debtor_id, day, amount, matches in rows:
            money[debtor_id].append(Money(day, to_decimal(amount), tuple(
                (about[item_id], to_decimal(part)) for item_id, part in matches or ())))
        return money

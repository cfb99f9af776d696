"""What the debtor's page shows: what is owed and why, what was sent, and how to pay.

Each method reads for the debtor and the company of its page only. Amounts come from ``dunning.claim`` and the
ledger, and leave as words: the templates add nothing up.
"""

from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import get_lang

from ...tools.law.amounts import ZERO, to_decimal
from ..agreement.dunning_arrangement_page import Payable, make_reference
from ..claim.dunning_claim import ClaimRequest
from ..kernel.formats import letter_amount, letter_day

# How far back letters are shown, in months.
LETTER_MONTHS = 24
# What a debtor is told about a hold: that, not why; reasons inside the house are not for the page.
TOLD_KINDS = ('dispute', 'promise', 'arrangement')


class DunningPageDebt(models.AbstractModel):
    _name = 'dunning.page.debt'
    _description = "Debtor's Page"

    # -------------------------------------------------------------------------
    # WHAT BELONGS TO THIS PAGE
    # -------------------------------------------------------------------------

    def _get_open_items(self):
        """Return the open due items of this debtor, not of others in his family, the oldest first."""
        self.ensure_one()
        Item = self.env['account.move.line']
        return Item.search(Item._get_dunning_open_domain(self.company_id, self.partner_id), order='date_maturity, id')

    def _find_invoice(self, move_id, *, only_open=False):
        """Return an invoice of this debtor by the id a visitor sent, or an empty record.

        :param move_id: as it came: text
        :param bool only_open: only one of which something is open
        """
        self.ensure_one()
        Move = self.env['account.move']
        text = str(move_id or '')
        if not text.isdecimal() or len(text) > 9:
            return Move
        move = Move.browse(int(text)).exists()
        if (
            not move or move.company_id.id not in self.company_id._get_dunning_company_ids()
            or move.commercial_partner_id != self.partner_id or move.state != 'posted'
            or move.move_type not in ('out_invoice', 'out_receipt', 'out_refund')
        ):
            return Move
        return Move if only_open and move not in self._get_open_items().move_id else move

    def _get_letters(self):
        """Return the notices that left for this debtor as a letter or with one, the last first."""
        self.ensure_one()
        since = self.company_id._dunning_today() - relativedelta(months=LETTER_MONTHS)
        return self.env['dunning.notice'].search([
            ('company_id', 'in', self.company_id._get_dunning_company_ids()), ('partner_id', '=', self.partner_id.id),
            ('state', '=', 'sent'), ('letter_file', '!=', False), ('date', '>=', since)],
            order='date desc, id desc', limit=24)

    def _find_letter(self, notice_id):
        """Return one of the letters of this debtor by the id a visitor sent, or an empty record."""
        self.ensure_one()
        return self._get_letters().filtered(lambda notice: str(notice.id) == str(notice_id))

    def _get_arrangements(self):
        """Return what is offered to this debtor, signed or running."""
        self.ensure_one()
        return self.env['dunning.arrangement'].search([
            ('company_id', 'in', self.company_id._get_dunning_company_ids()), ('partner_id', '=', self.partner_id.id),
            ('state', 'in', ('offered', 'signed', 'active'))], order='id desc')

    def _get_languages(self):
        """Return ``{code of two letters: installed language}`` of those the page speaks."""
        installed = [code for code, _name in self.env['res.lang'].get_installed()]
        found = {}
        for code in installed:
            if code[:2] in ('nl', 'en'):
                found.setdefault(code[:2], code)
        return found

    def _get_page_lang(self, asked=None):
        """Return the language of the page: the one asked for, else that of the debtor's letters."""
        self.ensure_one()
        languages = self._get_languages()
        if asked in languages:
            return languages[asked]
        lang = self.partner_id._get_dunning_lang() or self.company_id.partner_id.lang or 'nl_NL'
        return languages.get(lang[:2]) or languages.get('nl') or get_lang(self.env).code

    # -------------------------------------------------------------------------
    # WHAT IS OWED AND WHY
    # -------------------------------------------------------------------------

    def _compute_claims(self):
        """Return ``(claims, items)`` of what is due today and may be asked.

        An item is told with interest and costs when the last notice that left about it asked those, whatever its level
        says today; items that ask the same are one claim, as in letters.
        """
        self.ensure_one()
        today = self.company_id._dunning_today()
        Claim = self.env['dunning.claim']
        items = Claim._get_claim_items(self.partner_id, today).filtered(
            lambda item: item.partner_id.commercial_partner_id == self.partner_id)
        items -= self.env['dunning.planner']._get_left_alone(self.company_id, today, items)
        reductions, held = self._get_reductions(items, today)
        asked = self.env['dunning.notice.line']._get_last_asked(items)
        groups = items.grouped(lambda item: (item.currency_id, *asked[item]))
        requests = [
            ClaimRequest(
                key, self.partner_id, group, today, self.env['dunning.policy'], key[1], key[2],
                reductions=reductions, held=held)
            for key, group in groups.items()]
        claims = Claim._compute_batch(requests) if requests else {}
        order = sorted(claims, key=lambda key: (key[0].name != 'EUR', key[0].name, not key[2], not key[1]))
        return [claims[key] for key in order], items

    def _get_reductions(self, items, today):
        """Return what the debtor need not pay now, see :class:`ClaimRequest`: covered by credits, or on hold.

        What is on offer can be paid at once, and what we only wait a few more days to ask for as well.
        """
        Hold = self.env['dunning.hold']
        offers = self._get_arrangements().filtered(lambda arrangement: arrangement.state != 'active')
        return self.env['dunning.planner']._get_reductions(self.company_id, today, items, blocking=SQL(
            "(%s AND %s AND (hold.arrangement_id IS NULL OR hold.arrangement_id <> ALL(%s)))",
            Hold._get_blocking_sql(today), Hold._get_active_sql(today), offers.ids,
            to_flush=Hold._fields['arrangement_id']))

    def _get_debt(self, notice=None):
        """Return what is owed and why, in the words of the page, in the language of the environment.

        :param notice: the ``dunning.notice`` whose link was opened: what it asks stands first
        :return: dict with ``claims``, ``debts`` (one for each currency), ``upcoming`` (not due yet, or not asked),
            ``count`` and ``choices`` (invoices a form can be about)
        """
        self.ensure_one()
        claims, items = self._compute_claims()
        by_id, open_items = {item.id: item for item in items}, self._get_open_items()
        holds, debits = self._get_held_sentences(items.move_id), self._get_debits(items | open_items)
        debts = {}
        for claim in claims:
            currency = by_id[claim.items[0].item_id].currency_id
            debt = debts.setdefault(currency, {
                'currency': currency, 'claims': [], 'rows': [], 'specs': [], 'moves': self.env['account.move']})
            spec = self.env['dunning.claim']._prepare_specification(claim.to_json(), self.partner_id, self.company_id)
            debt['claims'].append(claim)
            debt['specs'].append(spec)
            for entry, words in zip(claim.items, spec['items'], strict=True):
                item = by_id[entry.item_id]
                if entry.total > 0:
                    debt['moves'] |= item.move_id  # what is paid for with the whole amount
                debt['rows'].append(self._prepare_row(item, entry, words, holds, debits.get(item.id)))
        for debt in debts.values():
            self._complete_debt(debt)
        if notice:
            self._prepare_letter(notice, claims, debts)
        due_ids = {row['move'].id for debt in debts.values() for row in debt['rows']}
        identities = open_items._get_dunning_identities()
        today = self.company_id._dunning_today()
        upcoming = [
            {
                'move': item.move_id,
                'name': identities[item][0],
                'due_date': letter_day(self.env, item._get_dunning_due_date()),
                'is_late': item._get_dunning_due_date() < today,
                'debit': self._say_debit(debits[item.id]) if item.id in debits else '',
                'amount': letter_amount(self.env, item.amount_residual_currency, item.currency_id),
            }
            for item in open_items if item.id not in by_id and item.move_id.id not in due_ids
            and not item.move_id.dunning_notice_id
            # What is prescribed is left out: it must not be asked in any way.
            and not (item.dunning_prescription_date and item.dunning_prescription_date < today)]
        return {
            'claims': claims,
            'debts': list(debts.values()),
            'upcoming': upcoming,
            'count': sum(len(debt['rows']) for debt in debts.values()),
            'choices': self._get_choices(),
        }

    def _get_choices(self):
        """Return ``[(id, words)]`` of the invoices that something can be said about."""
        moves = self._get_open_items().move_id.filtered(lambda move: not move.dunning_notice_id)
        return [
            (move.id, self.env._(
                "%(invoice)s of %(date)s, open %(amount)s", invoice=move.name or '',
                date=letter_day(self.env, move.invoice_date or move.date),
                amount=letter_amount(self.env, move.amount_residual, move.currency_id)))
            for move in moves]

    def _prepare_row(self, item, entry, words, holds, debit_on=None):
        """Return one invoice as the page shows it; the sentences are those of the specification.

        :param date debit_on: on which it is collected by direct debit
        """
        today = self.company_id._dunning_today()
        late = (today - entry.due_date).days if entry.due_date else 0
        return {
            **words,
            'item': item,
            'move': item.move_id,
            'late': late,
            'late_text': (
                self.env._("1 day late") if late == 1 else self.env._("%s days late", late)) if late > 0 else '',
            'amount': letter_amount(self.env, entry.total, item.currency_id),
            'amount_open': letter_amount(self.env, entry.open, item.currency_id),
            'has_extras': bool(entry.interest or entry.costs or entry.reduction or entry.open != entry.original),
            'amount_reduction': letter_amount(self.env, -entry.reduction, item.currency_id) if entry.reduction else '',
            'collected': entry.reduction if debit_on else ZERO,
            'amount_interest': letter_amount(self.env, entry.interest, item.currency_id) if entry.interest else '',
            'amount_costs': letter_amount(self.env, entry.costs, item.currency_id) if entry.costs else '',
            'held': self._say_debit(debit_on) if debit_on else holds.get(item.move_id.id, ''),
            'is_whole_held': bool(entry.reduction) and entry.total <= 0,
            'can_pay': not debit_on and item.currency_id.compare_amounts(item.move_id.amount_residual, 0) > 0,
        }

    def _complete_debt(self, debt):
        """Add up what was worked out per claim, in ``Decimal``, and say it."""
        currency, claims = debt['currency'], debt['claims']
        sums = {
            name: sum((getattr(claim, name) for claim in claims), ZERO)
            for name in ('principal', 'interest', 'costs', 'total')}
        opened = sum((entry.open for claim in claims for entry in claim.items), ZERO)
        collected = sum((row['collected'] for row in debt['rows']), ZERO)
        reduction = sum((entry.reduction for claim in claims for entry in claim.items), ZERO) - collected
        per_day = sum((claim.per_day for claim in claims), Decimal())
        count = len(debt['rows'])
        lines = [(
            self.env._("Invoice") if count == 1 else self.env._("%s invoices together", count),
            letter_amount(self.env, opened, currency))]
        if reduction:
            lines.append((
                self.env._("Credits, and what waits because it is looked into"),
                letter_amount(self.env, -reduction, currency)))
        if collected:
            lines.append((
                self.env._("What we collect by direct debit"), letter_amount(self.env, -collected, currency)))
        if sums['interest']:
            lines.append((self.env._("Interest until today"), letter_amount(self.env, sums['interest'], currency)))
        if sums['costs']:
            lines.append((self.env._("Collection costs"), letter_amount(self.env, sums['costs'], currency)))
        bank = self._prepare_bank(debt['moves'], currency, sums['total'])
        debt.update({
            'total_value': sums['total'],
            'total': letter_amount(self.env, sums['total'], currency),
            'lines': lines if len(lines) > 1 else [],
            'has_extras': bool(sums['interest'] or sums['costs']),
            'per_day': self.env['dunning.claim']._say_per_day(per_day, currency),
            'costs_sentences': [
                sentence for spec in debt['specs'] for part in spec['costs_parts'] if not part['announced']
                for sentence in part['sentences']],
            'announced': [
                sentence for spec in debt['specs'] for part in spec['costs_parts'] if part['announced']
                for sentence in part['sentences']],
            'methods': list(dict.fromkeys(note for spec in debt['specs'] for note in spec['methods'])),
            'bank': bank if bank['iban'] and sums['total'] > 0 else {},
        })

    def _get_held_sentences(self, moves):
        """Return ``{invoice id: sentence}`` of what waits, without the reasons we have for ourselves."""
        self.ensure_one()
        Hold = self.env['dunning.hold']
        today = self.company_id._dunning_today()
        holds = Hold.search(
            Hold._get_active_domain(today) & Domain('company_id', 'in', self.company_id._get_dunning_company_ids())
            & Domain('partner_id', '=', self.partner_id.id)
            & (Domain('move_id', 'in', moves.ids) | Domain('move_line_id.move_id', 'in', moves.ids)
               | Domain('scope', '=', 'debtor')), order='id')
        says_paid = self.env.ref('l10n_nl_dunning.hold_reason_says_paid', raise_if_not_found=False)
        found = {}
        for hold in holds:
            sentence = self._say_hold(hold, says_paid)
            targets = moves if hold.scope == 'debtor' else hold.move_id or hold.move_line_id.move_id
            for move in targets:
                if hold.kind in TOLD_KINDS or move.id not in found:
                    found[move.id] = sentence
        return found

    def _say_hold(self, hold, says_paid):
        until = '' if hold.needs_decision else letter_day(self.env, hold.date_end)
        if hold.kind == 'dispute' and hold.is_part:
            return self.env._(
                "You told us that you do not agree with %s of this. We are looking into that part and do not send "
                "reminders about it meanwhile.", letter_amount(self.env, hold.amount, hold.currency_id))
        if hold.kind == 'dispute':
            return self.env._(
                "You told us that you do not agree with this. We are looking into it and do not send reminders about "
                "it meanwhile.")
        if hold.kind == 'promise':
            return self.env._("You promised to pay this. We wait until %s.", until)
        if hold.arrangement_id.state == 'offered':
            return self.env._(
                "We offered you a payment arrangement for this. You can sign it until %s; we do not send reminders "
                "meanwhile.", letter_day(self.env, hold.arrangement_id.valid_until))
        if hold.kind == 'arrangement':
            return self.env._("This is part of your payment arrangement.")
        if says_paid and hold.reason_id == says_paid:
            return self.env._("You told us that you have paid this. We are looking for your payment.")
        return (
            self.env._("We do not send reminders about this until %s.", until) if until
            else self.env._("We do not send reminders about this for now."))

    def _get_debits(self, items):
        """Return ``{item id: day}`` of those of the items that we collect by direct debit: nobody is to pay them now.
        """
        return self.env['dunning.planner']._get_debits(self.company_id, self.company_id._dunning_today(), items)

    def _say_debit(self, day):
        if day < self.company_id._dunning_today():
            return self.env._("We collect this by direct debit one of these days. You do not have to do anything.")
        return self.env._(
            "We collect this by direct debit on %s. You do not have to do anything.", letter_day(self.env, day))

    # -------------------------------------------------------------------------
    # THE LETTER WHOSE LINK WAS OPENED
    # -------------------------------------------------------------------------

    def _get_letter_amounts(self, notice, claims):
        """Return ``{item id: amount}`` of what is left to pay of a letter, in its currency.

        Until its last day never more than the letter asked, less what was paid or credited since: interest of the days
        in between is not asked by it. Never more than is due today either.

        :param notice: the ``dunning.notice`` whose link was opened
        :param claims: those of today, as :meth:`DunningPageDebt._compute_claims` returns them
        """
        self.ensure_one()
        today = {entry.item_id: entry.total for claim in claims for entry in claim.items}
        runs = bool(notice.deadline) and notice.deadline >= self.company_id._dunning_today()
        amounts = {}
        for line in notice.live_line_ids:
            item = line.move_line_id
            amount = today.get(item.id, ZERO)
            if runs:
                settled = line.amount_residual - item.amount_residual_currency
                asked = line._get_asked() + line.amount_interest + line.amount_costs - max(0.0, settled)
                amount = min(amount, to_decimal(item.currency_id.round(asked)))
            if amount > 0:
                amounts[item.id] = amount
        return amounts

    def _prepare_letter(self, notice, claims, debts):
        """Add to the debt in the currency of a letter what is left to pay of it, and tell its rows from the others.

        :param dict debts: as :meth:`DunningPageDebt._get_debt` makes them
        """
        debt = debts.get(notice.currency_id)
        amounts = self._get_letter_amounts(notice, claims) if debt else {}
        if not amounts:
            return
        total = sum(amounts.values(), ZERO)
        moves = self.env['account.move.line'].browse(amounts).move_id
        others = [row for row in debt['rows'] if row['item'].id not in amounts]
        bank = self.env['dunning.letter']._prepare_transfer(
            self.company_id, moves, self.partner_id, notice.currency_id, float(total), notice.reference)
        debt['letter'] = {
            'notice': notice,
            'title': notice.subject or notice.display_name,
            'total': letter_amount(self.env, total, notice.currency_id),
            'names': [row['name'] or '' for row in debt['rows'] if row['item'].id in amounts],
            'bank': bank if bank['iban'] else {},
            # All that is due, where that is more than the letter asks.
            'is_all': not others and total >= debt['total_value'],
        }

    # -------------------------------------------------------------------------
    # HOW TO PAY
    # -------------------------------------------------------------------------

    def _prepare_bank(self, moves, currency, total, reference=''):
        """Return how to pay invoices together; see :meth:`DunningLetter._prepare_transfer`.

        :param str reference: what the debtor states; empty: the numbers of the invoices
        """
        self.ensure_one()
        Letter = self.env['dunning.letter']
        return Letter._prepare_transfer(
            self.company_id, moves, self.partner_id, currency, float(total),
            reference or Letter._get_moves_reference(moves))

    def _get_payable(self, what='due', move=None, currency=None, notice=None):
        """Return the :class:`Payable` of this debtor, or None when there is nothing to pay.

        What is disputed, promised or arranged is left out, unless it is asked for by its invoice. What will be
        collected by direct debit is left out anyhow: it would be paid twice.

        :param what: ``'due'`` for what is due with the interest and costs that were asked, ``'all'`` for everything,
            ``'letter'`` for what is left to pay of a notice
        :param move: only this invoice, which has to be one of the debtor's
        :param currency: of what is to be paid; None for that of the company, or else the first
        :param notice: the ``dunning.notice`` of ``'letter'``
        """
        self.ensure_one()
        claims, items = self._compute_claims()
        asked = {entry.item_id: entry.total for claim in claims for entry in claim.items}
        if notice:
            asked = self._get_letter_amounts(notice, claims)
            items, currency = items.filtered(lambda item: item.id in asked), notice.currency_id
        elif move:
            items = (self._get_open_items() | items).filtered(lambda item: item.move_id == move)
            asked = {item_id: amount for item_id, amount in asked.items() if amount > 0}
        elif what == 'all':
            others = self._get_open_items() - items
            items |= others - self._get_waiting_items(others)
        # Of what is due they are asked nothing already.
        debits = self._get_debits(items) if move or what == 'all' else ()
        parts = [
            (item, asked[item.id] if item.id in asked else to_decimal(item.amount_residual_currency))
            for item in items if item.id not in debits]
        parts = [(item, amount) for item, amount in parts if amount > 0]
        if not parts:
            return None
        currencies = {item.currency_id for item, _amount in parts}
        if currency not in currencies:
            currency = self.company_id.currency_id
        if currency not in currencies:
            currency = parts[0][0].currency_id
        parts = [(item, amount) for item, amount in parts if item.currency_id == currency]
        moves = self.env['account.move'].union(*(item.move_id for item, _amount in parts))
        names = [name for name in moves.sorted('invoice_date').mapped('name') if name]
        reference = make_reference(names[0]) if names else 'DEB-%d' % self.partner_id.id
        return Payable(
            amount=currency.round(float(sum((amount for _item, amount in parts), ZERO))),
            currency=currency,
            moves=moves,
            reference=f'{reference}-{len(names) - 1}-more' if len(names) > 1 else reference,
            partner=self.partner_id,
            company=self.company_id,
            what=what,
        )

    def _get_waiting_items(self, items):
        """Return those of the items that nobody is to pay now: disputed, or part of an agreement that runs.

        What is on offer can still be paid at once.
        """
        Hold = self.env['dunning.hold']
        holds = Hold.search(
            Hold._get_active_domain(self.company_id._dunning_today())
            & Domain('kind', 'in', ('dispute', 'arrangement', 'promise'))
            & (Domain('arrangement_id', '=', False) | Domain('arrangement_id.state', '=', 'active'))
            & (Domain('move_line_id', 'in', items.ids)
               | (Domain('move_line_id', '=', False) & Domain('move_id', 'in', items.move_id.ids))))
        return Hold._get_items_in_dispute(items) | items.filtered(
            lambda item: item in holds.move_line_id
            or item.move_id in holds.filtered(lambda hold: not hold.move_line_id).move_id)

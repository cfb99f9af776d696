"""The specification of a claim: its tables and notes, on the screen and as PDF.

Made of the frozen claim, as the words of it are; see :mod:`.dunning_claim_text`.
"""

from datetime import date
from decimal import Decimal

from odoo import api, models

from ...tools.law.amounts import ZERO
from ..kernel.dunning_paper import LetterDocument
from ..kernel.formats import letter_amount, letter_day, letter_percent


class DunningClaimSpecification(models.AbstractModel):
    """What the specification says, and its document."""

    _name = 'dunning.claim.specification'
    _description = "Dunning Claim"

    # -------------------------------------------------------------------------
    # THE SPECIFICATION
    # -------------------------------------------------------------------------

    @api.model
    def _prepare_specification(self, data, debtor, company, *, number='', frozen=False):
        """Return the words and amounts of a specification as they appear, in the language of the environment.

        :param dict data: a frozen claim (``Claim.to_json``)
        :param debtor: ``res.partner``
        :param company: ``res.company``, the creditor
        :param str number: of the notice it belongs to
        :param bool frozen: it is the claim as that notice left
        """
        currency = self.env['res.currency'].with_context(active_test=False).search(
            [('name', '=', data['currency'])], limit=1)

        def say(amount):
            return letter_amount(self.env, amount, currency, symbol=False)

        items = [self._prepare_item(entry, data, currency) for entry in data['items']]
        total = {name: Decimal(data[name]) for name in ('principal', 'interest', 'costs', 'announced', 'total')}
        original = sum((Decimal(entry['open']) for entry in data['items']), ZERO)
        reduction = sum((Decimal(entry['reduction']) for entry in data['items']), ZERO)
        left = [Decimal(amount) for amount in data['left']]
        per_day = Decimal(data['per_day'])
        costs = self._prepare_costs(data, currency)
        tables, details = self._divide_items(items, data, currency)
        return {
            'title': self.env._("Specification of the claim"),
            'subtitle': self.env._("calculation of interest and collection costs") if costs or total['costs']
            else self.env._("calculation of interest"),
            'date': letter_day(self.env, data['at_date']),
            'number': number,
            'belongs_to': (
                self.env._("As claimed in %s", number) if frozen else self.env._("Belongs to %s", number)),
            'total_label': self.env._("Total (%s)", data['currency']),
            'lang': (self.env.lang or 'en')[:2],
            'company': self.env['dunning.letterhead']._prepare_company(company, self.env.lang),
            'debtor': self._prepare_debtor(debtor, data),
            'currency': data['currency'],
            'items': items,
            'tables': tables,
            'details': details,
            'single': len(items) == 1,
            'has_reduction': bool(reduction),
            'has_interest': data['lawful'] and data['with_interest'] and not data['waived_interest'],
            'has_costs': bool(costs) or bool(total['costs']),
            'open': say(original),
            'reduction': say(-reduction),
            'principal': say(total['principal']),
            'interest': say(total['interest']),
            'costs': say(total['costs']),
            'announced': say(total['announced']) if total['announced'] else '',
            'total': letter_amount(self.env, total['total'], currency),
            'total_plain': say(total['total']),
            'left': [say(amount) for amount in left],
            'divided': left != [total['costs'], total['interest'], total['principal']],
            'per_day': self._say_per_day(per_day, currency),
            'costs_parts': costs,
            'waived': self._explain_waived(data),
            'remarks': self._get_remarks([*tables, *details], costs, data),
            'rates': self._prepare_rates(data),
            'methods': self._prepare_methods(data),
        }

    @api.model
    def _say_per_day(self, per_day, currency):
        """Return the sentence about the interest of each further day, or an empty string."""
        if not per_day:
            return ''
        return self.env._(
            "Each day after this date adds %s of interest, until a payment, another rate or the turn of an interest "
            "year.", letter_amount(self.env, per_day, currency) if per_day >= Decimal('0.01')
            else self.env._("less than a cent"))

    @api.model
    def _prepare_debtor(self, debtor, data):
        partner, Letterhead = debtor.with_context(lang=self.env.lang), self.env['dunning.letterhead']
        kinds = {
            'consumer': self.env._("consumer"), 'business': self.env._("business"),
            'government': self.env._("public body")}
        abroad = partner.country_id and partner.country_id.code != 'NL'
        country = partner.country_id.code or self.env.company._get_dunning_country()
        return {
            'name': partner.name,
            'lines': [*Letterhead._get_address(partner), *([partner.country_id.name] if abroad else ())],
            'numbers': [
                (label, value) for label, value in Letterhead._get_numbers(partner, country)
                if value and value.strip(' /-')],
            'role': self.env._("Debtor (%s)", kinds[data['debtor_type']]),
        }

    @api.model
    def _prepare_item(self, entry, data, currency):
        """Return one due item as it appears: how it came about, its interest and where payments went."""
        def say(amount):
            return letter_amount(self.env, amount, currency, symbol=False)

        segments, before = [], None
        paid_on = {line[0] for line in entry['imputations'] if Decimal(line[4])}
        for segment in entry['segments']:
            changed = before and any(before[0] <= day <= before[1] for day in paid_on)
            segments.append({
                'first': letter_day(self.env, segment[0], short=True),
                'last': letter_day(self.env, segment[1], short=True),
                'days': segment[2],
                'rate': letter_percent(self.env, segment[3], places=2),
                'base': say(segment[4]),
                'amount': say(segment[5]),
                'why': self._explain_segment(segment, before, changed),
            })
            before = segment
        interest_all, costs_all = Decimal(entry['interest_all']), Decimal(entry['costs_all'])
        announced = entry['costs_why'] == 'announced'
        off = [
            (self.env._("Interest that both sides signed for, more than what ran"), -Decimal(
                entry.get('signed_interest', 0))),
            (self.env._("Waived, or received in another way, of the interest"), Decimal(entry['waived_interest'])),
            (self.env._("Waived, or received in another way, of the costs"), Decimal(entry['waived_costs'])),
            (self.env._("Settled: what a letter asked was paid in time"), Decimal(entry.get('paid_as_asked', 0))),
            (self.env._("Paid or credited on the invoice for interest and costs"), Decimal(entry['settled'])),
        ]
        facts = {
            'date': letter_day(self.env, entry['invoice_date']), 'due': letter_day(self.env, entry['due_date']),
            'original': letter_amount(self.env, entry['original'], currency)}
        return {
            'name': entry['name'],
            'title': self.env._("Invoice %s", entry['name']),
            'facts': self.env._(
                "Of %(date)s, to be paid by %(due)s, original amount %(original)s. Paid and credited:", **facts,
            ) if entry['settlements'] else self.env._(
                "Of %(date)s, to be paid by %(due)s, original amount %(original)s.", **facts),
            'invoice_date': letter_day(self.env, entry['invoice_date'], short=True),
            'due_date': letter_day(self.env, entry['due_date'], short=True),
            'original': say(entry['original']),
            'open': say(entry['open']),
            'reduction': say(-Decimal(entry['reduction'])) if Decimal(entry['reduction']) else '',
            'principal': say(Decimal(entry['open']) - Decimal(entry['reduction'])),
            'interest': say(entry['interest']),
            'interest_all': say(interest_all),
            'costs': say(entry['costs']),
            'costs_all': '' if announced or not costs_all else say(costs_all),
            'total': say(sum(map(Decimal, (entry['open'], entry['interest'], entry['costs'])), -Decimal(
                entry['reduction']))),
            'settlements': [
                {
                    'date': letter_day(self.env, day, short=True),
                    'what': self.env._("payment") if is_money else self.env._("credit"),
                    'label': label,
                    'amount': say(-Decimal(amount)),
                }
                for day, amount, is_money, label in entry['settlements']],
            'why': self._explain_item(entry, data),
            'segments': segments,
            'imputations': [self._prepare_imputation(line, currency) for line in entry['imputations']],
            # Before anything was claimed there is nothing to divide.
            'divided': any(Decimal(line[2]) or Decimal(line[3]) for line in entry['imputations']),
            'left': [say(amount) for amount in entry['left']],
            'off': [(label, say(-amount)) for label, amount in off if amount],
        }

    @api.model
    def _divide_items(self, items, data, currency):
        """Return prepared items as tables of those that differ in their figures only, and the others.

        Each table has one ``why``; that of 200 invoices fits on a few pages. What was paid, credited or waived, and how
        that was divided, is told of each invoice by itself.
        """
        alike = {}
        for position, (item, entry) in enumerate(zip(items, data['items'], strict=True)):
            if entry['segments'] and Decimal(entry['open']) == Decimal(entry['original']) and not (
                item['settlements'] or item['imputations'] or item['reduction'] or item['off']
            ):
                alike.setdefault(self._explain_item(entry, data, together=True), []).append(position)
        groups = {why: positions for why, positions in alike.items() if len(positions) > 1}
        tables = [
            {
                'why': why,
                'items': [items[position] for position in positions],
                'interest': letter_amount(self.env, sum(
                    (Decimal(data['items'][position]['interest_all']) for position in positions), ZERO,
                ), currency, symbol=False),
            }
            for why, positions in groups.items()]
        told = {position for positions in groups.values() for position in positions}
        return tables, [item for position, item in enumerate(items) if position not in told]

    @api.model
    def _explain_item(self, entry, data, *, together=False):
        """Return the sentences about the interest of an item."""
        return " ".join(filter(None, [
            self._explain_interest(entry, data, together=together), self._explain_until(entry, data)]))

    @api.model
    def _prepare_imputation(self, line, currency):
        day, amount, costs, interest, principal, left, ref = line
        kind, label = (*ref, '', '')[:2]
        what = {
            'waived': self.env._("waived"), 'received': self.env._("received in another way"),
            'paid_as_asked': self.env._("paid as asked in time, so settled"),
            'booking': self.env._("payment of interest and costs"),
        }.get(kind) or self.env._("payment")
        return {
            'date': letter_day(self.env, day, short=True),
            'what': what,
            'label': label,
            **{
                name: letter_amount(self.env, value, currency, symbol=False)
                for name, value in (
                    ('amount', amount), ('costs', costs), ('interest', interest), ('principal', principal),
                    ('left_costs', left[0]), ('left_interest', left[1]), ('left_principal', left[2]))},
        }

    @api.model
    def _prepare_costs(self, data, currency):
        """Return the computations of collection costs: sentences, and the share of each invoice.

        Shares that the table of the claim shows already are not told again.
        """
        parts = []
        for position, basis in enumerate(data['costs_bases']):
            shares = [entry for entry in data['items'] if entry['costs_basis'] == position]
            announced = any(entry['costs_why'] == 'announced' for entry in shares)
            whole = sum((Decimal(entry['announced' if announced else 'costs_all']) for entry in shares), ZERO)
            in_summary = len(shares) > 1 and not announced and all(
                Decimal(entry['costs']) == Decimal(entry['costs_all']) and not Decimal(entry['costs_lowered'])
                for entry in shares)
            parts.append({
                'sentences': self._explain_costs(basis, currency),
                'announced': announced,
                'in_summary': in_summary,
                'shares': [] if in_summary else [
                    (self.env._("Announced for invoice %s", entry['name']) if announced
                     else self.env._("Share of invoice %s", entry['name']),
                     self._explain_lowered(entry, currency), letter_amount(self.env,
                        entry['announced' if announced else 'costs_all'], currency, symbol=False))
                    for entry in shares],
                'total': letter_amount(self.env, whole, currency, symbol=False),
                # Some of the invoices may not be in this claim, or were credited later.
                'together': self.env._("Together") if whole == Decimal(basis.get('total') or whole) else self.env._(
                    "Together, of %s for all invoices of that notice",
                    letter_amount(self.env, basis['total'], currency)),
            })
        return parts

    @api.model
    def _explain_lowered(self, entry, currency):
        """Return why less costs are asked for an item than were claimed first, or an empty string."""
        lowered = Decimal(entry['costs_lowered'])
        return self.env._(
            "%s less, in proportion to what was credited since",
            letter_amount(self.env, lowered, currency, symbol=False)) if lowered else ''

    @api.model
    def _get_remarks(self, explained, costs, data):
        """Return the reasons in short, for the screen: each sentence once."""
        sentences = [part['why'] for part in explained] + self._explain_waived(data)
        sentences += [sentence for part in costs for sentence in part['sentences']]
        return list(dict.fromkeys(sentences))

    @api.model
    def _explain_waived(self, data):
        """Return the sentences about what is not asked of the debtor as a whole."""
        sentences = []
        if data['waived_costs'] and data['with_costs']:
            # Why is for colleagues: the debtor reads this.
            sentences.append(self.env._("No collection costs are asked of this debtor."))
        elif (
            data['debtor_type'] == 'consumer' and data['with_costs'] and data['lawful']
            and not Decimal(data['costs']) and not data['costs_bases']
        ):
            sentences.append(self.env._(
                "No collection costs: no 14-day letter to this debtor has run out (article 6:96 paragraph 6 BW)."))
        return sentences

    @api.model
    def _prepare_rates(self, data):
        """Return the rates used, each with its source."""
        used = {}
        for entry in data['items']:
            agreed = Decimal(entry['agreed_percent'])
            for segment in entry['segments']:
                percent = Decimal(segment[3])
                key = (segment[0], segment[1])
                if agreed and percent == agreed:
                    used.setdefault(('agreed', percent), key)
                else:
                    start = self._get_rate_start(data['rate_kind'], segment[0])
                    used.setdefault((data['rate_kind'], percent, start), key)
        if not used:
            return []
        Rate = self.env['dunning.interest.rate']
        # sudo: rates are public law
        sources = {rate.date_from: rate.source for rate in Rate.sudo().search([('kind', '=', data['rate_kind'])])}
        rows = []
        for key in sorted(used, key=lambda key: used[key]):
            if key[0] == 'agreed':
                rows.append({'from': '', 'percent': letter_percent(self.env, key[1], places=2), 'source': self.env._(
                    "agreed with the debtor")})
                continue
            _kind, percent, start = key
            rows.append({
                'from': letter_day(self.env, start, short=True), 'percent': letter_percent(self.env, percent, places=2),
                'source': sources.get(start) or ''})
        return rows

    @api.model
    def _get_rate_start(self, kind, day):
        """Return from when the rate of a day applies."""
        day = date.fromisoformat(day)
        starts = self.env['dunning.interest.rate']._get_table(kind).changes(date.min, day)
        return starts[-1] if starts else day

    @api.model
    def _prepare_methods(self, data):
        """Return the notes on how was counted and rounded."""
        notes = []
        names = {}
        for entry in data['items']:
            if entry['segments']:
                names.setdefault(entry.get('day_count', data['day_count']), []).append(entry['name'])
        if names:
            leap = names.pop('act/act', ())
            days = (
                self.env._("a year has 365 days, also a leap year") if not leap
                else self.env._("a year has 365 days, a leap year 366") if not names
                else self.env._("a year has 365 days, and for %s a leap year 366", ", ".join(leap)))
            notes.append(self.env._(
                "Interest of a period = amount × rate × days ÷ days of the year, rounded to the cent, half a cent up. "
                "The first and the last day both count; %s.", days))
            if any(entry['compound'] and entry['segments'] for entry in data['items']):
                notes.append(self.env._(
                    "After each full year, counted from the first day of interest, the interest that is unpaid then "
                    "bears interest as well (article 6:119 paragraph 2 and 6:119a paragraph 3 BW)."))
            if any(Decimal(entry['agreed_percent']) for entry in data['items']):
                notes.append(self.env._("Agreed interest does not bear interest itself."))
            notes.append(self.env._(
                "A payment counts on the day on which the account of the creditor was credited (article 6:114 "
                "paragraph 2 BW), and that day still bears interest."))
        if any(len(entry['imputations']) for entry in data['items']):
            notes.append(self.env._(
                "A payment goes first to collection costs, then to interest, then to the principal (article 6:44 "
                "paragraph 1 "
                "BW), as far as costs and interest had been claimed before it; payments before that go to the "
                "principal only."))
        if any(not line[2] for entry in data['items'] for line in entry['settlements']):
            notes.append(self.env._(
                "A credit lowers the principal from the beginning: no interest or costs over it."))
        if any(Decimal(entry['reduction']) for entry in data['items']):
            notes.append(self.env._(
                "Credits that are still to be settled, and parts on hold, are not claimed and bear no interest or "
                "costs."))
        if Decimal(data['costs']) or Decimal(data['announced']):
            notes.append(self.env._(
                "Collection costs: article 6:96 paragraph 2 under c BW and article 2 of the Decree on compensation for "
                "extrajudicial collection costs (Besluit BIK), over the principal only and rounded once; shared over "
                "the invoices in proportion to their principal."))
        return notes

    # -------------------------------------------------------------------------
    # PAPER
    # -------------------------------------------------------------------------

    @api.model
    def _get_specification_data(self, notice):
        """Return the frozen claim of a notice; of one that did not leave yet, the claim of its day.

        Of a notice that left without any interest or costs nothing was frozen: then it is worked out for that day.
        """
        data = notice.claim_data
        if data and data.get('format'):
            return data
        at_date = notice.date or self.env.company._dunning_today()
        claims = self.with_company(notice.company_id)._compute_for_notices(notice, at_date)
        return claims[notice.id].to_json()

    @api.model
    def _render_specification(self, data, debtor, company, lang, *, number='', frozen=False):
        """Return the ``LetterDocument`` of a specification: one whole, self-contained HTML document."""
        service = self.with_context(lang=lang)
        words = service._prepare_specification(data, debtor, company, number=number, frozen=frozen)
        body = service.env['ir.qweb']._render(
            'l10n_nl_dunning.specification_document', {'spec': words}, minimal_qcontext=True)
        left = "  ·  ".join(filter(None, [company.name, words['title'], debtor.name, words['date'], number]))
        return LetterDocument(
            0, f"<!DOCTYPE html>{body.strip()}", number, left, words['company']['page_of'], company.name)

    @api.model
    def _print_specification(self, document):
        """Return the PDF of a specification."""
        return self.env['dunning.paper']._run_wkhtmltopdf([document])

    @api.model
    def _prepare_notice_document(self, notice):
        """Return the ``LetterDocument`` of the specification of a notice as it left, in its language."""
        data = self._get_specification_data(notice)
        return self._render_specification(
            data, notice.partner_id, notice.company_id, notice.lang, number=notice.name or '',
            frozen=data == notice.claim_data and notice.state == 'sent')

    @api.model
    def _get_specification_pdf(self, notice):
        """Return the PDF of the specification of a notice as it left: an annex to the letter."""
        return self._print_specification(self._prepare_notice_document(notice))

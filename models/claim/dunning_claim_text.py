"""The claim in words: how interest and collection costs were worked out, so that a judge can follow it with a pencil.

Everything here is made of the claim as it is frozen on a notice (``Claim.to_json``), so that what left can be printed
again in the same way, and a claim of today or of any other day is printed no differently.
"""

from decimal import Decimal

from odoo import api, models

from ...tools.law.amounts import HUNDRED, ZERO
from ...tools.law.collection_costs import MAXIMUM, MINIMUM, scale_steps
from ..kernel.formats import letter_amount, letter_day, letter_percent


class DunningClaimText(models.AbstractModel):
    """The sentences that explain interest and collection costs."""

    _name = 'dunning.claim.text'
    _description = "Dunning Claim"

    # -------------------------------------------------------------------------
    # INTEREST
    # -------------------------------------------------------------------------

    @api.model
    def _explain_interest(self, entry, data, *, together=False):
        """Return the sentence that says from when an item bears interest, which and why; or why it bears none.

        :param dict entry: one of ``items`` of a frozen claim
        :param dict data: the frozen claim
        :param bool together: it is about several items, each with a due date of its own
        """
        basis = entry.get('interest_basis') or {}
        if data.get('limit') == 'creditor':
            return self.env._("The interest and collection costs of Dutch law are for Dutch creditors only.")
        if data.get('limit') == 'abroad':
            return self.env._(
                "A consumer abroad keeps the protection of the law there, so neither interest nor collection costs of "
                "Dutch law are asked.")
        if not data['lawful']:
            return self.env._(
                "The statutory interest and collection costs of the law are for debts in euros, so this claim in "
                "%s is its principal only.", data['currency'])
        if entry['interest_why'] == 'booked':
            return self.env._("This invoice is for interest and collection costs, which bear neither themselves.")
        if data['waived_interest']:
            # Why is for colleagues: the debtor reads this, also on his page.
            return self.env._("No interest is asked of this debtor.")
        if not data['with_interest']:
            return self.env._("No interest is asked here.")
        if entry['interest_why'] == 'no_default':
            return self.env._(
                "No interest: the term of payment was not agreed, and no notice of default has been sent yet "
                "(article 6:82 BW).")
        if entry['interest_why'] == 'insolvent':
            return self.env._("No interest: the debtor became insolvent before it would have begun.")
        if not entry['interest_from']:
            return self.env._("No interest.")
        first_day = letter_day(self.env, entry['interest_from'])
        name, law = self._get_interest_name(entry, data)
        if entry['interest_from'] > data['at_date']:
            return self.env._("No interest yet: it runs from %s.", first_day)
        values = {'name': name, 'law': law, 'first': first_day}
        if entry['interest_why'] == 'term' and together:
            if data['rate_kind'] == 'consumer':
                return self.env._(
                    "%(name)s (%(law)s), for each invoice from the day after its agreed last day of payment, with "
                    "which the default began (article 6:83 under a BW).", **values)
            return self.env._(
                "%(name)s (%(law)s), for each invoice from the day after its agreed last day of payment.", **values)
        if entry['interest_why'] == 'term':
            if data['rate_kind'] == 'consumer':
                return self.env._(
                    "%(name)s (%(law)s) from %(first)s, the day after the agreed last day of payment, with which the "
                    "default began (article 6:83 under a BW).", **values)
            return self.env._(
                "%(name)s (%(law)s) from %(first)s, the day after the agreed last day of payment.", **values)
        if entry['interest_why'] == 'default':
            return self.env._(
                "%(name)s (%(law)s) from %(first)s: the notice of default %(notice)s of %(sent)s gave a term until "
                "%(deadline)s (article 6:82 BW).",
                notice=basis['notice'], sent=letter_day(self.env, basis['sent']),
                deadline=letter_day(self.env, basis['deadline']), **values)
        return self.env._(
            "%(name)s (%(law)s) from %(first)s: no term of payment was agreed, so that it runs from 30 days after the "
            "day that follows the receipt of the invoice, presumed on %(received)s.",
            received=letter_day(self.env, basis['received']), **values)

    @api.model
    def _explain_until(self, entry, data):
        """Return the sentence about an insolvency that ended the interest, or an empty string."""
        until = (entry.get('interest_basis') or {}).get('until')
        return self.env._(
            "Interest ends with %s, the day before the debtor became insolvent.", letter_day(self.env, until),
        ) if until and until < data['at_date'] else ''

    @api.model
    def _get_interest_name(self, entry, data):
        """Return (name of the interest, article it follows from)."""
        consumer = data['rate_kind'] == 'consumer'
        number = "6:119" if consumer else "6:119b" if data['debtor_type'] == 'government' else "6:119a"
        if Decimal(entry.get('agreed_percent') or 0):
            percent = letter_percent(self.env, entry['agreed_percent'])
            return self.env._("Agreed interest of %s per year", percent), (
                self.env._("article 6:119 paragraph 3 BW") if consumer else self.env._("article %s BW", "6:119a"))
        name = self.env._("Statutory interest") if consumer else self.env._("Statutory commercial interest")
        return name, self.env._("article %s BW", number)

    @api.model
    def _explain_segment(self, segment, before, principal_changed):
        """Return why a period of interest begins where it does."""
        reasons = segment[6] if len(segment) > 6 else ()
        words = []
        if 'start' in reasons:
            words.append(self.env._("begin"))
        if 'payment' in reasons:
            words.append(self.env._("after payment"))
        if 'rate' in reasons:
            words.append(self.env._("new rate"))
        if 'year' in reasons:
            words.append(self.env._("other length of the year"))
        if 'anniversary' in reasons:
            added = Decimal(segment[4]) - Decimal(before[4]) if before and not principal_changed else None
            words.append(
                self.env._(
                    "a year further: %s interest added", letter_amount(
                        self.env, added, self.env.ref('base.EUR'), symbol=False)) if added
                else self.env._("a year further: unpaid interest added"))
        return ", ".join(words)

    # -------------------------------------------------------------------------
    # COLLECTION COSTS
    # -------------------------------------------------------------------------

    @api.model
    def _explain_costs(self, basis, currency):
        """Return the sentences that say how collection costs were worked out.

        :param dict basis: one of ``costs_bases`` of a frozen claim
        :return: list of sentences in the language of the environment
        """
        def say(amount):
            return letter_amount(self.env, amount, currency)

        formula, lines = basis['formula'], []
        principal = Decimal(basis.get('principal') or 0)
        total = Decimal(basis.get('total') or 0)
        base = Decimal(basis.get('base') or principal)
        already = Decimal(basis.get('already') or 0)
        vat_rate = Decimal(basis.get('vat_rate') or 0)
        if basis.get('claimed_in'):
            lines.append(self.env._(
                "Claimed in %(notice)s of %(date)s; later part payments do not change them.",
                notice=basis['claimed_in'], date=letter_day(self.env, basis['claimed_on'])))
        if formula == 'claimed':
            return lines
        if formula == 'fourteen_day':
            lines.append(self._explain_letter(basis, principal, currency))
            if not principal:
                return [*lines, self.env._("Nothing was left unpaid, so there are no collection costs.")]
            if base != principal:
                letters = ", ".join(name for name in basis['earlier'] if name)
                lines.append(self.env._(
                    "Added to the principal of the earlier letter %(letters)s, so that the scale is applied once "
                    "(article 6:96 paragraph 7 BW, article 2a of the decree): %(base)s.",
                    letters=letters, base=say(base)))
        elif formula == 'minimum':
            return [*lines, self.env._(
                "The statutory minimum of %s between businesses, owed without a reminder (article 6:96 paragraph 4 "
                "BW).",
                say(total))]
        elif formula == 'agreed':
            sentence = self.env._(
                "As agreed: %(percent)s over %(principal)s = %(costs)s.",
                percent=letter_percent(self.env, basis['percent']), principal=say(principal),
                costs=say(principal * Decimal(basis['percent']) / HUNDRED))
            lines.append(sentence)
            if total != (principal * Decimal(basis['percent']) / HUNDRED).quantize(total):
                lines.append(self.env._("The minimum applies: %s.", say(total)))
            return lines
        else:
            lines.append(self.env._(
                "Between businesses collection costs are owed without a reminder (article 6:96 paragraph 4 BW). The "
                "scale over the principal that is late, %s:", say(principal)))
        lines.append(self._explain_scale(base, currency))
        costs = min(MAXIMUM, max(MINIMUM, sum((step[2] for step in scale_steps(base)), ZERO)))
        if formula == 'scale_per_invoice' and total > costs * (HUNDRED + vat_rate) / HUNDRED:
            lines.append(self.env._(
                "At least %(minimum)s for each of the %(count)s late invoices: %(total)s.",
                minimum=say(MINIMUM), count=basis['count'], total=say(total)))
            return lines
        if vat_rate:
            lines.append(self.env._(
                "Raised by %(percent)s VAT that the creditor cannot deduct (article 2 paragraph 3 of the decree): "
                "%(total)s.",
                percent=letter_percent(self.env, vat_rate), total=say(costs * (HUNDRED + vat_rate) / HUNDRED)))
        if already:
            lines.append(self.env._(
                "Less the collection costs of the earlier letter: %(already)s; left %(total)s.",
                already=say(already), total=say(total)))
        if basis.get('capped'):
            lines.append(self.env._("No more than the letter announced: %s.", say(total)))
        return lines

    @api.model
    def _explain_letter(self, basis, principal, currency):
        """Return the sentence about a 14-day letter: sent, received, its term, and what was unpaid then."""
        values = {'principal': letter_amount(self.env, principal, currency)}
        if not basis.get('since'):
            return self.env._(
                "Announced for when nothing is paid within the term of this 14-day letter, over %(principal)s.",
                **values)
        kinds = dict(self.env['dunning.notice']._fields['receipt_kind']._description_selection(self.env))
        evidence = kinds.get(basis.get('evidence')) or self.env._("presumed")
        values |= {
            'notice': basis['notice'], 'sent': letter_day(self.env, basis['sent']),
            'last': letter_day(self.env, basis['last_day']),
            'received': letter_day(self.env, basis['receipt']) if basis.get('receipt') else self.env._("unknown day"),
            'evidence': evidence[:1].lower() + evidence[1:],
        }
        return self.env._(
            "14-day letter %(notice)s of %(sent)s, received on %(received)s (%(evidence)s). Its term ran out at the "
            "end of %(last)s; unpaid of the principal was then %(principal)s (article 6:96 paragraph 6 BW; HR 25 "
            "November 2016, ECLI:NL:HR:2016:2704).", **values)

    @api.model
    def _explain_scale(self, principal, currency):
        """Return “15% over € 2.500,00 = € 375,00; 10% over € 500,00 = € 50,00; together € 425,00.”"""
        steps = scale_steps(principal)
        parts = [
            self.env._(
                "%(percent)s over %(part)s = %(costs)s", percent=letter_percent(self.env, percent),
                part=letter_amount(self.env, part, currency), costs=letter_amount(self.env, costs, currency))
            for percent, part, costs in steps]
        total = sum((step[2] for step in steps), ZERO)
        sentence = "; ".join(parts)
        if len(steps) > 1:
            sentence = self.env._(
                "%(parts)s; together %(total)s", parts=sentence, total=letter_amount(self.env, total, currency))
        if total < MINIMUM:
            sentence = self.env._(
                "%(parts)s; at least %(minimum)s", parts=sentence, minimum=letter_amount(self.env, MINIMUM, currency))
        elif total > MAXIMUM:
            sentence = self.env._(
                "%(parts)s; at most %(maximum)s", parts=sentence, maximum=letter_amount(self.env, MAXIMUM, currency))
        return f"{sentence}."

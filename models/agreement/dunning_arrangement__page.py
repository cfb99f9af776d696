"""What the debtor reads about a payment arrangement on its page, in the language it is written in.

The templates add nothing up: every amount and day leaves here as words.
"""

from odoo import models

from .dunning_arrangement import CLOSED_STATES


class DunningArrangement(models.Model):
    _inherit = 'dunning.arrangement'

    def _say_amount(self, amount):
        self.ensure_one()
        return self.env['dunning.letter']._format_amount(amount, self.currency_id, self.env.lang)

    def _say_day(self, day, *, short=False):
        return self.env['dunning.letter']._format_date(day, self.env.lang, short=short)

    def _prepare_page(self):
        """Return what the page shows, in the language of the environment.

        :return: dict with ``status`` (kind and sentence), ``can_sign``, ``can_pay``, ``agreed`` (sentences),
            ``clauses`` (as frozen in the document),
            ``instalments``, ``debt`` and ``sums`` (rows of words)
        """
        self.ensure_one()
        payable = self._get_payable('due')
        return {
            'title': self.env._("Payment arrangement %s", self.name),
            'status': self._tell_status(),
            'can_sign': self.state == 'offered' and not self._is_expired(),
            'due': self._say_amount(payable.amount) if payable else '',
            'left': self._say_amount(self.amount_left) if self._get_payable('all') else '',
            'total': self._say_amount(self.amount_total),
            'agreed': self._tell_agreed(),
            'clauses': self._get_clauses(self.document_data) if self.document_data else [],
            'instalments': self._prepare_page_instalments(),
            'debt': self._prepare_page_debt(),
            'sums': self._prepare_page_sums(),
            'signatures': self._prepare_page_signatures(),
        }

    # -------------------------------------------------------------------------
    # HOW IT STANDS
    # -------------------------------------------------------------------------

    def _tell_status(self):
        """Return ``(kind, sentence)``: ``note`` (something to do), ``good`` or ``bad``."""
        self.ensure_one()
        if self.state == 'offered':
            if self._is_expired():
                return 'bad', self.env._(
                    "This offer could be signed until %s. Contact us if you still want to pay in instalments.",
                    self._say_day(self.valid_until))
            return 'note', self.env._(
                "Read the arrangement and sign it no later than %s. Nothing has been agreed before you signed.",
                self._say_day(self.valid_until))
        if self.state == 'signed':
            return 'good', self.env._(
                "You signed on %s. The arrangement begins to run when we have signed it too; you then get a copy.",
                self._say_day(self.signed_date))
        if self.state == 'active':
            return self._tell_running_status()
        if self.state == 'kept':
            return 'good', self.env._("Everything has been paid. Thank you for keeping to the arrangement.")
        if self.state == 'broken':
            return 'bad', self.env._(
                "This arrangement has ended, because it was not kept to. What is left has to be paid at once. Contact "
                "us if you cannot.")
        return 'bad', self._tell_ended()

    def _tell_running_status(self):
        late = self.instalment_ids.filtered(lambda part: part.state in ('late', 'missed'))
        if late:
            amount = sum(late.mapped('amount_left'))
            return 'bad', self.env._(
                "%(amount)s should have been paid by %(date)s. Please pay it now, so that the arrangement can go on.",
                amount=self._say_amount(amount), date=self._say_day(min(late.mapped('date_due'))))
        coming = self._get_next_payment()
        if not coming:
            return 'good', self.env._("Every instalment has been paid. Thank you.")
        return 'good', self.env._(
            "The arrangement runs. The next payment is %(amount)s, no later than %(date)s.",
            amount=self._say_amount(coming.amount_left), date=self._say_day(coming.date_due))

    # -------------------------------------------------------------------------
    # WHAT IS AGREED
    # -------------------------------------------------------------------------

    def _tell_agreed(self):
        """Return what both sides agree, as sentences; the document says it in full."""
        self.ensure_one()
        parts = self.instalment_ids.sorted('date_due')
        company, last = self.company_id.name, parts[-1:]
        sentences = [self.env._(
            "You owe %(company)s %(total)s. By signing you acknowledge that you owe this amount.",
            company=company, total=self._say_amount(self.amount_total))]
        down = parts.filtered(lambda part: part.kind == 'down_payment')[:1]
        regular = parts.filtered(lambda part: part.kind == 'instalment')
        if down:
            sentences.append(self.env._(
                "You first pay %(amount)s, no later than %(date)s.",
                amount=self._say_amount(down.amount), date=self._say_day(down.date_due)))
        if len(regular) == 1:
            sentences.append(self.env._(
                "You pay %(amount)s in one go, no later than %(date)s.",
                amount=self._say_amount(regular.amount), date=self._say_day(regular.date_due)))
        elif regular:
            facts = {
                'count': len(regular), 'amount': self._say_amount(regular[0].amount),
                'date': self._say_day(regular[0].date_due), 'last': self._say_day(last.date_due)}
            sentences.append(
                self.env._(
                    "You pay the rest in %(count)s instalments: the first is %(amount)s, no later than %(date)s, and "
                    "the last is on %(last)s.", **facts) if down
                else self.env._(
                    "You pay it in %(count)s instalments: the first is %(amount)s, no later than %(date)s, and the "
                    "last is on %(last)s.", **facts))
        sentences.append(
            self.env._("As long as you keep to it, no further interest is added.") if self.interest_mode == 'none'
            else self.env._("Interest goes on meanwhile. What it comes to is asked as a last instalment."))
        sentences.append(self.env._(
            "As long as you keep to it, we send no reminders about these invoices and take no further steps."))
        if self.new_invoices == 'must_pay':
            sentences.append(self.env._("You pay new invoices on time meanwhile."))
        sentences.append(self.env._(
            "The dates are final. If an instalment is not on our account within %s working days of its date, you get a "
            "message from us. If you do not pay then either, the arrangement ends and everything that is left has to "
            "be paid at once.", self.grace_days))
        return sentences

    def _prepare_page_instalments(self):
        self.ensure_one()
        kinds = {
            'down_payment': self.env._("Down payment"),
            'interest': self.env._("Interest"),
        }
        states = {
            'open': '',
            'due': self.env._("to be paid now"),
            'paid': self.env._("paid"),
            'late': self.env._("not received yet"),
            'missed': self.env._("too late"),
            'cancelled': self.env._("lapsed"),
        }
        running = self.state == 'active'
        regular = 0
        rows = []
        for part in self.instalment_ids.sorted(lambda part: (part.date_due, part.sequence)):
            if part.kind == 'instalment':
                regular += 1
            some = self.currency_id.compare_amounts(part.amount_paid, 0) > 0 and part.state != 'paid'
            rows.append({
                'id': part.id,
                'name': kinds.get(part.kind) or self.env._("Instalment %s", regular),
                'date': self._say_day(part.date_due),
                'amount': self._say_amount(part.amount),
                'state': part.state,
                # Before it runs nothing is due, and after it has ended the days do not count any more.
                'state_text': states.get(part.state, '') if self.state not in ('offered', 'signed') else '',
                'paid_text': self.env._(
                    "%(paid)s paid, %(left)s left", paid=self._say_amount(part.amount_paid),
                    left=self._say_amount(part.amount_left)) if some and self.state not in CLOSED_STATES else '',
                'can_pay': running and part.state not in ('paid', 'cancelled')
                and self.currency_id.compare_amounts(part.amount_left, 0) > 0,
            })
        return rows

    def _prepare_page_debt(self):
        """Return the invoices it is about; what books interest and costs of the others counts there."""
        self.ensure_one()
        return [
            {
                'name': line.name or line.move_id.name or '',
                'date': self._say_day(line.date_due),
                'principal': self._say_amount(line.amount_principal),
                'interest': self._say_amount(line.amount_interest) if line.amount_interest else '',
                'costs': self._say_amount(line.amount_costs) if line.amount_costs else '',
                'total': self._say_amount(line.amount_total),
            }
            for line in self.line_ids if not line.is_booking]

    def _prepare_page_sums(self):
        self.ensure_one()
        sums = [(self.env._("Invoices"), self._say_amount(self.amount_principal))]
        if self.amount_interest:
            sums.append((
                self.env._("Interest until %s", self._say_day(self.claim_date)),
                self._say_amount(self.amount_interest)))
        if self.amount_costs:
            sums.append((self.env._("Collection costs"), self._say_amount(self.amount_costs)))
        return sums

    def _prepare_page_signatures(self):
        """Return who signed and when, for both sides."""
        self.ensure_one()
        rows = []
        if self.signed_on:
            rows.append(self.env._(
                "Signed by %(name)s on %(date)s.", name=self.signed_name, date=self._say_day(self.signed_date)))
        if self.countersigned_on:
            rows.append(self.env._(
                "Signed for %(company)s by %(name)s.", company=self.company_id.name,
                # sudo: who signed stands on the agreement
                name=self.countersigned_by_id.sudo().name))
        return rows

    # -------------------------------------------------------------------------
    # PAYING
    # -------------------------------------------------------------------------

    def _tell_what_is_paid(self, what, instalment=None):
        """Return the title of the page on which it is paid."""
        self.ensure_one()
        if instalment:
            return self.env._("Pay the instalment of %s", self._say_day(instalment.date_due))
        return (
            self.env._("Pay what is due now") if what == 'due' and self.state == 'active'
            else self.env._("Pay everything that is left"))

    def _tell_before_paying(self, what, instalment=None):
        """Return what one should know before paying."""
        self.ensure_one()
        earlier = instalment and self.instalment_ids.filtered(
            lambda part: part.date_due < instalment.date_due and part.state not in ('paid', 'cancelled')
            and self.currency_id.compare_amounts(part.amount_left, 0) > 0)
        if earlier:
            return self.env._(
                "An earlier instalment was not paid yet. What you pay now is used for that one first.")
        return self.env._("Payment arrangement %s", self.name)

    def _tell_after_paying(self):
        """Return what is left, in words for the debtor."""
        self.ensure_one()
        coming = self._get_next_payment()
        if self.state == 'active' and coming:
            return self.env._(
                "Still to be paid: %(left)s. The next payment is %(amount)s, no later than %(date)s.",
                left=self._say_amount(self.amount_left), amount=self._say_amount(coming.amount_left),
                date=self._say_day(coming.date_due))
        if self.state in ('active', 'kept'):
            return self.env._("Everything has been paid. Thank you for keeping to the arrangement.")
        return ''

"""The terms of an arrangement: what is owed and the instalments that follow from them, also before it is made."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.agreement.instalments import MAX_INSTALMENTS, ScheduleError, make_schedule
from ...tools.law.amounts import ZERO, to_decimal
from ...tools.law.claim import Booked
from ...tools.law.dutch_calendar import extended

# Days after today of the first instalment, and until which an offer can be signed, where nobody says otherwise.
FIRST_DAYS, VALID_DAYS = 14, 14
# Days on which banks settle after the date of an instalment, before it counts as missed, where nobody says otherwise.
GRACE_DAYS = 3

# What changes amounts and days.
SCHEDULE_TERMS = frozenset({
    'date_first', 'period', 'day_of_month', 'calculate', 'instalment_count', 'instalment_amount', 'down_payment',
    'down_payment_date', 'interest_mode', 'with_interest', 'with_costs', 'with_unasked',
})
# All of this part.
OWN_TERMS = SCHEDULE_TERMS | {'grace_days', 'new_invoices', 'valid_until'}
# What was agreed: the user's to choose while it is a draft.
TERMS = OWN_TERMS | {'lang', 'contact_id'}


class DunningArrangementTerms(models.AbstractModel):
    _name = 'dunning.arrangement.terms'
    _description = "Terms of a Payment Arrangement"

    currency_id = fields.Many2one(comodel_name='res.currency')
    date_first = fields.Date(string="First Instalment", required=True)
    period = fields.Selection(
        selection=[('week', "Each Week"), ('fortnight', "Every Two Weeks"), ('month', "Each Month")],
        string="How Often", required=True, default='month')
    day_of_month = fields.Integer(
        string="Day of the Month",
        help="Day on which each month is paid; 31 is the last day of the month, 0 the day of the first instalment.")
    calculate = fields.Selection(
        selection=[('count', "Number of Instalments"), ('amount', "Amount of an Instalment")],
        required=True, default='count')
    instalment_count = fields.Integer(string="Instalments", default=3)
    instalment_amount = fields.Monetary(string="Each")
    down_payment = fields.Monetary(help="To be paid before the first instalment.")
    down_payment_date = fields.Date(help="Empty: a week before the first instalment.")
    # Free of charge for consumers: interest over the time it runs would make it credit.
    interest_mode = fields.Selection(
        selection=[('none', "No interest while it is kept"), ('runs', "Interest runs on")],
        string="Interest Meanwhile", required=True, default='none',
        help="No interest: as long as it is kept no interest is asked over the time it runs. Interest runs on: what it "
             "comes to is asked as a last instalment.")
    with_interest = fields.Boolean(default=True, help="The interest until today is part of it.")
    with_costs = fields.Boolean(
        string="With Collection Costs", default=True, help="The collection costs that are owed today are part of it.")
    # The desk and the debtor's page begin without: nobody agrees to costs of which the debtor reads for the first time.
    with_unasked = fields.Boolean(
        string="With What Was Not Asked Yet", default=True,
        help="Also the interest and collection costs that the law allows and no reminder asked so far.")
    grace_days = fields.Integer(
        string="Grace (bank days)", default=GRACE_DAYS,
        help="Days on which banks settle, before an instalment counts as missed.")
    new_invoices = fields.Selection(
        selection=[('ignore', "Not part of it"), ('must_pay', "Have to be paid on time")],
        required=True, default='ignore',
        help="What new invoices of the debtor mean for it while it runs.")
    valid_until = fields.Date(string="Offer Valid Until", help="Until which day the offer can be signed.")

    def _get_terms(self):
        """Return the terms as they stand."""
        self.ensure_one()
        return {name: self[name] for name in OWN_TERMS}

    @api.model
    def _complete_terms(self, terms, at_date):
        """Return the terms with everything that was not said.

        :param dict terms: names of :data:`TERMS`, among others
        :param date at_date: the day on which it is drawn up
        """
        defaults = {name: self._fields[name].default for name in OWN_TERMS}
        completed = {
            **{name: default(self) if default else False for name, default in defaults.items()},
            'date_first': extended(at_date + timedelta(days=FIRST_DAYS)),
            'valid_until': at_date + timedelta(days=VALID_DAYS),
            **{name: value for name, value in terms.items() if name in TERMS},
        }
        for name in ('date_first', 'down_payment_date', 'valid_until'):
            completed[name] = fields.Date.to_date(completed[name]) or False
        if not completed['date_first']:
            raise UserError(self.env._("Choose the day of the first instalment."))
        return completed

    @api.model
    def _get_claimed_extras(self, items, terms):
        """Return of which due items interest and costs are part of it, as ``dunning.claim`` takes it.

        :param terms: an arrangement or a dict with its terms. Without ``with_unasked`` only what the last notice about
            an item asked of it
        """
        names = ('with_interest', 'with_costs')
        if terms['with_unasked']:
            return {name: terms[name] for name in names}
        asked = self.env['dunning.notice.line']._get_last_asked(items)
        return {
            name: terms[name] and frozenset(item.id for item in items if asked[item][place])
            for place, name in enumerate(names)}

    @api.model
    def _get_debt(self, company, items, terms, at_date):
        """Return what is owed on the items on a day, as the claim works it out, with the terms; amounts are floats.

        An item that books interest and costs of others counts there, and is covered all the same: what is paid on it
        pays the arrangement.
        """
        Claim = self.env['dunning.claim'].with_company(company)
        # Of paid invoices, what was booked and is open still.
        claimed = Claim._replace_bookings(items, whole=True).filtered(lambda item: item in items or item.reconciled)
        extras = Claim._read_extras(claimed)
        claim = Claim._compute(claimed, at_date, **self._get_claimed_extras(claimed, terms))
        by_item = {entry.item_id: entry for entry in claim.items}
        left_over = [
            (ZERO, min(entry.interest, booked.interest - booked.settled_interest),
             min(entry.costs, booked.costs - booked.settled_costs))
            for entry in claim.items if entry.item_id not in items.ids and (booked := extras.get(entry.item_id))]
        lines, totals, identities = [], [ZERO, ZERO, ZERO], items._get_dunning_identities()
        for item in items:
            entry = by_item.get(item.id)
            if entry:
                parts = [(entry.principal, entry.interest, entry.costs)]
            else:
                parts, left_over = left_over, []
            amounts = [sum((part[index] for part in parts), ZERO) for index in range(3)]
            to_book = extras.get(item.id, Booked()).unbooked(*amounts[1:]) if entry else (ZERO, ZERO)
            totals = [total + amount for total, amount in zip(totals, amounts, strict=True)]
            lines.append({
                'move_line_id': item.id,
                'name': identities[item][0],
                'date_due': entry.due_date if entry else item._get_dunning_due_date(),
                'is_booking': entry is None,
                'amount_principal': float(amounts[0]),
                'amount_interest': float(amounts[1]),
                'amount_costs': float(amounts[2]),
                'to_book_interest': float(to_book[0]),
                'to_book_costs': float(to_book[1]),
            })
        return {
            'terms': terms,
            'currency': items.currency_id,
            'claim_date': at_date,
            'lines': lines,
            'claim_data': claim.to_json(),
            'amount_principal': float(totals[0]),
            'amount_interest': float(totals[1]),
            'amount_costs': float(totals[2]),
            'amount_total': float(sum(totals)),
        }

    @api.model
    def _get_schedule(self, debt):
        """Return the tuple of :class:`tools.agreement.instalments.Instalment` of a debt.

        :param dict debt: of :meth:`_get_debt`
        :raise UserError: when the terms do not fit
        """
        terms, at_date = debt['terms'], debt['claim_date']
        if not terms['date_first'] or terms['date_first'] < at_date:
            raise UserError(self.env._("The first instalment lies in the past: choose today or a later day."))
        if terms['down_payment'] and terms['down_payment_date'] and terms['down_payment_date'] < at_date:
            raise UserError(self.env._("The down payment lies in the past: choose today or a later day."))
        by_count = terms['calculate'] == 'count'
        try:
            return make_schedule(
                to_decimal(debt['amount_total']), first=terms['date_first'], period=terms['period'],
                day_of_month=terms['day_of_month'] or 0,
                count=terms['instalment_count'] if by_count else None,
                amount=None if by_count else to_decimal(terms['instalment_amount'] or 0.0),
                down_payment=to_decimal(terms['down_payment'] or 0.0),
                down_payment_date=terms['down_payment_date'] or None,
                digits=debt['currency'].decimal_places)
        except ScheduleError as error:
            raise UserError(self._explain_schedule_error(error)) from error

    @api.model
    def _explain_schedule_error(self, error):
        """Return what to do about terms of which no schedule can be made."""
        return {
            'total': self.env._("There is nothing to pay in instalments: nothing is owed on these items."),
            'down_payment': self.env._("The down payment has to be less than the whole amount, and not negative."),
            'day_of_month': self.env._(
                "Choose a day of the month between 1 and 31; 31 is the last day of each month."),
            'amount': self.env._("Enter the amount of an instalment: more than zero."),
            'few': self.env._("Enter the number of instalments: at least one."),
            'many': self.env._(
                "That would be %(count)s instalments, and there can be %(most)s at most. Choose a higher amount.",
                count=error.count, most=MAX_INSTALMENTS),
            'cent': self.env._("That is less than a cent for each instalment. Choose fewer instalments."),
            'order': self.env._(
                "The down payment has to be paid before the first instalment: choose an earlier day."),
        }[error.code]

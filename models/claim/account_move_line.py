from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..kernel.dunning_field import AnswerDate, AnswerText
from ..kernel.groups import ACCOUNTING


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    # Neither stored nor depending on other fields (see _forget_dunning_answers): posting and paying cost nothing extra.
    dunning_prescription_date = AnswerDate(
        string="Prescribes After",
        compute='_compute_dunning_prescription',
        search='_search_dunning_prescription_date',
        groups=ACCOUNTING,
        help="The last day on which the claim can still be enforced or its prescription (verjaring) be interrupted.",
    )
    dunning_prescription_reason = AnswerText(
        string="Prescription",
        compute='_compute_dunning_prescription',
        groups=ACCOUNTING,
        help="How the day of prescription was worked out.",
    )

    @api.depends_context('lang', 'dunning_at_date')
    def _compute_dunning_prescription(self):
        """One query for all items; empty for what is not an open claim."""
        Service = self.env['dunning.prescription']
        found = Service._get_for(self._origin)
        texts = Service._explain(found.values())
        for item in self:
            answer = found.get(item._origin.id)
            item.dunning_prescription_date = answer and answer.until
            item.dunning_prescription_reason = texts.get(item._origin.id, False)

    def _search_dunning_prescription_date(self, operator, value):
        """By range of dates, set or not set. What lies far ahead is found as what is not prescribed by then."""
        Service = self.env['dunning.prescription']
        # Own companies are enough: the rules on journal items let no other through.
        wanted = SQL("TRUE") if self.env.su else SQL("line.company_id = ANY(%s)", list(self.env.companies.ids))

        def is_open(model, alias, query):
            return model._get_dunning_open_sql(SQL.identifier(alias))

        def before(day):
            return Domain.custom(to_sql=lambda model, alias, query: SQL(
                "%s IN (%s)", SQL.identifier(alias, 'id'), Service._get_before_sql(day, wanted)))

        def after(day):
            return Domain.custom(to_sql=lambda model, alias, query: SQL(
                "(%s AND %s NOT IN (%s))", is_open(model, alias, query), SQL.identifier(alias, 'id'),
                Service._get_before_sql(day, wanted)))

        def on(days):
            return Domain.custom(to_sql=lambda model, alias, query: SQL(
                "%s IN (SELECT dated.id FROM (%s) dated WHERE dated.until = ANY(%s))",
                SQL.identifier(alias, 'id'),
                Service._get_dates_sql(Service._get_items_sql(wanted, before=max(days) + timedelta(days=1))), days))

        if operator in ('<', '>='):
            return (before if operator == '<' else after)(value)
        if operator in ('<=', '>'):
            return (before if operator == '<=' else after)(value + timedelta(days=1))
        if operator == 'in':
            days = [fields.Date.to_date(day) for day in value if day]
            found = on(days) if days else Domain.FALSE
            if len(days) < len(list(value)):
                found |= Domain.custom(to_sql=lambda model, alias, query: SQL(
                    "(%s) IS NOT TRUE", is_open(model, alias, query)))
            return found
        return NotImplemented

    def action_dunning_interruption(self):
        """Open the form to enter what interrupted the prescription of the invoices of these items."""
        self.check_access('read')
        return self.env['dunning.interruption']._action_enter(self.move_id)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        # OVERRIDE 'base': the list of what prescribes first is of no use in another order.
        if field_name != 'dunning_prescription_date':
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        self._check_field_access(self._fields[field_name], 'read')
        Service = self.env['dunning.prescription']
        wanted = SQL("TRUE") if self.env.su else SQL("line.company_id = ANY(%s)", list(self.env.companies.ids))
        dated = query.make_alias(alias, 'dunning_prescription')
        query.add_join(
            'LEFT JOIN', dated, SQL("(%s)", Service._get_dates_sql(Service._get_items_sql(wanted))),
            SQL("%s = %s", SQL.identifier(dated, 'id'), SQL.identifier(alias, 'id')))
        until = SQL.identifier(dated, 'until')
        query._order_groupby.append(until)
        return SQL("%s %s %s", until, direction, nulls)

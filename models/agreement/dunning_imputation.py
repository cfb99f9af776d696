from odoo import api, models
from odoo.tools import SQL


class DunningImputation(models.AbstractModel):
    _inherit = 'dunning.imputation'

    @api.model
    def _get_document_queries(self, company, keys, debtor_ids):
        # EXTENDS l10n_nl_dunning: what was promised, and instalments, under the number of their arrangement
        return [
            *super()._get_document_queries(company, keys, debtor_ids),
            self._get_promised_sums_sql(company, debtor_ids), self._get_instalments_sql(company, keys, debtor_ids)]

    @api.model
    def _get_promised_sums_sql(self, company, debtor_ids):
        Promise, Line = self.env['dunning.promise'], self.env['dunning.promise.line']
        return SQL(
            """
            SELECT NULL::varchar, promise.partner_id, promise.amount, ARRAY_AGG(line.move_line_id)
              FROM dunning_promise promise
              JOIN dunning_promise_line line ON line.promise_id = promise.id
             WHERE promise.company_id IN %(companies)s AND promise.currency_id = %(currency)s
               AND promise.state = 'running' AND promise.partner_id = ANY(%(debtors)s)
               AND line.move_line_id IS NOT NULL
          GROUP BY promise.id
            """,
            companies=company._get_dunning_company_ids(), currency=company.currency_id.id, debtors=debtor_ids,
            to_flush=[
                *(Promise._fields[name] for name in ('company_id', 'currency_id', 'state', 'partner_id', 'amount')),
                *(Line._fields[name] for name in ('promise_id', 'move_line_id'))])

    @api.model
    def _get_instalments_sql(self, company, keys, debtor_ids):
        Arrangement, Line = self.env['dunning.arrangement'], self.env['dunning.arrangement.line']
        Instalment = self.env['dunning.arrangement.instalment']
        return SQL(
            """
            SELECT arrangement.name, arrangement.partner_id, instalment.amount, ARRAY_AGG(line.move_line_id)
              FROM dunning_arrangement arrangement
              JOIN dunning_arrangement_line line ON line.arrangement_id = arrangement.id
              JOIN dunning_arrangement_instalment instalment ON instalment.arrangement_id = arrangement.id
             WHERE arrangement.company_id IN %(companies)s AND arrangement.currency_id = %(currency)s
               AND line.is_live AND line.move_line_id IS NOT NULL
               AND (arrangement.partner_id = ANY(%(debtors)s)
                    OR REGEXP_REPLACE(UPPER(arrangement.name), '[^A-Z0-9]', '', 'g') = ANY(%(keys)s))
          GROUP BY arrangement.id, instalment.id
            """,
            companies=company._get_dunning_company_ids(), currency=company.currency_id.id, debtors=debtor_ids,
            keys=keys,
            to_flush=[
                *(Arrangement._fields[name] for name in ('name', 'company_id', 'currency_id', 'partner_id')),
                *(Line._fields[name] for name in ('arrangement_id', 'move_line_id', 'is_live')),
                *(Instalment._fields[name] for name in ('arrangement_id', 'amount'))])

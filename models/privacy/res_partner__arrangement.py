"""Arrangements in what others ask for: the statement for programs, the export for a debtor, and what is cleaned."""

from odoo import fields, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def _prepare_dunning_statement(self, company):
        # EXTENDED: the arrangements, and how many were kept
        kept, decided = self.env['dunning.arrangement']._get_kept_ratio(self, company).get(self.id, (0, 0))
        return {
            **super()._prepare_dunning_statement(company),
            'arrangements': self._prepare_dunning_statement_arrangements(company),
            'arrangements_kept': kept,
            'arrangements_decided': decided,
        }

    def _prepare_dunning_statement_arrangements(self, company):
        arrangements = self.env['dunning.arrangement'].search([
            ('company_id', '=', company.id), ('partner_id', '=', self.id), ('state', '!=', 'draft')], order='id')
        to_date = fields.Date.to_string
        return [
            {
                'arrangement_id': arrangement.id,
                'name': arrangement.name or '',
                'state': arrangement.state,
                'offered_on': to_date(arrangement.offered_on) or False,
                'signed_on': to_date(arrangement.signed_on) or False,
                'closed_on': to_date(arrangement.closed_on) or False,
                'close_code': arrangement.close_code or False,
                'amount': arrangement.amount_total,
                'paid': arrangement.amount_paid,
                'left': arrangement.amount_left,
                'currency': arrangement.currency_id.name,
                'story': arrangement.story or '',
                'item_ids': arrangement.line_ids.move_line_id.ids,
                'instalments': [
                    {
                        'date': to_date(instalment.date_due), 'amount': instalment.amount,
                        'paid': instalment.amount_paid, 'kind': instalment.kind, 'state': instalment.state,
                    }
                    for instalment in arrangement.instalment_ids],
            }
            for arrangement in arrangements]

    def _prepare_dunning_personal_data(self, company):
        # EXTENDED: who signed what, from where
        rows = super()._prepare_dunning_personal_data(company)
        arrangements = self.env['dunning.arrangement'].search([
            ('company_id', '=', company.id), ('partner_id', '=', self.id)])
        labels = dict(arrangements._fields['state']._description_selection(self.env))
        env = self.env
        rows += [
            (env._("Arrangement"), fields.Date.to_string(arrangement._get_last_day()), arrangement.name or '',
             arrangement.signed_name or arrangement.contact_id.name or '',
             ' '.join(filter(None, [
                 arrangement.story, arrangement.note or '', arrangement.close_reason,
                 arrangement.signed_on and env._(
                     "Signed on %(moment)s (UTC) from %(address)s.",
                     moment=fields.Datetime.to_string(arrangement.signed_on), address=arrangement.signed_ip or "–"),
             ])),
             arrangement.amount_total, arrangement.currency_id.name, labels.get(arrangement.state, ''))
            for arrangement in arrangements]
        return rows

"""Arrangements in what others ask for: the statement for programs, the export for a debtor, and what is cleaned."""

from odoo import api, fields, models
from odoo.fields import Domain

#: A closed arrangement explains the books: it stays as long as these have to be kept (art. 2:10 paragraph 3 BW).
KEEP_MONTHS = 84


class ResCompany(models.Model):
    _inherit = 'res.company'

    dunning_keep_arrangements = fields.Integer(
        string="Keep Signatures of Arrangements (months)", default=KEEP_MONTHS,
        help="After that notes, names, signatures and documents of closed arrangements go; the arrangement itself and "
             "its instalments stay. 0: keep them.", prefetch='dunning')

    _check_dunning_keep_arrangements = models.Constraint(
        'CHECK(dunning_keep_arrangements >= 0)',
        "The number of months that arrangements are kept cannot be negative.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    dunning_keep_arrangements = fields.Integer(related='company_id.dunning_keep_arrangements', readonly=False)


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


class DunningRetention(models.Model):
    _inherit = 'dunning.retention'

    arrangement_count = fields.Integer(string="Arrangements", readonly=True)

    @api.model
    def _get_kinds(self):
        return {**super()._get_kinds(), 'arrangement': ('dunning.arrangement', 'dunning_keep_arrangements')}

    @api.model
    def _find_arrangement(self, arrangements, company, before):
        return arrangements.search(
            Domain('company_id', '=', company.id) & Domain('closed_on', '<', before)
            & ~Domain('line_ids', 'any', [('move_line_id.reconciled', '=', False)])
            & (Domain('note', '!=', False) | Domain('contact_id', '!=', False) | Domain('signed_name', '!=', False)
               | Domain('signed_ip', '!=', False)))

    @api.model
    def _clean_arrangement(self, arrangements):
        arrangements._recording().write({
            'note': False, 'contact_id': False, 'signed_name': False, 'signed_ip': False, 'signed_signature': False,
            'offer_attachment_id': False, 'agreement_attachment_id': False, 'scan_attachment_id': False})
        self._clean_chatter(arrangements)

    @api.model
    def _get_day(self, record):
        if record._name == 'dunning.arrangement':
            return record._get_last_day()
        return super()._get_day(record)


class DunningRetentionLine(models.Model):
    _inherit = 'dunning.retention.line'

    kind = fields.Selection(
        selection_add=[('arrangement', "Arrangement")], ondelete={'arrangement': 'cascade'})

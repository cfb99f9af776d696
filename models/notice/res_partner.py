from odoo import api, fields, models
from odoo.fields import Domain

from ..kernel.groups import ACCOUNTING


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_notice_ids = fields.One2many(
        comodel_name='dunning.notice',
        inverse_name='partner_id',
        string="Notices",
        groups=ACCOUNTING,
    )
    dunning_notice_count = fields.Integer(
        string="Number of Notices",
        compute='_compute_dunning_notice_count',
        groups=ACCOUNTING,
    )
    dunning_level_id = fields.Many2one(
        comodel_name='dunning.level',
        compute='_compute_dunning_level_id',
        search='_search_dunning_level_id',
        groups='base.group_user',
        help="The highest level of the open invoices of this debtor in the current company.",
    )

    def _get_dunning_moves_domain(self):
        return Domain([
            ('company_id', '=', self.env.company.id),
            ('state', '=', 'posted'),
            ('dunning_level_id', '!=', False),
        ])

    @api.depends_context('company')
    def _compute_dunning_level_id(self):
        """One query for all contacts. Everybody may see a level; amounts stay with accounting."""
        # sudo: sales staff sees the level of a contact, not the invoices it comes from
        groups = self.env['account.move'].sudo()._read_group(
            self._get_dunning_moves_domain()
            & Domain('commercial_partner_id', 'in', self.commercial_partner_id.ids),
            ['commercial_partner_id', 'dunning_level_id'],
        )
        highest = {}
        for debtor, level in groups:
            found = highest.get(debtor.id)
            if not found or (level.sequence, level.id) > (found.sequence, found.id):
                highest[debtor.id] = level
        for partner in self:
            level = highest.get(partner.commercial_partner_id._origin.id)
            partner.dunning_level_id = level.sudo(False) if level else False

    def _search_dunning_level_id(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        domain = self._get_dunning_moves_domain()
        if operator == 'in':
            levels = [level for level in value if level]
            wanted = Domain('dunning_level_id', 'in', levels)
            without = len(levels) < len(list(value))
        else:
            wanted, without = Domain('dunning_level_id', 'any', value), False
        # sudo: as in the compute, the level of a contact is for everybody
        Move = self.env['account.move'].sudo()
        found = Domain('commercial_partner_id', 'in', Move._search(domain & wanted).subselect('commercial_partner_id'))
        if without:
            found |= Domain('commercial_partner_id', 'not in', Move._search(domain).subselect('commercial_partner_id'))
        return found

    @api.depends_context('company')
    def _compute_dunning_notice_count(self):
        groups = self.env['dunning.notice']._read_group(
            [('partner_id', 'in', self.commercial_partner_id.ids)], ['partner_id'], ['__count'])
        counts = {partner.id: count for partner, count in groups}
        for partner in self:
            partner.dunning_notice_count = counts.get(partner.commercial_partner_id._origin.id, 0)

    def action_dunning_notices(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_notice_action')
        return {**action, 'domain': [('partner_id', '=', self.commercial_partner_id.id)], 'context': {}}

from odoo import models
from odoo.fields import Domain

from ..kernel.dunning_field import AnswerMany2one


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    dunning_level_id = AnswerMany2one(
        comodel_name='dunning.level',
        compute='_compute_dunning_level_id',
        search='_search_dunning_level_id',
        groups='base.group_user',
        help="The level of the last notice that was sent about this item, as long as it is open.",
    )

    def _compute_dunning_level_id(self):
        """One query for all items."""
        sent = self.env['dunning.notice.line'].sudo().search(  # sudo: the level is a fact about a readable item
            [('move_line_id', 'in', self.ids), ('status', '=', 'sent'), ('move_line_id.reconciled', '=', False)],
            order='date, id',
        )
        last = {line.move_line_id.id: line.level_id for line in sent}
        for item in self:
            level = last.get(item._origin.id)
            item.dunning_level_id = level.sudo(False) if level else False

    def _search_dunning_level_id(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        # sudo: as in the compute
        Line = self.env['dunning.notice.line'].sudo()
        sent = Domain([('status', '=', 'sent'), ('move_line_id.reconciled', '=', False)])
        if operator == 'any':
            levels = set(self.env['dunning.level']._search(value))
            without = False
        else:
            levels = {level for level in value if level}
            without = len(levels) < len(list(value))
        last = {line.move_line_id.id: line.level_id.id for line in Line.search(sent, order='date, id')}
        found = Domain('id', 'in', [item_id for item_id, level_id in last.items() if level_id in levels])
        if without:
            found |= Domain('id', 'not in', list(last))
        return found

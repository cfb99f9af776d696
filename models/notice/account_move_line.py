from odoo import api, models
from odoo.fields import Domain

from ..kernel.dunning_field import AnswerMany2one
from ..kernel.groups import COLLEAGUES


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    dunning_level_id = AnswerMany2one(
        comodel_name='dunning.level',
        compute='_compute_dunning_level_id',
        search='_search_dunning_level_id',
        groups=COLLEAGUES,
        help="The level of the last notice that was sent about this item, as long as it is open.",
    )

    def _compute_dunning_level_id(self):
        """One query for all items."""
        last = self._get_dunning_last_levels(Domain('move_line_id', 'in', self.ids))
        for item in self:
            level = last.get(item._origin.id)
            item.dunning_level_id = level.sudo(False) if level else False

    @api.model
    def _get_dunning_last_levels(self, domain=Domain.TRUE):
        """Return ``{item id: level of the last notice about it that its debtor got}`` of the items that are open.

        Nothing is owed by a draft, or by what was cancelled.
        """
        # sudo: the level is a fact about a readable item
        Line = self.env['dunning.notice.line'].sudo()
        lines = Line.search_fetch(
            Domain('status', '=', 'sent') & Domain('move_line_id.reconciled', '=', False)
            & Domain('move_line_id.parent_state', '=', 'posted') & Line._get_standing_domain() & domain,
            ['move_line_id', 'level_id'], order='date, id')
        return {line.move_line_id.id: line.level_id for line in lines}

    def _search_dunning_level_id(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        if operator == 'any':
            levels = set(self.env['dunning.level']._search(value))
            without = False
        else:
            levels = {level for level in value if level}
            without = len(levels) < len(list(value))
        last = self._get_dunning_last_levels()
        found = Domain('id', 'in', [item_id for item_id, level in last.items() if level.id in levels])
        if without:
            found |= Domain('id', 'not in', list(last))
        return found

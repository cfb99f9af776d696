from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import ormcache

from ..kernel.groups import ACCOUNTING, COLLEAGUES

#: What the answers about an invoice depend on, and is written on the invoice itself.
ASKED = frozenset({
    'dunning_claim_kind', 'dunning_policy_id', 'invoice_date_due', 'is_move_sent', 'line_ids', 'partner_id', 'state'})


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_policy_id = fields.Many2one(
        comodel_name='dunning.policy',
        copy=False,
        check_company=True,
        tracking=True,
        groups=ACCOUNTING,
        help="Only when this invoice follows another policy than its debtor.",
        prefetch='dunning',
    )
    dunning_days_overdue = fields.Integer(
        string="Days Overdue",
        compute='_compute_dunning_days_overdue',
        search='_search_dunning_days_overdue',
        groups=COLLEAGUES,
        help="Days since the oldest open due date of the invoice.",
    )

    def write(self, vals):
        # OVERRIDE: what was worked out before may no longer be true.
        result = super().write(vals)
        if vals.keys() & ASKED:
            self._forget_dunning_answers()
        return result

    @api.model
    def _forget_dunning_answers(self):
        """Forget what was worked out about invoices and due items: days, next step, reason, holds, prescription.

        These answers do not depend on fields in the sense of the ORM. If they did, every payment that is matched would
        walk from each invoice to all its payments and back to find which answers to forget, which was 5 % of the time
        it takes to register a payment. They are worked out once per request, and forgotten here.
        """
        for name, answers in self._get_dunning_answers().items():
            self.env[name].invalidate_model(answers, flush=False)

    @api.model
    @ormcache()
    def _get_dunning_answers(self):
        """Return the names of our fields that are worked out when they are read, by model."""
        return {name: tuple(
            field.name for field in self.env[name]._fields.values()
            if field.name.startswith('dunning_') and field.compute and not field.store
        ) for name in ('account.move', 'account.move.line')}

    @api.depends_context('company', 'dunning_at_date')
    def _compute_dunning_days_overdue(self):
        today = self.env.company._dunning_today()
        Item = self.env['account.move.line'].sudo()  # sudo: a number of days of a readable invoice
        groups = Item._read_group(
            Item._get_dunning_open_domain() & Domain('move_id', 'in', self.ids),
            ['move_id'], ['date_maturity:min'])
        oldest = {move.id: due for move, due in groups if due}
        for move in self:
            due = oldest.get(move._origin.id or move.id)
            move.dunning_days_overdue = max(0, (today - due).days) if due else 0

    def _search_dunning_days_overdue(self, operator, value):
        """Overdue for more than (or at least) n days, n >= 0; or exactly not overdue."""
        today = self.env.company._dunning_today()
        open_items = self.env['account.move.line']._get_dunning_open_domain()
        if operator in ('>', '>='):
            days = value + 1 if operator == '>' else value
            if days <= 0:
                return Domain.TRUE
            items = open_items & Domain('date_maturity', '<=', today - timedelta(days=days))
            return Domain('line_ids', 'any', items)
        if operator in ('<', '<='):
            inverse = '>=' if operator == '<' else '>'
            return ~Domain(self._search_dunning_days_overdue(inverse, value))
        return NotImplemented

    def _get_dunning_items(self):
        """Return the due items (receivable journal items) of these moves, open or not."""
        Item = self.env['account.move.line'].sudo()  # sudo: the caller checked the moves
        return Item.search(Domain('move_id', 'in', self.ids) & Item._get_dunning_due_domain())

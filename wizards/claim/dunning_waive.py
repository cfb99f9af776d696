"""What a debtor owes on a day: shown, printed, and what is left over decided about."""

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...models.kernel.dunning_field import PickedMany2many
from ...tools.law.amounts import CENT, ZERO, share, to_decimal
from ...tools.law.claim import Booked


class DunningWaive(models.TransientModel):
    """Let interest and costs go, say that they came in another way, or keep what is left; always with a reason."""

    _name = 'dunning.waive'
    _description = "Waive Interest and Costs"

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, readonly=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related='company_id.currency_id')
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", required=True, readonly=True)
    item_ids = PickedMany2many(comodel_name='account.move.line', string="Due Items", required=True)
    kind = fields.Selection(
        selection=[
            ('waive', "Waive it"), ('received', "It was received in another way"),
            ('keep', "Keep it, and claim it later")],
        string="Decision", required=True, default='waive')
    left_interest = fields.Monetary(string="Interest Today", compute='_compute_left')
    left_costs = fields.Monetary(string="Collection Costs Today", compute='_compute_left')
    amount_interest = fields.Monetary(
        string="Of the Interest", compute='_compute_amounts', store=True, readonly=False)
    amount_costs = fields.Monetary(
        string="Of the Collection Costs", compute='_compute_amounts', store=True, readonly=False)
    reason = fields.Char(help="Why; it is told on the invoice and the debtor, and stays.")

    @api.model
    def _action_open(self, items, kind='waive'):
        """Return the action that opens the wizard for due items of one debtor."""
        debtor = items.partner_id.commercial_partner_id
        if len(debtor) != 1:
            raise UserError(self.env._("Choose items of one debtor."))
        wizard = self.create({
            'company_id': items.company_id[:1].id, 'partner_id': debtor.id, 'kind': kind,
            'item_ids': [Command.set(items.ids)]})
        return {
            'type': 'ir.actions.act_window',
            'name': {
                'waive': self.env._("Waive Interest and Costs"), 'received': self.env._("Interest and Costs Received"),
                'keep': self.env._("Keep What Is Left")}[kind],
            'res_model': self._name,
            'res_id': wizard.id,
            'view_mode': 'form',
            'target': 'new',
        }

    def _get_left(self):
        """Return ``[(item, interest, costs)]`` that can be waived today: owed, and not booked as an invoice."""
        self.ensure_one()
        Claim = self.env['dunning.claim'].with_company(self.company_id)
        items = self.item_ids._origin
        if not items:
            return []
        claim = Claim._compute(items, self.company_id._dunning_today())
        booked = Claim._read_extras(items)
        left = []
        for entry in claim.items:
            interest, costs = booked.get(entry.item_id, Booked()).unbooked(entry.interest, entry.costs)
            # Costs of a business that no notice asked yet are no claim that can be waived.
            if entry.costs_detail.why not in ('claimed', 'fourteen_day'):
                costs = ZERO
            left.append((items.browse(entry.item_id), interest, costs))
        return left

    @api.depends('item_ids')
    def _compute_left(self):
        for wizard in self:
            left = wizard._get_left()
            wizard.left_interest = float(sum((interest for _item, interest, _costs in left), ZERO))
            wizard.left_costs = float(sum((costs for _item, _interest, costs in left), ZERO))

    @api.depends('left_interest', 'left_costs')
    def _compute_amounts(self):
        for wizard in self:
            wizard.amount_interest = wizard.left_interest
            wizard.amount_costs = wizard.left_costs

    def action_apply(self):
        """Write the decision down, shared over the items."""
        self.ensure_one()
        if not (self.reason or '').strip():
            raise UserError(self.env._("Say why, so that it can be understood later."))
        left = self._get_left()
        if self.kind == 'keep':
            self._create_waivers([(item, ZERO, ZERO) for item, _interest, _costs in left])
            return {'type': 'ir.actions.act_window_close'}
        wanted = []
        for name, position in (('amount_interest', 1), ('amount_costs', 2)):
            owed = [line[position] for line in left]
            amount = to_decimal(self[name])
            if not ZERO <= amount <= sum(owed, ZERO):
                raise UserError(self.env._(
                    "No more than %(interest)s of interest and %(costs)s of collection costs is left here. What was "
                    "booked as an invoice is paid there, or waived with “Waive” on its notice.",
                    interest=format_amount(self.env, self.left_interest, self.currency_id),
                    costs=format_amount(self.env, self.left_costs, self.currency_id)))
            wanted.append(self._share_within(amount, owed))
        if not any(map(any, wanted)):
            raise UserError(self.env._("Enter an amount of interest or collection costs."))
        self._create_waivers([
            (item, interest, costs)
            for (item, _interest, _costs), interest, costs in zip(left, *wanted, strict=True) if interest or costs])
        return {'type': 'ir.actions.act_window_close'}

    @api.model
    def _share_within(self, amount, owed):
        """Share an amount in proportion to what is owed, never more than that on any item."""
        parts = share(amount, owed)
        over = ZERO
        for index, (part, most) in enumerate(zip(parts, owed, strict=True)):
            if part > most:
                over += part - most
                parts[index] = most
        for index, most in enumerate(owed):
            while over > 0 and parts[index] < most:
                parts[index] += CENT
                over -= CENT
        return parts

    def _create_waivers(self, rows):
        self.env['dunning.waiver'].create([
            {
                'item_id': item.id,
                'kind': self.kind,
                'amount_interest': float(interest),
                'amount_costs': float(costs),
                'reason': self.reason.strip(),
            }
            for item, interest, costs in rows])

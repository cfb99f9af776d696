"""What a debtor owes on a day: shown, printed, and what is left over decided about."""

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date

from ...models.claim.dunning_claim import CENT, ZERO, share, to_decimal
from ...models.kernel.dunning_field import PickedMany2many


class DunningSpecification(models.TransientModel):
    """The claim on one debtor on any day, for a choice of invoices: as a table, and as a PDF a judge can follow."""

    _name = 'dunning.specification'
    _inherit = ['dunning.interest.alert']
    _description = "Specification of the Claim"

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, readonly=True, default=lambda self: self.env.company)
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", required=True, readonly=True)
    at_date = fields.Date(
        string="On", required=True, default=lambda self: self.env.company._dunning_today(),
        help="The last day that counts, for interest and for payments. A day in the past gives what was owed then.")
    choose = fields.Boolean(
        string="Choose Invoices", help="Off: everything the debtor owed on that day.")
    item_ids = PickedMany2many(
        comodel_name='account.move.line', string="Due Items",
        domain="[('partner_id', 'child_of', partner_id), ('company_id', '=', company_id), "
               "('account_id.account_type', '=', 'asset_receivable'), ('parent_state', '=', 'posted'), "
               "('balance', '>', 0)]")
    with_interest = fields.Boolean(default=True)
    with_costs = fields.Boolean(string="With Collection Costs", default=True)
    without_credits = fields.Boolean(
        string="Take Off Credits and Holds", default=True,
        help="Open credits of the debtor and parts on hold are not claimed, as on letters. They are known for today "
             "only: a claim of the past is without.")
    lang = fields.Selection(selection='_selection_lang', string="Language", required=True)
    preview = fields.Html(compute='_compute_preview', sanitize=False)
    problem = fields.Char(compute='_compute_preview')

    @api.model
    def _selection_lang(self):
        return self.env['dunning.policy']._selection_lang()

    @api.model
    def _action_open(self, debtor, items=None):
        """Return the action that opens the wizard for a debtor, or for some of his due items."""
        debtor.check_access('read')
        lang = debtor._get_dunning_lang()
        policy = debtor.dunning_effective_policy_id or self.env['dunning.policy'].search([], limit=1)
        codes = [code for code, _name in self._selection_lang()]
        lang = policy._nearest_letter_lang(lang) if policy else lang
        items = items or self.env['account.move.line']
        wizard = self.create({
            'company_id': (items.company_id[:1] or self.env.company).id,
            'partner_id': debtor.id,
            'choose': bool(items),
            'item_ids': [Command.set(items.filtered(lambda item: item.balance > 0).ids)],
            'lang': lang if lang in codes else codes[0],
        })
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Specification of the Claim"),
            'res_model': self._name,
            'res_id': wizard.id,
            'view_mode': 'form',
            'target': 'new',
        }

    @api.depends(
        'at_date', 'choose', 'item_ids', 'with_interest', 'with_costs', 'without_credits', 'lang', 'partner_id')
    def _compute_preview(self):
        for wizard in self:
            wizard.preview, wizard.problem = False, False
            if not wizard.at_date:
                continue
            try:
                claims = wizard._get_claims()
            except UserError as error:
                wizard.problem = str(error)
                continue
            Claim = self.env['dunning.claim']
            debtor, company = wizard.partner_id, wizard.company_id
            specs = [Claim._prepare_specification(claim.to_json(), debtor, company) for claim in claims]
            wizard.preview = self.env['ir.qweb']._render(
                'l10n_nl_dunning.specification_preview', {'specs': specs}, minimal_qcontext=True)
            if not any(claim.items for claim in claims):
                wizard.problem = self.env._("Choose the invoices.") if wizard.choose else self.env._(
                    "Nothing of this debtor was due on %s.", format_date(self.env, wizard.at_date))

    @api.onchange('choose')
    def _onchange_choose(self):
        """Whoever chooses begins with everything, and takes off what he does not want."""
        if self.choose and not self.item_ids and self.at_date:
            self.item_ids = self.env['dunning.claim'].with_company(self.company_id)._get_claim_items(
                self.partner_id, self.at_date)

    def _get_claims(self):
        """Return a list of the claims, one for each currency."""
        self.ensure_one()
        Claim = self.env['dunning.claim'].with_company(self.company_id)
        items = self.item_ids._origin if self.choose else None
        claims = Claim._compute_debtor(
            self.partner_id, self.at_date, items, reduce=self.without_credits, with_interest=self.with_interest,
            with_costs=self.with_costs)
        return [claim for claim in claims if claim.items]

    def _prepare_documents(self):
        """Return the ``LetterDocument`` of each claim."""
        self.ensure_one()
        Claim = self.env['dunning.claim'].with_company(self.company_id)
        return [
            Claim._render_specification(claim.to_json(), self.partner_id, self.company_id, self.lang)
            for claim in self._get_claims()]

    def action_print(self):
        """Print the specification."""
        self.ensure_one()
        if not self._get_claims():
            raise UserError(self.env._(
                "Nothing of this debtor was due on %s, so there is nothing to specify.",
                format_date(self.env, self.at_date)))
        return self.env.ref('l10n_nl_dunning.action_report_specification_choice').report_action(self, config=False)


class DunningWaive(models.TransientModel):
    """Let interest and costs go, wholly or for a part, or keep what is left over; always with a reason."""

    _name = 'dunning.waive'
    _description = "Waive Interest and Costs"

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, readonly=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related='company_id.currency_id')
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", required=True, readonly=True)
    item_ids = PickedMany2many(comodel_name='account.move.line', string="Due Items", required=True)
    kind = fields.Selection(
        selection=[('waive', "Waive it"), ('keep', "Keep it, and claim it later")],
        string="Decision", required=True, default='waive')
    left_interest = fields.Monetary(string="Interest Today", compute='_compute_left')
    left_costs = fields.Monetary(string="Collection Costs Today", compute='_compute_left')
    amount_interest = fields.Monetary(
        string="Waive of the Interest", compute='_compute_amounts', store=True, readonly=False)
    amount_costs = fields.Monetary(
        string="Waive of the Collection Costs", compute='_compute_amounts', store=True, readonly=False)
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
            'name': self.env._("Waive Interest and Costs") if kind == 'waive' else self.env._("Keep What Is Left"),
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
            interest, costs = Claim._get_unbooked(entry, booked.get(entry.item_id))
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
                    "No more than %(interest)s of interest and %(costs)s of collection costs can be waived here. What "
                    "was booked as an invoice is waived with “Waive” on its notice.",
                    interest=format_amount(self.env, self.left_interest, self.currency_id),
                    costs=format_amount(self.env, self.left_costs, self.currency_id)))
            wanted.append(self._share_within(amount, owed))
        if not any(map(any, wanted)):
            raise UserError(self.env._("There is nothing to waive: enter an amount of interest or collection costs."))
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


class DunningRemainder(models.TransientModel):
    """Interest and costs that were claimed and are left over while the invoice itself was paid: somebody decides."""

    _name = 'dunning.remainder'
    _description = "Left After Payment"
    _order = 'partner_id, paid_on, id'

    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", readonly=True)
    item_id = fields.Many2one(comodel_name='account.move.line', string="Due Item", readonly=True)
    move_id = fields.Many2one(comodel_name='account.move', string="Invoice", readonly=True)
    company_id = fields.Many2one(comodel_name='res.company', readonly=True)
    currency_id = fields.Many2one(related='company_id.currency_id')
    paid_on = fields.Date(readonly=True)
    amount_interest = fields.Monetary(string="Interest", readonly=True)
    amount_costs = fields.Monetary(string="Collection Costs", readonly=True)
    amount = fields.Monetary(string="Left Over", readonly=True)
    decision_id = fields.Many2one(comodel_name='dunning.waiver', readonly=True)
    decision = fields.Char(string="Decided", compute='_compute_decision')

    @api.depends('decision_id')
    def _compute_decision(self):
        for line in self:
            line.decision = self.env._(
                "kept on %(date)s by %(user)s: %(reason)s", date=format_date(self.env, line.decision_id.date),
                user=line.decision_id.user_id.name, reason=line.decision_id.reason) if line.decision_id else False

    @api.model
    def action_show(self):
        """Return the action that lists what is left over in the current company."""
        self.browse().check_access('create')
        company = self.env.company
        lines = self.create([
            {
                'partner_id': line.partner_id, 'item_id': line.item_id, 'move_id': line.move_id,
                'company_id': company.id, 'paid_on': line.paid_on, 'amount_interest': float(line.interest),
                'amount_costs': float(line.costs), 'amount': float(line.total), 'decision_id': line.decision_id,
            }
            for line in self.env['dunning.claim']._get_remainders(company)])
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_remainder_action')
        action['domain'] = [('id', 'in', lines.ids)]
        return action

    def action_claim(self):
        """Specify and print what is left, to ask for it."""
        return self.env['dunning.specification']._action_open(self._get_debtor(), self.item_id)

    def action_waive(self):
        self._get_debtor()
        return self.env['dunning.waive']._action_open(self.item_id)

    def action_keep(self):
        self._get_debtor()
        return self.env['dunning.waive']._action_open(self.item_id, 'keep')

    def _get_debtor(self):
        if len(self.partner_id) != 1:
            raise UserError(self.env._("Choose items of one debtor."))
        return self.partner_id

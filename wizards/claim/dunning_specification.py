from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

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

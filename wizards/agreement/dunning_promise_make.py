from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...models.kernel.dunning_field import PickedMany2many
from ...models.kernel.formats import format_day


class DunningPromiseMake(models.TransientModel):
    """Record what a debtor promised, without a call in the log."""

    _name = 'dunning.promise.make'
    _description = "Record a Promise to Pay"

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True)
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", required=True, readonly=True)
    currency_id = fields.Many2one(comodel_name='res.currency', compute='_compute_amounts')
    available_item_ids = fields.Many2many(comodel_name='account.move.line', compute='_compute_available_item_ids')
    item_ids = PickedMany2many(
        comodel_name='account.move.line', string="Invoices", domain="[('id', 'in', available_item_ids)]")
    amount_open = fields.Monetary(string="Collectable", compute='_compute_amounts')
    amount = fields.Monetary(
        string="Promised", compute='_compute_amount', store=True, readonly=False, precompute=True, required=True)
    date = fields.Date(
        string="Will Pay By", required=True,
        default=lambda self: fields.Date.add(self.env.company._dunning_today(), days=7),
        help="The day by which the money will have been sent.")
    date_hint = fields.Char(compute='_compute_date_hint')
    contact_id = fields.Many2one(
        comodel_name='res.partner', string="Promised By",
        domain="[('commercial_partner_id', '=', partner_id)]", help="The person who said it.")
    user_id = fields.Many2one(
        comodel_name='res.users', string="Collector", required=True, default=lambda self: self.env.user,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]")
    confirm = fields.Boolean(
        string="Confirm by E-mail", compute='_compute_confirm', store=True, readonly=False, precompute=True)
    email_hint = fields.Char(compute='_compute_email_hint')
    note = fields.Text()
    warning = fields.Text(compute='_compute_warning')

    @api.depends('partner_id', 'company_id')
    def _compute_available_item_ids(self):
        for wizard in self:
            wizard.available_item_ids = self.env['dunning.promise']._get_open_items(
                wizard.company_id, wizard.partner_id)

    @api.depends('item_ids')
    def _compute_amounts(self):
        """What can be asked of the items now; all that is open where nothing can."""
        Planner = self.env['dunning.planner']
        for wizard in self:
            wizard.currency_id = wizard.item_ids.currency_id[:1] or wizard.company_id.currency_id
            wizard.amount_open = sum(Planner._get_collectable(
                wizard.company_id, wizard.company_id._dunning_today(), wizard.item_ids._origin).values()
            ) or sum(wizard.item_ids.mapped('amount_residual_currency'))

    @api.depends('item_ids')
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.amount_open

    @api.depends('company_id')
    def _compute_confirm(self):
        for wizard in self:
            wizard.confirm = wizard.company_id.dunning_promise_confirm

    @api.depends('date', 'company_id')
    def _compute_date_hint(self):
        Promise = self.env['dunning.promise']
        for wizard in self:
            today = wizard.company_id._dunning_today()
            last = Promise._get_last_date(today)
            if not wizard.date:
                wizard.date_hint = False
            elif not today <= wizard.date <= last:
                wizard.date_hint = self.env._("between today and %s", format_day(self.env, last))
            else:
                wizard.date_hint = self.env._("no reminders until %s", format_day(
                    self.env, Promise._get_grace_date(wizard.date)))

    @api.depends('contact_id', 'partner_id')
    def _compute_email_hint(self):
        for wizard in self:
            person = self.env['dunning.promise'].new({
                'partner_id': wizard.partner_id.id, 'contact_id': wizard.contact_id.id})._get_recipient()
            wizard.email_hint = (
                self.env._("to %s", person.dunning_email) if person else self.env._("no e-mail address that works"))

    @api.depends('item_ids', 'amount', 'partner_id')
    def _compute_warning(self):
        """What is promised already, how reliable the debtor is, and what the amount does not reach."""
        Promise = self.env['dunning.promise']
        for wizard in self:
            texts = []
            kept, decided = Promise._get_kept_ratio(wizard.partner_id, wizard.company_id).get(
                wizard.partner_id.id, (0, 0))
            if decided:
                texts.append(self.env._(
                    "Kept %(kept)s of %(decided)s earlier promises.", kept=kept, decided=decided))
            running = Promise.search([
                ('line_ids.move_line_id', 'in', wizard.item_ids.ids), ('state', '=', 'running')])
            texts += [self.env._("This takes the place of: %s", promise.story) for promise in running]
            currency = wizard.currency_id
            if wizard.item_ids and currency.compare_amounts(wizard.amount, wizard.amount_open) < 0:
                texts.append(self.env._(
                    "%(open)s can be collected: the amount is about the oldest of these invoices, the others are still "
                    "reminded.", open=format_amount(self.env, wizard.amount_open, currency)))
            wizard.warning = "\n".join(texts) or False

    @api.model
    def _action_open(self, *, items=None, partner=None):
        """Open the wizard for due items of one debtor, or for all that a debtor owes."""
        self.check_access('create')
        Promise = self.env['dunning.promise']
        if items is None:
            debtor, company = partner.commercial_partner_id, self.env.company
        else:
            items = items._filter_dunning_due().filtered(lambda item: (
                item.parent_state == 'posted' and not item.reconciled and item.amount_residual > 0))
            debtor, company = items.partner_id.commercial_partner_id, items.company_id._filter_dunning_creditors()
        if len(debtor) > 1 or len(company) > 1:
            raise UserError(self.env._("A promise is made by one debtor. Select his invoices only."))
        if items is None and debtor:
            items = Promise._get_proposed_items(company, Promise._get_open_items(company, debtor))
        if not items:
            raise UserError(self.env._(
                "Nothing of it is open, so there is nothing to promise. Select invoices that are not paid."))
        return self.create({
            'company_id': company.id, 'partner_id': debtor.id, 'item_ids': [Command.set(items.ids)],
        })._get_records_action(
            name=self.env._("Promise to pay"), target='new', context={'dialog_size': 'medium'})

    def action_record(self):
        """Record the promise."""
        self.ensure_one()
        if not self.item_ids:
            raise UserError(self.env._("Choose the invoices that were promised."))
        promise = self.env['dunning.promise']._make(
            self.company_id, self.partner_id, self.date, self.amount, self.item_ids, self.user_id,
            contact=self.contact_id or None, note=self.note, confirm=self.confirm)
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'type': 'success', 'message': promise.story,
                'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'},
            },
        }

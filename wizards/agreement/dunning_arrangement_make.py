from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import clean_context, format_amount

from ...models.kernel.dunning_field import PickedMany2many
from ...models.kernel.formats import format_day
from ...tools.agreement.instalments import amount_for, count_for
from ...tools.law.amounts import to_decimal


class DunningArrangementMake(models.TransientModel):
    """Make an arrangement: what it is about, how it is paid, and what it comes to, before anything is written.

    The number of instalments and their amount follow from each other; whichever was typed last counts
    (``calculate``). What is shown is what ``dunning.arrangement._preview`` says, so what is made.
    """

    _name = 'dunning.arrangement.make'
    _inherit = ['dunning.arrangement.terms']
    _description = "Make an Arrangement"

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True)
    partner_id = fields.Many2one(comodel_name='res.partner', string="Debtor", required=True, readonly=True)
    call_id = fields.Many2one(comodel_name='dunning.call', readonly=True)
    previous_id = fields.Many2one(comodel_name='dunning.arrangement', string="Takes the Place Of", readonly=True)
    currency_id = fields.Many2one(comodel_name='res.currency', compute='_compute_currency_id')
    available_item_ids = fields.Many2many(comodel_name='account.move.line', compute='_compute_available_item_ids')
    item_ids = PickedMany2many(
        comodel_name='account.move.line', relation='dunning_arrangement_make_item_rel', column1='wizard_id',
        column2='item_id', string="Invoices", domain="[('id', 'in', available_item_ids)]")
    contact_id = fields.Many2one(
        comodel_name='res.partner', string="Signs",
        domain="['|', ('id', '=', partner_id), ('commercial_partner_id', '=', partner_id)]",
        help="Who gets the offer and signs it.")
    user_id = fields.Many2one(
        comodel_name='res.users', string="Collector", required=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]")

    note = fields.Text(string="Internal Note")

    # --- what it comes to ---
    amount_total = fields.Monetary(string="Total", compute='_compute_preview')
    date_last = fields.Date(string="Last Instalment On", compute='_compute_preview')
    preview = fields.Html(compute='_compute_preview', sanitize=False)
    unasked_text = fields.Char(compute='_compute_preview')
    problem = fields.Char(compute='_compute_preview')
    approval = fields.Char(compute='_compute_preview')
    history = fields.Html(compute='_compute_history', sanitize=False)

    @api.depends('item_ids', 'company_id')
    def _compute_currency_id(self):
        for wizard in self:
            wizard.currency_id = wizard.item_ids.currency_id[:1] or wizard.company_id.currency_id

    @api.depends('partner_id', 'company_id')
    def _compute_available_item_ids(self):
        for wizard in self:
            wizard.available_item_ids = self.env['dunning.promise']._get_open_items(
                wizard.company_id, wizard.partner_id._origin)

    @api.depends('partner_id', 'company_id')
    @api.depends_context('lang')
    def _compute_history(self):
        Arrangement = self.env['dunning.arrangement']
        for wizard in self:
            wizard.history = wizard.partner_id and Arrangement._render_history(
                wizard.company_id, wizard.partner_id._origin)

    # -------------------------------------------------------------------------
    # BOTH WAYS
    # -------------------------------------------------------------------------

    def _get_spread(self):
        """Return what is spread over the instalments: the total less the down payment."""
        return to_decimal(self.amount_total or 0.0) - to_decimal(self.down_payment or 0.0)

    def _amount_for(self, count):
        try:
            return float(amount_for(self._get_spread(), count, digits=self.currency_id.decimal_places))
        except (ValueError, ArithmeticError):
            return 0.0

    def _count_for(self, amount):
        try:
            return count_for(self._get_spread(), to_decimal(amount or 0.0))
        except (ValueError, ArithmeticError):
            return 0

    @api.onchange('instalment_count')
    def _onchange_instalment_count(self):
        """So many instalments: each is the same amount."""
        if self.calculate == 'amount' and self.instalment_count == self._count_for(self.instalment_amount):
            return  # it was worked out from the amount
        self.calculate = 'count'
        self.instalment_amount = self._amount_for(self.instalment_count)

    @api.onchange('instalment_amount')
    def _onchange_instalment_amount(self):
        """So much each time: there are as many instalments as it takes."""
        if self.calculate == 'count' and not self.currency_id.compare_amounts(
            self.instalment_amount, self._amount_for(self.instalment_count)
        ):
            return  # it was worked out from the number
        self.calculate = 'amount'
        self.instalment_count = self._count_for(self.instalment_amount)

    @api.onchange('item_ids', 'with_interest', 'with_costs', 'with_unasked', 'down_payment')
    def _onchange_total(self):
        """What was chosen last stays, the other follows."""
        if self.calculate == 'amount':
            self.instalment_count = self._count_for(self.instalment_amount)
        else:
            self.instalment_amount = self._amount_for(self.instalment_count)

    # -------------------------------------------------------------------------
    # WHAT IT COMES TO
    # -------------------------------------------------------------------------

    @api.depends(
        'item_ids', 'date_first', 'period', 'day_of_month', 'calculate', 'instalment_count', 'instalment_amount',
        'down_payment', 'down_payment_date', 'with_interest', 'with_costs', 'with_unasked', 'interest_mode',
        'company_id', 'partner_id', 'previous_id')
    @api.depends_context('lang')
    def _compute_preview(self):
        for wizard in self:
            wizard.amount_total = wizard.date_last = wizard.preview = wizard.approval = wizard.problem = False
            wizard.unasked_text = False
            if not wizard.item_ids:
                wizard.problem = self.env._("Choose the invoices it is about.")
                continue
            try:
                answer = wizard._get_preview()
            except UserError as error:
                wizard.problem = str(error)
                continue
            wizard.date_last = answer['instalments'][-1]['date_due']
            wizard.approval = answer['approval_reason'] or False
            wizard.preview = wizard._render_preview(answer)

    def _get_preview(self):
        """Return what the arrangement would say, see ``dunning.arrangement._preview``; show the total in any case."""
        self.ensure_one()
        Arrangement = self.env['dunning.arrangement'].with_company(self.company_id)
        debtor, today = self.partner_id._origin, self.company_id._dunning_today()
        items = Arrangement._find_items(self.company_id, debtor, self.item_ids._origin, self.previous_id._origin)
        debt = Arrangement._get_debt(self.company_id, items, self._get_terms(), today)
        self.amount_total = debt['amount_total']
        self.unasked_text = self._tell_unasked(Arrangement, items, debt)
        return Arrangement._add_schedule(self.company_id, debtor, debt)

    def _tell_unasked(self, Arrangement, items, debt):
        """Return what may be added to a debt, or was: what the law allows and nobody asked so far."""
        terms, today = debt['terms'], debt['claim_date']
        other = Arrangement._get_debt(
            self.company_id, items, {**terms, 'with_unasked': not terms['with_unasked']}, today)
        part, whole = (other, debt) if terms['with_unasked'] else (debt, other)
        sums = [whole[name] - part[name] for name in ('amount_total', 'amount_interest', 'amount_costs')]
        if debt['currency'].compare_amounts(sums[0], 0) <= 0:
            return False
        amount, interest, costs = (format_amount(self.env, each, debt['currency']) for each in sums)
        if debt['currency'].is_zero(sums[2]):
            return self.env._("You may add %s of interest that was not asked so far.", amount)
        if debt['currency'].is_zero(sums[1]):
            return self.env._("You may add %s of collection costs that were not asked so far.", amount)
        return self.env._(
            "You may add %(amount)s that was not asked so far: %(interest)s of interest and %(costs)s of collection "
            "costs.",
            amount=amount, interest=interest, costs=costs)

    def _render_preview(self, answer):
        kinds = dict(self.env['dunning.arrangement.instalment']._fields['kind']._description_selection(self.env))
        currency = answer['currency']

        def money(amount):
            return format_amount(self.env, amount, currency)

        left = to_decimal(answer['amount_total'])
        rows = []
        for number, part in enumerate(answer['instalments'], 1):
            left -= to_decimal(part['amount'])
            rows.append({
                'number': number, 'kind': kinds[part['kind']], 'is_plain': part['kind'] == 'instalment',
                'date': format_day(self.env, part['date_due']), 'amount': money(part['amount']),
                'left': money(float(left)),
            })
        extras = answer['amount_interest'] or answer['amount_costs']
        return self.env['ir.qweb']._render('l10n_nl_dunning.arrangement_preview', {
            'lines': [
                {
                    'name': line['name'], 'date': format_day(self.env, line['date_due']),
                    'principal': money(line['amount_principal']), 'interest': money(line['amount_interest']),
                    'costs': money(line['amount_costs']),
                }
                for line in answer['lines'] if not line['is_booking']],
            'extras': extras,
            'principal': money(answer['amount_principal']),
            'interest': money(answer['amount_interest']),
            'costs': money(answer['amount_costs']),
            'total': money(answer['amount_total']),
            'rows': rows,
            'runs': self.interest_mode == 'runs',
        }, minimal_qcontext=True)

    # -------------------------------------------------------------------------
    # OPENING
    # -------------------------------------------------------------------------

    @api.model
    def _action_open(self, *, items=None, partner=None, currency=None, call=None, previous=None):
        """Return the action that opens the wizard; nothing is written before it is confirmed.

        :param items: due items of one debtor
        :param partner: a debtor, or a contact of it: about what is due of it
        :param currency: in which that is; None for that of the oldest item
        :param call: a ``dunning.call`` in which an arrangement was asked for
        :param previous: the arrangement that is to be replaced
        """
        self.check_access('create')
        Promise = self.env['dunning.promise']
        contact = self.env['res.partner']
        if call:
            debtor, company, items, contact = call.partner_id, call.company_id, call.item_ids, call.contact_id
        elif previous:
            debtor, company, contact = previous.partner_id, previous.company_id, previous.contact_id
            items = previous.item_ids
        elif partner:
            debtor, company = partner.commercial_partner_id, self.env.company
            contact = partner - debtor
        else:
            debtor, company = items.partner_id.commercial_partner_id, items.company_id._filter_dunning_creditors()
        if len(debtor) > 1 or len(company) > 1:
            raise UserError(self.env._("An arrangement is made with one debtor. Select his invoices only."))
        owed, wanted = Promise._get_open_items(company, debtor) if debtor else items, items
        items = owed if items is None else owed & items
        if currency:
            items = items.filtered(lambda item: item.currency_id == currency)
        if not items:
            raise UserError(self.env._(
                "Nothing of it is open, so there is nothing to arrange. Select invoices that are not paid."))
        # What cannot be part of it is left out, unless that leaves nothing: then it is told why.
        taken = self.env['dunning.arrangement.line'].search([
            ('move_line_id', 'in', items.ids), ('is_live', '=', True)])
        if previous:
            taken = taken.filtered(lambda line: line.arrangement_id != previous)
        items = (items - taken.move_line_id - self.env['dunning.hold']._get_items_in_dispute(items)) or items
        items = Promise._get_proposed_items(company, items) if wanted is None else Promise._filter_collectable(
            company, items)
        items = items.filtered(lambda item: item.currency_id == items[:1].currency_id)
        today = company._dunning_today()
        terms = self._complete_terms({'with_unasked': False}, today)
        if previous:
            terms.update({name: previous[name] for name in (
                'period', 'day_of_month', 'calculate', 'instalment_count', 'instalment_amount', 'interest_mode',
                'with_unasked', 'grace_days', 'new_invoices')})
        return self._get_records_action(name=self.env._("Make an arrangement"), target='new', context={
            'dialog_size': 'extra-large',
            'default_company_id': company.id,
            'default_partner_id': debtor.id,
            'default_call_id': call.id if call else False,
            'default_previous_id': previous.id if previous else False,
            'default_item_ids': [Command.set(items.ids)],
            # The director signs, where one is known.
            'default_contact_id': (contact or debtor.search([
                ('commercial_partner_id', '=', debtor.id), ('type', '=', 'director')], limit=1) or debtor).id,
            'default_user_id': self.env.uid,
            **{
                f'default_{name}': fields.Date.to_string(value) if name.startswith(('date_', 'valid_')) else value
                for name, value in terms.items()},
        })

    # -------------------------------------------------------------------------
    # MAKING
    # -------------------------------------------------------------------------

    def _action_make(self, *, offer):
        """Make the arrangement, offer it at once where that is wanted, and show it."""
        self.ensure_one()
        self.check_access('write')
        if not self.item_ids:
            raise UserError(self.env._("Choose the invoices it is about."))
        Arrangement = self.env['dunning.arrangement'].with_company(self.company_id).with_context(
            clean_context(self.env.context))
        make = Arrangement._make_and_offer if offer else Arrangement._make
        return make(
            self.company_id, self.partner_id, self.item_ids, self._get_terms(), user=self.user_id,
            call=self.call_id or None, contact=self.contact_id or None, previous=self.previous_id or None,
            note=self.note)._get_records_action(context={})

    def action_make(self):
        """Make the arrangement as a draft and show it."""
        return self._action_make(offer=False)

    def action_offer(self):
        """Make the arrangement and offer it at once; where a manager has to approve it, it waits for that."""
        return self._action_make(offer=True)

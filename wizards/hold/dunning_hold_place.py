from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...models.kernel.dunning_field import PickedMany2many
from ...models.kernel.formats import format_day


class DunningHoldPlace(models.TransientModel):
    """Put due items, invoices or debtors on hold, and take back what waits to be sent about them."""

    _name = 'dunning.hold.place'
    _description = "Put on Hold"

    scope = fields.Selection(
        selection=[('item', "Due item"), ('invoice', "Invoice"), ('debtor', "Everything of the debtor")],
        string="What", required=True, default='invoice')
    item_ids = PickedMany2many(comodel_name='account.move.line', readonly=True)
    partner_ids = PickedMany2many(comodel_name='res.partner', readonly=True)
    # The call in which the debtor objected is not taken back: it is going on.
    notice_id = fields.Many2one(comodel_name='dunning.notice', readonly=True)
    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True)
    can_be_invoice = fields.Boolean(compute='_compute_choices')
    can_be_item = fields.Boolean(compute='_compute_choices')
    can_be_part = fields.Boolean(compute='_compute_choices')
    summary = fields.Char(compute='_compute_choices')
    warning = fields.Text(compute='_compute_warning')
    currency_id = fields.Many2one(comodel_name='res.currency', compute='_compute_choices')
    amount_open = fields.Monetary(string="Open", compute='_compute_choices')

    reason_id = fields.Many2one(comodel_name='dunning.hold.reason', required=True)
    kind = fields.Selection(related='reason_id.kind')
    stops_everything = fields.Boolean(related='reason_id.stops_everything')
    needs_person_decision = fields.Boolean(related='reason_id.needs_person_decision')
    extent = fields.Selection(
        selection=[('whole', "The whole amount"), ('part', "A part of it")],
        string="How Much", required=True, default='whole')
    amount = fields.Monetary(string="Part on Hold")
    date_end = fields.Date(
        string="End Date", compute='_compute_date_end', store=True, readonly=False, precompute=True, required=True,
        help="The last day of the hold.")
    date_hint = fields.Char(compute='_compute_date_hint')
    user_id = fields.Many2one(
        comodel_name='res.users', string="Owner", required=True, default=lambda self: self.env.user,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Who is told when the hold ends, and answers for it until then.")
    dispute_category = fields.Selection(
        selection=lambda self: self.env['dunning.hold']._fields['dispute_category']._description_selection(self.env),
        string="What Is Disputed")
    insolvency_kind = fields.Selection(
        selection=lambda self: self.env['dunning.hold']._fields['insolvency_kind']._description_selection(self.env),
        string="Kind of Insolvency")
    insolvent_on = fields.Date(
        string="Insolvent Since",
        help="The day of the ruling. Debts from before, or of that day, are on hold; later ones go on. Empty: "
             "everything is on hold.")
    curator_id = fields.Many2one(comodel_name='res.partner', string="Trustee")
    note = fields.Text()

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('item_ids', 'partner_ids', 'scope', 'reason_id')
    def _compute_choices(self):
        for wizard in self:
            items = wizard.item_ids
            moves = items.move_id
            wizard.can_be_invoice = bool(items)
            # An invoice with one due date is its due item.
            wizard.can_be_item = any(len(move._get_dunning_items()) > 1 for move in moves)
            scope = wizard._get_scope()
            wizard.can_be_part = scope != 'debtor' and len(moves if scope == 'invoice' else items) == 1
            shown = wizard._get_scope_items()
            if wizard.can_be_part:
                wizard.currency_id = items.currency_id
                wizard.amount_open = sum(shown.mapped('amount_residual_currency'))
            else:
                wizard.currency_id = wizard.company_id.currency_id
                wizard.amount_open = sum(shown.mapped('amount_residual'))
            wizard.summary = wizard._get_summary()

    def _get_scope(self):
        """Return what the hold will be about; some reasons stop everything, whatever was chosen."""
        self.ensure_one()
        return 'debtor' if self.stops_everything else self.scope

    def _get_scope_items(self):
        """Return the open items the hold will reach."""
        scope = self._get_scope()
        if scope == 'item':
            return self.item_ids
        if scope == 'invoice':
            return self.item_ids.move_id._get_dunning_items().filtered(lambda item: not item.reconciled)
        Item = self.env['account.move.line'].sudo()  # sudo: the access to the wizard was checked
        return Item.search(
            Item._get_dunning_open_domain(debtors=self.partner_ids.commercial_partner_id)
            & Domain('company_id', 'in', (self.env.companies & self._get_companies()).ids))

    def _get_companies(self):
        return self.item_ids.company_id or self.company_id

    def _get_summary(self):
        scope, moves, partners = self._get_scope(), self.item_ids.move_id, self.partner_ids
        names = ", ".join(partners[:2].mapped('display_name'))
        if len(partners) > 2:
            names = self.env._("%(count)s debtors", count=len(partners))
        if scope == 'debtor':
            return self.env._("Everything of %s", names)
        if scope == 'item':
            items = self.item_ids.sorted('date_maturity')
            dates = ", ".join(format_day(self.env, item._get_dunning_due_date()) for item in items)
            if len(moves) == 1:
                return self.env._(
                    "What is due on %(dates)s of %(invoice)s, %(debtor)s",
                    dates=dates, invoice=moves.name, debtor=names)
            return self.env._("%(count)s due items of %(debtor)s", count=len(self.item_ids), debtor=names)
        if len(moves) == 1:
            return self.env._("%(invoice)s of %(debtor)s", invoice=moves.name, debtor=names)
        return self.env._("%(count)s invoices of %(debtor)s", count=len(moves), debtor=names)

    @api.depends('reason_id')
    def _compute_date_end(self):
        for wizard in self:
            today = wizard.company_id._dunning_today()
            wizard.date_end = wizard.reason_id and fields.Date.add(today, days=wizard.reason_id.default_days)

    @api.depends('reason_id')
    def _compute_date_hint(self):
        for wizard in self:
            reason = wizard.reason_id
            today = wizard.company_id._dunning_today()
            wizard.date_hint = reason and (
                self.env._("reminders stay stopped until you close the hold")
                if reason.needs_person_decision else
                self.env._(
                    "no later than %s",
                    format_day(self.env, fields.Date.add(today, days=reason.max_days))))

    @api.depends('scope', 'item_ids', 'partner_ids', 'reason_id')
    def _compute_warning(self):
        """What is on hold already, and letters that were printed and lie on somebody's desk."""
        for wizard in self:
            texts = []
            existing = wizard._get_existing_holds()
            if existing:
                texts.append(self.env._("On hold already: %s.", "; ".join(
                    f"{hold.display_name} ({format_day(self.env, hold.date_end)})" for hold in existing[:5])))
            printed = wizard._get_pending_notices().filtered(lambda notice: notice.postal_state == 'printed')
            if printed:
                texts.append(self.env._(
                    "Printed but not posted: %s. Take the letter out of the pile and cancel it there.",
                    ", ".join(printed.mapped('display_name'))))
            wizard.warning = "\n".join(texts) or False

    def _get_existing_holds(self):
        self.ensure_one()
        Hold = self.env['dunning.hold']
        return Hold.search(
            Hold._get_active_domain(self.company_id._dunning_today())
            & Domain('company_id', 'in', self._get_companies().ids)
            & (
                (Domain('scope', '=', 'debtor') & Domain('partner_id', 'in', self.partner_ids.ids))
                | Domain('move_id', 'in', self.item_ids.move_id.ids)))

    def _get_pending_notices(self):
        """Return the notices that wait and are about what goes on hold."""
        self.ensure_one()
        lines = self.env['dunning.notice.line'].search([
            ('move_line_id', 'in', self._get_scope_items().ids), ('status', '=', 'pending')])
        return lines.notice_id - self.notice_id

    # -------------------------------------------------------------------------
    # OPENING
    # -------------------------------------------------------------------------

    @api.model
    def _action_open(self, *, moves=None, items=None, partners=None, notices=None):
        """Open the wizard for a selection of one kind of records."""
        self.check_access('create')
        scope = 'invoice'
        if moves is not None:
            items = moves._get_dunning_items()
        elif notices is not None:
            items = notices.live_line_ids.move_line_id
        if partners is None:
            whole = items is not None and moves is None and notices is None
            items = items._filter_dunning_due().filtered(
                lambda item: item.parent_state == 'posted' and not item.reconciled and item.partner_id)
            if not items:
                raise UserError(self.env._(
                    "Nothing in the selection can be put on hold. Select posted customer invoices that are still "
                    "open, or debtors."))
            partners = items.partner_id.commercial_partner_id
            if whole and any(item.move_id._get_dunning_items() - items for item in items):
                scope = 'item'
        else:
            items = self.env['account.move.line']
            scope = 'debtor'
        wizard = self.create({
            'company_id': (items.company_id[:1] or self.env.company).id,
            'scope': scope,
            'item_ids': [Command.set(items.ids)],
            'partner_ids': [Command.set(partners.ids)],
            'notice_id': notices.id if notices is not None and len(notices) == 1 else False,
            'reason_id': self.env['dunning.hold.reason'].search([], limit=1).id,
        })
        return wizard._get_records_action(
            name=self.env._("Put on hold"), target='new', context={'dialog_size': 'medium'})

    # -------------------------------------------------------------------------
    # PLACING
    # -------------------------------------------------------------------------

    def action_place(self):
        """Place the holds, and take back what waits to be sent about them."""
        self.ensure_one()
        holds = self.env['dunning.hold'].create(self._prepare_holds())
        holds._take_back_notices(keep=self.notice_id)
        message = (
            self.env._("On hold until %s.", format_day(self.env, self.date_end)) if len(holds) == 1
            else self.env._("%(count)s holds were placed.", count=len(holds)))
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'type': 'success', 'message': message,
                'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'},
            },
        }

    def _prepare_holds(self):
        scope = self._get_scope()
        if self.extent == 'part' and scope != 'debtor' and not self.amount:
            raise UserError(self.env._("Enter the part of the amount that goes on hold."))
        common = {
            'reason_id': self.reason_id.id,
            'user_id': self.user_id.id,
            'date_end': self.date_end,
            'note': self.note,
            'dispute_category': self.kind == 'dispute' and self.dispute_category,
        }
        if self.kind == 'insolvency':
            common |= {
                'insolvency_kind': self.insolvency_kind, 'insolvent_on': self.insolvent_on,
                'curator_id': self.curator_id.id}
        if scope == 'debtor':
            return [
                {**common, 'partner_id': partner.id, 'company_id': company.id}
                for company in self._get_companies() for partner in self.partner_ids
            ]
        if self.extent == 'part' and self.can_be_part:
            common['amount'] = self.amount
        if scope == 'item':
            return [{**common, 'move_line_id': item.id} for item in self.item_ids]
        return [{**common, 'move_id': move.id} for move in self.item_ids.move_id]

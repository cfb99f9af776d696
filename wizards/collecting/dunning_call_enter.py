from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ...models.collecting.dunning_call_outcome import ASKS
from ...models.kernel.dunning_field import PickedMany2many


class DunningCallEnter(models.TransientModel):
    """Log a call: who, about what, how it ended. What follows is done by :meth:`dunning.call.log_call`."""

    _name = 'dunning.call.enter'
    _description = "Log a Call"

    company_id = fields.Many2one(comodel_name='res.company', required=True, readonly=True)
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, readonly=True)
    contact_id = fields.Many2one(
        comodel_name='res.partner', domain="[('commercial_partner_id', '=', partner_id)]")
    contact_name = fields.Char(string="Spoken To")
    number = fields.Char(compute='_compute_number', store=True, readonly=False, precompute=True)
    direction = fields.Selection(
        selection=[('out', "We called"), ('in', "The debtor called")],
        string="Who Called", required=True, default='out')
    date_start = fields.Datetime(string="Start", help="Empty: now.")
    duration = fields.Integer(string="Duration (minutes)")
    notice_id = fields.Many2one(comodel_name='dunning.notice', readonly=True)
    activity_id = fields.Many2one(comodel_name='mail.activity', readonly=True)
    open_item_ids = fields.Many2many(comodel_name='account.move.line', compute='_compute_open_item_ids')
    item_ids = PickedMany2many(
        comodel_name='account.move.line', relation='dunning_call_enter_item_rel', column1='wizard_id',
        column2='item_id', string="Due Items", domain="[('id', 'in', open_item_ids)]")
    currency_id = fields.Many2one(comodel_name='res.currency', compute='_compute_currency_id')
    amount_open = fields.Monetary(string="Open", compute='_compute_currency_id')
    call_script = fields.Html(related='notice_id.call_script')

    # Required by the view: the wizard is there before the answer is.
    outcome_id = fields.Many2one(comodel_name='dunning.call.outcome')
    kind = fields.Selection(related='outcome_id.kind')
    asks_date = fields.Boolean(compute='_compute_asks')
    asks_time = fields.Boolean(compute='_compute_asks')
    asks_amount = fields.Boolean(compute='_compute_asks')
    asks_category = fields.Boolean(compute='_compute_asks')
    asks_contact = fields.Boolean(compute='_compute_asks')
    hint = fields.Char(compute='_compute_asks')
    date = fields.Date()
    time = fields.Char()
    amount = fields.Monetary(compute='_compute_amount', store=True, readonly=False, precompute=True)
    part_amount = fields.Monetary(string="Part in Dispute", help="Zero: the whole amount.")
    category = fields.Selection(
        selection=lambda self: self.env['dunning.hold']._fields['dispute_category']._description_selection(self.env),
        string="What Is Disputed")
    note = fields.Text(help="Facts about the payment only. Internal.")

    @api.depends('contact_id', 'partner_id')
    def _compute_number(self):
        for wizard in self:
            person = wizard.contact_id or wizard.partner_id
            wizard.number = person and person._get_dunning_number()

    @api.depends('partner_id', 'company_id')
    def _compute_open_item_ids(self):
        Item = self.env['account.move.line']
        for wizard in self:
            wizard.open_item_ids = Item.search(
                Item._get_dunning_open_domain(wizard.company_id, wizard.partner_id), order='date_maturity, id')

    @api.depends('item_ids')
    def _compute_currency_id(self):
        for wizard in self:
            items = wizard.item_ids
            one = len(items.currency_id) == 1
            wizard.currency_id = items.currency_id if one else wizard.company_id.currency_id
            wizard.amount_open = sum(items.mapped('amount_residual_currency' if one else 'amount_residual'))

    @api.depends('item_ids')
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.amount_open

    @api.depends('outcome_id')
    def _compute_asks(self):
        hints = {
            'wrong_number': self.env._("The number is not called any more; you get a task to find the right one."),
            'call_back': self.env._("You get an activity for that moment."),
            'promise': self.env._("Reminders about these items wait for the money."),
            'paid_already': self.env._("Reminders wait some days; you get a task to look in the bank."),
            'copy_wanted': self.env._("The invoices are mailed again, and reminders wait some days."),
            'awaiting_approval': self.env._("Reminders wait until that day."),
            'disputed': self.env._("It is not reminded until the dispute is settled."),
            'hardship': self.env._("Reminders wait two weeks; the arrangement is made next, or you get a task."),
            'arrangement': self.env._("Reminders wait two weeks; the arrangement is made next, or you get a task."),
            'refuses': self.env._("Reminders go on; you get a task to decide what follows."),
        }
        tries = self.env._("It counts as a try; after too many the next level follows.")
        for wizard in self:
            asks = ASKS.get(wizard.kind, ())
            for name in ('date', 'time', 'category', 'contact'):
                wizard[f'asks_{name}'] = name in asks
            wizard.asks_amount = 'amount' in asks and wizard.kind == 'promise'
            wizard.hint = hints.get(wizard.kind) or (wizard.kind and tries)

    # -------------------------------------------------------------------------
    # OPENING
    # -------------------------------------------------------------------------

    @api.model
    def _action_open(self, *, partner=None, company=None, contact=None, moves=None, notice=None, activity=None):
        """Open the wizard for a debtor, for invoices of one debtor, for a call of the ladder or for an activity."""
        self.check_access('create')
        notice = notice or self.env['dunning.notice']
        activity = activity or self.env['mail.activity']
        items = self.env['account.move.line']
        if notice:
            if notice.state != 'todo' or notice.channel != 'phone':
                raise UserError(self.env._(
                    "%(notice)s is no call that waits to be made. Log a call on the debtor instead.",
                    notice=notice.display_name))
            partner, company, items = notice.partner_id, notice.company_id, notice.live_line_ids.move_line_id
        elif moves is not None:
            partner = partner or moves.commercial_partner_id
            company = moves.company_id._filter_dunning_creditors()
            items = moves._get_dunning_items()
            if len(partner) != 1 or len(company) != 1:
                raise UserError(self.env._("A call is with one debtor. Select invoices of one debtor."))
        company = company or self.env.company
        Call = self.env['dunning.call'].with_company(company)
        items = items.filtered(lambda item: not item.reconciled) or Call._get_default_items(
            company, partner, Call._get_waiting_notices(company, partner))
        person = partner._get_dunning_phone_contact(contact or notice.recipient_id)
        wizard = self.with_company(company).create({
            'company_id': company.id,
            'partner_id': partner.id,
            'contact_id': (contact or (person - partner)).id,
            'item_ids': [Command.set(items.ids)],
            'notice_id': notice.id,
            'activity_id': activity.id,
            'note': activity.feedback,
            'date_start': activity.date_done,
        })
        return wizard._get_records_action(
            name=self.env._("Log a call"), target='new', context={'dialog_size': 'large'})

    # -------------------------------------------------------------------------
    # LOGGING
    # -------------------------------------------------------------------------

    def action_log(self):
        """Log the call, do what follows from its outcome and say what was done."""
        self.ensure_one()
        answer = self.env['dunning.call'].with_company(self.company_id).log_call(self._prepare_call())
        return {
            'type': 'ir.actions.client',
            'tag': 'l10n_nl_dunning.notification',
            'params': {
                'type': 'success',
                'message': answer['message'],
                'undo': {'model': 'dunning.call', 'ids': [answer['call_id']]},
                'next': answer['action'] or {'type': 'ir.actions.client', 'tag': 'soft_reload'},
            },
        }

    def _prepare_call(self):
        return {
            'company_id': self.company_id.id,
            'partner_id': self.partner_id.id,
            'contact_id': self.contact_id.id,
            'contact_name': self.asks_contact and self.contact_name,
            'number': self.number,
            'direction': self.direction,
            'date_start': self.date_start,
            'duration': self.duration * 60,
            'item_ids': self.item_ids.ids,
            'outcome': self.outcome_id.id,
            'note': self.note,
            'date': self.asks_date and self.date,
            'time': self.asks_time and self.time,
            'amount': self.asks_amount and self.amount,
            'part_amount': self.asks_category and self.part_amount,
            'category': self.asks_category and self.category,
            'origin': 'notice' if self.notice_id else 'activity' if self.activity_id else 'form',
            'activity_id': self.activity_id.id,
        }

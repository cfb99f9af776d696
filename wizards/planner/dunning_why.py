from odoo import Command, api, fields, models
from odoo.tools import format_amount

from ...models.kernel.dunning_field import PickedMany2many

# A dialog is read by a person.
MAX_SHOWN = 50


class DunningWhy(models.TransientModel):
    """“Why (not)?” for any day: a date, and below it the planner's answers that follow it at once."""

    _name = 'dunning.why'
    _description = "Why (Not)?"

    date = fields.Date(
        required=True, default=lambda self: self.env.company._dunning_today(),
        help="Past days are answered from the ledger as it was then, coming days as if nothing happens until then.")
    about = fields.Char(readonly=True)
    item_ids = PickedMany2many(comodel_name='account.move.line', string="Due Items")
    partner_ids = PickedMany2many(comodel_name='res.partner', string="Debtors")
    answers = fields.Html(compute='_compute_answers', sanitize=False)

    @api.model
    def _action_open(self, *, items=None, partners=None, about=''):
        self.check_access('create')
        wizard = self.create({
            'about': about,
            'item_ids': [Command.set(items.ids if items is not None else [])],
            'partner_ids': [Command.set(partners.ids if partners is not None else [])],
        })
        return wizard._get_records_action(
            name=self.env._("Why (Not)? %s", about or ''), target='new', context={'dialog_size': 'large'})

    @api.depends('date', 'item_ids', 'partner_ids')
    @api.depends_context('lang', 'dunning_at_date')
    def _compute_answers(self):
        for wizard in self:
            wizard.answers = wizard._render_answers() if wizard.date else False

    def _get_answers(self):
        """Return the planner's answers; who may not read the items or debtors gets an access error."""
        self.ensure_one()
        if self.partner_ids:
            return self.partner_ids._origin.get_dunning_reasons(self.date)
        return self.item_ids._origin.get_dunning_reason(self.date)

    def _render_answers(self):
        self.ensure_one()
        company = (self.item_ids.company_id or self.env.company)[:1]
        answers = self._get_answers()
        Planner = self.env['dunning.planner']
        currencies = {
            currency.name: currency for currency in self.env['res.currency'].search(
                [('name', 'in', list({answer['currency'] for answer in answers}))])}

        def amount(answer, name):
            return format_amount(self.env, answer[name], currencies[answer['currency']])

        def day(value):
            return Planner._fmt_date(fields.Date.to_date(value))

        return self.env['ir.qweb']._render('l10n_nl_dunning.dunning_why_answers', {
            'answers': answers[:MAX_SHOWN],
            'hidden_count': max(0, len(answers) - MAX_SHOWN),
            'unknown': Planner._get_unknown(company, self.date),
            'amount': amount,
            'day': day,
            'many_debtors': len({answer['debtor_id'] for answer in answers}) > 1,
        }, minimal_qcontext=True).strip()

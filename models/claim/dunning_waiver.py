"""What a person decided about interest and costs: waived, received otherwise, or kept after the invoices were paid.

Nothing of it is resolved silently: it is an explicit choice with a reason, told on the invoice and the debtor.
"""

from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_amount, format_date

from ...tools.law.amounts import ZERO


class DunningWaiver(models.Model):
    """A decision about the interest and collection costs of one due item, in euros.

    Append-only: what was waived is waived (article 6:160 BW). A mistake is revoked by a manager, and stays visible.
    """

    _name = 'dunning.waiver'
    _description = "Waiver of Interest and Costs"
    _order = 'date desc, id desc'
    _rec_name = 'reason'
    _check_company_auto = True

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, readonly=True, index=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related='company_id.currency_id')
    item_id = fields.Many2one(
        comodel_name='account.move.line', string="Due Item", required=True, readonly=True, index=True,
        ondelete='cascade', check_company=True)
    move_id = fields.Many2one(related='item_id.move_id', string="Invoice", store=True, index='btree_not_null')
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, readonly=True, index=True, ondelete='restrict')
    kind = fields.Selection(
        selection=[('waive', "Waived"), ('received', "Received"), ('keep', "Kept")],
        string="Decision", required=True, readonly=True, default='waive')
    date = fields.Date(required=True, readonly=True, default=lambda self: self.env.company._dunning_today())
    amount_interest = fields.Monetary(string="Interest", readonly=True)
    amount_costs = fields.Monetary(string="Collection Costs", readonly=True)
    amount = fields.Monetary(compute='_compute_amount', store=True)
    reason = fields.Char(required=True, readonly=True, help="Why; it is told on the statement to the debtor.")
    user_id = fields.Many2one(
        comodel_name='res.users', string="Decided By", required=True, readonly=True,
        default=lambda self: self.env.user)
    revoked_on = fields.Date(readonly=True, copy=False)
    revoked_by_id = fields.Many2one(comodel_name='res.users', readonly=True, copy=False)

    _check_amounts = models.Constraint(
        "CHECK(amount_interest >= 0 AND amount_costs >= 0"
        " AND (kind = 'keep' OR amount_interest + amount_costs > 0))",
        "Enter which amount of interest or collection costs is waived or was received.",
    )

    @api.depends('amount_interest', 'amount_costs')
    def _compute_amount(self):
        for waiver in self:
            waiver.amount = waiver.amount_interest + waiver.amount_costs

    @api.model_create_multi
    def create(self, vals_list):
        # Who decides and when is a fact, and the debtor follows from the item.
        waivers = super().create([vals | self._prepare_facts(vals) for vals in vals_list])
        waivers._check_owed()
        waivers._log_decision()
        return waivers

    @api.model
    def _prepare_facts(self, vals):
        item = self.env['account.move.line'].browse(vals.get('item_id'))
        company = item.company_id or self.env.company
        return {
            'company_id': company.id,
            'partner_id': item.partner_id.commercial_partner_id.id,
            'date': company._dunning_today(),
            'user_id': self.env.uid,
            'revoked_on': False,
            'revoked_by_id': False,
        }

    def write(self, vals):
        if vals.keys() - {'revoked_on', 'revoked_by_id'}:
            raise UserError(self.env._(
                "What was decided about interest and costs cannot be changed. Revoke it and decide again."))
        if not self.env.user.has_group('account.group_account_manager'):
            raise AccessError(self.env._("Only an accounting manager can revoke a waiver."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._(
            "What was decided about interest and costs stays as its proof. Revoke it instead."))

    def _check_owed(self):
        """Refuse to take off what nobody asked: more than the claim, or what stands in the books by itself."""
        for company, batch in self.filtered(lambda waiver: waiver.kind != 'keep').grouped('company_id').items():
            for (debtor, day), waivers in batch.grouped(lambda waiver: (waiver.partner_id, waiver.date)).items():
                claim = self.env['dunning.claim'].with_company(company)._compute(waivers.item_id, day)
                for entry in claim.items:
                    self._check_item(entry, waivers, debtor, company)

    def _check_item(self, entry, waivers, debtor, company):
        """Refuse one item of which more was waived than there was; the waivers are in the claim already."""
        account = entry.account
        interest = account.interest + entry.signed_interest if account else ZERO
        over = entry.waived_interest + entry.waived_costs + entry.settled - interest - entry.costs_detail.amount
        if over <= 0 and entry.waived_costs <= entry.costs_detail.amount and entry.waived_interest <= interest:
            return
        raise UserError(self.env._(
            "%(invoice)s of %(debtor)s: no more can be waived than is owed: interest %(interest)s and collection costs "
            "%(costs)s.",
            invoice=entry.name, debtor=debtor.display_name,
            interest=format_amount(self.env, float(interest), company.currency_id),
            costs=format_amount(self.env, float(entry.costs_detail.amount), company.currency_id)))

    def _log_decision(self):
        bodies = defaultdict(Markup)
        partner_bodies = defaultdict(Markup)
        for waiver in self:
            values = {
                'amount': format_amount(self.env, waiver.amount, waiver.currency_id),
                'invoice': waiver.move_id.name, 'reason': waiver.reason,
            }
            text = {
                'waive': self.env._(
                    "Interest and collection costs waived for %(invoice)s: %(amount)s. %(reason)s", **values),
                'received': self.env._(
                    "Interest and collection costs received for %(invoice)s: %(amount)s. %(reason)s", **values),
                'keep': self.env._("Interest and collection costs of %(invoice)s are kept: %(reason)s", **values),
            }[waiver.kind]
            for found, key in ((bodies, waiver.move_id.id), (partner_bodies, waiver.partner_id.id)):
                found[key] += (Markup("<br/>") if key in found else Markup()) + text
        self.env['account.move'].browse(bodies)._message_log_batch(bodies)
        self.env['res.partner'].browse(partner_bodies)._message_log_batch(partner_bodies)

    def action_revoke(self):
        """Undo decisions that were a mistake; the amounts are claimed again from now on."""
        todo = self.filtered(lambda waiver: not waiver.revoked_on)
        for today, batch in todo.grouped(lambda waiver: waiver.company_id._dunning_today()).items():
            batch.write({'revoked_on': today, 'revoked_by_id': self.env.uid})
        for waiver in todo:
            waiver.move_id._message_log(body=self.env._(
                "What was decided on %(date)s about %(amount)s of interest and costs was revoked.",
                amount=format_amount(self.env, waiver.amount, waiver.currency_id),
                date=format_date(self.env, waiver.date)))
        return True

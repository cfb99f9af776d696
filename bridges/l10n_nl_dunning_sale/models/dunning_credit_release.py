from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_amount

from odoo.addons.l10n_nl_dunning.models.kernel.formats import format_day

from .sale_order import ACTIVITY, CREDIT_MANAGER


class DunningCreditRelease(models.Model):
    """A credit manager lets a held order go, for a reason, until a date or an amount. Never changed afterwards."""

    _name = 'dunning.credit.release'
    _description = "Release of an Order"
    _order = 'id desc'
    _rec_name = 'reason'

    order_id = fields.Many2one(
        comodel_name='sale.order', required=True, index=True, ondelete='cascade')
    currency_id = fields.Many2one(related='order_id.currency_id')
    date_until = fields.Date(string="Until", help="The last day on which the order can be confirmed.")
    amount_max = fields.Monetary(string="Up To", help="As long as the order is not more than this.")
    reason = fields.Char(required=True)

    @api.constrains('date_until', 'amount_max')
    def _check_bounded(self):
        for release in self:
            if not release.date_until and release.amount_max <= 0:
                raise ValidationError(self.env._("Say until when, or up to which amount, the order can be confirmed."))

    @api.model_create_multi
    def create(self, vals_list):
        # OVERRIDE: the order can go on, and its salesperson is told.
        releases = super().create(vals_list)
        for release in releases:
            order = release.order_id.sudo()  # sudo: who answers for the credit need not be in sales
            order.message_post(
                body=release._get_sentence(), author_id=self.env.user.partner_id.id,
                partner_ids=order.user_id.partner_id.ids)
            order.activity_unlink([ACTIVITY])
            order.dunning_asked_on = False
            order._follow_dunning_release()
        return releases

    def _covers(self, order, today):
        """Return whether this lets an order go on a day."""
        self.ensure_one()
        return (not self.date_until or today <= self.date_until) and (
            self.amount_max <= 0 or order.currency_id.compare_amounts(order.amount_total, self.amount_max) <= 0)

    def _get_sentence(self):
        self.ensure_one()
        env, values = self.env, {
            'user': self.create_uid.name, 'reason': self.reason, 'until': format_day(self.env, self.date_until),
            'amount': format_amount(self.env, self.amount_max, self.currency_id)}
        if self.date_until and self.amount_max > 0:
            return env._("%(user)s released this order until %(until)s, up to %(amount)s: %(reason)s", **values)
        if self.date_until:
            return env._("%(user)s released this order until %(until)s: %(reason)s", **values)
        return env._("%(user)s released this order up to %(amount)s: %(reason)s", **values)

    @api.model
    def _get_managers(self, company):
        """Return who may release orders of a company."""
        # sudo: only whom to ask
        users = self.env['res.users'].sudo().search([
            ('all_group_ids', 'in', self.env.ref(CREDIT_MANAGER).id), ('share', '=', False),
            ('company_ids', 'in', company.id)])
        return users.filtered('active')

"""A debtor at a level, one that pays, a salesperson and a credit manager."""

from odoo import Command
from odoo.tests import new_test_user

from odoo.addons.l10n_nl_dunning.tests.common import TODAY, DunningCommon, days

LATE = TODAY + days(6)


class SaleCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        user = {'company_id': cls.company.id, 'company_ids': [Command.set(cls.company.ids)]}
        cls.seller = new_test_user(
            cls.env, 'dunning_seller', groups='sales_team.group_sale_salesman', name="Sem", **user)
        cls.manager = new_test_user(
            cls.env, 'dunning_credit', groups='l10n_nl_dunning_sale.group_credit_manager', name="Mila", **user)
        cls.late = cls.business
        cls.prompt = cls.make_debtor("Prompt BV")
        cls.product = cls.env['product.product'].create({
            'name': "Oven", 'type': 'service', 'list_price': 100.0, 'taxes_id': [Command.clear()]})
        cls.overdue = cls.invoice(cls.late)
        cls.dun(LATE)

    @classmethod
    def make_rule(cls, condition='level', effect='hold', **values):
        if condition == 'level':
            values.setdefault('level_id', cls.reminder.id)
        return cls.env['dunning.credit.rule'].create({
            'policy_id': cls.ladder.id, 'condition': condition, 'effect': effect, **values})

    @classmethod
    def order(cls, partner=None, amount=100.0, user=None, **values):
        """Return a quotation of the salesperson, as that user sees it."""
        order = cls.env['sale.order'].with_user(user or cls.seller).create(
            cls.prepare_order(partner, amount, **values))
        return order.with_context(dunning_at_date=LATE)

    @classmethod
    def prepare_order(cls, partner=None, amount=100.0, **values):
        return {
            'partner_id': (partner or cls.late).id,
            'user_id': cls.seller.id,
            'order_line': [Command.create({
                'product_id': cls.product.id, 'product_uom_qty': 1, 'price_unit': amount})],
            **values,
        }

    @classmethod
    def release(cls, order, user=None, **values):
        return cls.env['dunning.credit.release'].with_user(user or cls.manager).with_context(
            dunning_at_date=LATE).create({
                'order_id': order.id, 'reason': "Paid by telephone", 'date_until': LATE + days(7), **values})

"""Quotations and orders: how the customer pays, and whether an order can be confirmed.

The credit is judged in one place (:meth:`SaleOrder._judge_dunning_credit`), and an order becomes a confirmed one in
one place: ``create`` and ``write`` refuse what is held, whichever way it came there. A customer is never refused: what
he signed or paid is kept, and somebody here answers.
"""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, Query, format_amount

from odoo.addons.l10n_nl_dunning.models.agreement.res_partner import DebtorFacts
from odoo.addons.l10n_nl_dunning.models.kernel.formats import in_language_of

ACTIVITY = 'l10n_nl_dunning_sale.mail_activity_type_release'
CREDIT_MANAGER = 'l10n_nl_dunning_sale.group_credit_manager'
ACCOUNTING = ('account.group_account_invoice', 'account.group_account_readonly')
UNCONFIRMED = ('draft', 'sent')
# From how late on average, in days, there is something to advise.
SLOW_DAYS = 14
# The same as in the worklist: fewer days are no trend.
TREND_DAYS = 5


class Verdict(NamedTuple):
    """What is known of the debtor of an order, and what follows from it."""

    facts: DebtorFacts
    #: False, warn, hold or released
    state: str
    #: The conditions of the rules that are met, and warn or hold.
    met: tuple
    #: The deposit that the rules propose, in percent of the order, and the conditions of these rules.
    deposit: float
    proposed: tuple
    #: What is open and ordered, this order included, and the limit; both in the currency of the company.
    exposure: float
    limit: float


class Judging(frozenset):
    """Ids of confirmed orders that are judged when all of a change is written. No client can send one of this class."""


#: What makes an order a confirmed one, one of another debtor or creditor, or one of more.
JUDGED = frozenset({'state', 'partner_id', 'partner_invoice_id', 'company_id', 'currency_id', 'order_line'})
#: Of an order without a customer.
NOTHING_KNOWN = Verdict(DebtorFacts(*[False] * len(DebtorFacts._fields)), False, (), 0.0, (), 0.0, 0.0)


class SaleOrder(models.Model):
    _inherit = 'sale.order'

    dunning_level_id = fields.Many2one(
        comodel_name='dunning.level', compute='_compute_dunning_level_id',
        search='_search_dunning_level_id',
        help="The highest level of the open invoices of who pays this order.")
    dunning_credit_state = fields.Selection(
        selection=[('warn', "Look first"), ('hold', "Needs release"), ('released', "Released")],
        string="Credit", compute='_compute_dunning_credit')
    dunning_deposit = fields.Float(
        string="Deposit (%)", compute='_compute_dunning_credit', help="What the credit rules propose.")
    dunning_text = fields.Text(string="How the Customer Pays", compute='_compute_dunning_credit')
    dunning_asked_on = fields.Date(
        string="Waits for Release Since", readonly=True, copy=False, index='btree_not_null',
        help="The day on which release was asked for, or the customer agreed to an order that needs it.")
    dunning_release_ids = fields.One2many(
        comodel_name='dunning.credit.release', inverse_name='order_id', string="Releases", copy=False)

    # -------------------------------------------------------------------------
    # WHAT IS SHOWN
    # -------------------------------------------------------------------------

    def _get_dunning_debtor(self):
        """Return who is to pay this order."""
        return (self.partner_invoice_id or self.partner_id).commercial_partner_id._origin

    @api.depends('partner_id', 'partner_invoice_id', 'company_id')
    def _compute_dunning_level_id(self):
        """One query per company; see the same field of a contact."""
        for company, orders in self.grouped('company_id').items():
            debtors = {order: order._get_dunning_debtor().with_company(company).id for order in orders}
            levels = {
                debtor.id: debtor.dunning_level_id
                for debtor in self.env['res.partner'].with_company(company).browse(set(filter(None, debtors.values())))}
            for order in orders:
                order.dunning_level_id = levels.get(debtors[order], False)

    def _get_dunning_level_sql(self, alias):
        """Return the SQL of this level of the orders in a table of a statement."""
        return SQL(
            """(SELECT %(level)s FROM res_partner payer WHERE payer.id = %(table)s.partner_invoice_id)""",
            table=SQL.identifier(alias),
            level=self.env['res.partner']._get_dunning_level_sql(
                SQL("payer.commercial_partner_id"), SQL.identifier(alias, 'company_id')),
            to_flush=[
                *(self._fields[name] for name in ('partner_invoice_id', 'company_id')),
                self.env['res.partner']._fields['commercial_partner_id']])

    def _search_dunning_level_id(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        Level = self.env['dunning.level']
        levels = value if isinstance(value, Query) else Level._search(
            Domain('id', 'in', [level for level in value if level]) if operator == 'in' else value)
        found = Domain.custom(to_sql=lambda model, alias, query: SQL(
            "%s IN %s", model._get_dunning_level_sql(alias), levels.subselect()))
        if operator == 'in' and not all(value):
            found |= Domain.custom(to_sql=lambda model, alias, query: SQL(
                "%s IS NULL", model._get_dunning_level_sql(alias)))
        return found

    def _field_to_sql(self, alias, field_expr, query=None):
        # EXTENDS 'base': a list can be grouped by what is not stored.
        if field_expr == 'dunning_level_id':
            return self._get_dunning_level_sql(alias)
        return super()._field_to_sql(alias, field_expr, query)

    @api.depends(
        'partner_id', 'partner_invoice_id', 'company_id', 'state', 'amount_total', 'dunning_release_ids',
        'require_payment', 'prepayment_percent', 'order_line.is_downpayment')
    @api.depends_context('lang', 'uid', 'dunning_at_date')
    def _compute_dunning_credit(self):
        """What is known of the customer, what follows, and what to do; no amount for who may not see it."""
        # Who can release an order has a button for it.
        is_manager, way_outs = self.env.user.has_group(CREDIT_MANAGER), {}
        for order, verdict in self._judge_dunning_credit().items():
            state = order.state in UNCONFIRMED and verdict.state
            deposit = 0.0 if order._is_dunning_deposit_asked(verdict.deposit) else verdict.deposit
            sentences = order._get_dunning_sentences(verdict if deposit else verdict._replace(proposed=()))
            if state == 'hold' and not is_manager:
                company = order.company_id
                way_outs[company] = way_outs.get(company) or order._get_dunning_way_out()
                sentences.append(way_outs[company])
            elif state == 'released':
                sentences.append(order._get_dunning_release()._get_sentence())
            elif state != 'hold' and sentences and not deposit:
                sentences.append(self.env._("Talk about it before you agree on anything new."))
            if deposit:
                sentences.append(self.env._("Ask a deposit of %s%%.", f"{deposit:g}"))
            order.dunning_credit_state, order.dunning_deposit = state, deposit
            order.dunning_text = order.state != 'cancel' and "\n".join(sentences)

    def _get_dunning_sentences(self, verdict, conditions=None):
        """Return what is known of who is to pay this order, as sentences.

        :param conditions: only these; None: all that is worth knowing
        """
        self.ensure_one()
        env, facts, debtor = self.env, verdict.facts, self._get_dunning_debtor()
        met = {*verdict.met, *verdict.proposed}
        found = {
            **debtor._explain_dunning_facts(facts, says_days='late' in met),
            'limit': 'limit' in met and self._get_dunning_limit_sentence(verdict),
            'slow': ('slow' in met or facts.average_days >= SLOW_DAYS) and self._get_dunning_advice(verdict),
            'new': 'new' in met and env._("%s was never sent an invoice before.", debtor.name),
            'amount': 'amount' in met and env._("It is a large order."),
        }
        return [text for condition, text in found.items() if text and condition in (conditions or found)]

    def _get_dunning_limit_sentence(self, verdict):
        if not any(map(self.env.user.has_group, ACCOUNTING)):
            return self.env._("With this order the credit limit is exceeded.")
        currency = self.company_id.currency_id
        return self.env._(
            "With this order %(exposure)s is open or ordered, and the credit limit is %(limit)s.",
            exposure=format_amount(self.env, verdict.exposure, currency),
            limit=format_amount(self.env, verdict.limit, currency))

    def _get_dunning_advice(self, verdict):
        """Return how the debtor pays and what helps, for who may see it."""
        facts, days = verdict.facts, round(verdict.facts.average_days)
        if not any(map(self.env.user.has_group, ACCOUNTING)):
            return 'slow' in {*verdict.met, *verdict.proposed} and self.env._("Invoices are often paid late.")
        if facts.trend_days >= TREND_DAYS:
            return self.env._(
                "Pays %(days)s days late on average, and %(more)s days later than before: ask a deposit, shorten the "
                "term, or collect by direct debit.", days=days, more=round(facts.trend_days))
        return self.env._(
            "Pays %s days late on average: ask a deposit, shorten the term, or collect by direct debit.", days)

    def _get_dunning_way_out(self):
        """Return what can be done about a held order, and who can release it."""
        managers = self.env['dunning.credit.release']._get_managers(self.company_id)
        if not managers:
            return self.env._(
                "The order waits for release, and nobody is a credit manager yet: an administrator chooses one. An "
                "order that is paid in advance needs no release.")
        return self.env._(
            "The order waits for release by %s. An order that is paid in advance needs no release.",
            ", ".join(managers[:3].mapped('name')))

    @api.depends('dunning_credit_state')
    def _compute_partner_credit_warning(self):
        # EXTENDS 'sale': what our own banner says of the limit is not said twice.
        result = super()._compute_partner_credit_warning()
        warned = self.filtered('partner_credit_warning')
        for order, verdict in warned._judge_dunning_credit().items():
            if 'limit' in verdict.met:
                order.partner_credit_warning = ''
        return result

    # -------------------------------------------------------------------------
    # THE JUDGEMENT
    # -------------------------------------------------------------------------

    def _judge_dunning_credit(self):
        """Return ``{order: Verdict}``: the same few queries for any number of orders of a company.

        It does not matter whether the order was confirmed already: this also judges what is being confirmed.
        """
        verdicts = {}
        for company, orders in self.grouped('company_id').items():
            debtors = {order: order._get_dunning_debtor() for order in orders}
            # sudo: what is owed and agreed is judged for whoever sells; a verdict tells no more than it may
            payers = self.env['res.partner'].union(*debtors.values()).with_company(company).sudo()
            facts = payers._get_dunning_facts(company)
            rules = {payer.id: payer.dunning_effective_policy_id.credit_rule_ids for payer in payers}
            limits = {
                payer.id: payer.credit_limit for payer in payers
                if company.account_use_credit_limit and 'limit' in rules[payer.id].mapped('condition')}
            exposures = self._get_dunning_exposures(company, payers.browse(
                payer_id for payer_id, limit in limits.items() if limit > 0))
            known = payers._get_dunning_invoiced(company) if any(
                'new' in found.mapped('condition') for found in rules.values()) else payers
            for order in orders:
                key = debtors[order].id
                verdicts[order] = order._judge_dunning_facts(
                    facts[key], rules[key], exposures.get(key, 0.0), limits.get(key, 0.0), key not in known.ids,
                ) if key else NOTHING_KNOWN
        return verdicts

    def _judge_dunning_facts(self, facts, rules, exposure, limit, is_new):
        """Return the ``Verdict`` on this order.

        :param exposure: what is open and was ordered by this debtor, in the currency of the company
        :param limit: what that may be at most; 0 for no limit
        """
        self.ensure_one()
        if self._origin.state != 'sale':
            exposure += self.amount_total / (self.currency_rate or 1.0)
        is_above = limit > 0 and self.company_id.currency_id.compare_amounts(exposure, limit) > 0
        met, state = rules.filtered(lambda rule: rule._is_met(self, facts, is_above, is_new)), False
        deposits = met.filtered(lambda rule: rule.effect == 'deposit')
        met -= deposits
        # sudo: payments of the customer. What is paid in full in advance, or costs nothing, gives no credit.
        if met and not self.sudo()._is_paid():
            state = 'warn' if 'hold' not in met.mapped('effect') else (
                'released' if self._get_dunning_release() else 'hold')
        return Verdict(
            facts, state, tuple(met.mapped('condition')), max(deposits.mapped('percent'), default=0.0),
            tuple(deposits.mapped('condition')), exposure, limit)

    @api.model
    def _get_dunning_exposures(self, company, debtors):
        """Return ``{debtor id: amount}``: what is open, and what was confirmed and not invoiced, of debtors."""
        exposures = {debtor.id: debtor.credit for debtor in debtors}
        # sudo: orders of colleagues count as well
        orders = self.sudo().search([
            ('company_id', 'in', company._get_dunning_company_ids()),
            ('state', '=', 'sale'), ('invoice_status', '!=', 'invoiced'),
            ('partner_invoice_id.commercial_partner_id', 'in', debtors.ids)]) if debtors else self.sudo().browse()
        for order in orders:
            exposures[order.partner_invoice_id.commercial_partner_id.id] += max(
                0.0, order.amount_total - order.amount_invoiced) / (order.currency_rate or 1.0)
        return exposures

    def _get_dunning_release(self):
        """Return the release that lets this order go today, the last one first."""
        today = self.company_id._dunning_today()
        return self.dunning_release_ids.filtered(lambda release: release._covers(self, today))[:1]

    def _filter_dunning_held(self):
        """Return which of these orders wait for release."""
        verdicts = self._judge_dunning_credit()
        return self.filtered(lambda order: verdicts[order].state == 'hold')

    def _check_dunning_credit(self, is_confirmed=False):
        """Raise when one of these orders waits for release: say why, and who can release it.

        :param is_confirmed: whether they were confirmed before, and are changed
        """
        for order, verdict in self._judge_dunning_credit().items():
            if verdict.state == 'hold':
                values = {
                    'order': order.name, 'reasons': " ".join(order._get_dunning_sentences(verdict, verdict.met))}
                raise UserError(self.env._(
                    "%(order)s is confirmed, and cannot be increased or moved to this customer: %(reasons)s\n\n"
                    "Make a new quotation of what is added: it says who can release it.", **values,
                ) if is_confirmed else self.env._(
                    "%(order)s cannot be confirmed: %(reasons)s\n\n%(way_out)s", **values,
                    way_out=order._get_dunning_way_out()))

    # -------------------------------------------------------------------------
    # CONFIRMING
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # OVERRIDE: an import or a program can make an order that is confirmed at once.
        orders = super().create(vals_list)
        orders.filtered(lambda order: order.state == 'sale')._check_dunning_credit()
        return orders

    def write(self, vals):
        # OVERRIDE: the one place where an order becomes a confirmed one, one of another debtor or creditor, or of more.
        if not vals.keys() & JUDGED:
            return super().write(vals)
        before = self._get_dunning_confirmed()
        # Lines that are written along are judged together: what is taken off makes room for what is added.
        result = super(SaleOrder, self.with_context(dunning_judging=Judging(self.ids))).write(vals)
        self._check_dunning_change(before)
        return result

    def _get_dunning_confirmed(self):
        """Return ``{order: (debtor, creditor, what is ordered)}`` of those of these that are confirmed."""
        return {
            order: (order._get_dunning_debtor(), order.company_id, order._get_dunning_ordered())
            for order in self if order.state == 'sale'}

    def _get_dunning_ordered(self):
        """Return what is ordered, in the currency of the company: without what other programs add."""
        self.ensure_one()
        lines = self.order_line.filtered(lambda line: not line.is_expense and not line.is_downpayment and not (
            'is_delivery' in line._fields and line.is_delivery))
        return sum(lines.mapped('price_total')) / (self.currency_rate or 1.0)

    def _check_dunning_change(self, before):
        """Raise when an order that waits for release was confirmed; or grew, or moved, after that.

        An order grows without a question when a program lets it: expenses and hours that have to be invoiced.

        :param before: of these orders, see :meth:`_get_dunning_confirmed`
        """
        confirmed = self.filtered(lambda order: order.state == 'sale')
        # An order of nothing was confirmed without a question.
        changed = confirmed.filtered(lambda order: order in before and before[order][2])
        (confirmed - changed).filtered(
            lambda order: order not in before or order._has_dunning_changed(*before[order]))._check_dunning_credit()
        changed.filtered(lambda order: order._has_dunning_changed(*before[order]))._check_dunning_credit(True)

    def _has_dunning_changed(self, debtor, company, ordered):
        """Return whether this order is of more, or of somebody else, than before."""
        return (debtor, company) != (self._get_dunning_debtor(), self.company_id) or (
            not self.env.su and company.currency_id.compare_amounts(self._get_dunning_ordered(), ordered) > 0)

    def action_confirm(self):
        # OVERRIDE: a program that acts for a customer is not refused; the order is kept. A user is told by `write`.
        if not self._is_dunning_customer_acting():
            return super().action_confirm()
        held = self.filtered(lambda order: order.state in UNCONFIRMED)._filter_dunning_held()
        # A program can try every night; it is told once.
        held.filtered(lambda order: not order.dunning_asked_on)._keep_dunning_accepted()
        ready = self - held
        return not ready or super(SaleOrder, ready).action_confirm()

    def _is_dunning_customer_acting(self):
        """Return whether nobody of us confirms these orders: a customer in the shop or portal, or a program for him."""
        return self.env.su or not self.env.user._is_internal() or (
            # Paid at the counter, where it has to be booked.
            'pos_order_line_ids' in self.order_line._fields and bool(self.order_line.pos_order_line_ids))

    def _validate_order(self):
        # EXTENDS 'sale': what a customer signed is kept. Before other addons do what belongs to a confirmation.
        held = self._filter_dunning_held()
        held._keep_dunning_accepted()
        ready = self - held
        return super(SaleOrder, ready)._validate_order() if ready else None

    def _keep_dunning_accepted(self):
        """Keep orders to which the customer agreed just now, and let somebody answer."""
        for order in self.sudo():  # sudo: the customer has no right to do this
            if order.state == 'draft':
                order.with_context(tracking_disable=True).action_quotation_sent()
            local = in_language_of(order, order.company_id)
            local._ask_dunning_release(local.env._(
                "The customer agreed, and reads that we will confirm the order. It waits for release."))

    def _ask_dunning_release(self, note):
        """Let an order stand in the list of those that wait, and tell a credit manager and the salesperson."""
        self.ensure_one()
        self.dunning_asked_on = self.dunning_asked_on or self.company_id._dunning_today()
        managers = self.env['dunning.credit.release']._get_managers(self.company_id)
        collector = self._get_dunning_debtor()._get_dunning_collector(self.company_id)
        self.message_post(body=note, partner_ids=self.user_id.partner_id.ids)
        user = collector if collector in managers else managers[:1]
        if user and not self.activity_search([ACTIVITY]):
            self.activity_schedule(ACTIVITY, user_id=user.id, note=note, date_deadline=self.dunning_asked_on)

    def action_dunning_ask(self):
        """Ask for release of held orders."""
        self.check_access('write')
        for order in self._filter_dunning_held().filtered(lambda order: not order.dunning_asked_on):
            # sudo: the activity is that of somebody in accounting
            order.sudo()._ask_dunning_release(self.env._("%s asks for release of this order.", self.env.user.name))

    def action_dunning_release(self):
        """Open the form in which a credit manager releases this order."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window', 'res_model': 'dunning.credit.release', 'view_mode': 'form',
            'target': 'new', 'name': self.env._("Release %s", self.name),
            'context': {
                'default_order_id': self.id, 'default_amount_max': self.amount_total,
                'default_date_until': fields.Date.add(self.company_id._dunning_today(), days=30)},
        }

    def _is_dunning_deposit_asked(self, percent):
        """Return whether a deposit is asked already: online, or with an invoice."""
        return self.state == 'cancel' or any(self.order_line.mapped('is_downpayment')) or (
            self.require_payment and self.prepayment_percent * 100 >= percent)

    def action_dunning_deposit(self):
        """Let the customer pay the proposed deposit online to confirm; of a confirmed order, invoice it."""
        self.ensure_one()
        if self.state in UNCONFIRMED:
            self.write({'require_payment': True, 'prepayment_percent': self.dunning_deposit / 100})
            return True
        action = self.env['ir.actions.act_window']._for_xml_id('sale.action_view_sale_advance_payment_inv')
        return {**action, 'context': {
            'active_model': self._name, 'active_ids': self.ids, 'default_advance_payment_method': 'percentage',
            'default_amount': self.dunning_deposit}}

    def _has_dunning_agreement(self):
        """Return whether the customer agreed to this order in a way that confirms it."""
        self.ensure_one()
        signed = self.signature and not self._has_to_be_paid()
        paid = self.amount_paid > 0 and self._is_confirmation_amount_reached()
        transactions = self.sudo().transaction_ids  # sudo: those of the customer
        return bool(signed or paid) or any(transaction._is_dunning_pay_later() for transaction in transactions)

    def _is_dunning_received(self):
        """Return whether the customer reads that we will confirm this order: it was agreed to, and waits for release.

        Who transfers the money agreed as well, though only the money confirms the order.
        """
        self.ensure_one()
        transactions = self.sudo().transaction_ids  # sudo: those of the customer
        return self.state == 'sent' and bool(self.dunning_asked_on) and (
            self._has_dunning_agreement() or any(transaction._is_dunning_agreed() for transaction in transactions))

    def _follow_dunning_release(self):
        """Confirm a released order to which the customer agreed already, as promised."""
        for order in self:
            if order._has_dunning_agreement() and not order._confirmation_error_message():
                order._validate_order()

"""Paying online with the providers of Odoo: an instalment, what is due of an arrangement, or what stands on the page.

The amount is worked out here, under a lock, at the moment at which somebody pays. What the browser sends is only
compared with it: a form that is older than the ledger gets a sentence, never a payment of another amount.
"""

import math

from odoo import http
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.http import request

from odoo.addons.payment.controllers.portal import PaymentPortal

from ..models.kernel.formats import letter_amount
from .arrangement import get_arrangement, respond
from .common import get_page, make_url, not_found, speak

# What comes from Odoo's payment form and is of use to us; the rest of it follows from the debt.
TAKEN = ('provider_id', 'payment_method_id', 'flow')


class DunningPaymentPortal(PaymentPortal):

    # -------------------------------------------------------------------------
    # ARRANGEMENT
    # -------------------------------------------------------------------------

    @http.route(
        ['/my/arrangements/<int:arrangement_id>/pay', '/my/arrangements/<int:arrangement_id>/pay/<int:instalment_id>'],
        type='http', auth='public', methods=['GET'], website=True, multilang=False, sitemap=False)
    def dunning_pay_arrangement(
        self, arrangement_id, instalment_id=None, access_token=None, what=None, again=None, **kwargs,
    ):
        """Show how to pay an instalment, what is due, or everything that is left."""
        arrangement = get_arrangement(arrangement_id, access_token)
        instalment = self._get_instalment(arrangement, instalment_id)
        if not arrangement or instalment is None:
            return not_found()
        if arrangement.state == 'offered':
            return request.redirect(make_url(arrangement, access_token))
        what = self._get_what(arrangement, what)
        payable = arrangement._get_payable(what, instalment or None)
        suffix = f'/pay/{instalment.id}' if instalment else '/pay'
        query = f'what={what}'
        return self._render_payment(
            payable, again=again,
            details=payable and arrangement._prepare_transfer(payable.amount, arrangement._get_reference()),
            transaction_route=make_url(
                arrangement, access_token, f'{suffix}/transaction', f'{query}&again=1' if again else query),
            values={
                'back': make_url(arrangement, access_token),
                'again_url': make_url(arrangement, access_token, suffix, f'{query}&again=1'),
                'title': arrangement._tell_what_is_paid(what, instalment or None),
                'intro': arrangement._tell_before_paying(what, instalment or None),
                'company': arrangement.company_id,
                'subject': arrangement.name,
            })

    @http.route(
        ['/my/arrangements/<int:arrangement_id>/pay/transaction',
         '/my/arrangements/<int:arrangement_id>/pay/<int:instalment_id>/transaction'],
        type='jsonrpc', auth='public', methods=['POST'], website=True, multilang=False)
    def dunning_pay_arrangement_transaction(self, arrangement_id, instalment_id=None, access_token=None, **kwargs):
        """Begin a payment; answer what Odoo's payment form needs."""
        arguments = request.httprequest.args
        arrangement = get_arrangement(arrangement_id, access_token or arguments.get('access_token'))
        instalment = self._get_instalment(arrangement, instalment_id)
        if not arrangement or instalment is None:
            raise UserError(request.env._("This page is not here any more. Open the link in our message again."))
        self._lock(arrangement.partner_id, arrangement.company_id)
        arrangement.invalidate_recordset()
        payable = arrangement._get_payable(
            self._get_what(arrangement, arguments.get('what')), instalment or None)
        return self._begin_payment(
            payable, kwargs, again=arguments.get('again'),
            link={'dunning_arrangement_id': arrangement.id, 'dunning_instalment_id': instalment.id},
            landing=lambda transaction: make_url(
                arrangement, arguments.get('access_token') or access_token, f'/payment/{transaction.id}'))

    @http.route(
        '/my/arrangements/<int:arrangement_id>/payment/<int:transaction_id>', type='http', auth='public',
        methods=['GET'], website=True, multilang=False, sitemap=False)
    def dunning_paid_arrangement(self, arrangement_id, transaction_id, access_token=None, **kwargs):
        """Say what became of a payment, and what is left."""
        arrangement = get_arrangement(arrangement_id, access_token)
        transaction = self._get_transaction(transaction_id, 'dunning_arrangement_id', arrangement)
        if not transaction:
            return not_found()
        return self._render_outcome(transaction, {
            'back': make_url(arrangement, access_token),
            'again_url': make_url(
                arrangement, access_token,
                f'/pay/{transaction.dunning_instalment_id.id}' if transaction.dunning_instalment_id else '/pay',
                '' if transaction.dunning_instalment_id else 'what=all'),
            'company': arrangement.company_id,
            'left': arrangement._tell_after_paying(),
        })

    @staticmethod
    def _get_instalment(arrangement, instalment_id):
        """Return the instalment of this arrangement; an empty one when none is asked, None when it is another's."""
        empty = request.env['dunning.arrangement.instalment']
        if not instalment_id or not arrangement:
            return empty
        return arrangement.instalment_ids.filtered(lambda part: part.id == instalment_id) or None

    @staticmethod
    def _get_what(arrangement, asked):
        """Return what is paid when no instalment is named: what is due, or everything when nothing is due yet."""
        if asked in ('due', 'all'):
            return asked
        return 'due' if arrangement._get_payable('due') else 'all'

    # -------------------------------------------------------------------------
    # THE DEBTOR'S PAGE
    # -------------------------------------------------------------------------

    @http.route(
        '/my/debt/<int:page_id>/pay', type='http', auth='public', methods=['GET'], website=True, multilang=False,
        sitemap=False)
    def dunning_pay_page(self, page_id, access_token=None, what=None, invoice_id=None, again=None, **kwargs):
        """Show how to pay one invoice, or what is due."""
        page = self._get_spoken_page(page_id, access_token)
        move = self._get_invoice(page, invoice_id) if page else None
        if not page or move is None:
            return not_found()
        currency, notice = self._get_currency(kwargs.get('currency')), self._get_notice(page, what, move, kwargs)
        what = 'letter' if notice else 'all' if what == 'all' else 'due'
        payable = page._get_payable(what, move or None, currency, notice)
        query = '&'.join(filter(None, [
            f'what={what}', move and f'invoice_id={move.id}', currency and f'currency={currency.name}',
            notice and f"notice={notice.id}&key={kwargs['key']}"]))
        return self._render_payment(
            payable, again=again,
            details=payable and page._prepare_bank(
                payable.moves, payable.currency, payable.amount, notice and notice.reference),
            transaction_route=make_url(
                page, access_token, '/pay/transaction', f'{query}&again=1' if again else query),
            values={
                'back': make_url(page, access_token),
                'again_url': make_url(page, access_token, '/pay', f'{query}&again=1'),
                'title': (
                    request.env._("Pay invoice %s", move.name) if move
                    else request.env._("Pay “%s”", notice.subject or notice.display_name) if notice
                    else request.env._("Pay what is due") if what == 'due' else request.env._("Pay everything")),
                'intro': request.env._("For %s.", ', '.join(
                    name for name in payable.moves.sorted('invoice_date').mapped('name') if name)) if payable else '',
                'company': page.company_id,
                'subject': move.name or '',
            })

    @http.route(
        '/my/debt/<int:page_id>/pay/transaction', type='jsonrpc', auth='public', methods=['POST'], website=True,
        multilang=False)
    def dunning_pay_page_transaction(self, page_id, access_token=None, **kwargs):
        """Begin a payment; answer what Odoo's payment form needs."""
        arguments = request.httprequest.args
        token = access_token or arguments.get('access_token')
        page = self._get_spoken_page(page_id, token)
        move = self._get_invoice(page, arguments.get('invoice_id')) if page else None
        if not page or move is None:
            raise UserError(request.env._("This page is not here any more. Open the link in our message again."))
        self._lock(page.partner_id, page.company_id)
        what = arguments.get('what')
        notice = self._get_notice(page, what, move, arguments)
        payable = page._get_payable(
            'letter' if notice else 'all' if what == 'all' else 'due', move or None,
            self._get_currency(arguments.get('currency')), notice)
        return self._begin_payment(
            payable, kwargs, again=arguments.get('again'), link={'dunning_page_id': page.id},
            landing=lambda transaction: make_url(page, token, f'/payment/{transaction.id}'))

    @http.route(
        '/my/debt/<int:page_id>/payment/<int:transaction_id>', type='http', auth='public', methods=['GET'],
        website=True, multilang=False, sitemap=False)
    def dunning_paid_page(self, page_id, transaction_id, access_token=None, **kwargs):
        """Say what became of a payment, and what is left."""
        page = self._get_spoken_page(page_id, access_token)
        transaction = self._get_transaction(transaction_id, 'dunning_page_id', page)
        if not transaction:
            return not_found()
        payable = page._get_payable('due')
        return self._render_outcome(transaction, {
            'back': make_url(page, access_token),
            'again_url': make_url(page, access_token, '/pay'),
            'company': page.company_id,
            'left': (
                request.env._("Still to be paid: %s.", letter_amount(page.env, payable.amount, payable.currency))
                if payable else request.env._("Nothing is due any more.")),
        })

    @staticmethod
    def _get_spoken_page(page_id, access_token):
        page = get_page(page_id, access_token)
        return speak(page, page._get_page_lang()) if page else page

    @staticmethod
    def _get_invoice(page, invoice_id):
        """Return an open invoice of this debtor; an empty one when none is asked, None when it is not his."""
        if not invoice_id:
            return request.env['account.move']
        return page._find_invoice(invoice_id, only_open=True) or None

    @staticmethod
    def _get_notice(page, what, move, arguments):
        """Return the notice whose link was opened to pay exactly what it asks, or an empty record."""
        if move or what in ('due', 'all'):
            return request.env['dunning.notice']
        return page._find_notice(arguments.get('notice'), arguments.get('key'))

    @staticmethod
    def _get_currency(code):
        if not code or not str(code).isalpha():
            return None
        # sudo: currencies are no secret
        return request.env['res.currency'].sudo().search([('name', '=', str(code)[:3])], limit=1)

    # -------------------------------------------------------------------------
    # BOTH
    # -------------------------------------------------------------------------

    @staticmethod
    def _get_transaction(transaction_id, link, record):
        """Return a transaction of this very record, or an empty one."""
        # sudo: only a payment of what the visitor may see
        transaction = request.env['payment.transaction'].sudo().browse(transaction_id).exists()
        return transaction if record and transaction[link].id == record.id else transaction.browse()

    @staticmethod
    def _lock(debtor, company):
        """Let nobody else begin to pay for this debtor at the same moment."""
        debtor._get_dunning_page(company)._lock_to_pay()

    def _get_providers(self, payable, report=None):
        """Return the providers and the payment methods with which this can be paid."""
        # sudo: which ways of paying there are; nothing of their settings is shown
        providers = request.env['payment.provider'].sudo()._get_compatible_providers(
            payable.company.id, payable.partner.id, payable.amount, currency_id=payable.currency.id, report=report)
        methods = request.env['payment.method'].sudo()._get_compatible_payment_methods(  # sudo: as above
            providers.ids, payable.partner.id, currency_id=payable.currency.id, report=report)
        return providers, methods

    def _render_payment(self, payable, *, again, details, transaction_route, values):
        """Show what is to be paid and how, or why there is nothing to pay."""
        env = request.env
        if not payable:
            return respond('l10n_nl_dunning.portal_pay', {**values, 'payable': None})
        # sudo: payments of these very invoices
        running = env['payment.transaction'].sudo()._get_running_for(payable.moves)
        report = {}
        providers, methods = self._get_providers(payable, report)
        return respond('l10n_nl_dunning.portal_pay', {
            **values,
            'payable': payable,
            'amount_text': letter_amount(env, payable.amount, payable.currency),
            'details': details,
            'online': bool(methods),
            'warning': self._tell_running(running) if running else '',
            'show_form': bool(methods) and (not running or bool(again)),
            # What Odoo's payment form works with.
            'amount': payable.amount,
            'currency': payable.currency,
            'partner_id': payable.partner.id,
            'providers_sudo': providers,
            'payment_methods_sudo': methods,
            # Who has the link need not be who saved a card: none is offered and none is saved.
            'tokens_sudo': env['payment.token'].sudo(),  # sudo: none
            'show_tokenize_input_mapping': dict.fromkeys(providers.ids, False),
            'availability_report': report,
            'transaction_route': transaction_route,
            'landing_route': values['back'],
            'access_token': None,
        })

    @staticmethod
    def _tell_running(running):
        """Return what to say about payments that may be paying the same thing at this moment."""
        transaction = running[:1]
        amount = letter_amount(request.env, transaction.amount, transaction.currency_id)
        if transaction.state == 'draft':
            return request.env._(
                "A payment of %s was begun a few minutes ago and is not finished. If that was you, finish it at your "
                "bank, or wait a moment, so that you do not pay twice.", amount)
        return request.env._(
            "A payment of %s is being processed at this moment. Please wait for it, so that you do not pay twice.",
            amount)

    def _begin_payment(self, payable, sent, *, again, link, landing):
        """Make the transaction of what is to be paid, and return what Odoo's payment form needs.

        :param payable: worked out under the lock, or None
        :param dict sent: what the form sent; nothing in it decides on an amount, an invoice or a person
        :param dict link: what the transaction belongs to
        :param landing: function of the transaction, returns where the visitor comes back
        :raise UserError: with what to do, when nothing is paid
        """
        env = request.env
        if not payable:
            raise UserError(env._("There is nothing to pay any more. Reload the page to see how things stand."))
        try:
            shown = float(sent.get('amount'))
        except (TypeError, ValueError):
            shown = 0.0
        if not math.isfinite(shown) or payable.currency.compare_amounts(shown, payable.amount):
            raise UserError(env._(
                "What is to be paid has changed since you opened this page: it is %s now. Reload the page and pay that "
                "amount.", letter_amount(env, payable.amount, payable.currency)))
        # sudo: payments of these very invoices
        running = env['payment.transaction'].sudo()._get_running_for(payable.moves)
        if running and not again:
            raise UserError(self._tell_running(running))
        providers, methods = self._get_providers(payable)
        values = {name: sent.get(name) for name in TAKEN}
        provider = providers.filtered(lambda one: one.id == values['provider_id'])
        method = methods.filtered(lambda one: one.id == values['payment_method_id'])
        if values['flow'] not in ('redirect', 'direct') or not provider or not method or (
            provider not in (method | method.primary_payment_method_id | method.brand_ids).provider_ids
        ):
            raise UserError(env._("This way of paying cannot be used here. Reload the page and choose another."))
        transaction = self._create_transaction(
            **values,
            token_id=None,
            amount=payable.amount,
            currency_id=payable.currency.id,
            partner_id=payable.partner.id,
            tokenization_requested=False,
            landing_route='/my',
            reference_prefix=payable.reference,
            custom_create_values={'invoice_ids': [Command.set(payable.moves.ids)], **link},
        )
        transaction.landing_route = landing(transaction)
        return transaction._get_processing_values()

    @staticmethod
    def _render_outcome(transaction, values):
        env = request.env
        amount = letter_amount(env, transaction.amount, transaction.currency_id)
        return respond('l10n_nl_dunning.portal_paid', {
            **values,
            'transaction': transaction,
            'amount_text': amount,
            'outcome': (
                'wait' if transaction.state in ('draft', 'pending')
                else 'done' if transaction.state in ('done', 'authorized') else 'failed'),
        })

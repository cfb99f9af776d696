"""The debtor's page: what he owes and why, and what he can do about it. Forms are plain POSTs: no script needed."""

import base64
import logging
import re
from functools import partial

from odoo import http
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.http import content_disposition, request

from odoo.addons.account.controllers.download_docs import _build_zip_from_data
from odoo.addons.portal.controllers.portal import CustomerPortal

from ..models.kernel.formats import letter_amount, letter_day
from ..models.portal.dunning_page import sign_look
from ..models.portal.page_input import PageError, TooManyRequests
from .common import get_page, has_token, is_look, not_found, secure, speak

_logger = logging.getLogger(__name__)

# Forms by the last part of their address: the method of the page that takes them in, and whether a file comes along.
FORMS = {
    'dispute': ('_register_dispute', True),
    'paid': ('_register_paid', True),
    'contact': ('_register_contact', False),
    'arrangement': ('_register_arrangement', False),
}
# What a page can be told to say after a form was sent.
ANSWERS = frozenset({
    'dispute', 'dispute_known', 'dispute_again', 'paid', 'paid_known', 'paid_again', 'contact', 'contact_known',
    'arrangement_asked', 'arrangement_known'})
# No field needs more, and what comes back to the visitor is no longer either.
MAX_FIELD = 2500


def get_own_domain():
    """Return the domain of what the debtor who is signed in owes any company, or None for everybody else."""
    user = request.env.user
    if user._is_public() or not user.share:
        return None
    return request.env['account.move.line']._get_dunning_open_domain() & Domain(
        'partner_id.commercial_partner_id', '=', user.partner_id.commercial_partner_id.id)


class DebtorHome(CustomerPortal):

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if 'dunning_debt_count' in counters:
            today = request.env.company.sudo()._dunning_today()  # sudo: what day it is where the company is
            # sudo: a number of invoices of this very debtor; nothing is made for it, as pages are
            Item = request.env['account.move.line'].sudo()
            values['dunning_debt_count'] = len(Item._read_group(
                (get_own_domain() or Domain.FALSE) & Item._get_dunning_due_before_domain(today), ['move_id']))
        return values


# Not a part of the portal's own controller: names of routes and helpers are then ours alone.
class DebtorPage(http.Controller):

    def _get_own_pages(self):
        """Return the pages of the debtor who is signed in, of each creditor he owes something; none for colleagues."""
        user, domain = request.env.user, get_own_domain()
        if domain is None:
            return []
        debtor = user.partner_id.commercial_partner_id
        # sudo: companies to which this very debtor owes something; the pages themselves look at nothing else
        groups = request.env['account.move.line'].sudo()._read_group(domain, ['company_id'])
        companies = request.env['res.company'].union(*(company for (company,) in groups)) or user.company_id
        return [debtor._get_dunning_page(company) for company in companies._filter_dunning_creditors()]

    # -------------------------------------------------------------------------
    # LOOKING
    # -------------------------------------------------------------------------

    @http.route('/my/debt', type='http', auth='user', methods=['GET'], sitemap=False)
    def my_debt(self, **kwargs):
        """Take who is signed in to his page; who owes several companies chooses one."""
        pages = self._get_own_pages()
        if not pages:
            return request.redirect('/my')
        if len(pages) == 1:
            return secure(request.redirect(pages[0].access_url))
        speak(pages[0], pages[0]._get_page_lang(kwargs.get('lang')))
        response = request.render('l10n_nl_dunning.debtor_choose', {
            'pages': pages, 'page_lang': (request.env.lang or 'nl')[:2]})
        return secure(response)

    @http.route('/my/debt/<int:page_id>', type='http', auth='public', methods=['GET'], sitemap=False)
    def debt(self, page_id, access_token=None, **kwargs):
        """Show the page. Nothing is recorded but the day: programs that check mail open links as well."""
        page = get_page(page_id, access_token)
        if not page:
            return not_found()
        current = page._get_current_page()
        if current != page:
            return secure(request.redirect(self._get_current_address(page, current, access_token, kwargs), code=303))
        page._register_visit(request.env.user)
        answer = kwargs.get('done')
        return self._render(page, access_token, kwargs, answer=answer if answer in ANSWERS else None)

    @http.route(
        '/my/debt/<int:page_id>/invoice/<int:invoice_id>', type='http', auth='public', methods=['GET'], sitemap=False)
    def invoice(self, page_id, invoice_id, access_token=None, **kwargs):
        """Give an invoice of this debtor as it was sent, as PDF."""
        page = get_page(page_id, access_token)
        move = page._find_invoice(invoice_id) if page else None
        if not move:
            return not_found()
        documents = move._get_dunning_documents()
        if len(documents) == 1:
            return self._send_file(documents[0]['content'], 'application/pdf', documents[0]['filename'])
        return self._send_file(
            _build_zip_from_data(documents), 'application/zip', move._get_invoice_report_filename(extension='zip'))

    @http.route(
        '/my/debt/<int:page_id>/letter/<int:notice_id>', type='http', auth='public', methods=['POST'], csrf=False,
        sitemap=False)
    def letter(self, page_id, notice_id, access_token=None, **kwargs):
        """Give a letter as it was sent. A person asked for it with a button: it is evidence that he has it."""
        page = get_page(page_id, access_token)
        notice = page._find_letter(notice_id) if page else None
        if not notice:
            return not_found()
        if not request.validate_csrf(kwargs.get('csrf_token')):
            return self._render(page, access_token, kwargs, form='letters', error=self._get_expired(page))
        page._register_reading(notice, request.env.user)
        return self._send_file(
            base64.b64decode(notice.letter_file), 'application/pdf', notice.letter_filename or 'letter.pdf')

    @staticmethod
    def _send_file(data, kind, name):
        return secure(request.make_response(data, [
            ('Content-Type', kind), ('Content-Length', len(data)),
            ('Content-Disposition', content_disposition(name))]))

    # -------------------------------------------------------------------------
    # SENDING
    # -------------------------------------------------------------------------

    # csrf=False: checked by the route itself, so that who waited too long keeps what he typed
    @http.route(
        '/my/debt/<int:page_id>/<string:form>', type='http', auth='public', methods=['POST'], csrf=False,
        sitemap=False)
    def send(self, page_id, form, access_token=None, **kwargs):
        """Take in a form, and answer on the page: done, known already, or what is to be corrected."""
        page = get_page(page_id, access_token)
        if not page or form not in FORMS:
            return not_found()
        page = speak(page, page._get_page_lang(kwargs.get('lang')))
        method, has_file = FORMS[form]
        if not request.validate_csrf(kwargs.get('csrf_token')):
            return self._render(page, access_token, kwargs, form=form, error=self._get_expired(page))
        values = {name: value for name, value in kwargs.items() if isinstance(value, str)}
        try:
            with request.env.cr.savepoint():
                code = getattr(page, method)(values, kwargs.get('file')) if has_file else getattr(page, method)(values)
        except PageError as error:
            return self._render(page, access_token, kwargs, form=form, error=error)
        except TooManyRequests as error:
            return self._render(page, access_token, kwargs, form=form, error=error, status=429)
        except UserError:
            # What it says is meant for colleagues: the debtor cannot do what it asks.
            _logger.info("A request of a debtor could not be taken in (%s of page %s)", form, page.id, exc_info=True)
            return self._render(page, access_token, kwargs, form=form, error=UserError(page.env._(
                "We cannot take this in here. Nothing was changed. Please call us or write to us; we solve it "
                "together.")))
        # Who acts on a link that was sent in a notice has that notice.
        page._register_reading(
            page._find_notice(kwargs.get('notice'), kwargs.get('key')), request.env.user)
        if form == 'arrangement':
            code, arrangement = code
            if arrangement:
                return secure(request.redirect(arrangement.get_portal_url(), code=303))
        return secure(request.redirect(self._get_address(page, access_token, kwargs, done=code), code=303))

    @staticmethod
    def _get_expired(page):
        return UserError(page.env._("This page was open for too long. Look at what you filled in, and send it again."))

    # -------------------------------------------------------------------------
    # SHOWING
    # -------------------------------------------------------------------------

    @staticmethod
    def _get_query(page, access_token, values, **extra):
        """Return what goes along with every address of the page: the token and the language as they came."""
        query = {}
        if has_token(page, access_token) or is_look(page, access_token):
            query['access_token'] = access_token
        if values.get('lang') in page._get_languages():
            query['lang'] = values['lang']
        notice = page._find_notice(values.get('notice'), values.get('key'))
        if notice:
            query |= {'notice': str(notice.id), 'key': values['key']}
        return query | extra

    def _get_current_address(self, page, current, access_token, values):
        """Return where the key of a page from before leads: to the page at the creditor, with the key of that one."""
        query = self._get_query(page, access_token, values)
        if has_token(page, access_token):
            query['access_token'] = current.access_token
        elif is_look(page, access_token):
            query['access_token'] = sign_look(current, request.env.user)
        if 'notice' in query:
            query['key'] = current._sign_notice(current.env['dunning.notice'].browse(int(query['notice'])))
        return f'{current.access_url}?{_encode(query)}' if query else current.access_url

    def _get_address(self, page, access_token, values, **extra):
        query = self._get_query(page, access_token, values, **extra)
        return f'{page.access_url}?{_encode(query)}#answer' if query else page.access_url

    def _render(self, page, access_token, values, *, answer=None, form=None, error=None, status=None):
        """Return the page.

        :param dict values: what came in: shown again in the form that has something to correct
        :param str answer: what to say at the top
        :param str form: which form has something to correct
        :param error: the exception that says what; a :class:`PageError` names the field
        """
        page = speak(page, page._get_page_lang(values.get('lang')))
        query = self._get_query(page, access_token, values)
        kept = {name: value[:MAX_FIELD] for name, value in values.items() if isinstance(value, str)} if form else {}
        notice = page._find_notice(values.get('notice'), values.get('key'))
        debt = page._get_debt(notice)
        arrangements = page._get_arrangements()
        Hold = page.env['dunning.hold']
        response = request.render('l10n_nl_dunning.debtor_page', {
            'page': page,
            'company': page.env['dunning.letter']._prepare_company(page.company_id, page.env.lang),
            'page_lang': (page.env.lang or 'nl')[:2],
            'languages': page._get_languages(),
            'query': query,
            'query_text': _encode(query),
            'query_other': lambda code: _encode(query | {'lang': code}),
            'debt': debt,
            'offers': page._get_offers(debt['claims']) if debt['debts'] and not arrangements else [],
            'arrangements': arrangements,
            # A colleague who looks along does not get the key.
            'deal_url': lambda deal, suffix='': (
                f'{deal.access_url}{suffix}?access_token={sign_look(deal, request.env.user)}'
                if request.env.user._is_internal() else deal.get_portal_url(suffix=suffix)),
            'letters': page._get_letters(),
            'notice': notice,
            'can_pay_online': page.env['dunning.letter']._can_pay_online(page.company_id),
            'categories': Hold._fields['dispute_category']._description_selection(page.env),
            'today': page.company_id._dunning_today(),
            'is_consumer': page.partner_id.dunning_effective_type == 'consumer',
            'is_signed_in': not request.env.user._is_public(),
            'answer': answer,
            'form': form,
            'opened': values.get('open') if values.get('open') in FORMS else None,
            'error': str(error) if error else '',
            'error_field': getattr(error, 'field', ''),
            'kept': kept,
            'csrf_token': request.csrf_token(),
            'say_amount': partial(letter_amount, page.env),
            'say_date': partial(letter_day, page.env),
        })
        if error:
            response.status_code = status or 422
        return secure(response)


def _encode(query):
    """Return a query as text, of plain words and numbers."""
    return '&'.join(f'{name}={re.sub(r"[^A-Za-z0-9_.-]", "", str(value))}' for name, value in query.items())

"""What the pages for debtors share: who may open one, in which language, and headers that keep the link a secret."""

import uuid

from odoo.http import request
from odoo.tools import consteq

from ..models.portal.dunning_page import as_visitor, sign_look

# No script within a page of ours runs, only a file of ours, and nothing is fetched from elsewhere: what a visitor typed
# can be shown without doing anything, and no other site learns the address, which is the key.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")


def has_token(record, access_token):
    """Return whether this is the key to a record, compared in constant time; a record without a token has no key."""
    # Never equal to what came in: it is made anew for every question.
    return consteq((record.access_token or '').encode() or uuid.uuid4().bytes, str(access_token or '').encode())


def is_look(record, access_token):
    """Return whether a colleague came with a link that only looks, and works for all companies it is about; see
    :func:`sign_look`.
    """
    user = request.env.user
    return (
        user._is_internal() and consteq(sign_look(record, user).encode(), str(access_token or '').encode())
        and request.env[record._name].browse(record.id)._sees_whole())


def open_record(model, record_id, access_token):
    """Return a record as the visitor may see it, or an empty one, without saying why not.

    Who has the token may; so may a portal user of this very debtor. A colleague with a link of his own may look, but
    not act: what is signed or said on a page is the debtor's. What is returned works with all rights, but in the
    company of the record only. Answer an empty one with :func:`not_found`: a record that is not there, one with another
    token and one whose link was taken back look the same.
    """
    # sudo: the token or the debtor is checked below, before anything is read for the visitor
    record, user = request.env[model].sudo().browse(record_id).exists(), request.env.user
    # As many steps for a record that is not there as for one with another token.
    may_open = has_token(record, access_token)
    is_own = not user._is_public() and user.share and user.partner_id.commercial_partner_id == record.partner_id
    may_look = request.httprequest.method == 'GET' and is_look(record, access_token)
    return as_visitor(record) if record and (may_open or is_own or may_look) else record.browse()


def get_page(page_id, access_token=None):
    """Return the ``dunning.page`` that the visitor may see, or an empty record; see :func:`open_record`."""
    page = open_record('dunning.page', page_id, access_token)
    # A contact that became part of another one would show the debts of the other to who had the old link.
    return page.filtered(lambda page: page.partner_id.commercial_partner_id == page.partner_id)


def speak(record, lang):
    """Return the record in a language, and let the request and the programs on its page use it."""
    request.update_context(lang=lang)
    request.lang = request.env['res.lang']._get_data(code=lang)
    return record.with_context(lang=lang)


def make_url(record, access_token, suffix='', query=''):
    """Return an address on the page of a record, with the token only when the visitor came with it."""
    key = has_token(record, access_token) or is_look(record, access_token)
    parts = [part for part in (key and f'access_token={access_token}', query) if part]
    return f"{record.access_url}{suffix}{'?' if parts else ''}{'&'.join(parts)}"


def secure(response, *, policy=True):
    """Put on a response what keeps it out of caches, search engines, other sites and frames."""
    response.headers['Cache-Control'] = 'no-store, private, max-age=0'
    response.headers['Pragma'] = 'no-cache'
    response.headers['X-Robots-Tag'] = 'noindex, nofollow, noarchive'
    response.headers['Referrer-Policy'] = 'no-referrer'
    response.headers['X-Content-Type-Options'] = 'nosniff'
    response.headers['X-Frame-Options'] = 'DENY'
    if policy:
        response.headers['Content-Security-Policy'] = POLICY
    return response


def not_found():
    """Return the page that says that there is nothing here, without a hint why."""
    languages = request.env['dunning.page']._get_languages()
    asked = (request.httprequest.accept_languages.best_match(list(languages)) or 'nl') if languages else None
    if asked in languages:
        request.update_context(lang=languages[asked])
    response = request.render('l10n_nl_dunning.debtor_not_found', {'page_lang': asked or 'en'})
    response.status_code = 404
    return secure(response)

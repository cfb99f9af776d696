"""What the pages for debtors share: who may open one, in which language, and headers that keep the link a secret."""

from odoo.http import request

# No script of any kind runs on a page of ours, and nothing is fetched from elsewhere: what a visitor typed can be shown
# without doing anything, and no other site learns the address, which is the key.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'")


def get_page(page_id, access_token=None):
    """Return the ``dunning.page`` that the visitor may see, or an empty record.

    The page works with all rights in its own company; see ``dunning.page._open``. Answer an empty one with
    :func:`not_found`: a page that is not there, one with another token and one whose link was taken back look the same.
    """
    return request.env['dunning.page']._open(page_id, access_token, request.env.user)


def speak(record, lang):
    """Return the record, and let the request render, in a language."""
    request.update_context(lang=lang)
    return record.with_context(lang=lang)


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


def has_valid_csrf(values):
    """Return whether a form was sent from a page that we gave to this visitor.

    The routes check it themselves instead of letting the framework do so: who had the page open for too long gets it
    back with what he typed, not an error.
    """
    return request.validate_csrf(values.get('csrf_token'))



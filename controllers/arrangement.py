"""The page on which a debtor reads and signs a payment arrangement.

Who has the token of the arrangement may open it, and so may a portal user of this very debtor. Nothing changes by
looking; what is sent comes by POST, and is judged under a lock in ``dunning_arrangement_signing``.
"""

from odoo import http
from odoo.http import content_disposition, request

from ..models.agreement.dunning_arrangement_signing import NotSigned
from .common import make_url, not_found, open_record, secure, speak

# What a debtor may see: a draft is nobody's but ours.
SHOWN_STATES = ('offered', 'signed', 'active', 'kept', 'broken', 'cancelled', 'replaced')


def get_arrangement(arrangement_id, access_token=None):
    """Return the ``dunning.arrangement`` a visitor may see, or an empty record, without saying why not.

    It works with all rights, but in the company of the arrangement only, and in the language it is written in.
    """
    arrangement = open_record('dunning.arrangement', arrangement_id, access_token)
    # A draft that was taken back was never shown to anybody.
    if arrangement.state not in SHOWN_STATES or not arrangement.offered_on:
        return arrangement.browse()
    return speak(arrangement, arrangement._get_lang())


def respond(template, values, *, status=200):
    """Return a rendered page that is kept out of caches and search engines, and that no other site can frame.

    Scripts of Odoo run on it (the signature, the payment form), so that it has no stricter policy than Odoo's pages.
    """
    response = request.render(template, values)
    response.status_code = status
    # The status page of Odoo's payments comes in between; it has no other way to know the language. Not on the response
    # itself: Odoo puts the language of the browser behind that.
    request.future_response.set_cookie('frontend_lang', request.lang.code, samesite='Lax')
    return secure(response, policy=False)


class DunningArrangementPortal(http.Controller):

    # -------------------------------------------------------------------------
    # LOOKING
    # -------------------------------------------------------------------------

    @http.route(
        '/my/arrangements/<int:arrangement_id>', type='http', auth='public', methods=['GET'], website=True,
        multilang=False, sitemap=False)
    def arrangement(self, arrangement_id, access_token=None, **kwargs):
        """Show an arrangement."""
        arrangement = get_arrangement(arrangement_id, access_token)
        if not arrangement:
            return not_found()
        why = kwargs.get('why')
        error = arrangement._tell_why(why) if why != 'signed' or arrangement.signed_on else None
        return self._render(arrangement, access_token, said=kwargs.get('said'), error=error)

    @http.route(
        '/my/arrangements/<int:arrangement_id>/pdf', type='http', auth='public', methods=['GET'], sitemap=False)
    def pdf(self, arrangement_id, access_token=None, document=None, **kwargs):
        """Give the document that was offered or signed, byte by byte as it was frozen."""
        arrangement = get_arrangement(arrangement_id, access_token)
        attachment = arrangement and (
            (document != 'offer' and arrangement.agreement_attachment_id) or arrangement.offer_attachment_id)
        if not attachment:
            return not_found()
        content = attachment.raw
        return secure(request.make_response(content, [
            ('Content-Type', 'application/pdf'), ('Content-Length', len(content)),
            ('Content-Disposition', content_disposition(attachment.name, disposition_type='inline'))]), policy=False)

    @staticmethod
    def _render(arrangement, access_token, *, error=None, form=None, typed=None, said=None, status=200):
        return respond('l10n_nl_dunning.portal_arrangement', {
            'arrangement': arrangement,
            'access_token': access_token,
            'page': arrangement._prepare_page(),
            'error': error,
            'form': form,
            'typed': typed or {},
            'said': said if said in ('signed', 'declined') else None,
            'url': lambda suffix='', query='': make_url(arrangement, access_token, suffix, query),
        }, status=status)

    # -------------------------------------------------------------------------
    # SIGNING
    # -------------------------------------------------------------------------

    @http.route(
        '/my/arrangements/<int:arrangement_id>/sign', type='jsonrpc', auth='public', methods=['POST'], website=True,
        multilang=False)
    def sign(self, arrangement_id, access_token=None, name=None, signature=None, **kwargs):
        """Take in a signature of Odoo's signature form; answer as that form expects."""
        arguments = request.httprequest.args
        arrangement = get_arrangement(arrangement_id, access_token or arguments.get('access_token'))
        if not arrangement:
            return {'error': request.env._("This page is not here any more. Open the link in our message again.")}
        if not signature:
            return {'error': request.env._("Draw your signature first, or sign by typing your name.")}
        error = self._try_to_sign(arrangement, name, signature, sha256=arguments.get('sha256'))
        if error and error.code in ('name', 'signature'):
            return {'error': str(error)}
        token = access_token or arguments.get('access_token')
        return {
            'force_refresh': True,
            'redirect_url': make_url(
                arrangement, token, '', f'why={error.code}' if error else 'said=signed'),
        }

    # csrf=False: checked by the route itself, so that who read for long keeps what he typed
    @http.route(
        '/my/arrangements/<int:arrangement_id>/sign/typed', type='http', auth='public', methods=['POST'], csrf=False,
        website=True, multilang=False, sitemap=False)
    def sign_typed(self, arrangement_id, access_token=None, name=None, agreed=None, sha256=None, **kwargs):
        """Take in the signature of who typed his name and ticked the box: no script needed."""
        arrangement = get_arrangement(arrangement_id, access_token)
        if not arrangement:
            return not_found()
        typed = {'name': name if isinstance(name, str) else '', 'agreed': bool(agreed)}
        if not request.validate_csrf(kwargs.get('csrf_token')):
            return self._render(
                arrangement, access_token, form='typed', typed=typed, status=400, error=request.env._(
                    "The page was open for too long. Nothing was signed; press the button again."))
        error = self._try_to_sign(arrangement, name, None, sha256=sha256, agreed=bool(agreed))
        if error:
            return self._render(
                arrangement, access_token, form='typed', typed=typed, error=str(error), status=422)
        return secure(request.redirect(make_url(arrangement, access_token, '', 'said=signed')), policy=False)

    @staticmethod
    def _try_to_sign(arrangement, name, signature, **options):
        """Sign, or return the :class:`NotSigned` that says why not; then nothing was written."""
        try:
            with request.env.cr.savepoint():
                arrangement._sign(
                    name, signature, via='portal', ip=request.httprequest.remote_addr, **options)
        except NotSigned as error:
            if error.code == 'changed':
                arrangement._tell_changed()
            return error
        return None

    # -------------------------------------------------------------------------
    # DECLINING
    # -------------------------------------------------------------------------

    # csrf=False: checked by the route itself, as above
    @http.route(
        '/my/arrangements/<int:arrangement_id>/decline', type='http', auth='public', methods=['POST'], csrf=False,
        website=True, multilang=False, sitemap=False)
    def decline(self, arrangement_id, access_token=None, reason=None, **kwargs):
        """Record that the debtor does not want it."""
        arrangement = get_arrangement(arrangement_id, access_token)
        if not arrangement:
            return not_found()
        reason = reason if isinstance(reason, str) else ''
        if not request.validate_csrf(kwargs.get('csrf_token')):
            return self._render(
                arrangement, access_token, form='decline', typed={'reason': reason}, status=400,
                error=request.env._("The page was open for too long. Nothing was changed; press the button again."))
        try:
            with request.env.cr.savepoint():
                arrangement._decline(reason)
        except NotSigned as error:
            return self._render(arrangement, access_token, form='decline', error=str(error), status=422)
        return secure(request.redirect(make_url(arrangement, access_token, '', 'said=declined')), policy=False)

"""The frame of e-mails is one template of all of them, and subjects say which invoice and how much.

Only where the e-mail of a notice is the one that shipped; what somebody changed stays as it is.
"""

import re

from lxml import html

from odoo import SUPERUSER_ID, api

SHIPPED = '{{ object.subject }} {{ object.name }} - {{ object.company_id.name }}'
PIECES = ['body_intro', 'mail_items', 'mail_payment', 'body_closing', 'mail_sender']


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    template = env.ref('l10n_nl_dunning.mail_template_notice', raise_if_not_found=False)
    if not template or template.email_layout_xmlid:
        return
    languages = [code for code, _name in env['res.lang'].get_installed()]
    words = [template.with_context(lang=lang) for lang in languages]
    if any(one.subject != SHIPPED or not _is_shipped(one.body_html) for one in words):
        return
    template.email_layout_xmlid = 'l10n_nl_dunning.mail_layout'
    for one in words:
        one.subject = '{{ object.subject }} {{ object.asked_text }}'
        one.body_html = '\n'.join(f'<t t-out="object.{piece}"></t>' for piece in PIECES)


def _is_shipped(body):
    """Return whether a text has its pieces in their order, no others and no words of its own."""
    tree = html.fragment_fromstring(body or '', create_parent='div')
    found = re.findall(r't-out="object\.([\w.]+)"', body or '')
    return found == ['company_id.name', 'subject', *PIECES] and not ''.join(tree.itertext()).strip()

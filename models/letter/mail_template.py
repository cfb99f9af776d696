import re
from html import unescape

from odoo import api, fields, models

from .dunning_notice import MAIL_BLOCKS

#: What a template fills in, and on what it depends whether something is read.
WORD = re.compile(r'\bobject\.[a-z][\w.]*\w')
CONDITION = re.compile(r't-(?:el)?if="([^"]*)"')


class MailTemplate(models.Model):
    _inherit = 'mail.template'

    text_words = fields.Json(
        string="Words", compute='_compute_text_words', groups='base.group_user',
        help="The names of what a template of ours fills in, see the texts of levels.")

    @api.depends('model', 'body_html')
    @api.depends_context('lang')
    def _compute_text_words(self):
        """What people read in place of expressions: of what is in the text in any language; False for other models."""
        for template in self:
            model = template.model or ''
            if not model.startswith('dunning.') or model not in self.env:
                template.text_words = False
                continue
            stored = template._fields['body_html']._get_stored_translations(template._origin) or {}
            text = '\n'.join(filter(None, [*stored.values(), template.body_html]))
            words = dict.fromkeys(WORD.findall(text))
            if model == 'dunning.notice':
                words |= dict.fromkeys(f'object.{name}' for name in ('body_intro', 'body_closing', *MAIL_BLOCKS))
            template.text_words = self.env['dunning.level']._describe_words(
                model, [word.removeprefix('object.') for word in words],
                [unescape(condition) for condition in CONDITION.findall(text)])

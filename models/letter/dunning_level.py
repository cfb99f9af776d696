from odoo import api, fields, models

from ..ladder.dunning_level import WORDS

# Of related records everybody knows the name; their help would be about something else.
RELATED_WORDS = ('partner_id.name', 'recipient_id.name', 'company_id.name', 'level_id.name')


class DunningLevel(models.Model):
    _inherit = 'dunning.level'

    words_help = fields.Html(
        string="Words", compute='_compute_words_help', sanitize=False)  # made by a template of ours

    @api.depends_context('lang')
    def _compute_words_help(self):
        Notice = self.env['dunning.notice']
        rows = []
        for word in WORDS:
            field = Notice._fields[word.partition('.')[0]]
            text = field._description_string(self.env)
            if word not in RELATED_WORDS:
                text = field._description_help(self.env) or text
            rows.append((f"object.{word}", text))
        self.words_help = self.env['ir.qweb']._render('l10n_nl_dunning.level_words', {'rows': rows})

    @api.constrains('subject', 'letter_intro', 'letter_closing', 'call_script')
    def _check_texts(self):
        """A broken text is found when it is written, not when the day has come."""
        if not self._is_shipping():
            self.env['dunning.letter']._check_level_texts(self)

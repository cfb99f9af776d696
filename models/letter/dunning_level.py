import re

from lxml import html

from odoo import api, fields, models

from ...tools.wording.compare import compare_texts
from ..ladder.dunning_level import WORDS
from ..ladder.dunning_level_wording import TYPED_TEXTS
from ..ladder.dunning_policy import LETTER_LANGUAGES

# Of related records everybody knows the name; their help would be about something else.
RELATED_WORDS = ('partner_id.name', 'recipient_id.name', 'company_id.name', 'level_id.name')
# “object.count == 1”: its word, and the rest.
COMPARISON = re.compile(r'object\.([\w.]+) ((?:==|!=|<=?|>=?) [^ ]+)')
# What says in the texts of our models that they are about one invoice.
ONE_INVOICE = ('object.line_count == 1', 'object.invoice_count == 1', 'object.told_invoice_count == 1')


class DunningLevel(models.Model):
    _inherit = 'dunning.level'

    text_words = fields.Json(string="Words", compute='_compute_text_words')

    @api.depends_context('lang')
    def _compute_text_words(self):
        """What people read in place of placeholders and conditions: see :meth:`_describe_words`."""
        self.text_words = self._describe_words()

    @api.model
    def _describe_words(self, model='dunning.notice', words=WORDS, conditions=()):
        """Return the words and conditions of texts, in the language of the user.

        :param str model: what ``object`` is in the text
        :param words: what can be filled in, without ``object.``
        :param conditions: expressions that occur in a text, besides whether there is a word
        :return: dict of ``words``, each ``[expression, label, help]``; ``conditions``, ``{expression: label}``; and
            ``otherwise``, the label of what is read when a condition does not hold
        """
        Model, rows, labels = self.env[model], [], {}
        for word in words:
            field = Model._fields.get(word.partition('.')[0])
            if not field:
                continue
            label = field._description_string(self.env)
            rows.append([
                f'object.{word}', label, (word not in RELATED_WORDS and field._description_help(self.env)) or label])
            labels[f'object.{word}'] = self.env._("only with “%s”", label)
            labels[f'not object.{word}'] = self.env._("only without “%s”", label)
            for condition in conditions:
                match = COMPARISON.fullmatch(condition)
                if match and match[1] == word:
                    labels[condition] = self.env._(
                        "only if “%(word)s” %(comparison)s", word=label,
                        comparison=match[2].replace('==', '=').replace('!=', '≠'))
        labels.update({
            # The same in words, where there are better ones.
            **dict.fromkeys(ONE_INVOICE, self.env._("only for one invoice")),
            'object.history_text': self.env._("only after earlier contact"),
            'object.amount_netted': self.env._("only if a credit was taken off"),
            'object.days_overdue > 1': self.env._("only if more than one day late"),
            'object.amount_interest': self.env._("only if interest is asked"),
            'object.interest_per_day_text': self.env._("only if each day adds interest"),
            'not object.interest_waived': self.env._("only if interest was not waived"),
            'object.amount_costs': self.env._("only if collection costs are asked"),
            'object.fourteen_day_text': self.env._("only after a 14-day letter"),
            'object.vat_sentence': self.env._("only if costs are raised with VAT"),
        })
        for condition in conditions:
            # Of “one and other” every second part is the word between them.
            parts = re.split(r' (or|and) ', condition)
            if len(parts) > 1 and all(part in labels for part in parts[::2]):
                between = {'or': self.env._(" or "), 'and': self.env._(" and ")}
                labels[condition] = ''.join(labels.get(part) or between[part] for part in parts)
        return {'words': rows, 'conditions': labels, 'otherwise': self.env._("otherwise")}

    def get_shipped_text(self, texts):
        """Return the texts that this level ships with in the language of the user, and how these differ from them.

        :param dict texts: ``{field: HTML}`` as they stand in the form
        :return: dict of ``texts``, ``{field: HTML}``, and ``parts``, pairs of ``same``, ``old`` or ``new`` and a piece
            of text; both empty when the level did not ship, or not in this language
        """
        self.check_access('write')
        shipped = self._get_shipped_texts(self.env.lang)
        labels = self._describe_words()
        return {'texts': shipped, 'parts': shipped and compare_texts(
            [shipped.get(name, '') for name in TYPED_TEXTS],
            [texts.get(name, self[name]) or '' for name in TYPED_TEXTS],
            words={word: label for word, label, _help in labels['words']}, **{
                name: labels[name] for name in ('conditions', 'otherwise')})}

    def _get_shipped_texts(self, lang):
        """Return ``{field: HTML or plain text}`` of what this level ships with in a language, empty when it does not.

        From the data itself, so without the settings of the level.
        """
        self.ensure_one()
        Policy = self.env['dunning.policy']
        nearest = next((code for code in LETTER_LANGUAGES if code[:2] == (lang or '')[:2]), None)
        path = nearest and Policy._get_shipped_file(nearest)
        name = path and Policy._get_shipped_ids('dunning.level', self).get(self.id)
        if not name:
            return {}
        texts = {}
        for field in Policy._read_shipped(path).iterfind(f".//record[@id='{name}']/field"):
            if field.get('name') in TYPED_TEXTS:
                texts[field.get('name')] = (
                    ''.join(html.tostring(child, encoding='unicode') for child in field)
                    if field.get('type') == 'html' else ' '.join((field.text or '').split()))
        return texts

    def _compute_render_model(self):
        self.render_model = 'dunning.notice'

    @api.constrains('subject', 'letter_intro', 'letter_closing', 'call_script')
    def _check_texts(self):
        """A broken text is found when it is written, not when the day has come."""
        if not self._is_shipping():
            self.env['dunning.letter']._check_level_texts(self)

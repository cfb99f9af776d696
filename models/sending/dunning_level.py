import base64

from odoo import models
from odoo.exceptions import UserError


class DunningLevel(models.Model):
    _inherit = 'dunning.level'

    def get_text_preview(self, texts, partner_id=False, lang=False, kind='mail'):
        """Return what a debtor would read today of the texts in a form; nothing of it is kept.

        :param dict texts: ``{field: text}`` as it stands in the form
        :param int partner_id: the debtor; False: one that the program chooses
        :param str lang: the language to read; False: that of the user, in which the texts were typed
        :param str kind: ``mail``, ``letter`` or ``script``
        :return: see ``dunning.letter._show_texts``; and ``partner_id``, False where nobody owes anything
        """
        self.ensure_one()
        self.check_access('write')
        Letter = self.env['dunning.letter']
        debtor = self.env['res.partner'].browse(partner_id or Letter._get_sample_debtor(self).id)
        if not debtor:
            return {'partner_id': False, 'problem': self.env._(
                "A text is shown with what a debtor owes, and nothing is overdue yet.")}
        debtor.check_access('read')
        try:
            seen = Letter._show_texts(self, texts, debtor, lang or self.env.lang, kind)
        except UserError as error:
            seen = {'problem': str(error)}
        return {**seen, 'partner_id': debtor.id}

    def send_text_test(self, texts, partner_id, lang=False):
        """Send the texts in a form, as this debtor would get them, to the user who asks. Return the sentence to show.

        The parameters are those of :meth:`get_text_preview`.
        """
        self.ensure_one()
        self.check_access('write')
        Letter, lang = self.env['dunning.letter'], lang or self.env.lang
        Letter._check_can_get_test()
        debtor = self.env['res.partner'].browse(partner_id)
        debtor.check_access('read')
        mail, letter = (Letter._show_texts(self, texts, debtor, lang, kind) for kind in ('mail', 'letter'))
        return Letter._send_test_mail(mail, base64.b64decode(letter['letter']))

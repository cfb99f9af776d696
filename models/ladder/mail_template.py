"""The e-mail templates that debtors are written with: a consumer reads only what was worked out."""

from odoo import api, models
from odoo.exceptions import ValidationError

#: The clauses of an arrangement with whoever does business; every other template of ours can reach a consumer.
BUSINESS_TEMPLATE = 'l10n_nl_dunning.mail_template_arrangement_business'


class MailTemplate(models.Model):
    _inherit = 'mail.template'

    @api.constrains('subject', 'body_html', 'model_id')
    def _check_typed_texts(self):
        """Refuse figures that somebody typed into a template for consumers."""
        Level = self.env['dunning.level']
        if Level._is_shipping():
            return
        for template in self:
            findings = template._find_typed()
            if findings:
                raise ValidationError(self.env._(
                    "The text of the e-mail template “%(template)s” cannot stay like this:\n%(sentences)s",
                    template=template.name,
                    sentences="\n".join(f"• {sentence}" for sentence in Level._explain_findings(findings))))

    def _find_typed(self):
        """Return ``{finding: [language codes]}`` of what was typed into this template, if it can reach a consumer."""
        self.ensure_one()
        if not self._can_reach_consumers():
            return {}
        installed = dict(self.env['res.lang'].get_installed())
        return self.env['dunning.level']._judge_typed({
            lang: self.with_context(lang=lang)[name] or ''
            for lang in self._fields[name]._get_stored_translations(self) or {} if lang in installed
        } for name in ('subject', 'body_html'))

    def _can_reach_consumers(self):
        """Return whether a debtor who is no business can read it: ours are used by code, others by levels."""
        self.ensure_one()
        name = self.get_external_id()[self.id]
        if name.startswith('l10n_nl_dunning.') and name != BUSINESS_TEMPLATE:
            return True
        # sudo: a template is judged by the levels of all companies that use it
        return bool(self.env['dunning.level'].sudo().search_count([
            ('mail_template_id', '=', self.id), ('policy_id.debtor_type', '!=', 'business')], limit=1))

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=''):
        # OVERRIDE: the dialog of translations checks no constraints.
        result = super()._update_field_translations(field_name, translations, digest, source_lang)
        if field_name in ('subject', 'body_html'):
            self._check_typed_texts()
        return result

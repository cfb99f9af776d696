"""The wording linter on the texts of levels: live in the form, and before a text is saved."""

import re
from functools import partial

from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL
from odoo.tools.mail import is_html_empty

from ...tools.wording import ERROR, SEVERITIES, TERM_TEXTS, check_text, check_typed, interrupts_prescription
from ...tools.wording.letter_words import TOKEN, read
from .dunning_policy import LETTER_LANGUAGES

#: The texts a debtor reads, in the order in which he does.
DEBTOR_TEXTS = ('subject', 'letter_intro', 'letter_closing')
#: All that people type into a level and that can reach a debtor: its name is a placeholder, its script is spoken.
TYPED_TEXTS = ('name', *DEBTOR_TEXTS, 'call_script')
#: The rank of a level at the end of its name.
RANK_IN_NAME = re.compile(r'(?<=[\w)] )\d(?=\s*(?:<|$))')


def is_text_empty(text):
    """Return whether a text of a level says nothing. One that is only filled in is not empty, as it is to core."""
    return is_html_empty(text) and ' t-' not in (text or '')


class DunningLevelWording(models.AbstractModel):
    """The part of a level that reads its texts as a lawyer does."""

    _name = 'dunning.level.wording'
    _description = "Dunning Level"

    wording_findings = fields.Html(
        string="Wording",
        compute='_compute_wording_findings',
        sanitize=False,  # made by a template of ours
        help="What Dutch law asks of the text, and what it forbids.",
    )
    interrupts_prescription = fields.Boolean(
        compute='_compute_interrupts_prescription',
        help="The text reserves the right to performance without doubt, in every language, so that prescription starts "
             "anew when the notice has left (article 3:317 BW).",
    )

    @api.depends(
        *DEBTOR_TEXTS, 'interrupts_prescription', 'channel', 'legal_role', 'with_costs', 'sequence',
        'policy_id.debtor_type', 'policy_id.company_id', 'policy_id.level_ids.legal_role',
        'policy_id.level_ids.sequence')
    @api.depends_context('lang', 'company')
    def _compute_wording_findings(self):
        names = dict(self.env['res.lang'].get_installed())
        for level in self:
            texts = level._get_debtor_texts()
            findings = level._check_wording(texts)
            level.wording_findings = bool(texts) and self.env['ir.qweb']._render('l10n_nl_dunning.level_wording', {
                'interrupts': level.interrupts_prescription,
                'findings': [
                    {
                        'severity': finding.severity,
                        'explanation': explanation,
                        # Only when the other languages are right.
                        'languages': [] if len(codes) == len(texts) else [names.get(code, code) for code in codes],
                    }
                    for (finding, codes), explanation in zip(
                        findings.items(), self._explain_findings(findings), strict=True)
                ],
            })

    @api.depends(*DEBTOR_TEXTS, 'channel')
    def _compute_interrupts_prescription(self):
        for level in self:
            texts = level._get_debtor_texts()
            level.interrupts_prescription = bool(texts) and all(map(interrupts_prescription, texts.values()))

    @api.constrains(*TYPED_TEXTS, 'channel', 'legal_role', 'with_costs', 'policy_id', 'mail_template_id')
    def _check_debtor_texts(self):
        """What the linter calls an error would cost the creditor his costs, or mislead the debtor."""
        if self._is_shipping():
            return
        for level in self:
            errors = [finding for finding in level._check_wording() if finding.severity == ERROR]
            if errors:
                raise ValidationError(self.env._(
                    "The text of level “%(level)s” cannot stay like this:\n%(sentences)s",
                    level=level.name,
                    sentences="\n".join(f"• {sentence}" for sentence in self._explain_findings(errors))))
        # Of a template that no level for consumers used before, nobody read the text.
        self.mail_template_id._check_typed_texts()

    def _check_wording(self, texts=None):
        """Return ``{finding: [language codes it was found in]}`` of the texts of this level, errors first.

        :param dict texts: ``{language: text}`` of what debtors read, when it is known already
        """
        self.ensure_one()
        debtor = self.policy_id.debtor_type
        company = self.policy_id.company_id or self.env.company
        term_agreed = (
            company.dunning_term_agreed_business if debtor == 'business' else company.dunning_term_agreed_consumer)
        # After a notice of default the debtor is in default, agreed or not.
        earlier = self.policy_id.level_ids.filtered(
            lambda level: level.legal_role == 'default_notice' and level.sequence < self.sequence)
        check = partial(
            check_text, role=self.legal_role, debtor=debtor, with_costs=self.with_costs,
            term_agreed=None if earlier else term_agreed, vat_sentence=company.dunning_vat_on_costs)
        result = self._find_typed()
        for lang, text in (self._get_debtor_texts() if texts is None else texts).items():
            # In other languages a consumer reads nothing that was not judged in one of these.
            if lang[:2] in TERM_TEXTS or debtor == 'business':
                self._collect(result, check(text, language=lang), lang)
        # Of two languages, errors of the second still come before advice on the first.
        return dict(sorted(result.items(), key=lambda pair: SEVERITIES.index(pair[0].severity)))

    def _find_typed(self):
        """Return ``{finding: [language codes]}`` of what was typed into any text of this level for consumers."""
        self.ensure_one()
        if self.policy_id.debtor_type == 'business':
            return {}
        # The script of a task is for a colleague.
        names = TYPED_TEXTS if self.channel != 'task' else TYPED_TEXTS[:-1]
        several = {name: self._get_texts((name,)) for name in names}
        # “Reminder 2” counts reminders.
        several['name'] = {lang: RANK_IN_NAME.sub('', text) for lang, text in several['name'].items()}
        return self._judge_typed(several.values())

    @api.model
    def _judge_typed(self, several):
        """Return ``{finding: [language codes]}`` of what was typed into texts for consumers.

        In another language than Dutch and English a text passes when it is what one of those two says.

        :param several: ``{language: text}`` of each
        """
        result = {}
        for texts in several:
            judged = [text for lang, text in texts.items() if lang[:2] in TERM_TEXTS]
            for lang, text in texts.items():
                if lang[:2] in TERM_TEXTS or text not in judged:
                    self._collect(result, check_typed(text, language=lang), lang)
        return result

    @api.model
    def _collect(self, result, findings, lang):
        for finding in findings:
            codes = result.setdefault(finding, [])
            if lang not in codes:
                codes.append(lang)

    @api.model
    def _find_written(self, record, lang):
        """Return what is wrong with the typed text of a level or template in one language, now that it is used.

        It may have been saved before texts were judged, or past the judgment.
        """
        return [finding for finding, codes in record._find_typed().items() if any(
            code[:2] == (lang or '')[:2] for code in codes)]

    @api.model
    def _get_known(self, record, *sources):
        """Return what was worked out for a text about a record, as pairs of a placeholder and what it prints.

        :param sources: the texts with their placeholders
        """
        names = [name for name, field in record._fields.items() if name.endswith('_text') and not field.store]
        names += [match[2] for source in sources for reading in read(source) for match in TOKEN.finditer(reading)
                  if not match[1]]
        known = {}
        # The name of a level was typed, like its texts.
        for name in dict.fromkeys(names) - {'level_id.name': None}.keys():
            value = record.sudo()  # sudo: only compared with what the debtor is to read
            for part in name.split('.'):
                value = value[part] if isinstance(value, models.BaseModel) and part in value._fields else False
            if value and not isinstance(value, models.BaseModel):
                known[name] = str(escape(value))  # a name can look like a tag
        return tuple(known.items())

    def _get_debtor_texts(self):
        """Return ``{language: text}`` of what debtors read of this level: nothing for a call or task."""
        self.ensure_one()
        return {} if self._is_manual() else self._get_texts(DEBTOR_TEXTS)

    def _get_texts(self, names):
        """Return ``{language: text}`` of some texts of this level, together.

        In the form the language of the user is the text as it stands there.

        :param names: of fields
        """
        self.ensure_one()
        saved, own = self._origin, self.env.lang or 'en_US'
        installed = dict(self.env['res.lang'].get_installed())
        languages = {
            lang for name in names if saved
            for lang in self._fields[name]._get_stored_translations(saved) or {}
            if lang in installed
        }
        edited = self != saved and any(self[name] != saved[name] for name in names)
        if not saved or edited:
            languages.add(own)
        texts = {}
        for lang in sorted(languages, key=lambda lang: (lang not in LETTER_LANGUAGES, lang != own, lang)):
            level = self if lang == own else saved.with_context(lang=lang)
            texts[lang] = Markup().join(
                Markup(level[name] or '') if self._fields[name].type == 'html'  # noqa: S704 - only read
                else Markup('<p>%s</p>') % (level[name] or '')
                for name in names)
        return texts

    @api.model
    def _explain_findings(self, findings):
        """Return a sentence for each finding of the wording linter, in the language of the environment."""
        explanations = self._get_wording_explanations()
        sentences = []
        for finding in findings:
            words = {
                key: re.sub(r'\{~?([\w.]+)\}', r'object.\1', getattr(finding, key)) for key in ('passage', 'expected')}
            sentences.append(explanations[finding.code] % words)
        return sentences

    @api.model
    def _get_wording_explanations(self):
        """Return ``{code: sentence}``: what to change, and why; ``passage`` and ``expected`` are words of the text."""
        return {
            # The 14-day letter
            'term_missing': self.env._(
                "A 14-day letter must give its term in the approved words. Insert object.term_text, or write: "
                "“%(expected)s”."),
            'term_start': self.env._(
                "“%(passage)s” lets the term begin too early, and then no collection costs are owed. It begins on "
                "the day after the letter was delivered: use object.term_text."),
            'term_competing': self.env._(
                "“%(passage)s” competes with the term of fourteen days. Remove it, or write “within this term”."),
            'deadline_date': self.env._(
                "“%(passage)s” gives a date as the end of the term. A 14-day letter must not: nobody knows yet when "
                "it will be delivered. Use object.term_text."),
            'consequence_missing': self.env._(
                "Say what follows if the debtor does not pay within the term: that he then owes collection costs."),
            'legal_basis_missing': self.env._(
                "Name the law the costs follow from: article 6:96 BW and the Besluit vergoeding voor "
                "buitengerechtelijke incassokosten."),
            'default_missing': self.env._(
                "Say that the debtor is in default (“in verzuim”) or that the payment term has passed: a 14-day "
                "letter counts only after that."),
            'costs_missing': self.env._(
                "The exact amount of the collection costs must be named as such (%(expected)s)."),
            'costs_unspecified': self.env._(
                "“%(passage)s” announces costs without their amount. Name the exact amount, or leave it out."),
            'costs_over_interest': self.env._(
                "“%(passage)s”: collection costs are computed over the principal, not over interest."),
            'amount_missing': self.env._("The amount to pay is missing (%(expected)s)."),
            'amount_competing': self.env._(
                "“%(passage)s” competes with the one amount to pay (%(expected)s). Ask one amount only."),
            'iban_typed': self.env._(
                "“%(passage)s” is typed into the text. The letter prints the account itself, and must name one "
                "only: remove it."),
            'vat_missing': self.env._(
                "The collection costs are raised with VAT. The letter must declare so, and that you cannot deduct "
                "the VAT (“de btw niet kunnen verrekenen”)."),
            'vat_unfounded': self.env._(
                "“%(passage)s”: the collection costs are not raised with VAT, so the text must not say so. See the "
                "settings if you cannot deduct the VAT of a collection agency."),
            'language_unsupported': self.env._(
                "What a consumer reads can be written in Dutch and English only: nobody can check a text in "
                "%(expected)s. Remove this translation."),
            # The payment arrangement
            'acknowledgement_missing': self.env._(
                "A payment arrangement says that the debtor acknowledges the debt (“erkent”, “acknowledge”)."),
            'fatal_missing': self.env._(
                "Say that the dates of the schedule are final (“uiterste datum”, “fatale termijn”, article 6:83 BW)."),
            'lapse_missing': self.env._(
                "Say what follows when an instalment is missed: that all that is left is to be paid at once."),
            'lapse_reminder_missing': self.env._(
                "Say that a reminder comes first when an instalment is missed; that is what happens."),
            'lapse_at_once': self.env._(
                "“%(passage)s”: an arrangement never lapses without a reminder, so the text must not say so."),
            'imputation_missing': self.env._("Say where payments go first: article 6:44 BW."),
            'revision_missing': self.env._(
                "Say what happens when the situation of the debtor changes; an arrangement that is kept cannot be "
                "ended without that."),
            'reservation_missing': self.env._(
                "Reserve the right to payment: “wij behouden ons recht op betaling” or “nakoming”."),
            'defence_waived': self.env._(
                "“%(passage)s”: a consumer acknowledges a debt, he does not give up his rights. Remove it."),
            # Consumers
            'fee_forbidden': self.env._(
                "“%(passage)s”: a consumer owes no fee for reminders or administration, under any name. Remove it."),
            'costs_too_early': self.env._(
                "“%(passage)s”: a consumer owes no costs before a 14-day letter has run out. Remove it, or write "
                "that you will first send a letter about costs."),
            'figure_typed': self.env._(
                "“%(passage)s” is typed into the text. What a consumer reads of money and rates is worked out for him: "
                "insert %(expected)s, or leave it out."),
            'commercial_interest': self.env._(
                "“%(passage)s”: commercial interest is for businesses. A consumer owes the statutory interest "
                "(“wettelijke rente”)."),
            'penalty': self.env._(
                "“%(passage)s”: a consumer is asked no penalty. Remove it."),
            # All debtors
            'threat_seizure': self.env._(
                "“%(passage)s”: seizure and eviction need a judgment. Remove it, or say that the court comes first."),
            'threat_bailiff_visit': self.env._(
                "“%(passage)s”: you cannot send a bailiff to the door. Write that you may hand the claim over to a "
                "bailiff."),
            'threat_registration': self.env._(
                "“%(passage)s”: you cannot have an unpaid invoice put in a credit register. Remove it."),
            'threat_crime': self.env._("“%(passage)s”: not paying is no offence. Remove it."),
            'threat_exposure': self.env._("“%(passage)s”: you may not tell others about the debt. Remove it."),
            'threat_bankruptcy': self.env._(
                "“%(passage)s”: bankruptcy can only be asked for when there is a second creditor. Only write what "
                "you will do."),
            'threat_handed_over': self.env._("“%(passage)s”: only write this if it has really happened."),
            'discharge': self.env._(
                "“%(passage)s” can be read as a receipt: the debtor then no longer owes interest and costs. Remove "
                "it."),
            'default_term_missing': self.env._(
                "A notice of default must give a term in which to pay. Insert object.deadline_text."),
            'default_consequence_missing': self.env._(
                "A notice of default must say what follows when the term has passed: that the debtor will be in "
                "default (“in verzuim”)."),
            'default_claimed_early': self.env._(
                "“%(passage)s”: as long as the payment term was not agreed, the debtor is in default only after a "
                "notice of default. Write what will happen if he does not pay."),
            'prescription_unclear': self.env._(
                "“%(passage)s” speaks of prescription, but only these words interrupt it: “Wij behouden ons "
                "ondubbelzinnig het recht op nakoming voor” (We unequivocally reserve our right to performance)."),
            'crossing_missing': self.env._("Say what to do if the debtor has just paid."),
            'objection_missing': self.env._("Say whom to turn to if the debtor does not agree."),
            'arrangement_missing': self.env._("Say whom to turn to if the debtor cannot pay at once."),
            'privacy_missing': self.env._("Say where the debtor can read what you do with his personal data."),
            'language_mismatch': self.env._("The text is in another language than the one it is for. Translate it."),
            'sentence_long': self.env._(
                "“%(passage)s” is a long sentence. Most people understand shorter ones better."),
        }

    # -------------------------------------------------------------------------
    # WHETHER A TEXT WAS CHANGED
    # -------------------------------------------------------------------------

    @api.model
    def _get_text_sql(self, lang):
        """Return SQL, over a row ``level``, by which a change of its texts is seen.

        :param SQL lang: the language of the texts
        """
        return SQL("MD5(CONCAT_WS('|', %s))", SQL(", ").join(
            SQL("COALESCE(%(column)s->>%(lang)s, %(column)s->>'en_US')",
                column=SQL.identifier('level', column), lang=lang)
            for column in DEBTOR_TEXTS))

    @api.model
    def _get_text_hash_sql(self, level_id, lang):
        """Return the same SQL of the level with this id (SQL)."""
        return SQL("(SELECT %s FROM dunning_level level WHERE level.id = %s)", self._get_text_sql(lang), level_id)

"""Every word on the screen in Dutch, and the texts of letters left to the company that sends them."""

import io
import re

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import file_path
from odoo.tools.translate import TranslationImporter, trans_export

MODULE = 'l10n_nl_dunning'
DUTCH = 'nl_NL'
#: Texts a company makes its own. Their Dutch is in the data files; here it would be a second, older copy.
LONG_TEXTS = {
    'dunning.level': ('letter_intro', 'letter_closing', 'call_script'),
    'mail.template': ('body_html',),
}
#: Texts of records whose Dutch is in the data files as well; both have to say the same.
SHORT_TEXTS = {
    'dunning.policy': ('name', 'note'),
    'dunning.level': ('name', 'subject', 'activity_summary'),
}
OCCURRENCE = re.compile(r'(model|model_terms):([\w.]+),(\w+):(\w+)\.(\w+)')
PLACEHOLDER = re.compile(r'%\(\w+\)[sd]|%[sd%]|\{\{.*?\}\}|</?\w[^>]*>')
HOW = (
    "Export the template of a fresh installation (`odoo-bin i18n export -d <database> l10n_nl_dunning`), merge it into "
    "i18n/nl.po and translate what is new.")


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestI18n(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = polib.pofile(file_path(f'{MODULE}/i18n/{MODULE}.pot'))
        cls.dutch_path = file_path(f'{MODULE}/i18n/nl.po')
        cls.dutch = polib.pofile(cls.dutch_path)

    def exported(self):
        """Return the template as the code of today makes it."""
        with io.BytesIO() as buffer:
            trans_export(False, [MODULE], buffer, 'po', self.env)
            catalogue = polib.pofile(buffer.getvalue().decode())
        # Bridges lie below the addon, where the export finds their code; they have files of their own.
        return [
            entry for entry in catalogue
            if any(f'{MODULE}/bridges/' not in place for place, _line in entry.occurrences)]

    def places(self, entry):
        """Return (model, field, xmlid) of the records a term comes from."""
        for place, _line in entry.occurrences:
            if match := OCCURRENCE.match(place):
                _kind, model, field, module, name = match.groups()
                yield model, field, f'{module}.{name}'

    def is_long_text(self, entry):
        places = list(self.places(entry))
        return len(places) == len(entry.occurrences) and all(
            field in LONG_TEXTS.get(model, ()) for model, field, _xmlid in places)

    def own_terms(self, catalogue):
        """Return the terms that do not depend on which other apps are installed.

        What mail and its companions add to every model with a chatter comes and goes with them.
        """
        mixins = {'mail.thread', 'mail.activity.mixin', 'mail.render.mixin'}
        borrowed = {name for mixin in mixins for name, field in self.env[mixin]._fields.items()
                    if MODULE not in field._modules}
        label = re.compile(r'model:ir\.model\.fields,\w+:l10n_nl_dunning\.field_\w+?__(\w+)$')
        return {
            entry.msgid for entry in catalogue
            if any(not (match := label.match(place)) or match[1] not in borrowed for place, _line in entry.occurrences)
        }

    def test_template_is_what_the_code_says(self):
        today, template = self.own_terms(self.exported()), self.own_terms(self.template)
        self.assertFalse(today - template, f"New terms. {HOW}")
        self.assertFalse(template - today, f"Terms that are gone. {HOW}")

    def test_everything_is_translated(self):
        self.assertFalse([entry.msgid for entry in self.dutch if entry.fuzzy or entry.obsolete or not entry.msgstr])
        left_out = {entry.msgid for entry in self.template} - {entry.msgid for entry in self.dutch}
        self.assertFalse([
            entry.msgid for entry in self.template if entry.msgid in left_out and not self.is_long_text(entry)], HOW)
        self.assertFalse({entry.msgid for entry in self.dutch} - {entry.msgid for entry in self.template}, HOW)

    def test_placeholders_and_tags_are_kept(self):
        for entry in self.dutch:
            with self.subTest(entry.msgid):
                self.assertEqual(
                    sorted(PLACEHOLDER.findall(entry.msgstr)), sorted(PLACEHOLDER.findall(entry.msgid)))
                self.assertEqual(entry.msgstr[:1].isspace(), entry.msgid[:1].isspace())

    def test_the_debtor_manager_is_addressed_formally(self):
        informal = re.compile(r'\b(je|jij|jou|jouw|jullie)\b', re.IGNORECASE)
        self.assertFalse([entry.msgstr for entry in self.dutch if informal.search(entry.msgstr)])

    def test_the_file_says_what_the_shipped_ladders_say(self):
        """One English word is one Dutch word in the file, whether a label or the name of a level has it."""
        seen = 0
        for entry in self.dutch:
            for model, field, xmlid in self.places(entry):
                self.assertNotIn(field, LONG_TEXTS.get(model, ()), f"{entry.msgid!r}: its Dutch belongs in the data")
                if field in SHORT_TEXTS.get(model, ()):
                    record = self.env.ref(xmlid)
                    self.assertEqual(record.with_context(lang='en_US')[field], entry.msgid)
                    self.assertEqual(record.with_context(lang=DUTCH)[field], entry.msgstr)
                    seen += 1
        self.assertGreater(seen, 20)

    def test_the_shipped_letters_are_in_both_languages(self):
        for level in self.env['dunning.level'].search([('policy_id', 'in', [
            self.env.ref(f'{MODULE}.policy_{name}').id for name in ('business', 'consumer', '7_15_30', 'neutral')
        ])]):
            english, dutch = level.with_context(lang='en_US'), level.with_context(lang=DUTCH)
            for field in ('subject', 'letter_intro', 'letter_closing', 'call_script'):
                with self.subTest(level=english.name, field=field):
                    self.assertEqual(bool(english[field]), bool(dutch[field]))
                    if english[field]:
                        self.assertNotEqual(english[field], dutch[field])

    def test_loading_dutch_again_takes_no_text_away(self):
        """Neither an upgrade nor “overwrite existing terms” touches what a company wrote."""
        level = self.env.ref(f'{MODULE}.level_business_reminder')
        own = {'name': "Vriendelijk seintje", 'subject': "Mogen wij u herinneren?", 'letter_intro': "<p>Dag!</p>"}
        level.with_context(lang=DUTCH).write(own)
        english = {field: level.with_context(lang='en_US')[field] for field in own}
        for overwrite in (False, True):
            importer = TranslationImporter(self.env.cr, verbose=False)
            importer.load_file(self.dutch_path, DUTCH)
            importer.save(overwrite=overwrite)
            for field, text in own.items():
                self.assertEqual(level.with_context(lang=DUTCH)[field], text)
                self.assertEqual(level.with_context(lang='en_US')[field], english[field])

    def test_a_dutch_user_reads_dutch(self):
        menu = self.env.ref(f'{MODULE}.menu_dunning_root').with_context(lang=DUTCH)
        self.assertEqual(menu.name, "Debiteurenbeheer")
        notice = self.env['dunning.notice'].with_context(lang=DUTCH)
        states = dict(notice._fields['state']._description_selection(notice.env))
        self.assertEqual((states['todo'], states['to_post']), ("Te doen", "Te posten"))
        self.assertEqual(
            self.env.ref(f'{MODULE}.level_business_reminder').with_context(lang=DUTCH).timing,
            "5 dagen na de vervaldatum, e-mail, 7 dagen om te betalen")

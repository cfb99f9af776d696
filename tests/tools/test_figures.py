import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ...tools.wording import check_text, check_typed
from ..law_oracle import CALM
from .case import BaseCase, tagged

DATA = Path(__file__).parents[2] / 'data'
#: What reaches no consumer.
BUSINESS = re.compile(r'level_business_|mail_template_arrangement_business$')

# By the language of the text they are put into; numbers are found in all four languages.
REFUSED = {'nl_NL': (
    "BIK: € 40,00.", "Voor deze brief rekenen wij € 12,50.", "Vanaf vandaag betaalt u 1% rente per maand.",
    "Er komt veertig erbij.", "U betaalt 40,- extra.", "U betaalt één procent rente.", "Dat wordt 40 extra.",
    "Wij rekenen vijfentwintig euro.", "De vergoeding is EUR 40.", "Wij rekenen 40 EUR.", "Wij rekenen 40EUR.",
    "Wij rekenen euro 40.", "U betaalt een tientje extra.", "U betaalt een euro per dag.",
    "De rente is vier procent.", "De rente is 4 pct.", "De rente is 8 per 100.",
    "Wij verhogen het bedrag met een kwart.", "Wij verhogen het met een tiende deel.", "U betaalt het dubbele.",
    "U betaalt de helft meer.", "U betaalt anderhalf keer het bedrag.", "Twee keer het bedrag.",
    "Daar komt tweehonderdvijftig bij.", "Daar komt 1.250 bij.", "Daar komt 1 250 bij.", "Daar komt ٤٠ bij.",
    "Daar komt ④⓪ bij.", "Daar komt ½ bij.", "Daar komen ４０ bij.", "Wij rekenen £ 35.", "Wij rekenen 35 pond.",
    "Wij rekenen USD 40.", "Wij rekenen vijftig cent per dag.", "Wij rekenen 50 ct per dag.",
    "U betaalt 15 per brief.", "U betaalt 25 per aanmaning.", "Voor deze aanmaning 15 extra.",
    "Voor deze brief vijftien.", "Reken 15 op de 100.", "Wij brengen 14,50 in rekening voor deze brief.",
    "Bij betaling binnen 14 dagen 40 korting.", "Kosten: 40", "Incassokosten 40.", "Boete: veertig.", "kosten ad 60",
    "U betaalt 3 maanden rente extra.", "Rente: 10,4‰", "Sie zahlen vierzig mehr.", "Sie zahlen ein Prozent Zinsen.",
    "Wir berechnen fünfundvierzig Euro.", "Wir berechnen 40 Euro Mahngebühren.", "Wir berechnen dreißig zusätzlich.",
    "Das Doppelte wird fällig.", "Mahngebühr: 5,00", "Wir berechnen 2,5 Prozent.", "zweihundertfünfzig dazu",
    "Vous payez quarante de plus.", "Nous facturons cinquante euros.", "un pour cent par mois",
    "Des frais de 15 s'ajoutent.", "quatre-vingt-dix de plus", "Nous ajoutons vingt-cinq.", "soixante-dix euros",
    "U krijgt een rekening van 2026.", "Betaal 1000 extra.", "betaal dossier: 25,00",
    "kosten <t t-out=\"object.days_overdue\"/> bij", "U betaalt <t t-out=\"object.days_overdue\"/> euro.",
    "U betaalt <t t-out=\"object.line_count\"/>% meer.", "<t t-out=\"object.amount_due * 1.15\"/>",
    "<t t-out=\"'40'\"/>", "Wij rekenen veer<b>tig</b> erbij.", "Wij rekenen ve&shy;ertig erbij.",
    "tweeduizend erbij", "twaalfhonderd erbij", "EUR veertig", "€ veertig", "€veertig", "eurootje of 5", "vijf euro",
    "5 eurocent", "honderd procent", "enkele euro's erbij", "een paar tientjes", "1k erbij", "artikel 40,- erbij",
    "artikel 12,50 erbij", "Wij rekenen 1,5 extra.", "$5", "5 dollar", "¥ 500", "CHF 20", "Voor ieder bericht 5.",
    "Dan is het 40/100.", "40 erbij", "tien erbij", "Drie erbij.", "Betaal uiterlijk vrijdag 12,50.",
    "U bent 7 verschuldigd aan kosten.", "bij elke herinnering komt er twaalf vijftig bij",
), 'en_US': (
    "You owe us compensation of €40.00 for late payment.", "You will pay forty extra.",
    "We charge twenty-five pounds.", "We add one hundred and fifty to your bill.", "We charge ten percent.",
    "There is a fee of ten.", "An extra 20 may be charged.", "A charge of 15 applies.",
    "We charge half as much again.", "You owe double the amount.", "You pay twice the amount.",
    "Interest at one per cent a month.", "Interest at 1 percent.", "A quarter of the amount is added.",
    "Add a fiver for this letter.",
)}
HARMLESS = {'nl_NL': (
    "Betaal binnen 14 dagen.", "Betaal binnen veertien dagen.", "Betaal binnen 8 weken.", "Artikel 6:96 BW.",
    "art. 6:119 BW", "Boek 6 BW", "artikelen 6:119a en 6:96 van het Burgerlijk Wetboek",
    "artikel 6:96 lid 2 onder c van het Burgerlijk Wetboek", "artikel 6:83 onder a", "3:317 BW", "Bel 020-1234567.",
    "Bel ons op 06 12345678 of 0800-1234.", "Telefoon: +31 (0)20 123 45 67",
    "Wij zijn bereikbaar van 9.00 tot 17.00 uur.", "Wij zijn bereikbaar van 9 tot 17 uur.", "Tussen 09:00 en 17:30.",
    "op maandag om 10:00 uur", "1234 AB Amsterdam", "Keizersgracht 123, 1015 CJ Amsterdam",
    "Postbus 12345, 1000 AA Amsterdam", "Op 3 maart 2026.", "Op 03-03-2026 of 3/3/2026.", "2026-03-03",
    "sinds 1 januari 2025", "op 15 mei", "in 2026", "sinds 2019", "In één keer betalen.", "een van de facturen",
    "Wij stuurden u twee brieven.", "Wij schreven u drie keer.", "Wij hebben u 2 herinneringen gestuurd.",
    "drie manieren om te betalen", "in drie termijnen", "Stap 1: bel ons.", "1. Bel ons.", "Bijlage 2.",
    "pagina 1 van 2", "KvK 12345678", "KvK-nummer: 12345678", "btw-nummer NL123456789B01", "NL91 ABNA 0417 1643 00",
    "Factuurnummer 2026-00012", "factuur INV/2026/0001", "Herinnering na 7 dagen", "14-dagenbrief",
    "Aanmaning (14-dagenbrief)", "24/7 bereikbaar", "op werkdagen binnen 24 uur", "onze brief, ten minste",
    "ten minste dertig dagen later", "Wij nemen uw belangen in acht.", "www.bedrijf24.nl of info@zaak365.nl",
    "De tweede herinnering, de 2e aanmaning.", "Hebt u dubbel betaald?", "Alle bedragen zijn in euro's.",
    "binnen veertien (14) dagen", "binnen één week", "over zes weken", "een half jaar", "een half uur",
    "anderhalve maand", "zes tot acht weken", "3 à 4 dagen", "Innerhalb von vierzehn Tagen", "innerhalb von 14 Tagen",
    "am 3. März 2026", "dans les quinze jours", "le 3 mars 2026", "avant le 15 avril",
    "nous vous avons écrit deux fois", "Wir haben Ihnen zwei Mahnungen geschickt.", "Artikel 6:96 BW und § 288 BGB",
    "Het is <t t-out=\"object.days_overdue\"/> dagen te laat.", "uw <t t-out=\"object.line_count\"/> facturen",
    "termijn <t t-out=\"object.told_number\"/> van de <t t-out=\"object.told_count\"/>", "Stb. 2012, 141",
    "Verordening (EU) 2016/679", "Richtlijn 93/13/EEG", "A4", "niveau B1", "de artikelen 6:82 en 6:83",
    "op 1 en 15 maart", "binnen de veertien dagen die wij u eerder gaven",
    "met veertien dagen de tijd om zonder kosten te betalen", "alle zes facturen", "beide partijen",
), 'en_US': (
    "articles 6:119a and 6:96 of the Dutch Civil Code", "article 6:82 of the Dutch Civil Code", "On March 3, 2026.",
    "On 3rd March 2026.", "On 15 May 2026", "within fourteen days", "within 14 (fourteen) days",
    "We wrote to you two times.", "Your two invoices", "in one go", "one last opportunity", "7 days a week",
    "Reply within five working days.", "Dear Sir, we seize nothing.",
)}
AMOUNTS = (
    "€ 40,00", "€40", "40 euro", "40,-", "EUR 40", "eur 12,50", "veertig euro", "een tientje", "12,5%", "4 procent",
    "vier procent", "1.234,56", "$ 5", "£35.00", "forty-five euros", "ten per cent", "vierzig Euro",
    "quarante euros", "٤٠ €", "½ %", "vijfhonderd euro's", "1 000,00", "een euro", "USD 3",
)


def get_shipped_texts():
    """Yield (name, language, text) of every text that ships and can reach a consumer."""
    for path in sorted(DATA.rglob('*.xml')):
        for data in etree.parse(str(path)).getroot().iter('data', 'odoo'):
            language = 'en_US' if 'en_US' in (data.get('context') or '') else 'nl_NL'
            for record in data.findall('record'):
                if record.get('model') not in ('dunning.level', 'mail.template') or BUSINESS.search(record.get('id')):
                    continue
                fields = {field.get('name'): field for field in record.iter('field')}
                for name in ('name', 'subject', 'letter_intro', 'letter_closing', 'call_script', 'body_html'):
                    if name in fields and not (record.get('model') == 'mail.template' and name == 'name'):
                        field = fields[name]
                        text = (field.text or '') + ''.join(
                            etree.tostring(child, encoding='unicode') for child in field)
                        yield f"{record.get('id')} {name}", language, text


SHIPPED = tuple(get_shipped_texts())


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestFigures(BaseCase):
    """Every number and percentage that reaches a consumer was worked out, none was typed."""

    def codes(self, text, language):
        return {finding.code for finding in check_typed(text, language=language)}

    def test_figures_are_refused(self):
        for language, sentences in REFUSED.items():
            for sentence in sentences:
                with self.subTest(sentence):
                    self.assertIn('figure_typed', self.codes(f"<p>{sentence}</p>", language))
                    findings = check_text(sentence, role='', debtor='business', language=language)
                    self.assertNotIn('figure_typed', {finding.code for finding in findings})

    def test_harmless_numbers_pass(self):
        for language, sentences in HARMLESS.items():
            for sentence in sentences:
                with self.subTest(sentence):
                    self.assertEqual(self.codes(f"<p>{sentence}</p>", language), set())

    def test_harmless_numbers_hide_nothing(self):
        """A figure is found beside whatever else stands in its sentence."""
        for sentence in HARMLESS['nl_NL']:
            for text in (f"<p>{sentence} € 40,00</p>", f"<p>U betaalt 12,50. {sentence}</p>"):
                self.assertIn('figure_typed', self.codes(text, 'nl_NL'), text)

    def test_the_placeholder_to_use(self):
        for text, placeholder in {
            "Wij rekenen 4% rente.": '{rate_text}', "Wij rekenen € 40 kosten.": '{costs_text}',
            "De rente is € 3.": '{interest_text}', "Betaal € 3.": '{amount_text}',
        }.items():
            [finding] = [finding for finding in check_text(
                text, role='', debtor='consumer', language='nl_NL', with_costs=True) if finding.code == 'figure_typed']
            self.assertEqual(finding.expected, placeholder, text)
        [finding] = check_typed("<p>Wij rekenen € 40,00 extra.</p>", language='nl_NL')
        self.assertEqual(finding.passage, "€ 40,00")

    def test_shipped_texts_pass(self):
        self.assertGreater(len(SHIPPED), 60)
        for name, language, text in SHIPPED:
            with self.subTest(name, language=language):
                self.assertEqual(self.codes(text, language), set())

    @CALM
    @given(st.sampled_from(SHIPPED), st.sampled_from(AMOUNTS), st.data())
    def test_an_amount_anywhere_is_refused(self, shipped, amount, data):
        _name, language, text = shipped
        # Between two words that are read, never inside a tag, a placeholder or a word.
        room = [match.start() for match in re.finditer(r'(?=\s)(?![^<>]*>)(?![^{]*\}\})|$', text)]
        place = data.draw(st.sampled_from(room))
        changed = f"{text[:place]} {amount} {text[place:]}"
        self.assertIn('figure_typed', self.codes(changed, language), changed[max(0, place - 60):place + 60])

    @CALM
    @given(st.decimals(min_value='0.01', max_value='99999', places=2), st.sampled_from(SHIPPED), st.data())
    def test_any_amount_in_any_writing(self, amount, shipped, data):
        whole, cents = f"{amount:.2f}".split('.')
        written = data.draw(st.sampled_from([
            f"€ {whole},{cents}", f"{whole}.{cents} EUR", f"{whole},{cents}", f"€{whole}", f"{whole} euro",
            f"{whole},-", f"{int(whole):,}.{cents}", f"{whole}%", f"{whole} procent"]))
        _name, language, text = shipped
        self.assertIn('figure_typed', self.codes(f"{text}<p>Daar komt {written} bij.</p>", language), written)

"""Amounts, percentages and other numbers in typed text, in any writing, in Dutch, English, German and French.

What a consumer is asked was worked out; a number that somebody typed was not. So a number in a typed text is only
harmless in a context that cannot mean money or a rate: a day, a term, an article of law, a telephone number. The rule
is the other way round than a list of forbidden words: what is not on the list of harmless contexts is a figure.
"""

import re
import unicodedata
from typing import NamedTuple

from .phrases import phrase

# --- numbers ---

_NL = (
    r'(?:twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|twaalf|dertien|veertien|vijftien|zestien|zeventien|achttien|'
    r'negentien|twintig|dertig|veertig|vijftig|zestig|zeventig|tachtig|negentig|honderd(?:en)?|duizend(?:en)?|'
    r'miljoen(?:en)?|miljard)')
_EN = (
    r'(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|'
    r'eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?)')
_DE = (
    r'(?:zwei|zwo|drei|vier|funf|fuenf|sechs|sieben|acht|neun|zehn|elf|zwolf|zwoelf|sech?zehn|siebzehn|zwanzig|'
    r'drei(?:ss|ß)ig|vierzig|funfzig|fuenfzig|sechzig|siebzig|achtzig|neunzig|hundert|tausend|millionen)')
_FR = (
    r'(?:deux|trois|quatre|cinq|six|sept|huit|neuf|dix|douze|treize|quatorze|quinze|vingts?|trente|quarante|'
    r'cinquante|soixante|septante|huitante|octante|nonante|mille)')
_PART = r'(?:anderhal(?:f|ve)|eineinhalb|anderthalb|hal(?:f|ve|bes?|ben)|demie?|tientallen|dozijn|dozens?|douzaine)'
_WORDS = rf"""(?:
    (?:een|{_NL})?(?:en)?{_NL}(?:(?:en)?{_NL})*(?:en)?(?:een)?(?:eneen)?(?:enhalf)?|
    (?:(?:one|a)[- ])?{_EN}(?:[- ](?:and[ ])?(?:{_EN}|one))*(?:{_EN})*|
    (?:ein)?{_DE}(?:(?:und)?(?:{_DE}|ein))*|(?:ein|{_DE})und{_DE}|
    {_FR}(?:[- ](?:et[ -])?(?:{_FR}|cents?|une?))*|
    {_PART})""".replace('\n    ', '').replace('\n', '')
#: What prints a number that is no amount.
_COUNT = r'⟦~?[^⟦⟧]*(?:days|days_overdue|count|number)⟧'
_DIGITS = r"\d(?:[\d.,:/'-]*\d)?"
_WORD = rf'\b{_WORDS}\b'
NUMBER = re.compile(rf'{_DIGITS}|{_WORD}|{_COUNT}', re.IGNORECASE)
#: Counted, not weighed: no separators in it, so that “12,50” is never taken for one.
_FEW = rf'(?:(?<![\d.,])\d{{1,4}}(?![\d.,]\d|\d)|{_WORD}|\b(?:een|one|a|ein\w{{0,2}}|une?)\b|{_COUNT})'
#: Words that mean a number only beside money: “een euro”, “ten percent”, “onze euros”.
_ARTICLES = r"(?:een|één|one|an?|ein\w{0,2}|une?|nul|null|zero|cents?|ten|onze|seize|enkele|paar|few|some|several)"

# --- money and rates ---

_UNIT = (
    r"(?:eur(?:o(?:'?s|cents?|tjes?)?)?|usd|gbp|chf|dollars?|pond(?:en)?|pounds?|pence|cent(?:s|en|imes?)?|cts?|gulden|"
    r'tientjes?|procent\w*|percent\w*|per ?cent|pct|prozent\w*|pour ?cents?|pro cent|promille|per mille|pour mille|'
    r'basispunt(?:en)?|basis points?)')
_MONEY = (
    r'(?:\w*(?:kosten|rente|toeslag|boete|vergoeding|huur|geld|gebuhren?|zinsen)|bedrag|hoofdsom|costs?|fees?|charges?|'
    r'interest|rent|penalty|surcharge|amount|frais|interets?)')
_WHOLE = (
    rf'(?:(?:het|dit|dat|de|the|this|that|your|uw|das|der|le|la|il) |zoveel|zo veel|as much|so viel|{_MONEY}\b|wat u|'
    r'what)')
#: A unit is money or a rate when a number, an article or a placeholder stands before it, or it before a number.
UNIT = phrase(rf'{_UNIT}\b')
_BEFORE_UNIT = phrase(rf'(?:\d|{_WORD}|\b(?:{_WORDS}|een)|\b{_ARTICLES}|⟧)[ -]?(?:\(\w+\) )?$')
FIGURE = phrase(
    r'[€$£¥%]|\b(?:eur|usd|gbp|chf|euro)[ :]?\d',
    r'\d ?,(?:-+|=)', r'\b(?:tientjes?|tenners?|fivers?|quid|bucks)\b',
    # Parts and multiples of what is owed.
    r'\bkwart\b(?! (?:over|voor)\b)',
    rf'\b(?:een|twee|drie|one|a|two|three|ein|zwei|un|deux) (?:derde|vierde|vijfde|tiende|third|quarter|fifth|'
    rf'tenth|drittel|viertel|tiers|quart)s?n? (?:van|deel|of|part|der|des|du|de|extra|{_MONEY})\b',
    r'\b(?:helft|halfte|moitie)\b(?! van (?:het|de|dit) (?:jaar|maand|week))', r'\bhalf (?:of|as)\b',
    r'\b(?:het|the|das|le) (?:dubbele|drievoud(?:ige)?|viervoud(?:ige)?|double|triple|doppelte|dreifache)\b',
    r'\b(?:verdubbel|vervierv|verdrievoud|verdopp|doubl|tripl)(?:e|d|t|en|el\w*|ed|es|ing|er|ele|oud\w*)?\b'
    rf'(?= (?:{_WHOLE}))', r'\b(?:verdubbel|verdrievoudig|verdoppel)\w*\b',
    rf'\b(?:dubbele?|driedubbele?|doppelte\w?) {_MONEY}\b',
    rf'(?:\b(?:twice|thrice|tweemaal|driemaal|doppelt)|(?:\d|\b{_WORDS}) (?:keer|maal|times|mal|fois)) {_WHOLE}',
)

# --- where a number is harmless ---

_MONTH = (
    r'(?:jan(?:uari|uary|uar|vier)?|feb(?:ruari|ruary|ruar)?|fevrier|maart|mrt|marz|mars|apr(?:il)?|avril|mei|mai|juni|'
    r'june?|juin|juli|july|juillet|aug(?:ustus|ust)?|aout|sep(?:t|tember|tembre)?|o[ck]t(?:ober|obre)?|'
    r'nov(?:ember|embre)?|de[cz](?:ember|embre)?|(?-i:March|Mar|May))\b\.?')
_YEAR = r'(?:19|20)\d\d\b'
_DAY = r'(?:[12]\d|3[01]|0?[1-9])'
_TIME = (
    r'(?:(?:werk|kalender|bank)?dag(?:en)?|weken|weekend|week|maand(?:en)?|jaar|jaren|uur|uren|minuten|minuut|kwartier|'
    r'kwartaal|kwartalen|(?:(?:working|business|calendar|banking) )?days?|weeks?|months?|years?|hours?|minutes?|'
    r'(?:werk|kalender|bank|arbeits)?tage?n?|wochen?|monate?n?|jahre?n?|stunden?|jours?|semaines?|mois|ans|annees?|'
    r'heures?)')
_TO = r'(?:,|-|/| (?:en|of|tot|tot en met|t/m|a|and|or|to|und|oder|bis|et|ou) | - )'
_CLOCK = r'(?:[01]?\d|2[0-4])(?:[.:][0-5]\d)?'
_SUM = rf'(?:{_MONEY}|extra|erbij|bij|aan|plus|more|on top|totaal|total|betaal|pay|reken)'
_NO_SUM = rf'(?! {_SUM}\b)'
_ARTICLE = rf'\d{{1,2}}:\d{{1,4}}[a-z]?\b|\d{{1,4}}[a-z]?\b(?![.,:]\d){_NO_SUM}|\d{{1,2}}\.\d(?!\d)'
_LAW = r'(?:BW|Rv|Fw|Wki|AVG|GDPR|BGB|Burgerlijk|Dutch Civil|Civil Code|Wetboek)'
_IDENT = r'(?:[A-Z]{1,6}[/-]?\d[\w/-]*|\d+[/-][\w/-]+|\d{5,})'
_COUNTED = (
    r"(?:keer|maal|times?|mal|fois|factu(?:ur|ren)|invoices?|rekeningen|rechnung(?:en)?|factures?|brief|brieven|briefe|"
    r"letters?|lettres?|herinnering(?:en)?|betalingsherinneringen|reminders?|rappels?|aanmaning(?:en)?|demands?|"
    r"mahnung(?:en)?|bericht(?:en)?|messages?|e-?mails?|telefoontjes?|gesprek(?:ken)?|(?:phone )?calls?|posten|items?|"
    r"(?:betaal)?termijn(?:en)?|instal?lments?|raten|delen|stappen|steps?|manieren|ways?|mogelijkheden|opties|options?|"
    r"vragen|questions?|redenen|reasons?|dingen|things?|pagina's|pages?|bladzijden|bijlagen?|attachments?|exemplaren|"
    r"copies|personen|persons?|people|mensen|partijen|parties|kanten|sides|collega's|colleagues|medewerkers|"
    r"bestelling(?:en)?|orders?|levering(?:en)?|deliveries|producten|products|documenten|documents)")
_KIND = (
    r'(?:open|openstaande|onbetaalde|eerdere|vorige|andere|nieuwe|oude|laatste|gelijke|losse|aparte|verschillende|'
    r'verdere|extra|volle|hele|unpaid|overdue|earlier|previous|other|new|more|last|equal|separate|different|further|'
    r'full|whole|offenen?|weiteren?|autres)')
_ORDERED = (
    r'(?:stap|step|optie|option|keuze|vraag|question|punt|bijlage|annex|appendix|pagina|page|seite|blz\.?|hoofdstuk|'
    r'termijn|instal?lment|rate|niveau|level|versie|version)')
_NUMBERED = (
    r"(?:\b\w*(?:nummer|number|nr|kenmerk|reference|referentie|kvk|btw|vat|rsin|bic|dossier|polis)\b|\bno\.|\bn°)"
    r'[-. ]{0,2}:?')
_TERMS = (
    rf'{_FEW}(?: \(\w+\))?(?:{_TO}{_FEW})*[ -](?:{_KIND} )?{_TIME}(?!\w*(?:kosten|rente|geld|prijs))\w*\b'
    rf"(?! (?:aan |extra |van |of |wettelijke |statutory )*{_MONEY}\b)")
_DATES = (
    rf'{_DAY}(?:e|er|\.|st|nd|rd|th|ste|de)?(?:{_TO}{_DAY})? (?:of )?{_MONTH}(?:,? {_YEAR})?',
    rf'\b(?:{_WORDS}) {_MONTH}(?:,? {_YEAR})?',
    rf'\b{_MONTH} {_DAY}(?:st|nd|rd|th)?\b(?:,? {_YEAR})?(?![.,]\d)', rf'\b{_MONTH} {_YEAR}',
    rf'(?<![\d.,/-]){_DAY}([-./])(?:1[0-2]|0?[1-9])\1(?:(?:19|20)\d\d|\d\d)(?![\d.,/-]\d|\d)',
    rf'(?<!\d){_YEAR}-(?:0\d|1[0-2])-{_DAY}(?!\d)',
    r'(?:\b(?:in|sinds|uit|since|seit|depuis|(?:boek)?jaar|year|jahr|begin|eind|medio|end of|kwartaal van|quarter of)|'
    rf'©) {_YEAR}(?![.,]\d)',
)
TERM, DATE = phrase(_TERMS), phrase(*_DATES)
HARMLESS = phrase(
    _TERMS, *_DATES,
    rf'(?<![\d.,]){_CLOCK}(?:(?: ?- ?| (?:tot|en|to|and|until|bis|und|a) ){_CLOCK})? ?(?:uur|uhr|hrs?\b|heures?|'
    r"[ap]\.?m\b\.?|o'clock)",
    r'(?<![\d.,])(?:[01]?\d|2[0-4])(?:[.:][0-5]\d)?[uh]\b', r'\b24/7\b',
    r'\b(?:om|van|vanaf|tot|tussen|voor|na|en|at|from|until|till|between|before|after|by|and|to|um|von|bis|ab|uur -) '
    r'(?:[01]?\d|2[0-4]):[0-5]\d(?!\d)(?:(?: ?- ?)(?:[01]?\d|2[0-4]):[0-5]\d(?!\d))?',
    rf'\b(?:om|at|um) (?:half )?{_FEW}\b(?= ?(?:[.,;!?\n]|$))',
    rf'\b(?:kwart|half|quarter) (?:over|voor|past|to) {_FEW}\b', rf'\bhalf an? {_TIME}\b',
    # Articles of law.
    rf'\b(?:art(?:ikel(?:en)?|icles?|\.)?|§|lid|leden|paragraph|section|boek|book|absatz|alinea) ?(?:{_ARTICLE})'
    rf'(?:(?:, | (?:en|of|tot en met|t/m|and|or|to|jo\.?|und|et) )(?:art(?:ikel|icle|\.) ?)?(?:{_ARTICLE}))*',
    rf'(?:{_ARTICLE}),?(?: (?:lid|sub|onder|paragraph) \w{{1,2}}\b)* (?:van het |of the )?(?-i:{_LAW})\b',
    r'\b(?-i:BW|Boek|Book|Rv) \d\b(?![.,]\d)', r'\b(?:EU|EG|EEG|EC|EEC)\)? ?(?:nr\. )?\d+/\d+',
    r'\b\d+/\d+/(?:EU|EG|EEG|EC|EEC)\b', r'\bECLI:[\w:.]+', r'\b(?:Stb|Stcrt)\. \d{4}, \d+',
    # Telephone numbers, addresses, identifiers.
    r'(?<![\d.,])(?:\+\d{1,3}|00\d{2}|\(?0\d{1,3}\)?)(?:[ ./()-]{0,3}\d){6,10}(?![.,]?\d)',
    r'\b(?:tel|telefoon|telefoonnummer|telephone|phone|mobiel|fax|whatsapp|bel|call)(?:\.|:| ons| us)?(?: op| at| on|'
    r' naar| via)? \d(?:[ -]?\d){3,11}(?![.,]?\d)',
    r'(?<![\d.,])[1-9]\d{3} ?(?-i:(?!OF|EN|IN|OP|EU|CT|AF|AL|UW|TE|OR|TO|IS)[A-Z]{2})(?=,? (?-i:[A-Z][a-z]|[A-Z]{4}))',
    r'\b(?-i:[A-Z]{1,2})-\d{4,5}\b', r'\b(?:postbus|p\.?o\.? box|postfach|antwoordnummer|boite postale) \d{1,5}\b',
    r"\b(?-i:[A-Z])[\w']*(?:straat|laan|weg|gracht|plein|kade|dijk|singel|hof|dreef|steeg|markt|strasse|straße|platz|"
    r'allee) \d{1,4}(?:[a-z]\b|-\d{1,3})?(?![.,]?\d)',
    r'\b\d{1,4} (?-i:(?:[A-Z]\w+ ){1,2}(?:Street|Road|Lane|Avenue|Square))\b',
    r'\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b', r'\bNL\d{9}B\d{2}\b',
    rf'{_NUMBERED} ?[A-Z]{{0,6}}[-/]?\d[\w/.-]*(?<![.,])(?![.,]\d)(?<![.,]\d\d){_NO_SUM}',
    r'\b(?:factu(?:ur|ren)|invoices?|rechnung|facture|order|contract|zaak|case|offerte|klant)'
    rf' {_IDENT}(?:(?:, | en | and | und | et ){_IDENT})*(?![.,]\d)',
    rf'\b{_ORDERED} (?:{_COUNT}|\d\d?)(?![\d.,]\d| ?{_UNIT}\b)(?: (?:van|of|von|sur) (?:de |the )?{_FEW}|'
    r'(?=\s*(?:[.,;:!?()\n⟦]|en\b|and\b|$)))',
    # A name or heading that stands by itself: “Aanmaning 2”, “Fourteen”.
    rf'(?:^|\n)(?:veertien|fourteen)(?: (?!{_SUM})[a-z]+)?(?=\n|$)', rf'(?:^|\n)(?!{_SUM})[a-z]+ [1-9](?=\n|$)',
    r'(?:https?://|www\.)\S+|\b[\w.+-]+@\S+|\b[\w-]+\.(?:nl|com|eu|org|net|be|de|fr|uk)\b(?:/\S*)?',
    r'\b(?-i:[A-Z]\d{1,2}|B2[BC])\b',
    # Counting, ranking, and idiom.
    rf'{_FEW}(?: \(\w+\))?(?:{_TO}{_FEW})* (?:(?:van|of) (?:de|the|uw|your|onze|our|deze|these) )?(?:{_FEW} )?'
    rf'(?:{_KIND} )?{_COUNTED}\b', r'\b\d{1,2}(?:e|de|ste|st|nd|rd|th|eme)\b',
    r'(?:^|\n)\(?(?:1?\d|20)[.)](?= \D)',
    r'\bten (?:minste|hoogste|laste|gunste|bate|behoeve|name|aanzien|opzichte|gevolge|tijde|slotte|einde|dele|volle|'
    r'goede|onrechte|nadele|uitvoer|eerste|tweede|derde)\b',
    r'\bin acht\b', r'\bacht (?:op|slaan|te slaan|nemen|te nemen)\b', r'\bmet (?:zijn|z\'n) \w+\b',
)


#: How far a number is from the words that make it harmless, at most.
REACH = 60


class Figure(NamedTuple):
    start: int
    end: int
    is_rate: bool


def find_figures(plain):
    """Return the figures in a typed text: numbers, signs and words that can mean an amount or a rate.

    :param str plain: a reading without accents, in which placeholders are tokens (see ``letter_words``)
    """
    text = ''.join(map(_plain_character, plain))
    spans = [match.span() for match in FIGURE.finditer(text)]
    for unit in UNIT.finditer(text):
        first = max(0, unit.start() - REACH)
        before = _BEFORE_UNIT.search(text[first:unit.start()])
        if before:
            spans.append((first + before.start(), unit.end()))
    spans += [match.span() for match in NUMBER.finditer(text) if not _is_harmless(text, *match.span())]
    figures = []
    for start, end in sorted(spans):
        # A sign and its number are one figure, with one space between them at most.
        if figures and start <= figures[-1][1] + 1:
            figures[-1][1] = max(end, figures[-1][1])
        else:
            figures.append([start, end])
    return [Figure(start, end, bool(_RATE.search(text, start, end))) for start, end in figures]


def _is_harmless(text, start, end):
    first = max(0, start - REACH)
    near = text[first:end + REACH]
    return any(
        match.start() <= start - first and end - first <= match.end() for match in HARMLESS.finditer(near))


_RATE = phrase(r'%', r'pro[cz]ent', r'percent', r'per ?cent', r'pour', r'pct', r'promille')


def _plain_character(character):
    """Return one character for one: a digit for whatever counts, “€” for a currency, “%” for a per cent sign."""
    if character.isascii() or (character.isalpha() and not character.isnumeric()):
        return character
    if character.isnumeric():
        return str(unicodedata.digit(character, 9))
    if unicodedata.category(character) == 'Sc':
        return '€'
    return '%' if 'PER MILLE' in (name := unicodedata.name(character, '')) or 'PERCENT' in name else character

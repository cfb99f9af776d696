"""The words that the wording linter looks for, Dutch and English. No Odoo in here.

Patterns are read on cleaned text (see ``letter_words``): a space stands for one space or the
border between two blocks, letters have no accents, and a token stands between ⟦ and ⟧.
"""

import re


def phrase(*parts):
    """Return the alternatives of ``parts`` as one pattern, in which a space also matches a line end."""
    return re.compile('|'.join(parts).replace(' ', r'\s'), re.IGNORECASE)


# --- pieces ---

WORD = r'[\w⟦⟧~€.,-]+'  # with what clings to it
COSTS = r'(?:\w*kosten|(?:collection |extrajudicial |legal |additional )?(?:costs?|fees?|charges?))'

# A full stop ends a sentence, unless it ends an abbreviation.
SENTENCE_END = re.compile(
    r'(?<!\bart)(?<!\bnr)(?<!\bno)(?<!\bdhr)(?<!\bmevr)(?<!\bmw)(?<!\bmr)(?<!\bmrs)(?<!\bms)(?<!\bdrs)(?<!\bing)'
    r'(?<!\bresp)(?<!\bbijv)(?<!\bca)(?<!\binc)(?<!\bmax)(?<!\bmin)(?<!\bjo)(?<!\b\w)'
    r'[.!?]+["\')]*\s+|\n', re.IGNORECASE)

# Only what belongs to the denied words may stand between: “zonder betaling volgen kosten” denies no costs.
_DENIED = (
    r'(?:geen|zonder|nooit|no|without|never|not (?:charge|ask|add|bill|demand)(?: you)?)'
    r'(?: (?:\w*kosten|costs?|fees?|charges?|en|of|and|or|extra|andere|enige|enkele|aparte|afzonderlijke|bijkomende|'
    r'buitengerechtelijke|verdere|overige|any|additional|other|separate|further|extrajudicial|collection|administration|'
    r'administrative|reminder|dunning|late|handling|processing)(?:,)?)*')
DENIAL_BEFORE = phrase(rf'\b{_DENIED} ?$', r'\b(?:niet|not) ?$')
DENIAL_INSIDE = phrase(rf'\b{_DENIED} {COSTS}\b', rf'\b{COSTS} niet (?:in rekening|door)',
    rf'\b{COSTS} (?:te )?(?:voorkomen|vermijden|besparen)\b', rf'\b(?:avoid|prevent)\w* (?:\w+ ){{0,2}}?{COSTS}\b')

# --- the term of a 14-day letter ---

# HR 2016, 3.3.5. In digits, and for a letter sent as an e-mail, the words mean the same.
_DELIVERED_NL = r'nadat (?:deze (?:brief|aanmaning|e-?mail)|dit bericht) bij u is bezorgd'
_DELIVERED_EN = r'this (?:letter|notice|e-?mail|message) (?:is|was|has been) delivered to you'
TERM_APPROVED = phrase(
    rf'\bbinnen (?:veertien|14)(?: \(14\))? dagen(?:,? te rekenen)? vanaf de dag {_DELIVERED_NL}\b',
    rf'\bbinnen (?:vijftien|15)(?: \(15\))? dagen {_DELIVERED_NL}\b',
    rf'\bwithin (?:fourteen|14)(?: \(14\))? days(?:,? counted)? from the day after {_DELIVERED_EN}\b',
    rf'\bwithin (?:fifteen|15)(?: \(15\))? days after {_DELIVERED_EN}\b')
TERM_START = phrase(
    r'\b(?:na|vanaf|sinds) (?:dagtekening|heden|vandaag|(?:de )?(?:datum|dagtekening) van (?:deze|dit|verzending)|'
    r'(?:de )?verzending|(?:de )?verzenddatum|(?:de )?ontvangst|(?:de )?briefdatum|(?:de )?poststempel|'
    r'deze (?:brief|e-?mail|aanmaning)|dit (?:bericht|schrijven)|datum (?:brief|dagtekening))\b',
    r'\b(?:of|after|from|following|since) (?:today|now|(?:the )?date (?:of (?:this|sending|dispatch)|hereof|above)|'
    r"(?:the )?(?:sending|dispatch|posting|receipt|receiving)|this (?:letter|e-?mail|message|notice|demand)(?:'s date)?"
    r'(?! (?:is|was|has been) delivered))\b')
TERM_NEAR = phrase(r'\b(?:dag(?:en)?|days?|week|weken|weeks?|termijn|term|period|uur|hours?)\b')
# What it is called is no term.
TERM_NAME = phrase(r'\b(?:14|veertien|fourteen)[ -]?(?:dagen?brie(?:f|ven)|day letters?)\b')
AT_ONCE = phrase(
    r'\bper omgaande\b',
    r'\b(?:onmiddellijk|onverwijld|direct|meteen|vandaag)(?: nog)?(?: te)? '
    r'(?:betalen|voldoen|over te maken|betaalt|voldoet)\b',
    rf'\b(?:betaal|betaalt|voldoe|voldoet|pay)(?: {WORD}){{0,3}} '
    r'(?:onmiddellijk|onverwijld|direct|vandaag|immediately|at once|today|straight ?away|without delay)\b',
    r'\bkomende \w+dag\b', r'\b(?:deze|this) week\b')

# --- what a 14-day letter says ---

CONSEQUENCE = phrase(
    rf'\b(?:betaalt|voldoet|betaal|voldoe)(?: u)?(?: {WORD}){{0,8}}? (?:niet|geen)\b',
    rf'\b(?:als|indien|wanneer|zolang|mocht) (?:{WORD} ){{0,14}}?(?:niet|geen|uitblijft)\b',
    rf'\b(?:ontvangen|hebben) (?:wij|we) (?:{WORD} ){{0,12}}?(?:niet|geen)\b',
    r'\bblijft (?:\w+ ){0,6}?uit\b', r'\buitblijven(?:de)?\b', r'\bbij (?:niet|geen|gebreke)\b',
    r'\bna (?:afloop|het verstrijken) van (?:deze|die|de) termijn\b', r'\bdaarna\b', r'\banders\b',
    r'\bin dat geval\b',
    rf'\b(?:if|should|when)(?: {WORD}){{0,14}}? (?:not|no|fail|fails)\b', r'\bunless\b', r'\botherwise\b',
    r'\bfail(?:ure)? to pay\b', r'\bin that case\b', r'\bthereafter\b')
COSTS_WORD = phrase(rf'\b{COSTS}\b', r'⟦~?[^⟦⟧]*costs')
LEGAL_BASIS = phrase(
    r'\b6[:.]96\b', r'\bbesluit (?:vergoeding voor buitengerechtelijke incassokosten|bik)\b',
    r'\b(?:decree|act) (?:on )?(?:the )?(?:compensation|reimbursement|standardisation) (?:for|of) '
    r'extrajudicial (?:collection )?costs\b')
DEFAULT = phrase(
    r'\bverzuim\b', r'\bin gebreke\b', r'\bte laat\b',
    r'\btermijn(?:en)? (?:\w+ ){0,3}(?:voorbij|verstreken|verlopen|afgelopen|overschreden)\b',
    r'\b(?:verstreken|overschreden) (?:betaal|betalings)?termijn\b',
    r'\bvervaldatum (?:\w+ ){0,3}(?:voorbij|verstreken|verlopen)\b',
    r'\b(?:niet|nooit) (?:\w+ )?(?:op tijd|tijdig|binnen de (?:\w+ )?termijn)\b',
    r'\bhad(?:den)? (?:\w+ ){0,6}(?:betaald|voldaan) moeten\b',
    r'\bin default\b', r'\boverdue\b',
    r'\b(?:term|period|due date|deadline) (?:\w+ ){0,2}(?:passed|expired|lapsed|elapsed)\b',
    r'\bnot (?:been )?paid (?:in|on) time\b', r'\bshould have been paid\b')
CLAIMS_DEFAULT = phrase(
    r'\bu (?:bent|verkeert|raakte) (?:(?:daarom|nu|al|inmiddels|reeds|dus|thans) )*in verzuim\b',
    r'\byou are (?:(?:therefore|now|already) )*in default\b')
IF = phrase(r'\b(?:als|indien|dan|wanneer|if|then|unless|should)\b')
PAY = phrase(
    r'\b(?:betaal|betaalt|betalen|voldoen|voldoet|overmaken|over te maken|maakt|overschrijven|sommeren|verzoeken|'
    r'vragen|pay|transfer|remit)\b')
PART = phrase(
    r'\b(?:daarnaast|bovendien|extra|ook nog|bovenop|vermeerderd|verhoogd|waarvan|in addition|of which|plus)\b')
COSTS_OVER_INTEREST = phrase(
    rf'\b{COSTS} (?:(?!niet\b|geen\b|not\b|no\b)[\w%⟦⟧.,~-]+ ){{0,5}}?(?:over|on) (?:(?:de|het|the|alle|verschenen|'
    r'opgelopen|wettelijke|vervallen|hoofdsom|bedrag|principal|amount|accrued|statutory|en|and|plus|inclusief|'
    r'including|vermeerderd|met|sum|total|totaal|totale) )*(?:rente|interest)\b')

# --- costs ---

NOT_FOR_CONSUMERS = (
    # Besluit BIK covers all acts of collection: no other fee, under any name (6:96 lid 5 BW).
    ('fee_forbidden', phrase(
        r'\b(?:administratie(?:ve)?|herinnerings?|aanmanings?|(?:betalings)?regelings?|afsluit|'
        r'dossier|registratie|kantoor|behandel(?:ings)?|verwerkings|'
        r'porto?|porti|sommatie|bureau|informatie|invorderings|beheers?|afhandelings|aanteken)'
        r'[\s-]?(?:kosten|vergoeding|toeslag)\b',
        r'\bkosten (?:van|voor) (?:(?:het )?(?:versturen|verzenden) van )?(?:deze|dit|de) '
        r'(?:brief|herinnering|aanmaning|bericht|administratie)\b',
        r'\b(?:administration|administrative|reminder|dunning|late(?: payment)?|handling|processing|filing|'
        r'registration|office|postage) (?:costs?|fees?|charges?)\b',
        r'\b(?:arrangement|set-?up) (?:fees?|charges?)\b')),
    # A penalty takes the place of damages and must have been agreed (6:91, 6:92 BW), often unfairly (93/13/EEG). It was
    # not worked out.
    ('penalty', phrase(r'\bboete(?:rente|beding|s)?\b', r'\b(?:late payment |contractual )?penalt(?:y|ies)\b')),
    # Commercial interest is only owed under a contract between businesses (6:119a lid 1 BW).
    ('commercial_interest', phrase(
        r'\bhandelsrente\b', r'\bcommercial interest\b', r'\b6[:.]119a\b',
        r'\binterest (?:for|on) commercial\b')),
)
COSTS_CLAIMED = phrase(
    r'\b(?:vermeerder\w*|verhoog\w*|plus|inclusief|exclusief|increased|including|together) (?:(?:met|by|with|de|het|'
    rf'the|wettelijke|rente|en|and|interest|statutory|alle|all|buitengerechtelijke|additional|any) )*{COSTS}\b',
    rf'\b{COSTS} (?:{WORD} ){{0,8}}?(?:voor uw rekening|in rekening|verschuldigd|te vergoeden|te betalen|'
    r'op u (?:te )?verhal\w*|verhal\w* (?:wij )?op u|door(?:be)?(?:re)?ken\w*|for your account|charged to you|'
    r'be charged|payable|you (?:will )?owe)\b',
    r'\b(?:verschuldigd|moet u|u moet|u dient|betaalt u|bent u|zijn wij genoodzaakt|brengen wij|rekenen wij|komen|'
    r'you (?:will )?owe|you (?:must|will|shall) (?:also )?pay|we (?:will |shall )?charge(?: you)?) '
    rf'(?:{WORD} ){{0,5}}?{COSTS}\b')
COURT_COSTS = phrase(r'\bproceskosten\b', r'\bgerechtelijke\b', r'\brechter\b', r'\brechtbank\b', r'\bcourt\b')
# A consumer may be told what comes later, when it is said that a letter comes first.
ANNOUNCED_FIRST = phrase(r'\b(?:pas|eerst|only|first)\b')
ANNOUNCEMENT = phrase(
    r'\b(?:brief|bericht|aankondiging|\w*dagenbrief|termijn|veertien|14|letter|notice|term|fourteen|announce\w*)\b')
INTEREST = phrase(r'\b\w*rente\b', r'\binterest\b')
ACCOUNT = re.compile(r'\b[A-Z]{2}\d{2}(?:[ .-]?[A-Z0-9]{4}){2,7}(?:[ .-]?[A-Z0-9]{1,3})?\b', re.IGNORECASE)

# --- threats ---

THREATS = (
    # Seizure and eviction need a judgment (430 Rv); who writes as if they do not, misleads.
    ('threat_seizure', phrase(
        r'\b\w*beslag(?:legging|name)?\b', r'\bbeslagleggen\b', r'\binboedel\b', r'\bexecuteren\b', r'\buithuiszet\w*',
        r'\bontruim\w*', r'\b(?:seize[sd]?|seizure|garnish\w*|attach(?:ment of)? your|evict\w*|foreclos\w*)\b')),
    # A bailiff comes with a summons or a judgment, not because a creditor sends him.
    ('threat_bailiff_visit', phrase(
        r'\bdeurwaarder (?:\w+ ){0,6}?(?:langs\w*|aan (?:de|uw) deur|op bezoek|bezoeken|bij u thuis|voor de deur)\b',
        r'\bstuur\w*(?: \w+){0,4}? (?:een|de|onze) deurwaarder\b',
        r'\bsturen(?: \w+){0,4}? (?:een|de|onze) deurwaarder\b',
        r'\bdeurwaarder (?:\w+ ){0,3}?(?:op u |naar u |langs )?(?:te )?(?:sturen|afsturen)\b',
        r'\bwij (?:komen|gaan) (?:\w+ ){0,3}?(?:langs|aan de deur)\b',
        r'\bbailiffs? (?:\w+ ){0,5}?(?:visit|come|call at|knock|at your (?:door|home))\b',
        r'\bsend (?:\w+ ){0,4}?bailiff\b')),
    # A supplier cannot have an unpaid invoice put in the credit register.
    ('threat_registration', phrase(
        r'\bBKR\b', r'\bbureau krediet ?registratie\b', r'\bzwarte lijst\b', r'\bkredietregist\w*',
        r'\bwanbetalersregist\w*', r'\bblack ?list\w*', r'\bcredit (?:register|registry|bureau|blacklist)\b')),
    # Not paying is no offence.
    ('threat_crime', phrase(
        r'\bstrafba\w*', r'\bstrafrecht\w*', r'\bstrafzaak\b',
        r'(?<![\w-])aangifte (?:te )?(?:doen|bij de politie)\b', r'\bdoen (?:wij )?(?:\w+ ){0,2}?aangifte(?! omzet)\b',
        r'\bpolitie\b', r'\bgevangenis\w*', r'\bgijzel\w*', r'\bcelstraf\b', r'\bu pleegt\b', r'\bpolice\b',
        r'\bcriminal\w*', r'\bprison\b', r'\bjail\b', r'\bimprison\w*', r'\bcommit(?:ting)? (?:fraud|an offence)\b',
        r'\bprosecut\w*')),
    # To tell others is undue pressure and a breach of the GDPR.
    ('threat_exposure', phrase(
        r'\b(?:werkgever|buren|familie|familieleden|relaties|opdrachtgevers|klanten) (?:\w+ ){0,5}?(?:informeren|'
        r'inlichten|benaderen|bellen|op de hoogte|in kennis)\b',
        r'\b(?:informeren|benaderen|bellen|lichten) (?:wij )?(?:\w+ ){0,2}?'
        r'(?:werkgever|buren|familie|opdrachtgevers)\b',
        r'\bcontact (?:\w+ ){0,3}?met uw (?:werkgever|buren|familie|opdrachtgevers)\b',
        r'\buw naam (?:\w+ ){0,4}?(?:internet|social media|krant)\b', r'\bopenbaar (?:te )?maken\b', r'\bpubliceren\b',
        r'\b(?:inform|contact|notify|tell) (?:your )?(?:employer|neighbou?rs|family|relatives)\b',
        r'\bpublish (?:your|the debt)\b')),
)
JUDGMENT = phrase(
    r'\b(?:rechter|rechtbank|vonnis|uitspraak|gerechtelijke titel|dagvaard\w*|court|judge|judge?ment|verdict)\b')
WITHOUT_JUDGMENT = phrase(r'\b(?:zonder|without) (?:\w+ ){0,4}?(?:rechter|rechtbank|vonnis|court|judge|judge?ment)\b')
DOUBTFUL_THREATS = (
    ('threat_bankruptcy', phrase(
        r'\bfaillissement (?:\w+ ){0,3}?aan ?(?:te )?vra\w*', r'\bvragen (?:\w+ ){0,3}?faillissement aan\b',
        r'\b(?:file|petition) for (?:your )?bankruptcy\b')),
    ('threat_handed_over', phrase(
        r'\b(?:deurwaarder|incassobureau|advocaat) (?:heeft|is) (?:\w+ ){0,3}?(?:opdracht|ingeschakeld)\b',
        r'\b(?:dagvaarding|vordering) is (?:al|reeds|inmiddels|nu) (?:\w+ )?(?:opgesteld|uitgebracht|overgedragen|'
        r'uit handen)\b',
        r'\b(?:bailiff|collection agency|lawyer) has (?:already )?been instructed\b',
        r'\bsummons has (?:already )?been\b')),
)

# --- receipts, prescription, VAT ---

DISCHARGE = phrase(
    r'\b(?:finale )?kwijting\b',
    r'\b(?:is|zijn|hebt|heeft|bent)(?: u| de \w+| het \w+)?(?: (?:hiermee|daarmee|nu|dan|geheel|volledig|alles|reeds|'
    r'helemaal))+ (?:voldaan|afgedaan)\b',
    r'\b(?:hiermee|daarmee) (?:is|zijn) (?:\w+ ){1,4}?(?:voldaan|betaald|afgedaan)\b',
    r'\bbeschouwen (?:\w+ ){0,5}?als (?:volledig )?(?:voldaan|afgedaan|betaald|gesloten)\b',
    r'\bniets meer verschuldigd\b',
    r'\bfull and final (?:settlement|discharge|release)\b',
    r'\b(?:is|are|has been|have been|was|were) (?:now |hereby )?(?:paid|settled|discharged) in full\b',
    r'\bowes? (?:us )?nothing (?:more|further)\b', r'\bnothing (?:more|further) (?:is )?owed\b')
NOT_PAID = phrase(r'\b(?:niet|nog|geen|hebt u|heeft u|not)\b', r"n't\b")
NOT_YET = phrase(
    r'\b(?:niet|nog|geen|zodra|als|indien|totdat|tot|wanneer|hebt u|heeft u|not|yet|until|once|if|when|have you)\b',
    r"n't\b")
PAID_STAMP = re.compile(r'(?:^|\n)\W*(voldaan|betaald|paid|settled)\W*(?=\n|$)', re.IGNORECASE)

RESERVES = phrase(
    r'\b(?:behoud\w*|voorbehoud\w*)(?: [\w,-]+){0,8}? rechten? (?:op (?:volledige )?(?:nakoming|betaling)|'
    r'om (?:nakoming|betaling) te (?:vorderen|eisen|verlangen))\b',
    r'\b(?:behoud\w*|voorbehoud\w*)(?: [\w,-]+){0,8}? recht op (?:volledige )?(?:nakoming|betaling)\b',
    r'\brecht(?:en)? op (?:volledige )?(?:nakoming|betaling)\b(?: [\w,-]+){0,6}? (?:voor(?:behoud\w*)?|behouden)\b',
    r'\breserv(?:e|es|ing) (?:[\w,-]+ ){0,5}?rights? (?:to|of|to claim|to demand) (?:full )?(?:performance|payment)\b')
# One of these is in everything that RESERVES finds.
RIGHTS = ('recht', 'right')
UNAMBIGUOUS = phrase(
    r'\b(?:ondubbelzinnig\w*|uitdrukkelijk\w*|nadrukkelijk\w*|unequivocal\w*|unambiguous\w*|express(?:ly)?|'
    r'explicit\w*)\b')
HEDGED = phrase(
    r'\b(?:kunnen|kan|zouden|zou|mogelijk|misschien|eventueel|wellicht|geen|niet|may|might|could|perhaps|possibly|'
    r'not|no)\b')
CLAIMS_INTERRUPTION = phrase(
    r'\bstuit(?:ing|en|ings\w*|ende|t)?\b', r'\bgestuit\b', r'\bverjar\w*', r'\b3[:.]317\b', r'\blimitation period\b',
    r'\bprescription (?:period|is|of)\b', r'\binterrupts? (?:the )?(?:limitation|prescription)\b')

VAT = phrase(r'\b(?:btw|omzetbelasting|vat|value added tax)\b')
VAT_RAISED = phrase(
    r'\b(?:verhoog\w*|verhoging|vermeerder\w*|inclusief|incl|plus|met|over|raised?|increased?|including|with|on)\b')
VAT_DENIED = phrase(
    r'\b(?:geen|zonder|no|without|exclusief|not subject to)(?: \w+){0,3} (?:btw|omzetbelasting|vat)\b')
VAT_CLAUSE = phrase(
    r'\b(?:niet|geen)\b[^.]*\b(?:verreken\w*|aftrek\w*|terugvra\w*|terugvorder\w*)\b',
    r'\b(?:verreken\w*|aftrek\w*|terugvra\w*|terugvorder\w*)\b[^.]*\bniet\b',
    r'\b(?:cannot|not|unable)\b[^.]*\b(?:deduct\w*|recover\w*|reclaim\w*|offset)\b')
VAT_TOKEN = re.compile(r'⟦[^⟦⟧]*(?:\b|_)vat(?:\b|_)')

# --- a notice of default, and what every demand should say ---

TERM_TOKEN = re.compile(r'⟦[^⟦⟧]*(?:deadline|term)_text')
PUTS_IN_DEFAULT = phrase(
    r'\bingebrekestelling\b', r'\bin gebreke\b', r'\bverzuim\b', r'\bin default\b', r'\bnotice of default\b')
DEMAND = phrase(
    r'\b\w*aanman\w*', r'\bsomm(?:eren|atie|eer)\b', r'\bingebrekestelling\b',
    r'\blaatste (?:herinnering|betalingsherinnering|kans)\b', r'\bdemand\b',
    r'\bfinal (?:payment )?(?:notice|reminder)\b', r'\bnotice of default\b')
GOOD_PRACTICE = (
    ('crossing_missing', phrase(
        r'\bgekruist\b', r'\bkruis(?:t|en)\b',
        r'\b(?:al|net|reeds|intussen|inmiddels|zojuist|onlangs) (?:\w+ ){0,3}(?:betaald|voldaan|overgemaakt)\b',
        r'\bbetaling (?:\w+ ){0,2}(?:onderweg|elkaar)\b', r'\bniet verzonden beschouwen\b', r'\bcrossed\b',
        r'\b(?:already|just|meanwhile)\b[^.?]*\bpaid\b', r'\bpaid (?:already|in the meantime)\b', r'\bdisregard\b')),
    ('objection_missing', phrase(
        r'\bniet (?:\w+ )?eens\b', r'\boneens\b', r'\bklopt (?:er |het )?(?:iets |\w+ )?niet\b', r'\bniet klopt\b',
        r'\bbezwaar\b', r'\bklacht\b', r'\bbetwist\w*', r'\bonjuist\b', r'\bvra(?:ag|gen) over\b', r'\bdisagree\b',
        r'\bnot right\b', r'\bincorrect\b', r'\bwrong\b', r'\bdispute\b', r'\bobject(?:ion)?\b', r'\bcomplaint\b',
        r'\bquestions? about\b')),
    ('arrangement_missing', phrase(
        r'\bin een keer\b', r'\b(?:betalings?|betaal)?regeling\b', r'\bin termijnen\b', r'\bgespreid\b', r'\buitstel\b',
        r'\bmoeite\b[^.?]{0,40}\bbetalen\b', r'\bin one go\b', r'\bpayment (?:arrangement|plan)\b',
        r'\binstal?ments?\b', r'\barrangement\b', r'\bunable to pay\b', r'\bin parts\b')),
)
# --- a payment arrangement ---

ARRANGEMENT_ELEMENTS = (
    ('acknowledgement_missing', phrase(r'\berken\w*', r'\backnowledg\w*')),
    ('fatal_missing', phrase(
        r'\bfatale? termijn(?:en)?\b', r'\buiterste (?:dag|datum)\b', r'\b6[:.]83\b', r'\bfinal (?:date|day)s?\b',
        r'\bof the essence\b')),
    ('lapse_missing', phrase(
        r'\b(?:ineens|in een keer)\b[^.]{0,60}\b(?:betalen|opeisbaar|verschuldigd|voldoen)\b',
        r'\b(?:betalen|opeisbaar|verschuldigd|betaalt)\b[^.]{0,60}\b(?:ineens|in een keer)\b',
        r'\b(?:pay|payable|due|owed)\b[^.]{0,60}\b(?:in one go|at once|all at once)\b',
        r'\b(?:in one go|at once)\b[^.]{0,60}\b(?:pay|payable|due)\b')),
    ('lapse_reminder_missing', phrase(
        r'\b(?:eerst|dan|nog|een|schriftelijke) (?:\w+ ){0,3}?(?:herinnering|waarschuwing|bericht)\b',
        r'\b(?:first|then|one|written) (?:\w+ ){0,3}?(?:reminder|warning|message)\b')),
    ('imputation_missing', phrase(r'\b6[:.]44\b')),
    ('revision_missing', phrase(
        r'\b(?:situatie|omstandigheden|inkomen|positie)\b[^.?]{0,40}\b(?:verander\w*|wijzig\w*|verbeter\w*|anders)\b',
        r'\b(?:verander\w*|wijzig\w*|verbeter\w*)\b[^.?]{0,40}\b(?:situatie|omstandigheden|inkomen|positie)\b',
        r'\b(?:situation|circumstances|income|position)\b[^.?]{0,40}\b(?:chang\w*|improv\w*|different)\b',
        r'\b(?:chang\w*|improv\w*)\b[^.?]{0,40}\b(?:situation|circumstances|income|position)\b')),
    ('reservation_missing', RESERVES),
)
WITHOUT_WARNING = phrase(
    r'\bzonder (?:\w+ ){0,3}?(?:ingebrekestelling|aankondiging|herinnering|waarschuwing|sommatie|bericht|aanmaning)\b',
    r'\bvan rechtswege\b', r'\b(?:direct|onmiddellijk|terstond|meteen) (?:\w+ ){0,3}?opeisbaar\b',
    r'\bwithout (?:\w+ ){0,3}?(?:notice|reminder|warning|demand)\b', r'\bby operation of law\b',
    r'\bimmediately (?:due|payable)\b')
WAIVES_DEFENCE = phrase(
    r'\b(?:afstand|doet afstand|ziet af)\b[^.]{0,40}\b(?:verwe(?:er|ren)|recht(?:en)?|beroep|bezwa(?:ar|ren))\b',
    r'\b(?:verwe(?:er|ren)|recht(?:en)?|bezwa(?:ar|ren))\b[^.]{0,40}\bafstand\b',
    r'\bwaives?\b[^.]{0,40}\b(?:defen[cs]es?|rights?|objections?)\b')

PRIVACY = phrase(
    r'\bprivacy\w*', r'\bpersoonsgegevens\b', r'\bpersonal (?:data|details|information)\b', r'\bdata protection\b',
    r'\bAVG\b', r'\bGDPR\b')

DUTCH = phrase(r'\b(?:de|het|een|van|wij|u|uw|niet|dat|op|met|voor|zijn|hebben)\b')
ENGLISH = phrase(r'\b(?:the|you|your|of|and|we|to|not|is|have|with|for|please|this)\b')

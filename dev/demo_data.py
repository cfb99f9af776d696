"""The demonstration: an installation company, its customers and their invoices, relative to today.

`prepare` makes what does not depend on today and is kept in a template; `load` completes it. Some debtors
have a past: the scheduled actions were run for them on earlier days, the calls made and the letters posted.
"""

import base64
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path

from freezegun.api import freeze_time

from odoo.fields import Command

LOGO = Path(__file__).with_name("demo_logo.png")
PAST_DAYS, QUIET_DAYS = 100, 4

COMPANY = {
    "name": "Jansen Installatietechniek B.V.",
    "street": "Ambachtsweg 14",
    "zip": "2031 EB",
    "city": "Haarlem",
    "phone": "+31 23 555 01 40",
    "email": "administratie@jansen.example",
    "website": "https://www.jansen.example",
    "vat": "NL123456782B90",
    "company_registry": "34567890",
    "primary_color": "#124e78",
    "secondary_color": "#f28f3b",
}
IBAN, BIC, BANK = "NL91 ABNA 0417 1643 00", "ABNANL2A", "ABN AMRO"

# Debtor number: (name, values).
DEBTORS = {
    "D1001": (
        "Bakkerij De Gouden Aar B.V.",
        {
            "is_company": True,
            "street": "Grote Houtstraat 112",
            "zip": "2011 SR",
            "city": "Haarlem",
            "email": "info@goudenaar.example",
            "phone": "+31 23 555 02 11",
            "company_registry": "30123451",
        },
    ),
    "D1002": (
        "Van Dijk Vastgoed B.V.",
        {
            "is_company": True,
            "street": "Herengracht 401",
            "zip": "1017 BP",
            "city": "Amsterdam",
            "email": "info@vandijkvastgoed.example",
            "phone": "+31 20 555 03 12",
            "company_registry": "30123452",
            "children": [
                {
                    "name": "Ineke Vermeer",
                    "type": "contact",
                    "function": "Objectbeheerder",
                    "email": "ineke.vermeer@vandijkvastgoed.example",
                },
                {
                    "name": "Crediteurenadministratie",
                    "type": "dunning",
                    "email": "crediteuren@vandijkvastgoed.example",
                    "street": "Postbus 10401",
                    "zip": "1001 EK",
                    "city": "Amsterdam",
                    "phone": "+31 20 555 03 15",
                },
                {
                    "name": "Karel van Dijk",
                    "type": "director",
                    "function": "Directeur",
                    "email": "karel@vandijkvastgoed.example",
                },
            ],
        },
    ),
    "D1003": (
        "Hotel Zeezicht B.V.",
        {
            "is_company": True,
            "street": "Boulevard Barnaart 20",
            "zip": "2041 JA",
            "city": "Zandvoort",
            "email": "boekhouding@hotelzeezicht.example",
            "phone": "+31 23 555 04 13",
            "company_registry": "30123453",
        },
    ),
    "D1004": (
        "Anneke de Boer",
        {
            "street": "Vondelstraat 8",
            "zip": "2013 CN",
            "city": "Haarlem",
            "email": "a.deboer@post.example",
            "phone": "+31 6 5550 0004",
        },
    ),
    "D1005": (
        "Pieter Bakker",
        {
            "street": "Duinweg 61",
            "zip": "2051 AB",
            "city": "Overveen",
            "email": "p.bakker@post.example",
            "phone": "+31 6 5550 0005",
        },
    ),
    "D1006": (
        "Selin Yılmaz",
        {
            "street": "Zijlweg 240",
            "zip": "2015 CM",
            "city": "Haarlem",
            "email": "selin.yilmaz@post.example",
            "phone": "+31 6 5550 0006",
        },
    ),
    "D1007": (
        "Kowalski Klussen",  # a sole trader: no company in Odoo's sense, but in the trade register
        {
            "street": "Spaarndamseweg 77",
            "zip": "2021 CB",
            "city": "Haarlem",
            "email": "marek@kowalskiklussen.example",
            "phone": "+31 6 5550 0007",
            "company_registry": "30123457",
        },
    ),
    "D1008": (
        "Thompson & Reed Ltd.",
        {
            "is_company": True,
            "lang": "en_US",
            "country": "base.uk",
            "street": "22 Harbour Road",
            "zip": "CT1 2XQ",
            "city": "Canterbury",
            "email": "accounts@thompsonreed.example",
            "phone": "+44 1227 555018",
        },
    ),
    "D1009": (
        "Müller Gebäudetechnik GmbH",
        {
            "is_company": True,
            "lang": "de_DE",
            "country": "base.de",
            "street": "Lindenallee 9",
            "zip": "47533",
            "city": "Kleve",
            "email": "buchhaltung@mueller-gt.example",
            "phone": "+49 2821 555019",
        },
    ),
    "D1010": (
        "Gemeente Waterdam",
        {
            "is_company": True,
            "dunning_debtor_type": "government",
            "dunning_review": True,
            "street": "Raadhuisplein 1",
            "zip": "1141 VR",
            "city": "Waterdam",
            "email": "facturen@waterdam.example",
            "phone": "+31 299 555 10 0",
            "company_registry": "30123460",
        },
    ),
    "D1011": (
        "VvE Parkzicht",
        {
            "is_company": True,
            "street": "Parklaan 30",
            "zip": "2012 ET",
            "city": "Haarlem",
            "company_registry": "30123461",
        },
    ),
    "D1012": (
        "Stichting De Brug",
        {
            "is_company": True,
            "email": "penningmeester@stichtingdebrug.example",
            "phone": "+31 23 555 12 12",
            "company_registry": "30123462",
        },
    ),
    "D1013": (
        "Café 't Hoekje",
        {
            "is_company": True,
            "street": "Lange Veerstraat 3",
            "zip": "2011 CX",
            "city": "Haarlem",
            "email": "cafe@thoekje.example",
            "phone": "+31 23 555 13 13",
            "company_registry": "30123463",
        },
    ),
    "D1014": (
        "Restaurant De Smidse V.O.F.",
        {
            "is_company": True,
            "street": "Dorpsstraat 44",
            "zip": "2061 HD",
            "city": "Bloemendaal",
            "email": "info@desmidse.example",
            "phone": "+31 23 555 14 14",
            "company_registry": "30123464",
        },
    ),
    "D1015": (
        "Autobedrijf Smit B.V.",
        {
            "is_company": True,
            "street": "Waarderweg 52",
            "zip": "2031 BP",
            "city": "Haarlem",
            "email": "administratie@autosmit.example",
            "phone": "+31 23 555 15 15",
            "company_registry": "30123465",
        },
    ),
    "D1016": (
        "Tandartspraktijk Molenaar",
        {
            "is_company": True,
            "street": "Kleverparkweg 18",
            "zip": "2023 CG",
            "city": "Haarlem",
            "email": "praktijk@molenaar.example",
            "phone": "+31 23 555 16 16",
            "company_registry": "30123466",
        },
    ),
    "D1017": (
        "Garage Peters",
        {
            "is_company": True,
            "street": "Industrieweg 7",
            "zip": "1521 NA",
            "city": "Wormerveer",
            "email": "info@garagepeters.example",
            "phone": "+31 75 555 17 17",
            "company_registry": "30123467",
        },
    ),
    "D1018": (
        "Advocatenkantoor Bos & Partners",
        {
            "is_company": True,
            "street": "Nieuwe Gracht 88",
            "zip": "2011 NJ",
            "city": "Haarlem",
            "email": "office@bospartners.example",
            "phone": "+31 23 555 18 18",
            "company_registry": "30123468",
        },
    ),
    "D1019": (
        "Lakeside Instruments Inc.",
        {
            "is_company": True,
            "lang": "en_US",
            "country": "base.us",
            "state": "base.state_us_23",
            "street": "810 Lakeside Avenue",
            "zip": "48201",
            "city": "Detroit",
            "email": "payables@lakeside-instruments.example",
            "phone": "+1 313-555-0119",
        },
    ),
    "D1020": (
        "Sportcentrum De Waarder B.V.",
        {
            "is_company": True,
            "policy": "l10n_nl_dunning.policy_7_15_30",
            "street": "A. Hofmanweg 1",
            "zip": "2031 BH",
            "city": "Haarlem",
            "email": "financien@sportdewaarder.example",
            "phone": "+31 23 555 20 20",
            "company_registry": "30123470",
        },
    ),
    "D1021": (
        "Fatima El Amrani",
        {
            "street": "Amsterdamstraat 15",
            "zip": "2032 PM",
            "city": "Haarlem",
            "email": "f.elamrani@post.example",
            "phone": "+31 6 5550 0021",
        },
    ),
    "D1022": (
        "Drukkerij Van Loon B.V.",
        {
            "is_company": True,
            "street": "Conradweg 31",
            "zip": "2031 CR",
            "city": "Haarlem",
            "email": "crediteuren@drukkerijvanloon.example",
            "phone": "+31 23 555 22 22",
            "company_registry": "30123472",
        },
    ),
    "D1023": ("Hoveniersbedrijf Groenrijk", {"is_company": True, "company_registry": "30123473"}),  # nothing reaches it
    "D1024": (
        "Autobedrijf Van der Horst B.V.",
        {
            "is_company": True,
            "street": "Zijlweg 301",
            "zip": "2015 CL",
            "city": "Haarlem",
            "email": "administratie@vanderhorst-auto.example",
            "phone": "+31 23 555 24 24",
            "company_registry": "30123474",
        },
    ),
    "D1025": (
        "Noor Willems",
        {
            "street": "Schotersingel 7",
            "zip": "2021 GA",
            "city": "Haarlem",
            "email": "noor.willems@post.example",
            "phone": "+31 6 5550 0025",
        },
    ),
}
# Whose debtors they are; all others are of the accountant.
COLLEAGUES_DEBTORS = ["D1008", "D1009", "D1012", "D1017", "D1019", "D1020"]

# In place of a number of days: long enough ago for the last demand to a consumer, see `_days_since_due`.
LAST_DEMAND = "last demand"
# Days from the due date to the 14-day letter in the shipped ladder: 5, a term of 7, 4, a term of 7, 4.
FOURTEEN_DAY_LETTER, AFTER_ITS_TERM = 27, 4

# (debtor, days from today to the due date, amount without VAT, description, what happened)
# Invoices of debtors with a past. The scheduled actions were not run during the last QUIET_DAYS days: what became
# due meanwhile is due today.
PAST = [
    ("D1001", -15, 486.00, "Storing koelcel verholpen"),  # a call is due
    ("D1002", -44, 2875.00, "Cv-ketel vervangen, Herengracht 401"),  # the last letter; interest and costs were booked
    ("D1002", -44, 640.00, "Onderhoud liftschacht en ventilatie"),
    # The second demand, with interest and costs; a part is disputed.
    ("D1003", -33, 1920.00, "Legionellabeheer, kwartaalcontrole", "part_disputed"),
    ("D1004", -15, 189.00, "Onderhoud cv-ketel"),
    ("D1005", -33, 1250.00, "Badkamer: leidingwerk en kranen"),  # the term of the 14-day letter runs
    ("D1006", -38, 410.00, "Pomp vloerverwarming vervangen", "delivered_registered"),  # so does this one, by proof
    ("D1008", -22, 1430.00, "Inspection of heat pump, Canterbury office"),  # the first demand, in English
    ("D1017", -10, 265.00, "Compressorleiding hersteld", "bounced"),  # the reminder again, now on paper
    ("D1018", -27, 1325.00, "Airco vergaderzaal vervangen", "answered"),  # wrote back: nothing goes until it is read
    ("D1020", -17, 780.00, "Onderhoud zwembadinstallatie"),
    ("D1007", -22, 540.00, "Verdeler en leidingwerk"),  # the first demand; with a newer invoice in one letter
    # The fourteen days ran out: the last demand, with interest and costs over what was not paid in time.
    ("D1021", LAST_DEMAND, 1480.00, "Badkamer verbouwd: leidingwerk", "paid_in_term"),
    ("D1022", -75, 3260.00, "Luchtbehandeling drukkerij"),  # at the end of the ladder
]
NOW = [
    # Due, and nothing in the way.
    ("D1003", -6, 845.00, "Thermostaatkranen kamers 12 t/m 24"),
    ("D1004", -6, 95.00, "Voorrijkosten en ontstopping"),
    ("D1006", -8, 164.00, "Radiator verplaatst"),
    ("D1007", -7, 325.00, "Materiaal: koper en fittingen"),
    ("D1009", -9, 2140.00, "Montage Lüftungsanlage, Kleve"),
    ("D1020", -8, 350.00, "Storing douches verholpen"),
    ("D1011", -10, 1180.00, "Hydrofoor nagekeken en afgesteld"),
    ("D1012", -10, 275.00, "Keuken: boiler vervangen"),
    ("D1002", -6, 390.00, "Rookmelders trappenhuis"),
    # Due, but something is in the way.
    ("D1005", -7, 520.00, "Douchekop en thermostaatkraan", "part_paid"),
    ("D1010", -21, 4650.00, "Zonneboiler sporthal, eerste fase", "no_followup"),
    ("D1010", -8, 930.00, "Onderhoud gemeentehuis", "awaiting_approval"),
    ("D1013", -15, 6.50, "Pakking kraan"),
    ("D1018", -12, 415.00, "Onderhoud airco vergaderzaal", "unmatched_receipt"),
    ("D1014", -11, 745.00, "Afzuigkap keuken gereinigd", "credit_payment"),
    ("D1015", -13, 660.00, "Compressor nagekeken", "credited"),
    ("D1015", -9, 1240.00, "Vloerverwarming werkplaats", "part_credited"),
    ("D1017", -18, 1575.00, "Heater werkplaats", "blocked"),
    ("D1018", -20, 890.00, "Waterontharder geplaatst", "not_sent"),
    ("D1007", -14, 145.00, "Huur lekdetectie", "not_sent"),
    ("D1021", -410, 310.00, "Boiler geplaatst"),
    ("D1023", -9, 480.00, "Beregening aangesloten"),
    # Promised.
    ("D1014", -16, 1150.00, "Vetafscheider vervangen", "promise_running"),
    ("D1016", -18, 890.00, "Afzuiging behandelkamer", "promise_broken"),
    ("D1020", -21, 615.00, "Douchepanelen vervangen", "promise_kept"),
    ("D1012", -24, 940.00, "Keuken: boilers in de zaal", "promise_kept_in_part"),
    # To be paid in instalments.
    ("D1024", -104, 2760.00, "Luchtcompressor en leidingwerk werkplaats", "arrangement_late"),
    ("D1025", -12, 1180.00, "Badkamer: afvoer en vloerverwarming", "arrangement_offered"),
    # Waiting.
    ("D1012", -2, 60.00, "Kraan gerepareerd"),
    ("D1022", -3, 410.00, "Filters vervangen"),
    ("D1001", 4, 318.00, "Onderhoudscontract, kwartaaltermijn"),
    ("D1003", 11, 2310.00, "Warmtepomp: aanbetaling"),
    ("D1006", 9, 79.00, "Keerklep vervangen"),
    ("D1009", 16, 1980.00, "Wartung Kälteanlage"),
    ("D1011", 20, 540.00, "Dakgoten en afvoeren"),
    ("D1021", 12, 225.00, "Onderhoud cv-ketel"),
    ("D1022", 25, 1290.00, "Luchtkanalen gereinigd"),
    # Paid.
    ("D1004", -60, 130.00, "Kraan keuken vervangen", "paid"),
    ("D1008", -45, 990.00, "Yearly maintenance", "paid"),
    ("D1014", -35, 275.00, "Gasleiding gekeurd", "paid"),
    ("D1016", -25, 420.00, "Compressor behandelkamer 2", "paid"),
    ("D1021", -20, 185.00, "Storing cv-ketel", "paid_by_bank"),
    ("D1017", -50, 615.00, "Smeerput: pomp vervangen", "paid"),
    ("D1002", -130, 1450.00, "Dakventilatoren nagekeken", "paid_late"),
    ("D1002", -210, 860.00, "Cv-ketels: jaarlijks onderhoud", "paid_late"),
    ("D1003", -95, 1105.00, "Boiler kamers 1 t/m 11", "paid_late"),
    ("D1022", -160, 730.00, "Persluchtleiding hersteld", "paid_late"),
]
NOW_DOLLAR = [
    ("D1019", -9, 3850.00, "Calibration of flow meters"),
    ("D1019", 14, 1120.00, "Spare parts"),
]

# What was said when the ladder asked for a call, by debtor; with the others somebody spoke and that was all.
# `days` is from the day of the call to the day that was named.
CALLS_OF_LADDER = {
    "D1002": {"outcome": "refuses", "note": "Alles boven € 1.000 ligt bij de directie; men zegt geen datum toe."},
    "D1022": {"outcome": "promise", "days": 4, "note": "Wacht zelf op een betaling van een uitgever."},
}
# Other calls: debtor, days from today, hour (UTC), whether a colleague of the accountant made it, what was said.
CALLS = [
    ("D1002", -3, 9, False, {"outcome": "no_answer"}),
    (
        "D1002",
        -2,
        13,
        False,
        {
            "outcome": "other_person",
            "contact_name": "receptie",
            "note": "Karel van Dijk is morgen na tien uur bereikbaar.",
        },
    ),
    ("D1007", -1, 10, False, {"outcome": "call_back", "days": 1, "time": "10:30", "note": "Zat op de steiger."}),
    ("D1008", -2, 11, True, {"outcome": "voicemail"}),
    ("D1012", -2, 12, True, {"outcome": "wrong_number", "note": "Het nummer is van een particulier."}),
    ("D1022", -14, 9, False, {"outcome": "promise", "days": 4, "note": "Directeur zegt toe, na eerdere toezegging."}),
]


def load(env):
    """Fill a fresh database; what `prepare` made is kept."""
    prepare(env)
    company = env.company
    today = company._dunning_today()
    company.write(
        {
            "dunning_start_date": today - timedelta(days=365),
            "dunning_oldest_due_date": today - timedelta(days=365),
            # Only here: on a Sunday, a holiday or in the evening the demonstration could not send anything.
            "dunning_quiet": False,
        }
    )
    _set_dollar_rate(env, today)
    _confirm_rates(env, today)
    _make_bank_statement(env, today)
    past = [(ref, _days_since_due(company, today) if days == LAST_DEMAND else days, *rest) for ref, days, *rest in PAST]
    moves = _make_invoices(env, past, today)
    # PostgreSQL takes tables that were empty until now for empty, and would read them whole for every row.
    env.cr.execute("ANALYZE account_move, account_move_line")
    _live_through(env, company, today)
    _let_happen(env, moves, past, today)
    _let_happen(env, _make_invoices(env, NOW, today), NOW, today)
    _make_invoices(env, NOW_DOLLAR, today, currency_id=env.ref("base.USD").id)
    _make_instalments(env, today)
    _call(env, company, today)
    env["dunning.promise"]._judge(company, today)
    env["dunning.behaviour"]._refresh(company, today)
    _share_work(env, company, today)
    env.flush_all()


def prepare(env):
    """Make the company, its users, customers and products, once."""
    if env["res.partner"].search_count([("ref", "=", "D1001")]):
        return
    env.ref("base.user_admin").write({"lang": "nl_NL", "tz": "Europe/Amsterdam"})
    env["res.lang"]._activate_lang("de_DE")
    env.ref("base.USD").active = True
    _make_company(env)
    _make_users(env)
    _make_debtors(env)
    # The demonstration sends by itself and books what it asks; the addon ships with “Propose, I approve” and with
    # interest and costs on letters only.
    for policy in env["dunning.policy"].search([]):
        policy.write(
            {
                "approval": "automatic",
                "minimum_amount": max(policy.minimum_amount, 10),
                "claim_booking": "booked" if policy.debtor_type == "business" else "letter",
            }
        )
    # The last demand goes to the director, where there is one.
    env.ref("l10n_nl_dunning.level_business_final").recipient = "director"


# --- what does not depend on today ---


def _make_company(env):
    company = env.company
    netherlands, euro = env.ref("base.nl"), env.ref("base.EUR")
    euro.write({"active": True, "position": "before"})  # as the Dutch write it
    company.write({"country_id": netherlands.id, "currency_id": euro.id})
    env["account.chart.template"].try_loading("nl", company)
    company.write({**COMPANY, "logo": base64.b64encode(LOGO.read_bytes())})
    company.partner_id.write({"lang": "nl_NL", "tz": "Europe/Amsterdam"})
    bank = env["res.bank"].create({"name": BANK, "bic": BIC})
    account = env["res.partner.bank"].create(
        {
            "acc_number": IBAN,
            "bank_id": bank.id,
            "partner_id": company.partner_id.id,
            "allow_out_payment": True,  # trusted: invoices and letters may show it
        }
    )
    journal = _bank_journal(env)
    journal.bank_account_id = account
    under_way = env["account.account"].create(
        {"name": "Ontvangsten onderweg", "code": "103090", "account_type": "asset_current", "reconcile": True}
    )
    journal.inbound_payment_method_line_ids.payment_account_id = under_way


def _make_users(env):
    company = env.company
    users = [
        ("accountant", "Marieke de Vries", "account.group_account_invoice"),
        ("colleague", "Anna Visser", "account.group_account_invoice"),
        ("sales", "Tom Hendriks", "base.group_partner_manager"),
    ]
    for login, name, group in users:
        env["res.users"].with_context(no_reset_password=True).create(
            {
                "name": name,
                "login": login,
                "password": login,
                "email": f"{name.split()[0].lower()}@jansen.example",
                "lang": "nl_NL",
                "tz": "Europe/Amsterdam",
                "company_id": company.id,
                "company_ids": [Command.set(company.ids)],
                "group_ids": [Command.set([env.ref("base.group_user").id, env.ref(group).id])],
            }
        )
    accountant = _user(env, "accountant")
    accountant.partner_id.phone = "+31 23 555 01 41"
    company.write(
        {
            "dunning_contact_id": accountant.partner_id.id,
            "dunning_user_id": accountant.id,
            "dunning_signatory_ids": [Command.set(accountant.ids)],
        }
    )


def _make_debtors(env):
    values_list = []
    for ref, (name, values) in DEBTORS.items():
        values = dict(values)
        country = env.ref(values.pop("country", "base.nl"))
        children = values.pop("children", [])
        policy = env.ref(values.pop("policy", ""), raise_if_not_found=False)
        state = env.ref(values.pop("state", ""), raise_if_not_found=False)
        values_list.append(
            {
                "lang": "nl_NL",
                **values,
                "name": name,
                "ref": ref,
                "country_id": country.id,
                "customer_rank": 1,
                **({"state_id": state.id} if state else {}),
                **({"dunning_policy_id": policy.id} if policy else {}),
                "child_ids": [
                    Command.create({"country_id": country.id, "lang": "nl_NL", **child}) for child in children
                ],
            }
        )
    env["res.partner"].create(values_list)
    _debtors(env, *COLLEAGUES_DEBTORS).dunning_user_id = _user(env, "colleague")


# --- invoices ---


def _days_since_due(company, today):
    """Return the days from today to a due date that make the last demand to a consumer due about now.

    How long that takes depends on Sundays and holidays: the term of the 14-day letter runs from its receipt.
    """
    from odoo.addons.l10n_nl_dunning.tools.law import dutch_calendar  # noqa: PLC0415 - Odoo must have been started

    days = -FOURTEEN_DAY_LETTER
    while True:
        posted = today + timedelta(days=days + FOURTEEN_DAY_LETTER)
        received = dutch_calendar.presumed_receipt(posted, company.dunning_postal_days)
        if dutch_calendar.fourteen_day_term(received).last_free_day + timedelta(days=AFTER_ITS_TERM) <= today:
            return days
        days -= 1


def _make_invoices(env, specs, today, **values):
    """Post an invoice per specification; each was sent on its own day, except where told otherwise."""
    debtors = {partner.ref: partner for partner in _debtors(env, *DEBTORS)}
    moves = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": debtors[ref].id,
                "invoice_date": _invoice_date(ref, today + timedelta(days=days), today),
                "invoice_date_due": today + timedelta(days=days),
                "invoice_payment_term_id": False,
                "invoice_line_ids": [_line(env, debtors[ref], text, amount)],
                **values,
            }
            for ref, days, amount, text, *_happened in specs
        ]
    )
    moves.sorted(lambda move: (move.invoice_date, move.id)).action_post()
    moves.is_move_sent = True
    return moves


def _line(env, debtor, text, amount):
    tax = env.company.account_sale_tax_id if debtor.country_id.code == "NL" else env["account.tax"]
    return Command.create({"name": text, "price_unit": amount, "tax_ids": [Command.set(tax.ids)]})


def _invoice_date(ref, due, today):
    """Consumers get 14 days, businesses 30; nothing is dated after today."""
    term = 30 if DEBTORS[ref][1].get("is_company") else 14
    return min(due - timedelta(days=term), today - timedelta(days=1))


def _make_instalments(env, today):
    """An invoice to be paid in three parts after 30, 60 and 90 days; the first part is paid, the second overdue."""
    term = env["account.payment.term"].create(
        {
            "name": "In drie delen: 30, 60 en 90 dagen",
            "line_ids": [
                Command.create({"value": "percent", "value_amount": amount, "nb_days": days})
                for amount, days in ((33.33, 30), (33.33, 60), (33.34, 90))
            ],
        }
    )
    partner = env["res.partner"].search([("ref", "=", "D1016")])
    move = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": partner.id,
            "invoice_date": today - timedelta(days=67),
            "invoice_payment_term_id": term.id,
            "invoice_line_ids": [_line(env, partner, "Praktijk: waterbehandeling en leidingwerk", 5400.00)],
        }
    )
    move.action_post()
    move.is_move_sent = True
    first = move.line_ids.filtered(lambda line: line.display_type == "payment_term").sorted("date_maturity")[0]
    _pay(env, move, today - timedelta(days=38), first.amount_residual)
    return move


# --- what happened to them ---


def _let_happen(env, moves, specs, today):
    for move, (_debtor, _days, _amount, _text, *happened) in zip(moves, specs, strict=True):
        for name in happened:
            globals()[f"_happened_{name}"](env, move, today)


def _pay(env, moves, date, amount=None):
    wizard = env["account.payment.register"].with_context(active_model="account.move", active_ids=moves.ids)
    wizard.create({"payment_date": date, **({"amount": amount} if amount else {})})._create_payments()


def _happened_paid(env, move, today):
    _pay(env, move, move.invoice_date_due - timedelta(days=3))


def _happened_paid_by_bank(env, move, today):
    """Received on the bank account and matched with the invoice there."""
    line = _receive(env, move, move.amount_total, move.invoice_date_due)
    _liquidity, suspense, _other = line._seek_for_lines()
    suspense.account_id = _receivable(move).account_id
    (suspense + _receivable(move)).reconcile()


def _happened_part_paid(env, move, today):
    _pay(env, move, today - timedelta(days=4), round(move.amount_total * 0.4, 2))


def _happened_paid_in_term(env, move, today):
    """A part was paid within the fourteen days: it bears no costs."""
    letter = _get_notice(env, move, "fourteen_day")
    _pay(env, move, min(letter.deadline, today) - timedelta(days=3), 300)


def _happened_credit_payment(env, move, today):
    """Paid without saying for what: more than enough, but not matched with the invoice."""
    payment = env["account.payment"].create(
        {
            "partner_id": move.partner_id.id,
            "partner_type": "customer",
            "payment_type": "inbound",
            "amount": move.amount_total,
            "date": today - timedelta(days=2),
            "journal_id": _bank_journal(env).id,
            "memo": "Restaurant De Smidse",
        }
    )
    payment.action_post()


def _happened_credited(env, move, today, part=1.0):
    credit = move._reverse_moves([{"invoice_date": today - timedelta(days=2), "date": today - timedelta(days=2)}])
    credit.invoice_line_ids.price_unit *= part
    credit.action_post()  # which also reconciles it with what it reverses


def _happened_part_credited(env, move, today):
    _happened_credited(env, move, today, part=0.25)


def _happened_no_followup(env, move, today):
    move.no_followup = True
    move.message_post(body="Afgesproken: de gemeente betaalt na de oplevering van fase 1.")


def _happened_part_disputed(env, move, today):
    """The debtor disputes a part; the rest goes on."""
    _log_call(
        env,
        move,
        today,
        -1,
        outcome="disputed",
        category="quantity",
        part_amount=423.50,
        note="Zegt dat er drie in plaats van vijf monsters zijn genomen. Werkbon opgevraagd bij de monteur.",
    )


def _happened_awaiting_approval(env, move, today):
    _log_call(env, move, today, -1, outcome="awaiting_approval", days=8, note="Ligt bij het afdelingshoofd.")


def _happened_promise_running(env, move, today):
    """He pays in a few days, and got that in writing."""
    _log_call(env, move, today, -1, outcome="promise", days=4, confirm=True, note="Betaalt na het weekend.")


def _happened_promise_broken(env, move, today):
    _log_call(env, move, today, -13, outcome="promise", days=3, note="Praktijkhouder regelt het zelf.")


def _happened_promise_kept(env, move, today):
    _log_call(env, move, today, -13, outcome="promise", days=4, note="In de betaalrun van vrijdag.")
    _pay(env, move, today - timedelta(days=10))


def _happened_promise_kept_in_part(env, move, today):
    _log_call(env, move, today, -13, outcome="promise", days=3, note="Betaalt in één keer.")
    _pay(env, move, today - timedelta(days=10), round(move.amount_total / 2, 2))


def _happened_arrangement_late(env, move, today):
    """Six instalments; two were paid, the third did not come and he was told."""
    company = env.company
    with _on(env, today - timedelta(days=88)) as then:
        arrangement = _make_arrangement(then, move, {"instalment_count": 6})
        arrangement._offer(send=False)
        scan = then["ir.attachment"].create({"name": "Regeling getekend.pdf", "raw": b"%PDF-1.4 scan"})
        arrangement._sign("Kees van der Horst", via="paper", scan=scan)
        arrangement.with_user(_user(env, "accountant")).action_countersign()
    for part in arrangement.instalment_ids.sorted("date_due")[:2]:
        _pay(env, move, part.date_due, part.amount)
    for days in range(28, -1, -7):
        day = today - timedelta(days=days)
        with _on(env, day) as then:
            then["dunning.arrangement"]._judge(company, day)
    env["mail.mail"].search([("model", "=", "dunning.arrangement"), ("state", "=", "outgoing")]).state = "sent"


def _happened_arrangement_offered(env, move, today):
    """On offer: it can be read and signed on its page."""
    arrangement = _make_arrangement(env, move, {"instalment_count": 4})
    arrangement.action_offer()


def _make_arrangement(env, move, terms):
    return env["dunning.arrangement"]._make(
        env.company, move.partner_id, _receivable(move), terms, user=_user(env, "accountant").with_env(env)
    )


def _happened_paid_late(env, move, today):
    _pay(env, move, move.invoice_date_due + timedelta(days=23))


def _happened_answered(env, move, today):
    """The debtor answered the e-mail, and nobody read it yet."""
    notice, debtor = _get_notice(env, move), move.partner_id
    notice.message_post(
        author_id=debtor.id,
        message_type="email",
        subtype_xmlid="mail.mt_comment",
        body="Onze mr. Bos is tot en met volgende week met verlof. Kunt u de urenstaat nog eens sturen?",
    )
    notice.message_update({"author_id": debtor.id, "email_from": debtor.email})


def _happened_delivered_registered(env, move, today):
    """The 14-day letter was sent by registered post: its term runs from a day that is proven."""
    letter = _get_notice(env, move, "fourteen_day")
    day = letter.posted_on + timedelta(days=2)
    if day.weekday() == 6:
        day += timedelta(days=1)
    proof = f"Zending 3SDEMO000012345\nBezorgd op {day:%d-%m-%Y} om 11:42 uur\nOntvangen door: {move.partner_id.name}\n"
    env["dunning.receipt.enter"].with_user(_user(env, "accountant")).create(
        {
            "notice_id": letter.id,
            "kind": "registered",
            "date": min(day, today),
            "tracking_code": "3SDEMO000012345",
            "proof": base64.b64encode(proof.encode()),
            "proof_filename": "bezorgbewijs.txt",
        }
    ).action_confirm()


def _happened_bounced(env, move, today):
    """The mail came back: the reminder does not count, and goes again on paper."""
    _get_notice(env, move).mail_message_id.notification_ids.write(
        {
            "notification_status": "bounce",
            "failure_type": "mail_bounce",
            "failure_reason": "550 5.1.1 The e-mail account that you tried to reach does not exist",
        }
    )


def _log_call(env, move, today, day, **said):
    """Log a call about one invoice; `days` is from the call to the day that was named."""
    with _on(env, today + timedelta(days=day)) as then:
        then = then["dunning.call"].with_user(_user(env, "accountant"))
        then.log_call(_said(today + timedelta(days=day), move.partner_id, item_ids=_receivable(move).ids, **said))


def _said(day, debtor, days=None, **values):
    """Return what `log_call` takes."""
    if days is not None:
        values["date"] = str(day + timedelta(days=days))
    return {"partner_id": debtor.id, "origin": "screen", "duration": 95, **values}


def _call(env, company, today):
    for ref, days, hour, colleague, said in CALLS:
        user = _user(env, "colleague" if colleague else "accountant")
        day = today + timedelta(days=days)
        with _on(env, day, hour) as then:
            then["dunning.call"].with_user(user).log_call(_said(day, _debtors(env, ref), **said))


def _share_work(env, company, today):
    """A colleague is away today, and what is large needs two of them: she looked at one proposal before."""
    accountant, colleague = _user(env, "accountant"), _user(env, "colleague")
    env["dunning.absence"].create(
        {
            "user_id": colleague.id,
            "cover_id": accountant.id,
            "date_from": today,
            "date_to": today + timedelta(days=4),
        }
    )
    env.ref("l10n_nl_dunning.policy_business").write({"four_eyes": "above", "four_eyes_amount": 2500})
    debtor = _debtors(env, "D1002")
    decisions = env["dunning.planner"].with_company(company)._plan(company, today, partners=debtor, only_due=True)
    last_level = env.ref("l10n_nl_dunning.level_business_final")
    last = [decision for decision in decisions if decision.level_id == last_level.id]
    proposal = env["dunning.notice"]._create_from_decisions(company, last, today)
    proposal = proposal.with_user(colleague)
    proposal.write({"note": "Karel van Dijk belt zelf terug; hij krijgt de brief."})
    small = proposal.live_line_ids.sorted("amount_residual")[:1]
    proposal._take_off(
        small,
        "De keuring van de lift wordt nog opgeleverd",
        env.ref("l10n_nl_dunning.hold_reason_internal"),
        today + timedelta(days=14),
    )


def _get_notice(env, move, role=False):
    """Return the last notice about an invoice that left, with that role in law."""
    lines = env["dunning.notice.line"].search([("move_id", "=", move.id), ("status", "=", "sent")])
    return lines.notice_id.filtered(lambda notice: not role or notice.legal_role == role).sorted("date")[-1]


def _happened_blocked(env, move, today):
    move.action_toggle_block_payment()


def _happened_not_sent(env, move, today):
    move.is_move_sent = False


def _happened_unmatched_receipt(env, move, today):
    """Money came in with the number of the invoice, and nobody matched it yet."""
    line = _receive(env, move, move.amount_total, today)
    line.write({"partner_id": False, "payment_ref": f"Betaling {move.name}"})


def _receive(env, move, amount, date):
    return env["account.bank.statement.line"].create(
        {
            "journal_id": _bank_journal(env).id,
            "date": date,
            "payment_ref": move.payment_reference or move.name,
            "partner_id": move.partner_id.id,
            "amount": amount,
        }
    )


def _receivable(move):
    return move.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")


def _bank_journal(env):
    return env["account.journal"].search([("company_id", "=", env.company.id), ("type", "=", "bank")], limit=1)


def _user(env, login):
    return env["res.users"].search([("login", "=", login)], limit=1)


def _debtors(env, *refs):
    return env["res.partner"].search([("ref", "in", refs)])


def _make_bank_statement(env, today):
    """Import a bank statement of today: reminders wait when the bank data are old."""
    env["account.bank.statement.line"].create(
        {"journal_id": _bank_journal(env).id, "date": today, "payment_ref": "Huur werkplaats", "amount": -1850.00}
    )


def _confirm_rates(env, today):
    """Say that the rates did not change since this version: only in a demonstration, where no debtor is real."""
    Rate = env["dunning.interest.rate"]
    for kind in Rate._freshness(today):
        Rate.search([("kind", "=", kind)], order="date_from desc", limit=1).action_confirm_half_year()


def _set_dollar_rate(env, today):
    env["res.currency.rate"].create(
        {
            "currency_id": env.ref("base.USD").id,
            "company_id": env.company.id,
            "name": today - timedelta(days=90),
            "rate": 1.0850,
        }
    )


# --- the past ---


def _live_through(env, company, today):
    """Run the scheduled actions on each earlier day on which something was due, and do what people did then."""
    day, last = today - timedelta(days=PAST_DAYS), today - timedelta(days=QUIET_DAYS)
    while day <= last:
        with _on(env, day) as then:
            _one_day(then, company, day)
            decisions = then["dunning.planner"].with_company(company)._plan(company, day)
        upcoming = [decision.next_date for decision in decisions if decision.next_date and decision.next_date > day]
        day = min(upcoming, default=today)


def _one_day(env, company, day):
    notices = env["dunning.run"]._plan_company(company, day)["notices"]
    env["dunning.dispatcher"]._dispatch(notices.filtered(lambda notice: notice.state == "queued"))
    people = notices.with_user(_user(env, "accountant"))
    calls = people.filtered(lambda notice: notice.state == "todo")
    for call in calls:
        said = call.channel == "phone" and CALLS_OF_LADDER.get(call.partner_id.ref)
        if said:
            call.env["dunning.call"].log_call(_said(day, call.partner_id, **said))
        else:
            call.note = "Gesproken met de administratie; zij kijkt het na."
            call.action_done()
    letters = people.filtered(lambda notice: notice.postal_state == "to_print")
    if letters:
        letters._recording().write({"postal_state": "printed"})
        letters.action_mark_posted()
    # The mail queue works all day: what left then is received the day after, and not mailed again today.
    mails = env["mail.mail"].search([("model", "=", "dunning.notice"), ("state", "=", "outgoing")])
    mails.state = "sent"
    env["mail.notification"].search([("mail_mail_id", "in", mails.ids)]).notification_status = "sent"
    failed = notices.filtered(lambda notice: notice.state == "error")
    if failed:
        raise ValueError(f"Could not live through {day}: {failed[0].error_message}")


@contextmanager
def _on(env, day, hour=8):
    """Yield the environment of a day in the past, in the morning or at that hour (UTC)."""
    with freeze_time(datetime.combine(day, time(hour)), ignore=["psycopg2"]):
        yield env(context={**env.context, "dunning_at_date": day})

"""Settings of a company that became constants, and two that moved: nothing changes silently.

What another setting or a policy can say goes on there. Of what a company had chosen otherwise than the constants, its
contact gets one note with the old value and the new one. Done once: the columns are dropped.
"""

from html import escape

from odoo.tools import SQL
from odoo.tools.sql import column_exists

#: Setting: (its constant, its name in Dutch, in English).
CONSTANTS = {
    'dunning_backlog_daily': (50, "Achterstand per dag", "Backlog notices per day"),
    'dunning_window_left': (20, "Venster vanaf de zijkant (mm)", "Window from the side (mm)"),
    'dunning_window_top': (50, "Venster vanaf boven (mm)", "Window from the top (mm)"),
    'dunning_pause_on_reply': (True, "Wachten na een antwoord", "Wait after a reply"),
    'dunning_promise_grace_days': (
        2, "Speling bij toezeggingen (bankdagen)", "Grace for promises (bank days)"),
    'dunning_arrangement_grace_days': (
        3, "Speling bij termijnen (bankdagen)", "Grace for instalments (bank days)"),
    'dunning_arrangement_valid_days': (14, "Geldigheid van een voorstel (dagen)", "Offers are valid for (days)"),
    'dunning_arrangement_max_days': (
        366, "Langste regeling zonder goedkeuring (dagen)", "Longest arrangement without approval (days)"),
    'dunning_arrangement_remind_days': (
        3, "Aankondiging van een termijn (bankdagen)", "Reminder before an instalment (bank days)"),
    'dunning_arrangement_break_days': (
        7, "Laatste kans voor een termijn (dagen)", "Last chance for an instalment (days)"),
    'dunning_arrangement_tell_kept': (
        True, "Bedanken wie een regeling nakwam", "Thank who kept an arrangement"),
    'dunning_large_debtor': (10000, "Grote debiteur, vanaf", "A large debtor owes"),
    'dunning_page_in_mails': (True, "Knop naar de debiteurenpagina", "Link to the debtor's page"),
    'dunning_page_offer_count': (
        3, "Termijnen zonder collega, hoogstens", "Instalments without a colleague, at most"),
    'dunning_page_offer_minimum': (
        25, "Termijn zonder collega, minstens", "Instalment without a colleague, at least"),
    'dunning_page_offer_days': (
        14, "Eerste termijn zonder collega binnen (dagen)", "First instalment without a colleague within (days)"),
    'dunning_keep_arrangements': (
        84, "Handtekeningen van regelingen bewaren (maanden)", "Keep signatures of arrangements (months)"),
}
#: What one number says now.
KEPT = {
    'dunning_keep_calls': ("Gesprekken bewaren (maanden)", "Keep calls (months)"),
    'dunning_keep_promises': ("Notities bij toezeggingen bewaren (maanden)", "Keep notes of promises (months)"),
    'dunning_keep_holds': ("Notities bij blokkades bewaren (maanden)", "Keep notes of holds (months)"),
}
#: What counts only where arrangements are offered without a colleague.
OF_PAGE = ('dunning_page_offer_count', 'dunning_page_offer_minimum', 'dunning_page_offer_days')
MOVED = ('dunning_page_offer', 'dunning_day_count')
INTRO = (
    "Deze instellingen van het debiteurenbeheer liggen met deze versie vast. U had iets anders gekozen:",
    "With this version these settings of debtor management are fixed. You had chosen otherwise:")
DAYS_OF_POLICY = (
    "Dagen in een rentejaar, beleid “{policy}” (een ander bedrijf gebruikt het ook)",
    "Days in a year of interest, policy “{policy}” (another company uses it too)")
LEFT_ALONE = (
    "50, maar wat voor de startdatum al te laat was blijft liggen (oudste vervaldatum)",
    "50, but what was overdue before the start is left alone (oldest due date)")
LEAP = ("366 in een schrikkeljaar", "366 in a leap year")
YES_NO = {True: ("aan", "on"), False: ("uit", "off")}


def migrate(cr, version):
    columns = [name for name in (*CONSTANTS, *KEPT, *MOVED) if column_exists(cr, 'res_company', name)]
    if not columns:
        return
    cr.execute(SQL(
        "SELECT id, partner_id, %s FROM res_company ORDER BY id", SQL(", ").join(map(SQL.identifier, columns))))
    names = [column.name for column in cr.description]
    companies = [dict(zip(names, row, strict=True)) for row in cr.fetchall()]
    #: Company: [(name in Dutch and English, old, new)].
    changes = {company['id']: [] for company in companies}
    _keep_off(cr, companies, changes)
    _keep_reply(cr, companies)
    _keep_months(cr, companies, changes)
    _move_day_count(cr, companies, changes)
    for company in companies:
        for name, (constant, *labels) in CONSTANTS.items():
            if name in company:
                old = (company[name] or False) if constant is True else float(company[name] or 0)
                if old != constant:
                    changes[company['id']].append((labels, old, constant))
        if changes[company['id']]:
            _log(cr, company['partner_id'], changes[company['id']])
    for name in columns:
        cr.execute(SQL("ALTER TABLE res_company DROP COLUMN %s", SQL.identifier(name)))


def _keep_off(cr, companies, changes):
    """What was switched off is said by another setting: a backlog that is left alone, no offers without a colleague."""
    for company in companies:
        if company.get('dunning_backlog_daily', True) in (0, None):
            cr.execute(
                """
                UPDATE res_company SET dunning_oldest_due_date = GREATEST(dunning_oldest_due_date, dunning_start_date)
                 WHERE id = %s
                """, [company['id']])
            _constant, *labels = CONSTANTS['dunning_backlog_daily']
            changes[company['id']].append((labels, company.pop('dunning_backlog_daily') or 0, LEFT_ALONE))
        if not company.get('dunning_page_offer', True):
            cr.execute("UPDATE res_company SET dunning_page_offer_total = 0 WHERE id = %s", [company['id']])
            for name in OF_PAGE:
                company.pop(name, None)


def _keep_reply(cr, companies):
    """Where no company waited after a reply, the reason for it is archived: then none does."""
    if companies and not any(company.get('dunning_pause_on_reply', True) for company in companies):
        cr.execute(
            """
            UPDATE dunning_hold_reason SET active = FALSE
             WHERE id IN (SELECT res_id FROM ir_model_data
                           WHERE module = 'l10n_nl_dunning' AND name = 'hold_reason_reply')
            """)
        for company in companies:
            del company['dunning_pause_on_reply']


def _keep_months(cr, companies, changes):
    """The shortest of the numbers that were chosen counts for all; 0, to keep, only where it was chosen for all."""
    for company in companies:
        months = {name: company[name] or 0 for name in KEPT if name in company}
        if not months:
            continue
        if not column_exists(cr, 'res_company', 'dunning_keep_months'):
            cr.execute("ALTER TABLE res_company ADD COLUMN dunning_keep_months int4")
        shortest = min(filter(None, months.values()), default=0)
        cr.execute("UPDATE res_company SET dunning_keep_months = %s WHERE id = %s", [shortest, company['id']])
        changes[company['id']] += [
            (KEPT[name], number, shortest) for name, number in months.items() if number != shortest]


def _move_day_count(cr, companies, changes):
    """How days are counted goes to the policies that a company uses; where companies differ, less interest is asked."""
    counts = {company['id']: company['dunning_day_count'] for company in companies if 'dunning_day_count' in company}
    if not counts:
        return
    cr.execute("ALTER TABLE dunning_policy ADD COLUMN IF NOT EXISTS day_count varchar")
    cr.execute(
        "UPDATE dunning_policy SET day_count = %s", ['act/act' if set(counts.values()) == {'act/act'} else 'act/365'])
    cr.execute(
        """
        WITH used AS (
            SELECT company_id, id AS policy_id FROM dunning_policy
             UNION SELECT id, UNNEST(ARRAY[dunning_policy_business_id, dunning_policy_consumer_id]) FROM res_company
             UNION SELECT company_id, dunning_policy_id FROM account_move
             UNION SELECT notice.company_id, level.policy_id FROM dunning_notice notice
                     JOIN dunning_level level ON level.id = notice.level_id
             UNION SELECT entry.key::int, entry.value::int
                     FROM res_partner, JSONB_EACH_TEXT(dunning_policy_id) entry WHERE entry.value IS NOT NULL)
        SELECT policy.id, policy.name, ARRAY_AGG(company.id ORDER BY company.id)
          FROM used
          JOIN dunning_policy policy ON policy.id = used.policy_id
          JOIN res_company own ON own.id = used.company_id
          JOIN res_company company ON company.id = SPLIT_PART(own.parent_path, '/', 1)::int
      GROUP BY policy.id
        """)
    for policy_id, name, company_ids in cr.fetchall():
        company_ids = set(company_ids)
        found = {counts[company_id] for company_id in company_ids}
        count = 'act/act' if 'act/act' in found else 'act/365'
        cr.execute("UPDATE dunning_policy SET day_count = %s WHERE id = %s", [count, policy_id])
        for company_id in company_ids:
            if counts[company_id] != count:
                labels = [
                    label.format(policy=escape(name.get(lang) or name['en_US']))
                    for label, lang in zip(DAYS_OF_POLICY, ('nl_NL', 'en_US'), strict=True)]
                changes[company_id].append((labels, 365, LEAP))


def _log(cr, partner_id, changes):
    cr.execute("SELECT COALESCE(lang, '') FROM res_partner WHERE id = %s", [partner_id])
    language = 0 if cr.fetchone()[0].startswith('nl') else 1
    lines = "".join(
        f"<li>{labels[language]}: {_write(old, language)} → {_write(new, language)}</li>"
        for labels, old, new in changes)
    cr.execute(
        """
        INSERT INTO mail_message (
               model, res_id, body, message_type, subtype_id, author_id, date, is_internal, create_uid, write_uid,
               create_date, write_date)
        SELECT 'res.partner', %s, %s, 'notification', subtype.res_id, root.res_id, NOW() AT TIME ZONE 'UTC', TRUE, 1, 1,
               NOW() AT TIME ZONE 'UTC', NOW() AT TIME ZONE 'UTC'
          FROM ir_model_data subtype, ir_model_data root
         WHERE subtype.module = 'mail' AND subtype.name = 'mt_note'
           AND root.module = 'base' AND root.name = 'partner_root'
        """, [partner_id, f"<p>{INTRO[language]}</p><ul>{lines}</ul>"])


def _write(value, language):
    if isinstance(value, bool):
        return YES_NO[value][language]
    return value[language] if isinstance(value, tuple) else f"{value:g}".replace('.', ',.'[language])

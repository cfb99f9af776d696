"""Stopped queues and what withdrawals do no more become notes; nothing leaves by the upgrade.

The tables are read and dropped before the new models are set up. Done once: what is gone is not looked for again.
"""

from odoo.tools import SQL, html_escape
from odoo.tools.sql import column_exists, table_exists

#: What a stopped queue was, by language.
STOPPED = {
    'en': (
        "The reminders that leave by themselves were stopped on {date}: {number} on that day, {usual} a day are usual, "
        "{failed} of {tried} failed or came back. {end}",
        {
            'stopped': "With the upgrade they became proposals, to be approved by a person.",
            'released': "{user} let {count} of them go.",
            'turned_back': "{count} of them were made proposals.",
        }),
    'nl': (
        "De aanmaningen die vanzelf vertrekken zijn op {date} gestopt: {number} op die dag, {usual} per dag is "
        "gewoon, {failed} van {tried} mislukten of kwamen terug. {end}",
        {
            'stopped': "Met de upgrade zijn het voorstellen geworden, die iemand goedkeurt.",
            'released': "{user} liet er {count} gaan.",
            'turned_back': "{count} ervan werden voorstellen.",
        }),
}
AUTOMATIC = {
    'en': "Corrections of reminders of the policy “{name}” were sent by themselves. That ends with this version: "
          "they are proposed, and a person sends them (Withdrawals).",
    'nl': "Correcties van aanmaningen van het beleid “{name}” werden vanzelf verstuurd. Dat houdt met deze versie op: "
          "ze worden voorgesteld, en iemand verstuurt ze (Intrekkingen).",
}
TO_POST = {
    'en': "This letter waited to be brought to the post when the program was upgraded. Print it and post it, unless "
          "somebody did.",
    'nl': "Deze brief moest nog op de post toen het programma werd bijgewerkt. Druk hem af en verstuur hem, tenzij dat "
          "al gebeurd is.",
}


def migrate(cr, version):
    if table_exists(cr, 'dunning_breaker'):
        _keep_breakers(cr)
    if column_exists(cr, 'dunning_policy', 'withdrawal_automatic'):
        _note_automatic(cr)
    _finish_letters(cr)
    cr.execute("DROP TABLE IF EXISTS dunning_withdrawal_dunning_withdrawal_send_rel, dunning_withdrawal_send")


def _keep_breakers(cr):
    cr.execute(
        """
        SELECT breaker.id, breaker.state, company.partner_id, COALESCE(partner.lang, ''), decider.partner_id, name.name,
               TO_CHAR(breaker.date, 'DD-MM-YYYY'), breaker.number, ROUND(breaker.usual)::int, breaker.failed,
               breaker.tried, breaker.decided_count, COALESCE(breaker.decided_on, breaker.create_date)
          FROM dunning_breaker breaker
          JOIN res_company company ON company.id = breaker.company_id
          JOIN res_partner partner ON partner.id = company.partner_id
     LEFT JOIN res_users decider ON decider.id = breaker.decided_by_id
     LEFT JOIN res_partner name ON name.id = decider.partner_id
      ORDER BY breaker.id
        """)
    for (breaker_id, state, partner_id, lang, author_id, user, date, number, usual, failed, tried, count,
         moment) in cr.fetchall():
        text, ends = STOPPED['nl' if lang.startswith('nl') else 'en']
        body = text.format(
            date=date, number=number or 0, usual=usual or 0, failed=failed or 0, tried=tried or 0,
            end=ends[state].format(user=user or '', count=count or 0))
        cr.execute("SELECT id FROM dunning_notice WHERE breaker_id = %s", [breaker_id])
        notices = [notice_id for (notice_id,) in cr.fetchall()]
        _log(cr, 'dunning.notice' if notices else 'res.partner', notices or [partner_id], body, author_id, moment)
        # What people wrote about it, and the to-do of whoever was to decide.
        for table, column in (('mail_message', 'model'), ('ir_attachment', 'res_model')):
            cr.execute(SQL(
                "UPDATE %s SET %s = 'res.partner', res_id = %s WHERE %s = 'dunning.breaker' AND res_id = %s",
                SQL.identifier(table), SQL.identifier(column), partner_id, SQL.identifier(column), breaker_id))
        cr.execute(
            """
            UPDATE mail_activity
               SET res_model = 'res.partner', res_id = %s,
                   res_model_id = (SELECT id FROM ir_model WHERE model = 'res.partner')
             WHERE res_model = 'dunning.breaker' AND res_id = %s
            """, [partner_id, breaker_id])
    cr.execute(
        """
        UPDATE dunning_notice notice SET state = 'draft', waiting_reason = NULL
          FROM dunning_breaker breaker
         WHERE breaker.id = notice.breaker_id AND breaker.state = 'stopped' AND notice.state = 'queued'
        """)
    cr.execute("DELETE FROM mail_followers WHERE res_model = 'dunning.breaker'")
    cr.execute(
        "DELETE FROM ir_filters"
        " WHERE model_id = 'dunning.breaker' OR model_id = 'dunning.notice' AND domain LIKE '%breaker_id%'")
    cr.execute(
        """
        DELETE FROM ir_rule WHERE id IN (
               SELECT res_id FROM ir_model_data
                WHERE module = 'l10n_nl_dunning' AND name = 'dunning_breaker_comp_rule' AND model = 'ir.rule')
        """)
    cr.execute("DELETE FROM ir_model_data WHERE module = 'l10n_nl_dunning' AND name = 'dunning_breaker_comp_rule'")
    cr.execute("ALTER TABLE dunning_notice DROP COLUMN breaker_id")
    cr.execute("DROP TABLE dunning_breaker")


def _note_automatic(cr):
    """Policies have no history of their own: the note goes to the companies that may use them."""
    cr.execute(
        """
        SELECT company.partner_id, COALESCE(partner.lang, ''),
               COALESCE(policy.name->>partner.lang, policy.name->>'en_US')
          FROM dunning_policy policy
          JOIN res_company company ON policy.company_id IS NULL OR policy.company_id = company.id
          JOIN res_partner partner ON partner.id = company.partner_id
         WHERE policy.withdrawal_automatic
        """)
    for partner_id, lang, name in cr.fetchall():
        _log(cr, 'res.partner', [partner_id], AUTOMATIC['nl' if lang.startswith('nl') else 'en'].format(name=name))
    cr.execute("ALTER TABLE dunning_policy DROP COLUMN withdrawal_automatic")


def _finish_letters(cr):
    """A letter that was made counts as sent; whoever approved it reads that it has to go to the post."""
    cr.execute(
        """
        UPDATE dunning_withdrawal withdrawal SET state = 'sent'
          FROM res_company company JOIN res_partner partner ON partner.id = company.partner_id
         WHERE company.id = withdrawal.company_id AND withdrawal.state = 'to_post'
     RETURNING withdrawal.id, COALESCE(partner.lang, ''), withdrawal.decided_by_id
        """)
    for withdrawal_id, lang, user_id in cr.fetchall():
        text = TO_POST['nl' if lang.startswith('nl') else 'en']
        _log(cr, 'dunning.withdrawal', [withdrawal_id], text)
        cr.execute(
            """
            INSERT INTO mail_activity (
                   res_model, res_model_id, res_id, user_id, activity_type_id, date_deadline, summary, automated,
                   active, create_uid, write_uid, create_date, write_date)
            SELECT 'dunning.withdrawal', model.id, %s, %s, kind.res_id, CURRENT_DATE, %s, TRUE, TRUE, 1, 1,
                   NOW() AT TIME ZONE 'UTC', NOW() AT TIME ZONE 'UTC'
              FROM ir_model model, ir_model_data kind
             WHERE model.model = 'dunning.withdrawal' AND kind.module = 'mail'
               AND kind.name = 'mail_activity_data_todo' AND %s IS NOT NULL
            """, [withdrawal_id, user_id, text, user_id])


def _log(cr, model, ids, body, author_id=None, moment=None):
    """Write a note on records, in the name of a partner or of the program."""
    cr.execute(
        """
        INSERT INTO mail_message (
               model, res_id, body, message_type, subtype_id, author_id, date, is_internal, create_uid, write_uid,
               create_date, write_date)
        SELECT %(model)s, record.id, %(body)s, 'notification', subtype.res_id, COALESCE(%(author)s, root.res_id),
               COALESCE(%(moment)s, NOW() AT TIME ZONE 'UTC'), TRUE, 1, 1,
               NOW() AT TIME ZONE 'UTC', NOW() AT TIME ZONE 'UTC'
          FROM UNNEST(%(ids)s) AS record (id), ir_model_data subtype, ir_model_data root
         WHERE subtype.module = 'mail' AND subtype.name = 'mt_note'
           AND root.module = 'base' AND root.name = 'partner_root'
        """, {'model': model, 'ids': ids, 'body': f"<p>{html_escape(body)}</p>", 'author': author_id, 'moment': moment})

"""A notice leaves when a mail server accepts it, no longer when its mail is queued.

What was sent counts as accepted, unless its mail still waits or failed. Of those the first about an item is on its way,
or failed; those after it are cancelled with their mails, so that no ladder bursts when the mail queue wakes.
"""

WAITING = """
    SELECT notice.id, mail.state, NOT EXISTS (
               -- Another notice of one of its items waits, or left after it.
               SELECT FROM dunning_notice_line mine
                 JOIN dunning_notice_line other
                   ON other.move_line_id = mine.move_line_id AND other.notice_id <> mine.notice_id
                 JOIN dunning_notice others ON others.id = other.notice_id
            LEFT JOIN mail_mail waits ON waits.id = others.mail_id AND waits.state IN ('outgoing', 'exception')
                WHERE mine.notice_id = notice.id AND mine.status = 'sent'
                  AND (other.status = 'pending' OR other.status = 'sent' AND (
                          waits.id IS NOT NULL AND (others.date, others.id) < (notice.date, notice.id)
                          OR waits.id IS NULL AND (others.date, others.id) > (notice.date, notice.id)))) AS first
      FROM dunning_notice notice
      JOIN mail_mail mail ON mail.id = notice.mail_id
     WHERE notice.state = 'sent' AND notice.posted_on IS NULL AND mail.state IN ('outgoing', 'exception')
       AND NOT EXISTS (SELECT FROM dunning_receipt receipt WHERE receipt.notice_id = notice.id)
"""


def migrate(cr, version):
    cr.execute("CREATE TEMPORARY TABLE dunning_waiting ON COMMIT DROP AS " + WAITING)
    cr.execute("""
        UPDATE dunning_notice notice
           SET state = CASE WHEN NOT first THEN 'cancelled' WHEN waiting.state = 'outgoing' THEN 'leaving'
                            ELSE 'error' END,
               error_message = CASE WHEN first AND waiting.state = 'exception' THEN (
                   SELECT failure_reason FROM mail_mail WHERE id = notice.mail_id) END
          FROM dunning_waiting waiting WHERE waiting.id = notice.id
     RETURNING notice.id
    """)
    if not cr.rowcount:
        return
    cr.execute("""
        UPDATE dunning_notice_line line
           SET status = CASE WHEN first THEN 'pending' ELSE 'cancelled' END
          FROM dunning_waiting waiting WHERE waiting.id = line.notice_id AND line.status = 'sent'
    """)
    cr.execute("""
        UPDATE mail_mail mail SET state = 'cancel'
          FROM dunning_waiting waiting JOIN dunning_notice notice ON notice.id = waiting.id
         WHERE NOT first AND mail.id = notice.mail_id
    """)
    # The level of an invoice is that of what left.
    cr.execute("""
        UPDATE account_move move SET dunning_level_id = (
            SELECT line.level_id FROM dunning_notice_line line
              JOIN account_move_line item ON item.id = line.move_line_id AND item.reconciled IS NOT TRUE
              JOIN dunning_level level ON level.id = line.level_id
             WHERE line.move_id = move.id AND line.status = 'sent'
          ORDER BY level.sequence DESC, level.id DESC LIMIT 1)
         WHERE move.id IN (
            SELECT line.move_id FROM dunning_notice_line line
              JOIN dunning_waiting waiting ON waiting.id = line.notice_id)
    """)

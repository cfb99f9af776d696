"""No reminder is mailed twice because a server stopped while it was handing one over.

SMTP has no transactions: between the moment at which a mail server says “accepted” and the moment at which that is
recorded, a process can be killed or lose its database. Odoo then finds the mail still waiting and sends it again. For a
newsletter that is a nuisance; a demand for payment that comes twice is a complaint. So of each mail of a notice it is
written down, outside the transaction of the mail queue, that handing it over begins and that the server accepted it.
When the queue finds a mail that waits although it was begun:

* accepted: it has left. Only that is recorded;
* not accepted: nobody but the mail server knows. It does not leave a second time by itself; the notice says so, and a
  person looks in the log of the mail server and tries again, or does not.

What the mail server refuses for a while (a reply that begins with 4: greylisting, a full mailbox, too many at once),
and what could not be offered because there was no mail server, is known not to have left. It is tried again by itself,
after growing pauses, for about a day; only then a person has to look.
"""

import logging

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

from .mail_mail import PAUSES

_logger = logging.getLogger(__name__)


class DunningHandover(models.Model):
    """One mail of a notice that was handed to a mail server, or was about to be. For the program only."""

    _name = 'dunning.handover'
    _description = "Handover to the Mail Server"
    _log_access = False

    # No reference to the mail: its row is locked by the queue at this moment, and goes when the mail has left.
    message_id = fields.Char(string="Message-Id", required=True, readonly=True)
    started_on = fields.Datetime(required=True, readonly=True)
    accepted_on = fields.Datetime(readonly=True)
    refused = fields.Boolean(readonly=True, help="The mail server said to come back later: it did not leave.")
    tries = fields.Integer(readonly=True, help="How often it was refused for a while.")

    _one_per_message = models.UniqueIndex("(message_id)", "This mail is being handed over already.")

    @api.model
    def _write_down(self, query):
        """Execute a statement at once, whatever becomes of the transaction of the mail queue; return its rows."""
        # A cursor of its own, that commits when it is closed: that is the point.
        with self.env.registry.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    @api.model
    def _start(self, message_id):
        """Write down that a mail is about to leave. Raises where that is impossible: then it does not leave.

        :return: None, or whether it was accepted when another process began it before (and was stopped)
        """
        begun = self._write_down(SQL(
            """
            INSERT INTO dunning_handover (message_id, started_on) VALUES (%s, NOW() AT TIME ZONE 'UTC')
            ON CONFLICT (message_id)
          DO UPDATE SET started_on = EXCLUDED.started_on, accepted_on = NULL, refused = FALSE
                  WHERE dunning_handover.refused
              RETURNING id
            """, message_id))
        if begun:
            return None
        [[accepted]] = self._write_down(SQL(
            "SELECT accepted_on IS NOT NULL FROM dunning_handover WHERE message_id = %s", message_id))
        return accepted

    @api.model
    def _accept(self, message_id):
        """Write down that the mail server accepted a mail. Never raises: the mail has left."""
        try:
            self._write_down(SQL(
                "UPDATE dunning_handover SET accepted_on = NOW() AT TIME ZONE 'UTC' WHERE message_id = %s RETURNING id",
                message_id))
        except psycopg2.Error:
            _logger.warning("That mail %s was accepted could not be written down", message_id, exc_info=True)

    @api.model
    def _refuse(self, message_id):
        """Write down that a mail did not leave for now. Return how often that happened, this time included."""
        # Not in the transaction of the mail queue: that began before the handing over was written down.
        [[tries]] = self._write_down(SQL(
            """
            INSERT INTO dunning_handover (message_id, started_on, refused, tries)
                 VALUES (%s, NOW() AT TIME ZONE 'UTC', TRUE, 1)
            ON CONFLICT (message_id)
          DO UPDATE SET refused = TRUE, tries = COALESCE(dunning_handover.tries, 0) + 1
              RETURNING tries
            """, message_id))
        return tries

    @api.model
    def _go_on_counting(self, earlier, message_id):
        """Count the tries of a mail that was made again with those of the earlier one, so that it ends.

        Where that failed a person lets it begin anew.
        """
        self.env.execute_query(SQL(
            """
            INSERT INTO dunning_handover (message_id, started_on, refused, tries)
                 SELECT %s, started_on, TRUE, tries FROM dunning_handover
                  WHERE message_id = %s AND refused AND tries BETWEEN 1 AND %s
              RETURNING id
            """, message_id, earlier, len(PAUSES)))

    @api.model
    def _get_started(self, message_ids):
        """Return ``{message_id: whether it was accepted}`` of the mails that were begun."""
        rows = self.env.execute_query(SQL(
            """
            SELECT message_id, accepted_on IS NOT NULL FROM dunning_handover
             WHERE message_id = ANY(%s) AND refused IS NOT TRUE
            """,
            list(message_ids)))
        return dict(rows)

    @api.model
    def _forget(self, message_ids):
        """Let mails leave again: a person decided so."""
        self.env.execute_query(SQL(
            "DELETE FROM dunning_handover WHERE message_id = ANY(%s) RETURNING id", list(message_ids)))

    @api.autovacuum
    def _gc_done(self):
        """Remove what is of no use any more: mails that do not wait."""
        self.env['mail.mail'].flush_model(['state', 'mail_message_id'])
        self.env['mail.message'].flush_model(['message_id'])
        self.env.execute_query(SQL(
            """
            DELETE FROM dunning_handover handover
             WHERE started_on < NOW() AT TIME ZONE 'UTC' - INTERVAL '7 days'
               AND NOT EXISTS (
                   SELECT 1 FROM mail_mail mail JOIN mail_message message ON message.id = mail.mail_message_id
                    WHERE message.message_id = handover.message_id AND mail.state = 'outgoing')
         RETURNING id
            """))

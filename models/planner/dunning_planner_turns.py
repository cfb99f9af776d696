"""What goes in one message, whom it is addressed to, which channel reaches that contact, and whose turn it is."""

from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from ..ladder.dunning_level import DETOURS, RANK
from .dunning_planner_reasons import Reason

# Days after which a message goes before one of a higher level.
PATIENCE_DAYS = 7


class DunningPlannerTurns(models.AbstractModel):
    _name = 'dunning.planner.turns'
    _description = "Dunning Planner"

    # -------------------------------------------------------------------------
    # WHAT GOES TOGETHER
    # -------------------------------------------------------------------------

    def _get_joined_sql(self, question):
        """Return SQL that puts all claims on a consumer that can be claimed together into one 14-day letter.

        Article 6:96 paragraph 7 BW: one letter, and the principals are added up. An item joins when the debtor is in
        default for it and the letter does not cut short a term he was promised. What it asks is in the columns
        ``asked_…``; without a 14-day letter they are those of the item's own step.
        """
        if 'fourteen_day' not in question.levels.mapped('legal_role'):
            return SQL(
                "SELECT judged.*, item_reason AS asked_reason, level_id AS asked_level_id,"
                "       level_channel AS wanted_channel, recipient_id AS asked_recipient_id,"
                "       level_legal_role AS asked_legal_role FROM judged")
        return SQL(
            """
            SELECT gathered.*,
                   CASE WHEN joins THEN NULL ELSE item_reason END AS asked_reason,
                   CASE WHEN joins THEN letter_id ELSE level_id END AS asked_level_id,
                   CASE WHEN joins THEN letter_channel ELSE level_channel END AS wanted_channel,
                   CASE WHEN joins THEN letter_legal_role ELSE level_legal_role END AS asked_legal_role,
                   -- Contacts on invoices may differ; the letter is for the debtor.
                   CASE WHEN joins OR (item_reason IS NULL AND level_legal_role = 'fourteen_day')
                        THEN letter_recipient_id ELSE recipient_id END
                       AS asked_recipient_id
              FROM (
                    SELECT judged.*, letter.id AS letter_id, letter.channel AS letter_channel,
                           letter.legal_role AS letter_legal_role, %(letter_recipient)s AS letter_recipient_id,
                           -- An item that waits for this very letter joins like one that waits for another step.
                           CASE WHEN letter.id IS NULL OR (judged.level_id = letter.id AND item_reason IS NULL)
                                THEN FALSE
                                WHEN COALESCE(item_reason, 'waiting_delay')
                                     NOT IN ('waiting_delay', 'waiting_deadline')
                                THEN FALSE
                                ELSE NOT EXISTS (
                                         SELECT FROM level last_level
                                          WHERE last_level.id = last_level_id
                                            AND last_level.policy_id = letter.policy_id
                                            AND (last_level.sequence, last_level.id) >= (letter.sequence, letter.id))
                                 AND (last_deadline IS NULL OR last_deadline <= %(at_date)s + 14)
                                 AND (oldest_due_date IS NULL OR last_level_id IS NOT NULL
                                      OR due_date >= oldest_due_date)
                                 AND %(in_default)s
                           END AS joins
                      FROM judged
                           -- Grouped, not a window: few items are due for such a letter, and so only those are sorted.
                 LEFT JOIN (SELECT partner_id, policy_id, currency_id, MIN(level_id) AS level_id
                              FROM judged
                             WHERE item_reason IS NULL AND level_legal_role = 'fourteen_day'
                          GROUP BY partner_id, policy_id, currency_id) called
                        ON called.partner_id = judged.partner_id AND called.policy_id = judged.policy_id
                       AND called.currency_id = judged.currency_id
                 LEFT JOIN level letter ON letter.id = called.level_id
                   -- Fence: asked once per row, not once in each of the columns that it decides.
                    OFFSET 0) gathered
            """,
            at_date=question.day,
            letter_recipient=self._get_recipient_sql(
                SQL.identifier('letter'), SQL.identifier('judged'), SQL("judged.partner_id")),
            in_default=self._get_in_default_sql(SQL.identifier('judged'), question),
        )

    # -------------------------------------------------------------------------
    # WHOM IT REACHES
    # -------------------------------------------------------------------------

    @staticmethod
    def _get_recipient_sql(level, item, own):
        """Return SQL of the contact that a level is addressed to.

        :param level: alias of the level
        :param item: alias of the item, with the contacts of its debtor
        :param own: SQL of the contact on the invoice, as long as that is somebody of the debtor
        """
        return SQL(
            """CASE %(level)s.recipient
                    WHEN 'invoice' THEN COALESCE(%(own)s, %(item)s.dunning_contact_id, %(item)s.partner_id)
                    WHEN 'director' THEN COALESCE(
                         %(item)s.director_contact_id, %(item)s.dunning_contact_id, %(item)s.partner_id)
                    ELSE COALESCE(%(item)s.dunning_contact_id, %(own)s, %(item)s.partner_id) END""",
            level=level, item=item, own=own)

    def _get_contact_sql(self, question):
        """Return SQL of the contacts per debtor that some levels are addressed to."""
        # One look-up per type: each has an index of its own.
        return SQL(
            """
                SELECT commercial_partner_id, MIN(dunning_id) AS dunning_id, MIN(director_id) AS director_id
                  FROM (SELECT commercial_partner_id, company_id, id AS dunning_id, NULL::int AS director_id
                          FROM res_partner WHERE type = 'dunning' AND active
                     UNION ALL
                        SELECT commercial_partner_id, company_id, NULL, id
                          FROM res_partner WHERE type = 'director' AND active) person
                 WHERE company_id IS NULL OR company_id = ANY(%s)
              GROUP BY commercial_partner_id
            """,
            list(question.companies.parent_ids.ids), to_flush=[
                self.env['res.partner']._fields[name] for name in (
                    'commercial_partner_id', 'type', 'active', 'company_id')])

    def _get_has_phone_sql(self, partner):
        """Return SQL that is true when ``partner`` (an alias) can be called."""
        return SQL(
            "(TRIM(COALESCE(%(partner)s.phone, '')) <> '' AND %(partner)s.dunning_phone_wrong_on IS NULL)",
            partner=partner, to_flush=[
                self.env['res.partner']._fields[name] for name in ('phone', 'dunning_phone_wrong_on')])

    def _get_has_address_sql(self, partner):
        """Return SQL that is true when ``partner`` (an alias) has a postal address that works for reminders."""
        return SQL(
            "(TRIM(COALESCE(%(partner)s.street, '')) <> '' AND TRIM(COALESCE(%(partner)s.city, '')) <> ''"
            " AND %(partner)s.dunning_post_returned_on IS NULL)", partner=partner,
            to_flush=[
                self.env['res.partner']._fields[name] for name in ('street', 'city', 'dunning_post_returned_on')])

    def _get_reached_sql(self, question):
        """Return SQL that adds which channel reaches whom an item is addressed to, and what its own channel lacks."""
        recipient = SQL.identifier('recipient')
        allowed = {
            'letter': SQL("asked_legal_role IS NULL"),
            'phone': SQL("asked_level_id = ANY(%s)", question.sources.written_call_ids),
        }
        has = {'email': SQL("has_email"), 'letter': SQL("has_address"), 'phone': SQL("has_phone")}
        detours = SQL(" ").join(
            SQL("WHEN wanted_channel = %s AND NOT %s AND %s AND fallback_channel AND %s THEN %s",
                channel, has[channel], has[other], allowed.get(channel, SQL("TRUE")), other)
            for channel, others in DETOURS.items() for other in others)
        return SQL(
            """
            SELECT faced.*,
                   CASE %(detours)s ELSE wanted_channel END AS asked_channel,
                   CASE WHEN wanted_channel IN ('email', 'both') AND NOT has_email
                        THEN CASE WHEN email_bounced_on IS NULL THEN 'email' ELSE 'bounced' END
                        WHEN wanted_channel IN ('letter', 'both') AND NOT has_address THEN 'post'
                        WHEN wanted_channel = 'phone' AND NOT has_phone THEN 'phone' END AS detour
              FROM (
                    SELECT joined.*, asked_level.fallback_channel,
                           debtor_email OR %(email)s AS has_email,
                           COALESCE(recipient.dunning_email_bounced_on, debtor_bounced_on) AS email_bounced_on,
                           debtor_phone OR %(phone)s AS has_phone,
                           debtor_address OR %(address)s AS has_address
                      FROM joined
                 LEFT JOIN level asked_level ON asked_level.id = asked_level_id
                 LEFT JOIN res_partner recipient ON recipient.id = asked_recipient_id
                    -- Fence: what was worked out is not worked out again for each channel.
                    OFFSET 0) faced
            """,
            detours=detours, email=self.env['res.partner']._get_dunning_has_email_sql(recipient),
            phone=self._get_has_phone_sql(recipient), address=self._get_has_address_sql(recipient))

    @api.model
    def _explain_detour(self, lacks, channel, bounced_on=None):
        """Return why a notice takes another way, as a sentence.

        :param str lacks: a code of :data:`LACKS`
        :param str channel: the channel it goes by; ``both`` when one of the two is left
        :param date bounced_on: when a reminder came back, if known
        """
        if lacks == 'bounced' and bounced_on:
            why = self.env._("The e-mail address bounced on %s", self._fmt_date(bounced_on))
        else:
            why = {
                'email': self.env._("No e-mail address"), 'bounced': self.env._("The e-mail address bounced"),
                'post': self.env._("No postal address"), 'phone': self.env._("No phone number"),
            }[lacks]
        if channel == 'both':
            how = self.env._("goes by e-mail only") if lacks == 'post' else self.env._("goes by letter only")
        else:
            how = {
                'email': self.env._("goes by e-mail"), 'letter': self.env._("goes by letter"),
                'phone': self.env._("goes by phone"), 'task': self.env._("becomes a task"),
            }[channel]
        return self.env._("%(why)s: %(how)s.", why=why, how=how)

    @api.model
    def _explain_unreachable(self, decision):
        """Return why no channel reaches anybody, and what to do about it."""
        return self._explain_missing(
            # sudo: only how the level is set up
            self.env['dunning.level'].browse(decision.level_id).sudo(), decision.channel, decision.detour,
            decision.bounced_on)

    @api.model
    def _explain_missing(self, level, channel, lacks, bounced_on=None):
        """Return the sentence about a channel that reaches nobody and may not be exchanged either."""
        bounced = lacks == 'bounced' and bounced_on and self._fmt_date(bounced_on)
        alternatives = channel == 'both' or (
            level.channel == channel and level.fallback_channel
            and not (channel == 'letter' and level.legal_role)
            and not (channel == 'phone' and not level._can_be_written()))
        if not alternatives:
            if channel == 'email':
                return (
                    self.env._("The e-mail address bounced on %s. Correct the contact.", bounced) if bounced
                    else self.env._(
                        "The debtor has no e-mail address. Add one to the contact; one of your own does not count."))
            if channel == 'letter':
                if level.legal_role and level.fallback_channel:
                    return self.env._(
                        "“%s” has to go by post, so that its receipt can be proven, and the debtor has no postal "
                        "address (street and city). Complete the contact.", level.name)
                return self.env._("The debtor has no postal address (street and city). Complete the contact.")
            return self.env._("The debtor has no phone number. Add one to the contact.")
        if channel == 'phone':
            return self.env._(
                "The debtor has no phone number, no e-mail address that works and no postal address. Complete the "
                "contact.")
        if bounced:
            return self.env._(
                "The e-mail address bounced on %s, and there is no postal address. Correct the contact.", bounced)
        return self.env._(
            "The debtor has neither an e-mail nor a postal address. Complete the contact; an e-mail address of your "
            "own does not count.")

    # -------------------------------------------------------------------------
    # WHAT GOES TODAY
    # -------------------------------------------------------------------------

    def _reason_one_message(self):
        return Reason(
            SQL("speaks AND (occupied OR (first_said, first_currency_id) <> (said, currency_id) OR crowded)"),
            lambda d: self.env._(
                "Another message goes to this debtor today (“%(level)s”); this item follows on %(date)s.",
                level=self._fmt_level(d.other_level_id or self._get_other_level_id(d)),
                date=self._fmt_date(d.next_date)),
            lambda question: SQL("%s::date", question.day + timedelta(days=1)),
            waits_for='time', late=True, gate=True, keeps_apart=False,
        )

    def _get_other_level_id(self, decision):
        """Return the level of the message that went to the addressee today, or is about to."""
        messages = self.env['dunning.notice']._get_messages_sql(
            self.env.company, decision.next_date - timedelta(days=1))  # the day that was asked about
        found = self.env.execute_query(SQL(
            """
            SELECT level_id
              FROM (%(messages)s) message
              JOIN res_partner person ON person.id = message.recipient_id
              JOIN res_partner debtor ON debtor.id = message.partner_id
             WHERE (message.partner_id, message.recipient_id) = (%(debtor)s, %(person)s)
                OR (%(by_mail)s AND %(mailbox)s = (
                        SELECT %(mailbox)s FROM res_partner person, res_partner debtor
                         WHERE person.id = %(person)s AND debtor.id = %(debtor)s))
          ORDER BY message.date, message.id DESC LIMIT 1
            """,
            messages=messages, by_mail=self._get_by_mail_sql(SQL("message.channel")), mailbox=self._get_mailbox_sql(),
            person=decision.recipient_id, debtor=decision.partner_id))
        return found[0][0] if found else False

    @staticmethod
    def _get_by_mail_sql(channel):
        return SQL("%s IN ('email', 'both')", channel)

    def _get_mailbox_sql(self):
        """Return SQL of the mailbox of a message to ``person`` about ``debtor``: several contacts can have the same."""
        return self.env['res.partner']._get_dunning_mailbox_sql(SQL.identifier('person'), SQL.identifier('debtor'))

    def _get_decided_sql(self, question):
        """Return SQL of the decided items: which of the messages to one addressee, and to one mailbox, goes today."""
        reasons = {code: reason for code, reason in question.notice_reasons.items() if reason.late}
        if 'one_message' not in reasons:
            return SQL("SELECT answered.*, first_reason AS reason, NULL::int AS other_level_id FROM answered")
        occupied = SQL(
            """
            SELECT message.partner_id, message.recipient_id, message.currency_id, message.state, %(said)s AS said,
                   CASE WHEN %(by_mail)s THEN %(mailbox)s END AS mailbox
              FROM (SELECT *, channel AS asked_channel FROM (%(messages)s) message) message
              JOIN level asked_level ON asked_level.id = message.level_id
              JOIN res_partner person ON person.id = message.recipient_id
              JOIN res_partner debtor ON debtor.id = message.partner_id
            """,
            said=question.sources.said, messages=question.sources.messages,
            by_mail=self._get_by_mail_sql(SQL("message.channel")), mailbox=self._get_mailbox_sql())
        return SQL(
            """
            WITH occupied AS MATERIALIZED (%(occupied)s),
            -- Only what is asked of it from here on: all that was worked out would be several times as wide.
            marked AS MATERIALIZED (
                SELECT %(columns)s,
                       COALESCE(first_reason IS NULL AND asked_channel <> 'task', FALSE) AS speaks,
                       CASE WHEN person.id IS NOT NULL THEN %(mailbox)s END AS mailbox,
                       (partner_id, asked_recipient_id) IN (
                           SELECT partner_id, recipient_id FROM occupied WHERE state <> 'draft')
                       OR (partner_id, asked_recipient_id) IN (
                              SELECT partner_id, recipient_id FROM occupied WHERE state = 'draft')
                          -- A proposal of today takes in what can be said in it.
                          AND (partner_id, asked_recipient_id, currency_id, said) NOT IN (
                              SELECT partner_id, recipient_id, currency_id, said
                                FROM occupied WHERE state = 'draft') AS occupied
                  FROM answered
             LEFT JOIN res_partner person
                    ON person.id = asked_recipient_id AND first_reason IS NULL AND %(by_mail)s
             LEFT JOIN res_partner debtor ON debtor.id = partner_id AND person.id IS NOT NULL
            ),
            -- Of each addressee the message that goes first. Grouped, not in windows over all items: most have one.
            turn AS (
                SELECT DISTINCT ON (partner_id, asked_recipient_id)
                       partner_id, asked_recipient_id, currency_id, said, rank, occupied, mailbox, backlog, since
                  FROM (
                        SELECT partner_id, asked_recipient_id, currency_id, said, occupied, MAX(mailbox) AS mailbox,
                               MAX(asked_rank) AS rank, MIN(level_date) AS since,
                               -- Backlog goes a few a day: the others do not wait for its turn.
                               BOOL_OR(backlog) AS backlog
                          FROM marked
                         WHERE speaks
                      GROUP BY partner_id, asked_recipient_id, currency_id, said, occupied) message
              ORDER BY partner_id, asked_recipient_id, occupied IS NOT TRUE DESC, backlog,
                       CASE WHEN since <= %(patience)s THEN since END,
                       rank DESC, currency_id = %(currency)s DESC, currency_id, said
            ),
            -- Of each mailbox the addressee whose e-mail went today or waits, else the first of these.
            letterbox AS (
                SELECT DISTINCT ON (mailbox) mailbox, partner_id, recipient_id, rank
                  FROM (
                        SELECT mailbox, partner_id, recipient_id, NULL::bigint AS rank, FALSE AS backlog,
                               NULL::date AS since
                          FROM occupied
                     UNION ALL
                        SELECT mailbox, partner_id, asked_recipient_id, rank, backlog, since
                          FROM turn WHERE occupied IS NOT TRUE) message
                 WHERE mailbox IS NOT NULL
              ORDER BY mailbox, rank IS NULL DESC, backlog, CASE WHEN since <= %(patience)s THEN since END, rank DESC,
                       partner_id, recipient_id
            )
            SELECT turned.*,
                   %(reason)s AS reason,
                   CASE WHEN occupied THEN NULL
                        WHEN crowded THEN (letterbox_rank & %(ids)s)::int
                        ELSE (first_rank & %(ids)s)::int END AS other_level_id
              FROM (
                    SELECT marked.*, turn.said AS first_said, turn.currency_id AS first_currency_id,
                           turn.rank AS first_rank, letterbox.rank AS letterbox_rank,
                           (letterbox.partner_id, letterbox.recipient_id)
                           <> (marked.partner_id, marked.asked_recipient_id) AS crowded
                      FROM marked
                 LEFT JOIN turn
                        ON turn.partner_id = marked.partner_id AND turn.asked_recipient_id = marked.asked_recipient_id
                 LEFT JOIN letterbox ON letterbox.mailbox = marked.mailbox
                   ) turned
            """,
            occupied=occupied, by_mail=self._get_by_mail_sql(SQL("asked_channel")), mailbox=self._get_mailbox_sql(),
            ids=RANK - 1, patience=question.day - timedelta(days=PATIENCE_DAYS),
            currency=question.company.currency_id.id,
            columns=SQL(", ").join(SQL.identifier('answered', name) for name in self._get_answer_columns()),
            reason=SQL("COALESCE(first_reason, %s)", self._get_case(question, reasons)))

    @api.model
    def _get_answer_columns(self):
        """Return the columns that are left when the messages take turns: what an answer says, and what decides."""
        return [
            'id', 'move_id', 'partner_id', 'asked_recipient_id', 'currency_id', 'policy_id', 'last_level_id',
            'last_date', 'last_deadline', 'asked_level_id', 'asked_channel', 'asked_legal_role', 'due_date',
            'level_date', 'amount_residual', 'amount_residual_currency', 'amount_netted', 'amount_held',
            'amount_held_currency', 'group_amount', 'credit_company', 'backlog', 'first_reason', 'item_date',
            'hold_reason_id', 'hold_user_id', 'hold_until', 'detour', 'email_bounced_on', 'said', 'asked_rank',
        ]

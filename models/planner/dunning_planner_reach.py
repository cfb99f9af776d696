"""Whom a level is addressed to, which channel reaches that contact, and what to say when none does."""

from odoo import api, models
from odoo.tools import SQL

from ..ladder.dunning_level import DETOURS


class DunningPlannerReach(models.AbstractModel):
    _name = 'dunning.planner.reach'
    _description = "Dunning Planner"

    @staticmethod
    def _get_recipient_sql(level, item, own):
        """Return SQL of the contact that a level is addressed to.

        :param level: alias of the level
        :param item: alias of the item, with the contacts of its debtor
        :param own: SQL of whom it is for when there are no such contacts
        """
        return SQL(
            """CASE %(level)s.recipient
                    WHEN 'invoice' THEN %(own)s
                    WHEN 'director' THEN COALESCE(
                         %(item)s.director_contact_id, %(item)s.dunning_contact_id, %(item)s.partner_id)
                    ELSE COALESCE(%(item)s.dunning_contact_id, %(own)s) END""",
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
            list(question.company.parent_ids.ids), to_flush=[
                self.env['res.partner']._fields[name] for name in (
                    'commercial_partner_id', 'type', 'active', 'company_id')])

    def _get_has_email_sql(self, partner):
        """Return SQL that is true when ``partner`` (an alias) has an address that works for reminders."""
        # An address that a reminder came back from is none.
        return SQL(
            "(COALESCE(%(partner)s.email_normalized, '') <> '' AND %(partner)s.dunning_email_bounced_on IS NULL)",
            partner=partner, to_flush=[
                self.env['res.partner']._fields[name] for name in ('email_normalized', 'dunning_email_bounced_on')])

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
        calls = question.levels.filtered(lambda level: level.fallback_channel and level.channel == 'phone')
        recipient = SQL.identifier('recipient')
        allowed = {
            'letter': SQL("asked_legal_role IS NULL"),
            'phone': SQL("asked_level_id = ANY(%s)", [level.id for level in calls if level._can_be_written()]),
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
            detours=detours, email=self._get_has_email_sql(recipient), phone=self._get_has_phone_sql(recipient),
            address=self._get_has_address_sql(recipient))

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
                    else self.env._("The debtor has no e-mail address. Add one to the contact."))
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
        return self.env._("The debtor has neither an e-mail nor a postal address. Complete the contact.")

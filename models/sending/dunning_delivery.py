"""Whom a level is addressed to, by which channel it gets there, and what became of it.

A level names a channel. When that does not reach anybody, another one is used (:data:`DETOURS`)
and a sentence says so; when none does, somebody gets a to-do. The planner and the dispatcher both
follow that one table.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, email_split
from odoo.tools.mail import is_html_empty

from ..ladder.dunning_level import MANUAL_CHANNELS
from ..notice.dunning_notice import is_recording

# What to use, the first choice first, when a channel reaches nobody.
DETOURS = {'email': ('letter',), 'letter': ('email',), 'phone': ('email', 'letter')}
# What a channel lacked.
LACKS = [
    ('email', "No e-mail address"),
    ('bounced', "The e-mail address bounced"),
    ('post', "No postal address"),
    ('phone', "No phone number"),
]
# Notices that can still take another way.
REROUTABLE = ('draft', 'queued', 'error')
DELIVERY_STATES = [
    ('queued', "In mail queue"),
    ('to_post', "To be posted"),
    ('handed_over', "Handed over"),
    ('posted', "Posted"),
    ('registered', "Registered post"),
    ('opened', "Opened"),
    ('delivered', "Delivered"),
    ('bounced', "E-mail bounced"),
    ('returned', "Letter returned"),
]
# Notices of which something can be said: they left, or wait for the post.
GONE = ('to_post', 'sent', 'undelivered', 'withdrawn')
ACTIVITY = 'l10n_nl_dunning.mail_activity_type_unreachable'


class DunningLevel(models.Model):
    _inherit = 'dunning.level'

    recipient = fields.Selection(
        selection=[
            ('reminder', "Contact for reminders"),
            ('invoice', "Contact on the invoice"),
            ('director', "Director"),
        ],
        string="Addressed To",
        required=True,
        default='reminder',
        help="Contact for reminders: the contact of the type “Reminders”, else the contact on the invoice.\n"
             "Director: the contact of the type “Director”, else the contact for reminders, else the debtor.\n"
             "Without an address of his own he is reached at that of the debtor.",
    )
    fallback_channel = fields.Boolean(
        string="Else by Another Channel",
        default=True,
        help="When the channel reaches nobody, such as an e-mail address that is missing or bounced, the notice goes "
             "by letter or e-mail instead, and says so. Off: somebody gets a to-do.\n"
             "A notice of default or 14-day letter that has to go by post never becomes an e-mail.",
    )
    post_registered = fields.Boolean(
        string="By Registered Post",
        help="Letters of this level are posted with a tracking code, which is asked when they are marked as posted.",
    )

    def _can_be_written(self):
        """Return whether the level has a text for a letter: one by phone may have only a script."""
        self.ensure_one()
        return any(
            not is_html_empty(self.with_context(lang=lang)[name])
            for lang, _name in self.env['res.lang'].get_installed() for name in ('letter_intro', 'letter_closing'))

    def _get_way(self, reach):
        """Return (channel, what the own channel lacks or False) for somebody who can be reached so.

        The same as :meth:`DunningPlanner._get_reached_sql`.

        :param dict reach: ``{'email', 'letter', 'phone', 'bounced': whether}``
        """
        self.ensure_one()
        channel = self.channel
        if channel in ('email', 'both') and not reach['email']:
            lacks = 'bounced' if reach['bounced'] else 'email'
        elif channel in ('letter', 'both') and not reach['letter']:
            lacks = 'post'
        elif channel == 'phone' and not reach['phone']:
            lacks = 'phone'
        else:
            return channel, False
        if self.fallback_channel:
            for other in DETOURS.get(channel, ()):
                if reach[other] and not (
                    (channel == 'letter' and self.legal_role) or (channel == 'phone' and not self._can_be_written())
                ):
                    return other, lacks
        return channel, lacks


class DunningPlanner(models.AbstractModel):
    _inherit = 'dunning.planner'

    # --- whom ---

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

    # --- which way ---

    def _get_has_email_sql(self, partner):
        """Return SQL that is true when ``partner`` (an alias) has an address that works for reminders."""
        # An address that a reminder came back from is none.
        return SQL(
            "(COALESCE(%(partner)s.email_normalized, '') <> '' AND %(partner)s.dunning_email_bounced_on IS NULL)",
            partner=partner)

    def _get_has_phone_sql(self, partner):
        """Return SQL that is true when ``partner`` (an alias) can be called."""
        return SQL(
            "(TRIM(COALESCE(%(partner)s.phone, '')) <> '' AND %(partner)s.dunning_phone_wrong_on IS NULL)",
            partner=partner, to_flush=self.env['res.partner']._fields['dunning_phone_wrong_on'])

    def _get_has_address_sql(self, partner):
        """Return SQL that is true when ``partner`` (an alias) has a postal address that works for reminders."""
        return SQL(
            "(TRIM(COALESCE(%(partner)s.street, '')) <> '' AND TRIM(COALESCE(%(partner)s.city, '')) <> ''"
            " AND %(partner)s.dunning_post_returned_on IS NULL)", partner=partner,
            to_flush=self.env['res.partner']._fields['dunning_post_returned_on'])

    def _get_reached_sql(self):
        """Return SQL that adds which channel reaches whom an item is addressed to, and what its own channel lacks."""
        world = self._get_world()
        changed = world.levels if world else ()
        calls = self._get_levels().filtered(
            lambda level: level.fallback_channel and (level.channel == 'phone' or level.id in changed))
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
                 LEFT JOIN dunning_level asked_level ON asked_level.id = asked_level_id
                 LEFT JOIN res_partner recipient ON recipient.id = asked_recipient_id
                    -- Fence: what was worked out is not worked out again for each channel.
                    OFFSET 0) faced
            """,
            detours=detours, email=self._get_has_email_sql(recipient), phone=self._get_has_phone_sql(recipient),
            address=self._get_has_address_sql(recipient))

    # --- in words ---

    @api.model
    def _explain(self, decision, company):
        # EXTENDS: what goes out by another channel than usual says so.
        text = super()._explain(decision, company)
        if decision.detour and not decision.reason:
            text = f"{text} {self._explain_detour(decision.detour, decision.channel, decision.bounced_on)}"
        return text

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


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    recipient_id = fields.Many2one(
        help="Whom the level is addressed to: the contact for reminders, the contact on the invoice or the director.")
    detour = fields.Selection(
        selection=LACKS, string="Other Channel Because", readonly=True, copy=False,
        help="What the channel of the level lacked, so that the notice takes another way.")
    detour_bounced_on = fields.Date(string="Address Bounced On", readonly=True, copy=False)
    detour_text = fields.Char(string="Other Channel", compute='_compute_detour_text')
    tracking_code = fields.Char(
        readonly=True, copy=False, help="Of registered post: the number on the receipt of the post.")
    post_proof = fields.Binary(
        string="Receipt of the Post", attachment=True, readonly=True, copy=False,
        help="What the post gave for handing in the registered letter.")
    post_proof_filename = fields.Char(readonly=True, copy=False)
    delivery_state = fields.Selection(
        selection=DELIVERY_STATES, string="Delivery", compute='_compute_delivery_state', store=True,
        index='btree_not_null', help="How far it got, by the way that got furthest.")
    delivery_ways = fields.Html(string="Ways of Delivery", compute='_compute_delivery_ways', sanitize=False)

    @api.model
    def _prepare_totals(self, decisions):
        # EXTENDS
        return {**super()._prepare_totals(decisions), 'delivery_state': False}

    @api.depends('detour', 'detour_bounced_on', 'channel')
    def _compute_detour_text(self):
        Planner = self.env['dunning.planner']
        for notice in self:
            notice.detour_text = notice.detour and Planner._explain_detour(
                notice.detour, notice.channel, notice.detour_bounced_on)

    # -------------------------------------------------------------------------
    # WHICH WAY
    # -------------------------------------------------------------------------

    def write(self, vals):
        # OVERRIDE: who chooses a channel or addressee himself needs no explanation of it.
        if not is_recording(self.env) and vals.keys() & {'channel', 'recipient_id'}:
            result = super().write(vals)
            self.filtered('detour')._recording().write({'detour': False, 'detour_bounced_on': False})
            return result
        return super().write(vals)

    @api.model
    def _prepare_from_decisions(self, decisions, head):
        # EXTENDS: what takes another way than its level says why.
        vals = super()._prepare_from_decisions(decisions, head)
        lacks = self._get_detour(decisions, vals['level_id'], vals['channel'])
        return {**vals, 'detour': lacks[0], 'detour_bounced_on': lacks[1]}

    def _settle_joined(self, decisions):
        # EXTENDS: as above
        super()._settle_joined(decisions)
        by_item = {decision.item_id: decision for decision in decisions if decision.detour}
        if not by_item:
            return
        for notice in self:
            joined = [by_item[item.id] for item in notice.line_ids.move_line_id if item.id in by_item]
            lacks, bounced_on = self._get_detour(joined, notice.level_id.id, notice.channel)
            if lacks:
                notice._recording().write({'detour': lacks, 'detour_bounced_on': bounced_on})

    @api.model
    def _get_detour(self, decisions, level_id, channel):
        """Return why a notice goes by another channel than its level, and since when it bounced; or (False, False)."""
        found = (False, False)
        for decision in decisions:
            if decision.detour and decision.level_id == level_id and decision.channel == channel:
                own = self.env['dunning.level'].browse(level_id).channel
                if channel == own == 'both' or channel in DETOURS.get(own, ()):
                    found = (decision.detour, decision.bounced_on or False)
        return found

    def _get_people(self):
        """Return whom it can be delivered to: the addressee, else the debtor himself."""
        self.ensure_one()
        return (self.recipient_id, self.partner_id)

    def _get_reach(self):
        """Return which channels reach anybody, see :meth:`DunningLevel._get_way`."""
        self.ensure_one()
        people = self._get_people()
        return {
            'email': bool(self._get_email()),
            'letter': self._has_postal_address(),
            'phone': any(person._has_dunning_phone() for person in people),
            'bounced': any(person.dunning_email_bounced_on for person in people),
        }

    def _get_postal_partner(self):
        # OVERRIDE: not where a letter came back from
        self.ensure_one()
        return next(
            (person for person in self._get_people() if person._has_dunning_address()), self.partner_id)

    def _has_postal_address(self):
        # OVERRIDE: as above
        self.ensure_one()
        return any(person._has_dunning_address() for person in self._get_people())

    def _reroute(self):
        """Let notices that did not leave take the way that reaches somebody now; back to that of the level if it does.

        A channel that a person chose stays.
        """
        for notice in self.filtered(lambda notice: notice.state in REROUTABLE):
            level = notice.level_id
            if notice.channel != level.channel and not notice.detour:
                continue
            reach = notice._get_reach()
            channel, lacks = level._get_way(reach)
            if channel == level.channel and not (channel == 'both' and (reach['email'] or reach['letter'])):
                lacks = False  # nothing else reaches him either: that is said when it fails
            bounced_on = notice._get_bounced_on() if lacks == 'bounced' else False
            if (channel, lacks, bounced_on) != (notice.channel, notice.detour, notice.detour_bounced_on):
                notice._recording().write({'channel': channel, 'detour': lacks, 'detour_bounced_on': bounced_on})

    def _get_bounced_on(self):
        self.ensure_one()
        return max(filter(None, (person.dunning_email_bounced_on for person in self._get_people())), default=False)

    def _explain_unreachable(self):
        """Return why the channel of this notice reaches nobody, and what to do."""
        self.ensure_one()
        reach = self._get_reach()
        lacks = {'letter': 'post', 'phone': 'phone'}.get(self.channel) or ('bounced' if reach['bounced'] else 'email')
        return self.env['dunning.planner']._explain_missing(
            self.level_id, self.channel, lacks, self._get_bounced_on())

    # -------------------------------------------------------------------------
    # WHAT BECAME OF IT
    # -------------------------------------------------------------------------

    @api.depends(
        'state', 'channel', 'postal_state', 'tracking_code', 'mail_message_id', 'receipt_ids.kind',
        'receipt_ids.withdrawn_on')
    def _compute_delivery_state(self):
        for notice in self:
            notice.delivery_state = notice._judge_delivery() if (
                notice.state in GONE and notice.channel not in MANUAL_CHANNELS) else False

    def _judge_delivery(self):
        """Return how far a notice that left got: by the way that got furthest, what failed last."""
        self.ensure_one()
        kinds = set(self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on).mapped('kind'))
        if kinds & {'registered', 'acknowledged'}:
            return 'delivered'
        if 'portal_opened' in kinds:
            return 'opened'
        by_post = self.postal_state if 'returned' not in kinds else False
        by_mail = self.mail_message_id and 'bounced' not in kinds
        if by_post == 'posted':
            return 'registered' if self.tracking_code else 'posted'
        if by_mail and 'email_accepted' in kinds:
            return 'handed_over'
        if by_post:
            return 'to_post'
        if by_mail:
            return 'queued'
        if 'returned' in kinds:
            return 'returned'
        return 'bounced' if 'bounced' in kinds else False

    @api.depends(
        'delivery_state', 'email_to', 'sent_on', 'posted_on', 'posted_by_id', 'post_proof_filename', 'receipt_ids.date',
        'receipt_ids.note', 'receipt_ids.proof_filename')
    @api.depends_context('lang')
    def _compute_delivery_ways(self):
        for notice in self:
            ways = notice._get_delivery_ways() if notice.delivery_state else []
            notice.delivery_ways = ways and self.env['ir.qweb']._render(
                'l10n_nl_dunning.delivery_ways', {'ways': ways}, minimal_qcontext=True).strip()

    def _get_delivery_ways(self):
        """Return, for each way by which it left, how far it got and what proves that.

        :return: list of dicts ``name, icon, address, badge (label, colour), steps``; a step is ``date, text`` with
            perhaps ``code`` (a tracking code) and ``url, file`` of its proof
        """
        self.ensure_one()
        evidence = self.receipt_ids.filtered(lambda receipt: not receipt.withdrawn_on).sorted('date')
        ways = []
        if self.mail_message_id:
            ways.append(self._get_mail_way(evidence))
        if self.postal_state:
            ways.append(self._get_post_way(evidence))
        opened = evidence.filtered(lambda receipt: receipt.kind in ('portal_opened', 'acknowledged'))
        if opened:
            ways.append({
                'icon': 'fa-check-circle', 'name': self.env._("Debtor"), 'address': self.partner_id.display_name,
                'badge': (self.env._("Opened") if opened[0].kind == 'portal_opened'
                          else self.env._("Acknowledged"), 'success'),
                'steps': [self._get_evidence_step(receipt) for receipt in opened]})
        return ways

    def _get_evidence_step(self, receipt, text=None):
        Planner = self.env['dunning.planner']
        step = {
            'date': Planner._fmt_date(receipt.date),
            'text': text or ": ".join(filter(None, [receipt.display_name, receipt.note])),
            'code': receipt.tracking_code}
        if receipt.proof_filename or receipt.proof:
            step['url'] = f"/web/content/dunning.receipt/{receipt.id}/proof?download=true"
            step['file'] = receipt.proof_filename or self.env._("Proof")
        return step

    def _get_mail_way(self, evidence):
        Planner = self.env['dunning.planner']
        kinds = {receipt.kind: receipt for receipt in evidence}
        left = fields.Datetime.context_timestamp(self, self.sent_on).date() if self.sent_on else self.date
        steps = [{'date': Planner._fmt_date(left), 'text': self.env._("Put in the mail queue")}]
        badge = (self.env._("In mail queue"), 'info')
        accepted, bounced = kinds.get('email_accepted'), kinds.get('bounced')
        if accepted:
            badge = (self.env._("Handed over"), 'success')
            steps.append({
                'date': Planner._fmt_date(fields.Date.subtract(accepted.date, days=1)),
                'text': self.env._("Handed over to the mail server")})
        if bounced:
            badge = (self.env._("Came back"), 'danger')
            steps.append(self._get_evidence_step(bounced))
        elif not accepted:
            # sudo: the state of our own mail
            failed = self.mail_message_id.sudo().notification_ids.filtered(
                lambda notification: notification.notification_status == 'exception')[:1]
            if failed:
                badge = (self.env._("Not taken yet"), 'warning')
                steps.append({'date': '', 'text': self.env._(
                    "The mail server did not take it; it can be tried again. %s",
                    (failed.failure_reason or '').strip()[:250])})
        return {
            'icon': 'fa-envelope-o', 'name': self.env._("E-mail"), 'address': ", ".join(email_split(self.email_to)),
            'badge': badge,
            'steps': steps}

    def _get_post_way(self, evidence):
        Planner = self.env['dunning.planner']
        partner = self._get_postal_partner()
        kinds = {receipt.kind: receipt for receipt in evidence}
        steps = []
        badge = {
            'to_print': (self.env._("To be printed"), 'warning'), 'printed': (self.env._("To be posted"), 'info'),
            'posted': (self.env._("Posted"), 'success')}[self.postal_state]
        if self.postal_state == 'posted':
            step = {
                'date': Planner._fmt_date(self.posted_on), 'code': self.tracking_code,
                'text': self.env._("Posted by %s", self.posted_by_id.name) if self.posted_by_id
                else self.env._("Posted")}
            if self.tracking_code:
                badge = (self.env._("Registered, on its way"), 'success')
                step['text'] = self.env._("Posted as registered post by %s", self.posted_by_id.name or '')
            if self.post_proof_filename:
                step['url'] = f"/web/content/dunning.notice/{self.id}/post_proof?download=true"
                step['file'] = self.post_proof_filename
            steps.append(step)
        delivered, returned = kinds.get('registered'), kinds.get('returned')
        presumed = kinds.get('post_presumed')
        if delivered:
            badge = (self.env._("Delivered"), 'success')
            steps.append(self._get_evidence_step(delivered))
        elif presumed and not returned:
            steps.append({'date': Planner._fmt_date(presumed.date), 'text': self.env._("Presumed to be delivered")})
        if returned:
            badge = (self.env._("Came back"), 'danger')
            steps.append(self._get_evidence_step(returned))
        return {
            'icon': 'fa-file-text-o', 'name': self.env._("Registered post") if self.tracking_code
            else self.env._("Post"),
            'address': ", ".join(filter(None, [partner.street, " ".join(filter(None, [partner.zip, partner.city]))])),
            'badge': badge, 'steps': steps}

    # -------------------------------------------------------------------------
    # REGISTERED POST
    # -------------------------------------------------------------------------

    def action_mark_posted(self):
        # OVERRIDE: of registered post the tracking code is asked first.
        registered = self.filtered(lambda notice: (
            notice.postal_state == 'printed' and notice.level_id.post_registered and not notice.tracking_code
            and notice.state in ('to_post', 'sent')))
        others = self - registered
        result = super(DunningNotice, others).action_mark_posted() if others or not registered else None
        return registered.action_post_registered() if registered else result

    def action_post_registered(self):
        """Ask the tracking codes of letters that go, or went, by registered post."""
        self.check_access('write')
        letters = self.filtered(lambda notice: (
            notice.state in ('to_post', 'sent') and notice.postal_state in ('printed', 'posted')
            and not notice.tracking_code))
        if not letters:
            raise UserError(self.env._(
                "Choose letters that were printed: a tracking code belongs to a letter in an envelope."))
        return self.env['dunning.post.registered']._action_open(letters)

    def _record_registered(self, code, proof=None, proof_filename=None):
        """Record that this letter was handed in as registered post."""
        self.ensure_one()
        self._recording().write({
            'tracking_code': code, 'post_proof': proof, 'post_proof_filename': proof_filename if proof else False})
        if self.postal_state == 'printed':
            self.action_mark_posted()
        self._message_log(body=self.env._("Posted as registered post, tracking code %s.", code))

    def _add_receipt(self, kind, date, **values):
        # EXTENDS: a letter that came back tells that the address does not work.
        if kind == 'returned':
            for notice in self:
                # sudo: an address that does not work does not work for anybody
                notice._get_postal_partner().sudo().dunning_post_returned_on = date
        return super()._add_receipt(kind, date, **values)


class DunningReceipt(models.Model):
    _inherit = 'dunning.receipt'

    def _withdraw(self, reason):
        # EXTENDS: it did not come back after all
        result = super()._withdraw(reason)
        if self.kind == 'returned':
            people = self.notice_id.recipient_id | self.notice_id.partner_id
            # sudo: as where it was marked
            people.sudo().filtered(
                lambda person: person.dunning_post_returned_on == self.date).dunning_post_returned_on = False
        return result


class DunningDispatcher(models.AbstractModel):
    _inherit = 'dunning.dispatcher'

    @api.model
    def _recheck(self, notices, at_date, *, decisions=None):
        # EXTENDS: addresses may have come, gone or bounced since it was planned.
        owed = super()._recheck(notices, at_date, decisions=decisions)
        owed._reroute()
        return owed

    @api.model
    def _drop_unreachable(self, notices):
        # EXTENDS: never silent: somebody gets a to-do.
        reached = super()._drop_unreachable(notices)
        for company, batch in (notices - reached).grouped('company_id').items():
            self.env['res.partner'].with_company(company)._flag_unreachable(company, {
                notice.partner_id.id: lambda env, notice=notice: notice.with_env(env)._explain_unreachable()
                for notice in batch})
        return reached


class DunningRun(models.AbstractModel):
    _inherit = 'dunning.run'

    @api.model
    def _tell_unreachable(self, company, at_date, decisions):
        """Let somebody know of the debtors that nothing reaches, and return the decisions about the others.

        :param decisions: what is due, and what is not because of ``no_address``
        """
        Partner = self.env['res.partner'].with_company(company)
        Planner = self.env['dunning.planner']
        due, lost = [], {}
        for decision in decisions:
            if decision.reason:
                lost.setdefault(decision.partner_id, decision)
            else:
                due.append(decision)
        flagged = Partner.search([('dunning_unreachable_on', '!=', False)])
        again = flagged.filtered(lambda debtor: debtor.id not in lost)
        if again:
            # Whatever else keeps his items: is there a way to reach him by now?
            others = frozenset(Planner._item_reasons() + Planner._notice_reasons()) - {'no_address'}
            still = {
                decision.partner_id for decision in Planner._plan(company, at_date, partners=again, ignore=others)
                if decision.reason}
            again.filtered(lambda debtor: debtor.id not in still)._unflag_unreachable(company)
        Partner._flag_unreachable(company, {
            partner_id: lambda env, decision=decision: Planner.with_env(env)._explain(decision, company)
            for partner_id, decision in lost.items()})
        return due


class ResPartner(models.Model):
    _inherit = 'res.partner'

    type = fields.Selection(
        selection_add=[('director', "Director")],
        ondelete={'director': lambda partners: partners.write({'type': 'contact'})},
    )
    dunning_post_returned_on = fields.Date(
        string="Letter Came Back On", readonly=True, copy=False,
        prefetch='dunning',
        help="A letter to this address came back, so nothing is posted to it. Cleared when the address changes.")
    dunning_unreachable_on = fields.Date(
        string="Cannot Be Reached Since", company_dependent=True, readonly=True, copy=False,
        groups='account.group_account_invoice,account.group_account_readonly',
        prefetch='dunning',
        help="A reminder is due, and no channel reaches this debtor. Cleared when the contact is completed.")

    _dunning_director_idx = models.Index("(commercial_partner_id, id) WHERE type = 'director' AND active")

    def write(self, vals):
        # EXTENDS: another address gets another chance.
        names = ('street', 'zip', 'city', 'country_id')
        if 'dunning_post_returned_on' in vals or not vals.keys() & set(names):
            return super().write(vals)
        before = {
            partner: [partner[name] for name in names] for partner in self if partner.dunning_post_returned_on}
        result = super().write(vals)
        changed = self.browse([
            partner.id for partner, values in before.items() if [partner[name] for name in names] != values])
        if changed:
            super(ResPartner, changed).write({'dunning_post_returned_on': False})
        return result

    def action_dunning_post_works(self):
        """Use the postal address again that a letter came back from."""
        self.env['dunning.notice'].check_access('write')  # for accounting, not for all who may change contacts
        self.check_access('write')
        self.write({'dunning_post_returned_on': False})
        return True

    def _has_dunning_address(self):
        """Return whether a letter can be posted to this contact."""
        return bool(
            (self.street or '').strip() and (self.city or '').strip() and not self.dunning_post_returned_on)

    def _has_dunning_phone(self):
        """Return whether this contact can be called."""
        return bool((self.phone or '').strip() and not self.dunning_phone_wrong_on)

    # -------------------------------------------------------------------------
    # NOTHING REACHES HIM
    # -------------------------------------------------------------------------

    @api.model
    def _flag_unreachable(self, company, explain):
        """Mark debtors that nothing reaches and give somebody a to-do, once for each.

        :param company: for whom they are marked
        :param dict explain: ``{debtor id: function of an environment}`` giving what is missing, in its language
        """
        today = company.with_env(self.env)._dunning_today()
        # sudo: who may not change contacts may be the one whose reminder fails
        debtors = self.sudo().with_company(company).browse(explain).filtered(
            lambda debtor: not debtor.dunning_unreachable_on)
        if not debtors:
            return
        debtors.write({'dunning_unreachable_on': today})
        fallback = self.env['dunning.interest.rate']._get_manager(company)
        for user, batch in debtors.grouped(
            lambda debtor: debtor._get_dunning_caretaker(company) or fallback
        ).items():
            if not user:
                continue  # the mark on the contact and the list of debtors say it
            local = batch.with_context(lang=user.lang, mail_activity_quick_update=True)
            for text, alike in local.grouped(lambda debtor, env=local.env: explain[debtor.id](env)).items():
                alike.activity_schedule(
                    ACTIVITY, date_deadline=today, user_id=user.id, automated=True,
                    summary=local.env._("No reminder can reach this debtor"), note=text)

    def _get_dunning_caretaker(self, company):
        """Return the user who looks after the contact data of this debtor in a company, or none."""
        self.ensure_one()
        # sudo: only picks whom to ask
        candidates = [self.sudo().user_id, *company.sudo().dunning_contact_id.user_ids]
        return next((
            user for user in candidates
            if user.active and not user.share and not user._is_superuser() and company in user.company_ids
        ), self.env['res.users'])

    def _unflag_unreachable(self, company):
        """Take the mark and the to-do off debtors that can be reached again."""
        # sudo: as where they were given
        debtors = self.sudo().with_company(company)
        debtors.write({'dunning_unreachable_on': False})
        debtors.activity_ids.filtered(
            lambda activity: activity.automated and activity.activity_type_id == self.env.ref(ACTIVITY)).unlink()

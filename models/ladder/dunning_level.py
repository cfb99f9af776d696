import re

from lxml import html

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL
from odoo.tools.rendering_tools import parse_inline_template

from ...tools.law.jurisdiction import DUTCH
from ...tools.wording import FOURTEEN_DAY
from .dunning_level_wording import TYPED_TEXTS, is_text_empty
from .dunning_policy import LATER, SHIPPING

CHANNELS = [
    ('email', "E-mail"),
    ('letter', "Letter"),
    ('both', "E-mail and letter"),
    ('phone', "Phone"),
    ('task', "Internal task"),
]
# Channels that leave a to-do for a person instead of a document.
MANUAL_CHANNELS = ('phone', 'task')
# Makes one number of the place of a level on its ladder: its sequence, then its id.
RANK = 2 ** 31
# What everybody who may write a level may say in its texts: words of the notice, and whether there are any.
# All that goes further can reach the whole database and is for template editors, as in mail templates.
WORDS = (
    'salutation', 'greeting', 'contact_text', 'amount_text', 'term_text', 'deadline_text', 'date_text', 'days_overdue',
    'history_text', 'line_count', 'reference', 'name', 'partner_id.name', 'recipient_id.name', 'company_id.name',
    'level_id.name', 'amount_netted', 'amount_held', 'held_text', 'principal_text', 'amount_interest', 'interest_text',
    'interest_since_text', 'interest_principal_text', 'interest_per_day_text', 'interest_name', 'interest_law',
    'rate_text', 'interest_waived', 'amount_costs', 'costs_text', 'fourteen_day_text', 'costs_since_text',
    'amount_announced', 'costs_announced_text', 'total_after_term_text', 'vat_sentence', 'privacy_text',
)
PLAIN_WORD = re.compile(r'\s*object\.(%s)\s*' % '|'.join(map(re.escape, WORDS)))
PLAIN_CONDITION = re.compile(r'\s*(not\s+)?%s((==|!=|<|>|<=|>=)\s*\d+\s*)?' % PLAIN_WORD.pattern)
# What to use, the first choice first, when a channel reaches nobody.
DETOURS = {'email': ('letter',), 'letter': ('email',), 'phone': ('email', 'letter')}


class DunningLevel(models.Model):
    """A rung of the ladder: when it is reached, how the debtor is contacted and what he reads.

    The texts are QWeb; ``object`` is the notice (see ``dunning.notice`` for the
    fields made for texts, such as ``salutation``). They are translated per language.
    """

    _name = 'dunning.level'
    _inherit = ['dunning.level.wording', 'mail.render.mixin', 'dunning.interest.alert']
    _description = "Dunning Level"
    _order = 'policy_id, sequence, id'
    # As with mail templates: whoever may write a level wrote its text, everybody's notices may use it.
    _unrestricted_rendering = True

    name = fields.Char(required=True, translate=True)
    policy_id = fields.Many2one(
        comodel_name='dunning.policy',
        required=True,
        index=True,
        ondelete='cascade',
    )
    company_id = fields.Many2one(related='policy_id.company_id', store=True, index=True)
    timing = fields.Char(string="When and How", compute='_compute_timing')
    sequence = fields.Integer(default=10, required=True)
    active = fields.Boolean(default=True)
    color = fields.Integer(string="Color Index", default=0)
    delay_days = fields.Integer(
        string="Delay (days)",
        required=True,
        default=5,
        help="Days after the due date, or after the deadline of the previous notice, on which this level is reached. "
             "A negative number of days from the due date is a friendly notice before the due date.",
    )
    delay_from = fields.Selection(
        selection=[
            ('due_date', "the due date"),
            ('previous_deadline', "the deadline of the previous notice"),
        ],
        string="Counted From",
        required=True,
        default='due_date',
        help="Never earlier than the day after the deadline of the previous notice.",
    )
    payment_term_days = fields.Integer(
        string="New Term (days)",
        default=7,
        required=True,
        help="Days the debtor gets to pay, counted from the date of the notice.",
    )
    expire_days = fields.Integer(
        string="Passed Over After (days)",
        default=0,
        required=True,
        help="Days after which an open call or task is passed over, so that the ladder goes on. 0: it waits forever.",
    )
    channel = fields.Selection(selection=CHANNELS, required=True, default='email')
    tone = fields.Selection(
        selection=[
            ('friendly', "Friendly"),
            ('neutral', "Neutral"),
            ('firm', "Firm"),
            ('formal', "Formal"),
        ],
        required=True,
        default='friendly',
    )
    legal_role = fields.Selection(
        selection=[
            ('default_notice', "Notice of default"),
            ('fourteen_day', "14-day letter"),
        ],
        help="Notice of default (ingebrekestelling, article 6:82 BW): puts a debtor in default whose payment term was "
             "not agreed, when the term it gives has run out.\n"
             "14-day letter (14-dagenbrief, article 6:96 paragraph 6 BW): announces the collection costs to a "
             "consumer, who owes them only when fourteen days after its receipt have passed.",
    )
    with_interest = fields.Boolean(
        help="Ask the statutory (or agreed) interest to date, and say what it is per day.")
    with_costs = fields.Boolean(
        string="With Collection Costs",
        help="Ask the collection costs. From a consumer only after a 14-day letter has run out, whatever is set here.",
    )
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
    read_receipt = fields.Boolean(
        string="Ask for a Read Receipt",
        help="The e-mail asks the program of the debtor to say that it was opened. Many do not answer.",
    )
    phone_tries = fields.Integer(
        string="Tries", default=3, required=True,
        help="After so many calls in which the debtor was not reached the next level follows. 0: keep trying.")
    attach_invoices = fields.Boolean(help="Attach the PDF of each invoice to the e-mail.")
    mail_template_id = fields.Many2one(
        comodel_name='mail.template',
        string="E-mail Template",
        domain="[('model', '=', 'dunning.notice')]",
        help="Empty: the standard template, which repeats the text of the letter.",
    )
    activity_type_id = fields.Many2one(
        comodel_name='mail.activity.type',
        string="Activity",
        help="Scheduled on the notice when this level is reached.",
    )
    activity_summary = fields.Char(translate=True)
    activity_user_id = fields.Many2one(comodel_name='res.users', string="Activity For")
    subject = fields.Char(translate=True, required=True)
    letter_intro = fields.Html(
        string="Text Before the Table",
        translate=True,
        render_engine='qweb',
        sanitize='email_outgoing',
    )
    letter_closing = fields.Html(
        string="Text After the Table",
        translate=True,
        render_engine='qweb',
        sanitize='email_outgoing',
    )
    call_script = fields.Html(
        translate=True,
        render_engine='qweb',
        sanitize='email_outgoing',
        help="What to say, for a level by phone.",
    )
    is_shipped = fields.Boolean(string="Shipped with the App", compute='_compute_is_shipped')

    _check_payment_term_days = models.Constraint(
        'CHECK(payment_term_days >= 0)',
        "The new payment term of a level cannot be negative.",
    )
    _check_expire_days = models.Constraint(
        'CHECK(expire_days >= 0)',
        "The number of days after which a call is passed over cannot be negative.",
    )
    _check_phone_tries = models.Constraint(
        'CHECK(phone_tries >= 0)',
        "The number of tries of a level cannot be negative.",
    )
    _policy_ladder_idx = models.Index("(policy_id, sequence, id) WHERE active IS TRUE")

    # -------------------------------------------------------------------------
    # COMPUTES
    # -------------------------------------------------------------------------

    @api.depends('name', 'policy_id.name')
    @api.depends_context('dunning_policy_name')
    def _compute_display_name(self):
        for level in self:
            if self.env.context.get('dunning_policy_name') and level.policy_id:
                level.display_name = f"{level.policy_id.name}: {level.name}"
            else:
                level.display_name = level.name

    @api.depends('delay_days', 'delay_from', 'channel', 'payment_term_days', 'expire_days')
    @api.depends_context('lang')
    def _compute_timing(self):
        """The settings of the level as one sentence."""
        channels = dict(self._fields['channel']._description_selection(self.env))
        for level in self:
            how = (channels.get(level.channel) or '').lower()
            parts = [level._get_delay_text(), how]
            if level.payment_term_days:
                parts.append(self.env._("%s days to pay", level.payment_term_days))
            if level._is_manual() and level.expire_days:
                parts.append(self.env._("passed over after %s days", level.expire_days))
            level.timing = ", ".join(parts)

    def _get_delay_text(self):
        self.ensure_one()
        days = self.delay_days
        if self.delay_from == 'previous_deadline':
            if days <= 1:
                return self.env._("The day after the previous term")
            return self.env._("%s days after the previous term", days)
        if not days:
            return self.env._("On the due date")
        return (
            self.env._("%s days after the due date", days) if days > 0
            else self.env._("%s days before the due date", -days))

    @api.depends('policy_id')
    def _compute_is_shipped(self):
        shipped = self.env['dunning.policy']._get_shipped_ids('dunning.level', self)
        for level in self:
            level.is_shipped = level._origin.id in shipped

    # -------------------------------------------------------------------------
    # CHECKS
    # -------------------------------------------------------------------------

    @api.constrains('delay_days', 'delay_from', 'channel')
    def _check_delay(self):
        for level in self:
            if level.delay_days < 0 and level.delay_from != 'due_date':
                raise ValidationError(self.env._(
                    "Level “%(level)s”: days can only be negative when they are counted from the due date.",
                    level=level.name,
                ))

    @api.constrains('legal_role', 'with_costs', 'channel', 'policy_id', 'sequence', 'active')
    def _check_law(self):
        """What could never lead to costs that are owed is not set up either."""
        if self.env.context.get('dunning_ladder') not in (LATER, SHIPPING):
            self.policy_id._check_ladder()

    def _check_rung(self, letter, consumers):
        """Refuse a level that cannot be where it is in the ladder.

        :param letter: the level with the 14-day letter of the same policy, or none
        :param bool consumers: whether the policy serves consumers
        """
        self.ensure_one()
        if self.legal_role and self._is_manual():
            raise ValidationError(self.env._(
                "Level “%(level)s” is a notice of default or a 14-day letter, so it must be written: choose e-mail, "
                "letter or both.", level=self.name))
        if self.legal_role == FOURTEEN_DAY and self.with_costs:
            raise ValidationError(self.env._(
                "Level “%(level)s” is a 14-day letter: it announces collection costs and cannot ask them as well. "
                "Switch “With Collection Costs” off.", level=self.name))
        if self.with_costs and consumers and (
            not letter or (self.sequence, self.id) < (letter.sequence, letter.id)
        ):
            raise ValidationError(self.env._(
                "Level “%(level)s” asks collection costs, and its policy also serves consumers, who owe none before a "
                "14-day letter has run out. Put a 14-day letter before it, or make the policy for businesses only.",
                level=self.name))

    # -------------------------------------------------------------------------
    # TEXTS
    # -------------------------------------------------------------------------

    def _is_shipping(self):
        """Tell whether our own data is being loaded: the tests judge those texts, not every installation again.

        A caller can send the context of an installation, so that counts only while the registry is being made.
        """
        context = self.env.context
        return context.get('dunning_ladder') is SHIPPING or (
            not self.env.registry.ready and context.get('install_module') == 'l10n_nl_dunning')

    def _check_access_right_dynamic_template(self):
        # OVERRIDE 'mail': managers would not even be allowed to change the days of a level that shipped.
        return super(
            DunningLevel, self.filtered(lambda level: not level._has_plain_texts())
        )._check_access_right_dynamic_template()

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=''):
        # OVERRIDE: the dialog of translations checks no constraints.
        result = super()._update_field_translations(field_name, translations, digest, source_lang)
        if field_name in TYPED_TEXTS:
            self._check_debtor_texts()
        return result

    def _has_plain_texts(self):
        """Return whether the texts use nothing but the words made for them."""
        self.ensure_one()
        for _text, expression, *_rest in parse_inline_template(self.subject or ''):
            if expression and not PLAIN_WORD.fullmatch(expression):
                return False
        for text in filter(None, (self.letter_intro, self.letter_closing, self.call_script)):
            for node in html.fragment_fromstring(text, create_parent='div').iter():
                for name, value in node.attrib.items():
                    if not name.startswith('t-') or (name == 't-else' and not value):
                        continue
                    allowed = {'t-out': PLAIN_WORD, 't-if': PLAIN_CONDITION, 't-elif': PLAIN_CONDITION}.get(name)
                    if not allowed or not allowed.fullmatch(value):
                        return False
        return True

    # -------------------------------------------------------------------------
    # WHAT IT MEANS
    # -------------------------------------------------------------------------

    def _is_manual(self):
        """Return whether it leaves a to-do for a person instead of a document."""
        self.ensure_one()
        return self.channel in MANUAL_CHANNELS

    def _get_said(self, channel):
        """Return a number that is the same for levels that can be told truthfully in one message.

        They mean the same in law, ask the same kinds of amounts by the same rules and are both written, or both
        spoken. A 14-day letter gathers its own claims, and a task is about nothing but itself. The same in SQL:
        :meth:`_get_said_sql`.

        :param str channel: the channel it goes by, which need not be that of the level
        """
        self.ensure_one()
        if channel == 'task' or self.legal_role == 'fourteen_day':
            return -self.id
        return (
            self.policy_id.id * 16 + self.with_interest + 2 * self.with_costs
            + 4 * (self.legal_role == 'default_notice') + 8 * (channel == 'phone'))

    def _can_be_written(self):
        """Return whether the level has a text for a letter: one by phone may have only a script."""
        self.ensure_one()
        return any(
            not is_text_empty(self.with_context(lang=lang)[name])
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

    @api.model
    def _get_ranks_sql(self):
        """Return SQL of ``id`` and ``rank`` of levels: the highest sequence wins, and the last 32 bits are the id."""
        return SQL(
            "SELECT id, (sequence::bigint << 32) + id AS rank FROM dunning_level",
            to_flush=[self._fields['sequence']])

    # -------------------------------------------------------------------------
    # IN SQL
    # -------------------------------------------------------------------------

    @api.model
    def _get_levels_sql(self):
        """Return SQL of the levels of all policies, also archived ones, with what statements ask about them."""
        names = (
            'policy_id', 'sequence', 'active', 'delay_days', 'delay_from', 'channel', 'legal_role', 'with_interest',
            'with_costs', 'recipient', 'fallback_channel')
        return SQL(
            "SELECT id, %s FROM dunning_level", SQL(", ").join(map(SQL.identifier, names)),
            to_flush=[self._fields[name] for name in names])

    def _get_foreign_policies(self, law):
        """Return the policies of these levels that are of another law than that of a creditor.

        What interest, costs and legal roles there are is of Dutch law; without any a ladder suits every law.
        """
        return self.policy_id.browse() if law == DUTCH.country else self.filtered(
            lambda level: level.legal_role or level.with_interest or level.with_costs).policy_id

    @api.model
    def _get_too_late_sql(self, level):
        """Return SQL that is true for a ``level`` before the due date: it makes no sense once an item is overdue."""
        return SQL("(%(level)s.delay_from = 'due_date' AND %(level)s.delay_days < 0)", level=level)

    @api.model
    def _get_next_level_sql(self):
        """Return SQL of the level that comes after another on its ladder, for all places an item can be at.

        A place is ``last_level_id`` (0: nothing was told yet), ``policy_id``, whether the item is ``overdue``, and
        whether its debtor is a ``consumer``.
        """
        return SQL(
            """
            SELECT DISTINCT ON (last_level.id, level.policy_id, due.overdue, debtor.consumer)
                   last_level.id AS last_level_id, level.policy_id, due.overdue, debtor.consumer, level.id,
                   level.legal_role
              FROM (SELECT 0 AS id, NULL::int AS sequence UNION ALL SELECT id, sequence FROM dunning_level) last_level
              JOIN dunning_level level
                ON last_level.id = 0 OR (level.sequence, level.id) > (last_level.sequence, last_level.id)
        CROSS JOIN (VALUES (TRUE), (FALSE)) due (overdue)
        CROSS JOIN (VALUES (TRUE), (FALSE)) debtor (consumer)
             WHERE level.active AND NOT (%(too_late)s AND due.overdue)
               AND (debtor.consumer OR level.legal_role IS DISTINCT FROM 'fourteen_day')
          ORDER BY last_level.id, level.policy_id, due.overdue, debtor.consumer, level.sequence, level.id
            """,
            too_late=self._get_too_late_sql(SQL.identifier('level')),
            to_flush=[self._fields[name] for name in (
                'policy_id', 'sequence', 'active', 'delay_days', 'delay_from', 'legal_role')])

    @api.model
    def _get_said_sql(self, channel, level):
        """Return SQL of the number of :meth:`_get_said`.

        :param SQL channel: the channel it goes by
        :param SQL level: the name of a row of :meth:`_get_levels_sql`
        """
        return SQL(
            """CASE WHEN %(channel)s = 'task' OR %(level)s.legal_role = 'fourteen_day' THEN -%(level)s.id::bigint
                    ELSE %(level)s.policy_id::bigint * 16 + (%(level)s.with_interest IS TRUE)::int
                         + 2 * (%(level)s.with_costs IS TRUE)::int
                         + 4 * (%(level)s.legal_role IS NOT DISTINCT FROM 'default_notice')::int
                         + 8 * (%(channel)s = 'phone')::int END""",
            channel=channel, level=level)

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_load_shipped(self):
        """Give these levels the texts and settings that they ship with, in Dutch and English."""
        self.check_access('write')
        shipped = self.env['dunning.policy']._get_shipped_ids('dunning.level', self)
        if not shipped:
            raise UserError(self.env._("This level did not ship with the app, so there is no text to load."))
        self.env['dunning.policy']._load_shipped(set(shipped.values()))
        self._validate_fields(self._fields)
        return True

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

CHANNELS = [
    ('email', "E-mail"),
    ('letter', "Letter"),
    ('both', "E-mail and letter"),
    ('phone', "Phone call"),
    ('task', "Internal task"),
]
# Channels that leave a to-do for a person instead of a document.
MANUAL_CHANNELS = ('phone', 'task')


class DunningLevel(models.Model):
    """A rung of the ladder: when it is reached, how the debtor is contacted and what he reads.

    The texts are QWeb; ``object`` is the notice (see ``dunning.notice`` for the
    fields made for texts, such as ``salutation``). They are translated per language.
    """

    _name = 'dunning.level'
    _inherit = ['mail.render.mixin']
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

    _check_payment_term_days = models.Constraint(
        'CHECK(payment_term_days >= 0)',
        "The new payment term of a level cannot be negative.",
    )
    _check_expire_days = models.Constraint(
        'CHECK(expire_days >= 0)',
        "The number of days after which a call is passed over cannot be negative.",
    )
    _policy_ladder_idx = models.Index("(policy_id, sequence, id) WHERE active IS TRUE")

    @api.depends('name', 'policy_id.name')
    @api.depends_context('dunning_policy_name')
    def _compute_display_name(self):
        for level in self:
            if self.env.context.get('dunning_policy_name') and level.policy_id:
                level.display_name = f"{level.policy_id.name}: {level.name}"
            else:
                level.display_name = level.name

    def _compute_render_model(self):
        self.render_model = 'dunning.notice'

    @api.constrains('delay_days', 'delay_from', 'channel')
    def _check_delay(self):
        for level in self:
            if level.delay_days < 0 and level.delay_from != 'due_date':
                raise ValidationError(self.env._(
                    "Level “%(level)s”: days can only be negative when they are counted from the due date.",
                    level=level.name,
                ))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: only asks whether a notice exists, in any company
        used = self.env['dunning.notice'].sudo().search([('level_id', 'in', self.ids)], limit=1)
        if used:
            raise UserError(self.env._(
                "Notices were made at level “%(level)s”, so it stays as their proof. Archive it instead.",
                level=used.level_id.name,
            ))

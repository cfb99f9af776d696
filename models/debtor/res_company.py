from datetime import date, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = 'res.company'

    dunning_policy_business_id = fields.Many2one(
        comodel_name='dunning.policy',
        string="Policy for Businesses",
        domain="[('debtor_type', 'in', ('business', 'any')), ('company_id', 'in', (False, id))]",
        default=lambda self: self.env.ref('l10n_nl_dunning.policy_business', raise_if_not_found=False),
        help="Ladder for businesses without a policy of their own. Empty: they are not reminded.",
        prefetch='dunning',
    )
    dunning_policy_consumer_id = fields.Many2one(
        comodel_name='dunning.policy',
        string="Policy for Consumers",
        domain="[('debtor_type', 'in', ('consumer', 'any')), ('company_id', 'in', (False, id))]",
        default=lambda self: self.env.ref('l10n_nl_dunning.policy_consumer', raise_if_not_found=False),
        help="Ladder for consumers without a policy of their own. Empty: they are not reminded.",
        prefetch='dunning',
    )
    dunning_start_date = fields.Date(
        default=lambda self: self._dunning_today(),
        help="Items that were already overdue on this day are the backlog: they start at the first level, "
             "always as proposals, and only a few each day.",
        prefetch='dunning',
    )
    dunning_oldest_due_date = fields.Date(
        string="Leave Alone What Was Due Before",
        default=lambda self: self._dunning_today() - timedelta(days=365),
        help="Older items are never reminded automatically; a person decides about them.",
        prefetch='dunning',
    )
    dunning_backlog_daily = fields.Integer(
        string="Backlog Notices per Day",
        default=50,
        help="How many notices about the backlog are proposed each day at most. The largest amounts go first.",
        prefetch='dunning',
    )
    dunning_term_agreed_business = fields.Boolean(
        string="Payment Term Agreed with Businesses",
        default=True,
        help="The payment term on invoices was agreed (contract, quotation or general terms). If not, interest of a "
             "business runs from 30 days after it received the invoice (article 6:119a paragraph 2 BW).",
        prefetch='dunning',
    )
    dunning_term_agreed_consumer = fields.Boolean(
        string="Payment Term Agreed with Consumers",
        help="A term that only stands on the invoice is not agreed: then a consumer is in default only after a notice "
             "of default (article 6:82 BW), and the 14-day letter waits for that.",
        prefetch='dunning',
    )
    dunning_postal_days = fields.Integer(
        string="Postal Days",
        default=3,
        help="Days after which a letter counts as received; Sundays, Mondays and holidays do not count. At least 2 "
             "(Hoge Raad 25 November 2016, ECLI:NL:HR:2016:2704); since the post may take longer, 3 is safe.",
        prefetch='dunning',
    )
    dunning_vat_on_costs = fields.Boolean(
        string="VAT on Collection Costs",
        help="Only when another firm collects for you and you cannot deduct the VAT it charges: then the costs are "
             "raised by 21%, and the 14-day letter says why.",
        prefetch='dunning',
    )
    dunning_day_count = fields.Selection(
        selection=[('act/365', "365 days a year"), ('act/act', "366 days in a leap year")],
        string="Days in a Year of Interest",
        default='act/365',
        required=True,
        prefetch='dunning',
    )
    dunning_planned_on = fields.Date(readonly=True, help="The day the scheduled action last planned for this company.",
        prefetch='dunning')
    dunning_contact_id = fields.Many2one(
        comodel_name='res.partner',
        string="Contact on Letters",
        help="The person a debtor can call or write to. Empty: the company itself. "
             "Calls and tasks that nobody else is named for are planned for this person.",
        prefetch='dunning',
    )
    dunning_window_side = fields.Selection(
        selection=[('left', "Left"), ('right', "Right")],
        default='left',
        required=True,
        string="Envelope Window",
        prefetch='dunning',
    )
    dunning_window_left = fields.Float(
        string="Window From the Side (mm)",
        default=20.0,
        help="Distance between the edge of the paper on the window's side and the address.",
        prefetch='dunning',
    )
    dunning_window_top = fields.Float(
        string="Window From the Top (mm)",
        default=50.0,
        help="Distance between the top of the paper and the first line of the address.",
        prefetch='dunning',
    )

    _check_dunning_backlog_daily = models.Constraint(
        'CHECK(dunning_backlog_daily >= 0)',
        "The number of backlog notices per day cannot be negative.",
    )
    _check_dunning_postal_days = models.Constraint(
        'CHECK(dunning_postal_days BETWEEN 2 AND 10)',
        "The number of postal days lies between 2 and 10.",
    )

    @api.constrains('dunning_window_left', 'dunning_window_top')
    def _check_dunning_window(self):
        for company in self:
            if not (5 <= company.dunning_window_left <= 120 and 20 <= company.dunning_window_top <= 90):
                raise ValidationError(self.env._(
                    "The envelope window must lie on the paper: between 5 and 120 mm from the side "
                    "and between 20 and 90 mm from the top.",
                ))

    def _get_dunning_contact_text(self):
        """Return whom a debtor can reach, as in “Sanne de Boer (020 123 45 67, sanne@example.com)”."""
        self.ensure_one()
        contact = self.dunning_contact_id or self.partner_id
        phone = (contact.phone or self.partner_id.phone or '').replace(' ', '\N{NO-BREAK SPACE}')
        ways = [phone, contact.email or self.partner_id.email]
        ways = ', '.join(filter(None, ways))
        return f"{contact.name} ({ways})" if ways else contact.name or ''

    def _read_for_dunning(self):
        """Read what reminders look at in one query; whoever else reads a company reads it without."""
        self.sudo().fetch([  # sudo: what is set holds for every user
            'parent_path', 'active', 'currency_id',
            *(name for name, field in self._fields.items() if field.prefetch == 'dunning' and field.store)])

    def _dunning_today(self):
        """Return today's date where the company is.

        The one place that reads a clock. Everything else gets its date as an
        argument; ``dunning_at_date`` in the context replaces the clock. Only as a
        date of this process: what a browser or integration sends is text, and must
        not date a letter.
        """
        at_date = self.env.context.get('dunning_at_date')
        if isinstance(at_date, date):
            return fields.Date.to_date(at_date)
        tz = self[:1].partner_id.tz or self.env.user.tz or 'Europe/Amsterdam'
        return fields.Datetime.now().replace(tzinfo=pytz.utc).astimezone(pytz.timezone(tz)).date()


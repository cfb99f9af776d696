"""What contacts, invoices, notices, levels and activities know about calls."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .dunning_call_outcome import TRIES

ACCOUNTING = 'account.group_account_invoice,account.group_account_readonly'


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_call_count = fields.Integer(
        string="Number of Calls", compute='_compute_dunning_call_count', groups=ACCOUNTING)
    dunning_phone_wrong_on = fields.Date(
        string="Wrong Number Since", readonly=True, copy=False,
        prefetch='dunning',
        help="Who answered was not this debtor, so the number is not called. Cleared when the number changes.")

    @api.depends_context('company')
    def _compute_dunning_call_count(self):
        groups = self.env['dunning.call']._read_group(
            [('partner_id', 'in', self.commercial_partner_id.ids), ('company_id', '=', self.env.company.id)],
            ['partner_id'], ['__count'])
        counts = {partner.id: count for partner, count in groups}
        for partner in self:
            partner.dunning_call_count = counts.get(partner.commercial_partner_id._origin.id, 0)

    def write(self, vals):
        if vals.get('dunning_phone_wrong_on') or 'phone' not in vals:
            return super().write(vals)
        before = {partner: partner._get_dunning_number() for partner in self if partner.dunning_phone_wrong_on}
        result = super().write(vals)
        changed = self.browse([partner.id for partner, number in before.items() if (
            partner._get_dunning_number() != number)])
        if changed:
            super(ResPartner, changed).write({'dunning_phone_wrong_on': False})
        return result

    def _get_dunning_number(self):
        """Return the telephone number in E.164; as it was typed where that is not possible; or an empty string."""
        self.ensure_one()
        return (self.phone and (self._phone_format(fname='phone') or self.phone.strip())) or ''

    def _get_dunning_phone_contact(self, preferred=None):
        """Return the contact of a debtor to call: the one for reminders, else the debtor, else any other.

        Only one with a number that is not wrong; empty when there is none.

        :param preferred: contact to take when it can be called
        """
        self.ensure_one()
        debtor = self.commercial_partner_id
        family = debtor | debtor.search([('commercial_partner_id', '=', debtor.id)])
        ranked = family.sorted(lambda person: (
            person.type != 'dunning', person != debtor, person.type != 'invoice', person.id))
        for person in (preferred or self.browse()) | ranked:
            if person.phone and person.phone.strip() and not person.dunning_phone_wrong_on:
                return person
        return self.browse()

    def action_dunning_calls(self):
        """Show the calls with this debtor."""
        self.ensure_one()
        self.env['dunning.call'].check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_call_action')
        action['domain'] = [('partner_id', '=', self.commercial_partner_id.id)]
        action['context'] = {}
        return action

    def action_dunning_call(self):
        """Open the wizard that logs a call with this debtor."""
        self.ensure_one()
        self.check_access('read')
        return self.env['dunning.call.enter']._action_open(
            partner=self.commercial_partner_id,
            contact=self if self != self.commercial_partner_id else None)

    def action_dunning_phone_works(self):
        """Call the number again that was said to be wrong."""
        self.env['dunning.call'].check_access('create')
        self.check_access('read')
        # sudo: who may log calls need not be allowed to change contacts; this takes back only our own mark
        self.sudo().write({'dunning_phone_wrong_on': False})
        return True


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_call_count = fields.Integer(
        string="Number of Calls", compute='_compute_dunning_call_count', groups=ACCOUNTING)

    @api.depends('line_ids')
    def _compute_dunning_call_count(self):
        """One query for all invoices."""
        calls = self.env['dunning.call'].search_fetch([('item_ids.move_id', 'in', self._origin.ids)], ['item_ids'])
        counts = {}
        for call in calls:
            for move in call.item_ids.move_id:
                counts[move.id] = counts.get(move.id, 0) + 1
        for move in self:
            move.dunning_call_count = counts.get(move._origin.id, 0)

    def action_dunning_calls(self):
        """Show the calls about this invoice."""
        self.ensure_one()
        self.env['dunning.call'].check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_call_action')
        action['domain'] = [('item_ids.move_id', '=', self.id)]
        action['context'] = {}
        return action

    def action_dunning_call(self):
        """Open the wizard that logs a call about these invoices of one debtor."""
        self.check_access('read')
        return self.env['dunning.call.enter']._action_open(moves=self)


class DunningLevel(models.Model):
    _inherit = 'dunning.level'

    phone_tries = fields.Integer(
        string="Tries", default=3, required=True,
        help="After so many calls in which the debtor was not reached the next level follows. 0: keep trying.")

    _check_phone_tries = models.Constraint(
        'CHECK(phone_tries >= 0)',
        "The number of tries of a level cannot be negative.",
    )


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    call_ids = fields.Many2many(
        comodel_name='dunning.call', relation='dunning_call_notice_rel', column1='notice_id', column2='call_id',
        string="Calls", readonly=True, copy=False)
    call_tries = fields.Integer(string="Tried", compute='_compute_call_tries')
    call_tries_text = fields.Char(string="Not Reached", compute='_compute_call_tries')

    @api.depends('call_ids.kind', 'level_id.phone_tries')
    @api.depends_context('lang')
    def _compute_call_tries(self):
        groups = self.env['dunning.call']._read_group(
            [('notice_ids', 'in', self._origin.ids), ('kind', 'in', TRIES)], ['notice_ids'], ['__count'])
        counts = {notice.id: count for notice, count in groups}
        for notice in self:
            tries = counts.get(notice._origin.id, 0)
            notice.call_tries = tries
            wanted = notice.level_id.phone_tries
            notice.call_tries_text = tries > 0 and (
                self.env._("%(tries)s of %(wanted)s tries", tries=tries, wanted=wanted) if wanted
                else self.env._("%s tries", tries))

    def action_log_call(self):
        """Open the wizard that logs the call this notice asks for."""
        self.ensure_one()
        self.check_access('write')
        return self.env['dunning.call.enter']._action_open(notice=self)


class DunningPlanner(models.AbstractModel):
    _inherit = 'dunning.planner'

    @api.model
    def _get_contacts_sql(self, company):
        # EXTENDED: a call is a contact as well, also a message on the voicemail; a call of the ladder counts once.
        self.env['dunning.call'].flush_model(['company_id', 'partner_id', 'date', 'direction', 'kind', 'notice_ids'])
        return SQL(
            """%(notices)s UNION ALL
               SELECT call.partner_id, call.date
                 FROM dunning_call call
                WHERE call.company_id = %(company)s AND call.direction = 'out'
                  AND call.kind NOT IN ('no_answer', 'wrong_number')
                  AND NOT EXISTS (
                      SELECT FROM dunning_call_notice_rel rel
                        JOIN dunning_notice notice ON notice.id = rel.notice_id
                       WHERE rel.call_id = call.id AND notice.state IN ('sent', 'withdrawn'))""",
            notices=super()._get_contacts_sql(company), company=company.id)


class MailActivity(models.Model):
    _inherit = 'mail.activity'

    def _get_dunning_debtor(self):
        """Return the debtor that an activity on a contact, an invoice or one of our own records is about."""
        self.ensure_one()
        if self.res_model not in (
            'res.partner', 'account.move', 'dunning.notice', 'dunning.call', 'dunning.hold'
        ) or not self.res_id:
            return self.env['res.partner']
        record = self.env[self.res_model].browse(self.res_id).exists()
        record.check_access('read')
        partner = record if record._name == 'res.partner' else record.partner_id
        return partner.commercial_partner_id

    def action_dunning_log_call(self):
        """Open the wizard that takes a call that was planned or done as an activity into the call log."""
        self.env['dunning.call'].check_access('create')
        self.check_access('read')
        if len(self) != 1:
            raise UserError(self.env._("Take one activity at a time: each call has an outcome of its own."))
        partner = self._get_dunning_debtor()
        if not partner:
            raise UserError(self.env._(
                "This activity is not about a contact or an invoice, so it is not known who was called."))
        record = self.env[self.res_model].browse(self.res_id)
        return self.env['dunning.call.enter']._action_open(
            partner=partner, activity=self, company=record.company_id if record._name != 'res.partner' else None,
            moves=record if record._name == 'account.move' else None)

"""What an invoice, a due item, a debtor and a notice say about holds, and the one click that places one."""

from odoo import api, fields, models
from odoo.fields import Domain

from .dunning_hold import format_date

ACCOUNTING = 'account.group_account_invoice,account.group_account_readonly'


class DunningPolicy(models.Model):
    _inherit = 'dunning.policy'

    soft_days = fields.Integer(
        default=3,
        help="Days between the end of a hold (a dispute, a promise) and the first reminder after it. "
             "Ending a hold never sends a letter at once.",
    )

    _check_soft_days = models.Constraint(
        'CHECK(soft_days >= 0)',
        "The soft days of a dunning policy cannot be negative.",
    )

    def write(self, vals):
        result = super().write(vals)
        if 'soft_days' in vals:
            # sudo: open holds of all companies that use the policy follow it, whoever changes it
            open_holds = self.env['dunning.hold'].sudo().search([('closed_on', '=', False)])
            open_holds._refresh_soft_days()
        return result


class AccountMove(models.Model):
    _inherit = 'account.move'

    dunning_hold_count = fields.Integer(
        string="Number of Holds", compute='_compute_dunning_hold', groups=ACCOUNTING,
        help="Holds of this invoice or of everything of its debtor that were not closed.")
    dunning_hold_text = fields.Char(
        string="On Hold", compute='_compute_dunning_hold', groups=ACCOUNTING,
        help="Until when (a part of) this invoice is not reminded.")

    @api.depends_context('lang', 'dunning_at_date')
    def _compute_dunning_hold(self):
        """One query for all invoices."""
        holds = self.env['dunning.hold'].search(self._get_dunning_holds_domain() & Domain('closed_on', '=', False))
        for move in self:
            mine = holds.filtered(lambda hold, move=move: (
                hold.move_id == move._origin if hold.scope != 'debtor' else (
                    hold.partner_id == move.commercial_partner_id and hold.company_id == move.company_id
                    and move.move_type in ('out_invoice', 'out_receipt'))))
            move.dunning_hold_count = len(mine)
            move.dunning_hold_text = mine._get_badge_text()

    def _get_dunning_holds_domain(self):
        return Domain('company_id', 'in', self.company_id.ids) & (
            Domain('move_id', 'in', self._origin.ids)
            | (Domain('scope', '=', 'debtor') & Domain('partner_id', 'in', self.commercial_partner_id.ids)))

    def action_dunning_hold(self):
        """Open the wizard that puts these invoices on hold."""
        self.check_access('read')
        return self.env['dunning.hold.place']._action_open(moves=self)

    def action_dunning_holds(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_hold_action')
        action['domain'] = list(self._get_dunning_holds_domain())
        action['context'] = {}
        return action


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    def action_dunning_hold(self):
        """Open the wizard that puts these due items on hold."""
        self.check_access('read')
        return self.env['dunning.hold.place']._action_open(items=self)


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_hold_ids = fields.One2many(
        comodel_name='dunning.hold', inverse_name='partner_id', string="Holds", groups=ACCOUNTING)
    dunning_hold_count = fields.Integer(
        string="Number of Holds", compute='_compute_dunning_hold_count', groups=ACCOUNTING,
        help="Holds of this debtor and of his invoices that were not closed.")
    # All that sales staff gets to see of holds: no reason, no note, no amount, no invoice.
    dunning_hold_text = fields.Char(
        string="On Hold", compute='_compute_dunning_hold_text', groups='base.group_user',
        help="Until when nothing of this debtor is reminded.")

    @api.depends_context('company')
    def _compute_dunning_hold_count(self):
        groups = self.env['dunning.hold']._read_group(
            [
                ('partner_id', 'in', self.commercial_partner_id.ids), ('closed_on', '=', False),
                ('company_id', '=', self.env.company.id),
            ], ['partner_id'], ['__count'])
        counts = {partner.id: count for partner, count in groups}
        for partner in self:
            partner.dunning_hold_count = counts.get(partner.commercial_partner_id._origin.id, 0)

    @api.depends_context('company', 'lang', 'dunning_at_date')
    def _compute_dunning_hold_text(self):
        Hold = self.env['dunning.hold']
        today = self.env.company._dunning_today()
        # sudo: that nothing is reminded is for everybody who sees the contact; why is not told
        holds = Hold.sudo().search(
            Hold._get_active_domain(today) & Domain('scope', '=', 'debtor')
            & Domain('company_id', '=', self.env.company.id)
            & Domain('partner_id', 'in', self.commercial_partner_id.ids))
        by_partner = holds.grouped('partner_id')
        for partner in self:
            # sudo: as above, for the sentence of the badge
            mine = by_partner.get(partner.commercial_partner_id._origin.sudo(), Hold.sudo())
            partner.dunning_hold_text = mine._get_badge_text()

    def action_dunning_hold(self):
        """Open the wizard that puts everything of these debtors on hold."""
        self.check_access('read')
        return self.env['dunning.hold.place']._action_open(partners=self.commercial_partner_id)

    def action_dunning_holds(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_hold_action')
        action['domain'] = [('partner_id', '=', self.commercial_partner_id.id)]
        action['context'] = {}
        return action


class DunningNotice(models.Model):
    _inherit = 'dunning.notice'

    def action_dunning_hold(self):
        """Open the wizard that puts the items of this notice on hold, as during a call."""
        self.check_access('read')
        return self.env['dunning.hold.place']._action_open(notices=self)


class DunningHold(models.Model):
    _inherit = 'dunning.hold'

    def _get_items(self):
        """Return the open due items these holds are about."""
        by_scope = self.grouped('scope')
        empty = self.browse()
        lost = by_scope.get('item', empty).filtered(lambda hold: not hold.move_line_id)
        about = Domain('id', 'in', by_scope.get('item', empty).move_line_id.ids) | Domain(
            'move_id', 'in', (by_scope.get('invoice', empty) | lost).move_id.ids)
        for company, holds in by_scope.get('debtor', empty).grouped('company_id').items():
            about |= Domain('company_id', '=', company.id) & Domain(
                'partner_id.commercial_partner_id', 'in', holds.partner_id.commercial_partner_id.ids)
        return self.env['account.move.line'].search(
            self.env['account.move']._get_dunning_open_items_domain() & about)

    def _take_back_notices(self, keep=None):
        """Judge again what waits about these holds, so that it does not wait for the night.

        What is sent later is judged again anyhow. A letter that was printed lies on somebody's desk: a person takes
        it out of the pile.

        :param keep: notices to leave alone, such as the call that is going on
        """
        lines = self.env['dunning.notice.line'].search([
            ('move_line_id', 'in', self._get_items().ids), ('status', '=', 'pending')])
        notices = lines.notice_id.filtered(lambda notice: notice.postal_state != 'printed')
        if keep:
            notices -= keep
        for company, batch in notices.try_lock_for_update().grouped('company_id').items():
            self.env['dunning.dispatcher'].with_company(company)._recheck(batch, company._dunning_today())

    def _get_badge_text(self):
        """Return “On hold until 3 Dec 2026”, “Partly on hold until …”, or False for holds that hold nothing today."""
        holds = self.filtered(lambda hold: hold.state in ('active', 'overdue'))
        if not holds:
            return False
        whole = holds.filtered(lambda hold: not hold.is_part)
        shown = whole or holds
        if any(hold.needs_decision for hold in shown):
            return self.env._("On hold until a decision")
        last = format_date(self.env, max(shown.mapped('date_end')))
        return self.env._("On hold until %s", last) if whole else self.env._("Partly on hold until %s", last)

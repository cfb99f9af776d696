"""How far somebody may go in a payment arrangement, and a manager's approval of what goes further."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_amount

# Who pays for more than a year is looked at by a manager, whatever the amount.
LONGEST_DAYS = 366
APPROVAL_ACTIVITY = 'l10n_nl_dunning.mail_activity_type_arrangement_approval'


class DunningArrangementLimits(models.AbstractModel):
    _name = 'dunning.arrangement.limits'
    _description = "Payment Arrangement"

    approval_state = fields.Selection(
        selection=[('not_needed', "Not Needed"), ('needed', "Needed"), ('approved', "Approved")],
        string="Approval", required=True, readonly=True, default='not_needed')
    approval_reason = fields.Char(readonly=True, help="Why a manager has to approve it.")
    author_id = fields.Many2one(
        comodel_name='res.users', string="Drawn Up By", readonly=True,
        help="Who made or last changed it: cannot approve it himself.")
    approved_by_id = fields.Many2one(comodel_name='res.users', readonly=True)
    approved_on = fields.Datetime(readonly=True)
    approved_extent = fields.Json(readonly=True, copy=False)
    may_approve = fields.Boolean(compute='_compute_may_approve', help="You may approve it.")

    @api.depends('approval_state', 'author_id', 'state')
    @api.depends_context('uid')
    def _compute_may_approve(self):
        manager = self.env.user.has_group('account.group_account_manager')
        for arrangement in self:
            arrangement.may_approve = (
                manager and arrangement.state == 'draft' and arrangement.approval_state == 'needed'
                and arrangement.author_id != self.env.user)

    # -------------------------------------------------------------------------
    # LIMITS
    # -------------------------------------------------------------------------

    @api.model
    def _get_approval_reason(self, company, debtor, answer):
        """Return why a manager has to approve what was worked out, or False.

        :param dict answer: of :meth:`_add_schedule`
        """
        reasons, today = [], answer['claim_date']
        count = sum(part['kind'] == 'instalment' for part in answer['instalments'])
        most = company.dunning_arrangement_max_instalments
        if most and count > most:
            reasons.append(self.env._(
                "%(count)s instalments, and %(most)s go without approval.", count=count, most=most))
        days = (answer['instalments'][-1]['date_due'] - today).days
        if days > LONGEST_DAYS:
            reasons.append(self.env._(
                "It runs %(days)s days, and %(most)s go without approval.", days=days, most=LONGEST_DAYS))
        if answer['terms']['interest_mode'] == 'runs' and (
                debtor.with_company(company).dunning_effective_type == 'consumer'):
            # Articles 7:57 and 7:58 BW: only when it is free of charge it is no consumer credit.
            reasons.append(self.env._(
                "Interest runs on for a consumer, and only what is free of charge is no credit."))
        limit = company.dunning_arrangement_max_amount
        total = answer['currency']._convert(answer['amount_total'], company.currency_id, company, today)
        if limit and company.currency_id.compare_amounts(total, limit) > 0:
            reasons.append(self.env._(
                "It is about %(total)s, and %(most)s goes without approval.",
                total=format_amount(self.env, total, company.currency_id),
                most=format_amount(self.env, limit, company.currency_id)))
        return " ".join(reasons) or False

    def _prepare_approval(self, reason, answer=None):
        """Return the values of whether a manager has to approve a draft; an approval holds for what was approved.

        :param reason: of :meth:`_get_approval_reason`
        :param dict answer: what was worked out; None when the terms are others than those that were approved
        """
        if answer and reason and self.approval_state == 'approved' and self._is_within_approval(answer):
            return {'approval_reason': reason}
        return {
            'approval_state': 'needed' if reason else 'not_needed', 'approval_reason': reason,
            'approved_by_id': False, 'approved_on': False, 'approved_extent': False,
        }

    def _is_within_approval(self, answer):
        """Return whether what was worked out anew goes no further than what was approved."""
        self.ensure_one()
        approved, parts = self.approved_extent or {}, answer['instalments']
        return bool(approved) and (
            len(parts) <= approved['count'] and parts[-1]['date_due'].isoformat() <= approved['until']
            and self.currency_id.compare_amounts(answer['amount_principal'], approved['principal']) <= 0
            and answer['terms']['interest_mode'] == approved['interest_mode'])

    # -------------------------------------------------------------------------
    # APPROVING
    # -------------------------------------------------------------------------

    def action_submit(self):
        """Ask an accounting manager to approve drafts that go beyond the limits."""
        self.check_access('write')
        for arrangement in self:
            if arrangement.state != 'draft' or arrangement.approval_state != 'needed':
                raise UserError(self.env._("%s does not need approval.", arrangement.display_name))
            if arrangement._get_asked():
                continue
            manager = arrangement._get_approver()
            if not manager:
                raise UserError(self.env._(
                    "There is no other accounting manager in %s who could approve it. Choose fewer instalments, or let "
                    "an administrator give a colleague that right.", arrangement.company_id.name))
            local = arrangement.with_context(lang=manager.lang)
            local._plan_approval(
                manager, local.env._("Approve a payment arrangement"), arrangement.approval_reason)
            arrangement._message_log(body=self.env._("%s was asked to approve it.", manager.name))
        return True

    def action_approve(self):
        """Approve what goes beyond the limits; whoever drew it up cannot."""
        self.check_access('write')
        if not self.env.user.has_group('account.group_account_manager'):
            raise AccessError(self.env._("Only an accounting manager can approve payment arrangements."))
        for arrangement in self:
            arrangement._lock_with_items()
            if arrangement.state != 'draft' or arrangement.approval_state != 'needed':
                raise UserError(self.env._("%s does not need approval.", arrangement.display_name))
            if arrangement.author_id == self.env.user:
                raise UserError(self.env._(
                    "You drew up %s, so a colleague has to approve it.", arrangement.display_name))
            arrangement._recording().write({
                'approval_state': 'approved', 'approved_by_id': self.env.uid,
                'approved_on': fields.Datetime.now(), 'approved_extent': {
                    'count': len(arrangement.instalment_ids),
                    'until': arrangement.date_last.isoformat(),
                    # Interest that came on top since is no reason to ask again.
                    'principal': arrangement.amount_principal,
                    'interest_mode': arrangement.interest_mode,
                }})
            arrangement._message_log(body=self.env._(
                "Approved by %(user)s: %(why)s", user=self.env.user.name, why=arrangement.approval_reason or ''))
            # Nobody has to be asked any more, and the collector can offer it.
            arrangement._get_asked().unlink()
            if arrangement.user_id != self.env.user:
                local = arrangement.with_context(lang=arrangement.user_id.lang)
                local._plan_approval(arrangement.user_id, local.env._("Approved: offer the payment arrangement"))
        return True

    def _plan_approval(self, user, summary, note=''):
        """Plan an activity about the approval; the list of activities tells, no e-mail does."""
        self.with_context(mail_activity_quick_update=True).activity_schedule(
            APPROVAL_ACTIVITY, date_deadline=self.company_id._dunning_today(), user_id=user.id, automated=True,
            summary=summary, note=note)

    def _get_asked(self):
        """Return the activities about the approval."""
        return self.sudo().activity_search([APPROVAL_ACTIVITY])  # sudo: activities of colleagues as well

    def _get_approver(self):
        """Return a manager who did not draw it up; the one who is told of other things first."""
        self.ensure_one()
        first = self.company_id._get_dunning_manager()
        # sudo: who works as a manager in this company
        others = self.env['res.users'].sudo().search([
            ('all_group_ids', 'in', self.env.ref('account.group_account_manager').id), ('share', '=', False),
            ('company_ids', 'in', self.company_id.id)], order='id')
        for user in (first | others.sudo(False)):
            if user != self.author_id and not user._is_superuser():
                return user
        return self.env['res.users']

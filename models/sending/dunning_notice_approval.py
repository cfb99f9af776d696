"""Who may approve a notice, and whether an approval counts for the notice as it is now."""

from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class DunningNoticeApproval(models.AbstractModel):
    """The part of a notice about its approval."""

    _name = 'dunning.notice.approval'
    _description = "Dunning Notice"

    needs_colleague = fields.Boolean(
        string="Needs a Colleague", compute='_compute_approval',
        help="The policy asks a second pair of eyes: whoever made or changed it cannot approve it.")
    may_approve = fields.Boolean(compute='_compute_approval')
    approval_text = fields.Char(string="Approval", compute='_compute_approval')

    @api.depends('state', 'maker_ids', 'approver_id', 'policy_id', 'amount_due_company', 'colleague_kept')
    @api.depends_context('uid')
    def _compute_approval(self):
        for notice in self:
            waits = notice.state in ('draft', 'error')
            notice.needs_colleague = waits and notice._needs_colleague() and not notice._is_approved()
            notice.may_approve = waits and not notice._get_refused()
            notice.approval_text = notice._get_approval_text() if notice.needs_colleague else False

    def _get_approval_text(self):
        """Return who has to approve and why, for whoever looks at it."""
        self.ensure_one()
        if self.env.user in self.maker_ids:
            return self.env._(
                "You made or changed this proposal, so a colleague has to approve it: the policy “%s” asks a second "
                "pair of eyes.", self.policy_id.name)
        if self.maker_ids:
            return self.env._(
                "Made or changed by %(makers)s. The policy “%(policy)s” asks a second pair of eyes, and yours will do.",
                makers=", ".join(self.maker_ids.mapped('name')), policy=self.policy_id.name)
        return False

    def _needs_colleague(self):
        """Return whether the policy asks a second pair of eyes for this notice as it is now."""
        self.ensure_one()
        return self._asks_colleague(
            self.policy_id, self.company_id, self.amount_due_company, self.company_id.currency_id,
            kept=self.colleague_kept)

    @api.model
    def _asks_colleague(self, policy, company, amount, currency, *, kept=False):
        """Return whether a policy asks a second pair of eyes for what asks an amount of a debtor.

        :param kept: it did so before, and a smaller amount does not end that
        """
        if policy.four_eyes != 'above' or kept:
            return policy.four_eyes != 'never'
        limit = policy.currency_id._convert(policy.four_eyes_amount, currency, company, company._dunning_today())
        return currency.compare_amounts(amount, limit) > 0

    def _is_approved(self):
        """Return whether somebody who did not make it approved it as it is now."""
        return not self._get_approval_gap()

    def _get_approval_gap(self):
        """Return why no approval counts: ``nobody`` gave it, ``more`` is asked, the ``address`` is another; False."""
        self.ensure_one()
        seen = self.approved_data or {}
        approver = self.approver_id
        if not approver or approver in self.maker_ids or approver._is_superuser() or 'amount_principal' not in seen:
            return 'nobody'
        # Interest runs on and payments come in; more principal is something nobody approved.
        if self.currency_id.compare_amounts(self.amount_principal, seen['amount_principal'] or 0.0) > 0:
            return 'more'
        # Many can change the address on a contact, and with it who reads the letter.
        by_mail = self.channel in ('email', 'both') and self._get_email_line() != (seen.get('email') or '')
        by_post = self.channel in ('letter', 'both') and self._get_address_line() != (seen.get('address') or '')
        return 'address' if by_mail or by_post else False

    def _get_email_line(self):
        """Return the address as in the snapshots; see :meth:`_get_snapshot_sql`."""
        return self.recipient_id.email_normalized or self.partner_id.email_normalized or ''

    def _get_address_line(self):
        """Return the postal address as in the snapshots."""
        recipient = self.recipient_id
        person = recipient if recipient.street and recipient.city else self.partner_id
        return ", ".join(filter(None, (person.street, person.zip, person.city)))

    def _get_refused(self):
        """Return the notices that the current user cannot approve: he made or changed them, or is no person."""
        return self.filtered(lambda notice: (
            notice._needs_colleague() and not notice._is_approved()
            and (self.env.user in notice.maker_ids or self.env.user._is_superuser())))

    def _explain_refused(self):
        """Return why the current user cannot approve these notices, and what to do."""
        names = ", ".join(self[:3].mapped('display_name')) + ("…" if len(self) > 3 else "")
        if self.env.user._is_superuser():
            return self.env._(
                "%(notices)s: the policy “%(policy)s” asks that a person approves this.",
                notices=names, policy=self[:1].policy_id.name)
        return self.env._(
            "%(notices)s: you made or changed this yourself, and the policy “%(policy)s” asks a second pair of eyes. "
            "Ask a colleague to approve it. Or cancel it: the same items are then proposed again as planned.",
            notices=names, policy=self[:1].policy_id.name)

    @api.depends('approver_id')
    def _compute_approved(self):
        for notice in self:
            notice.approved = bool(notice.approver_id)

    def _queue(self):
        """Put notices into the queue: the current user decided about them.

        The one way into the queue for a notice that exists. Only a person approves. What a person who did not make it
        approved, as it is now, stays decided by that person, whoever queues it again.

        :raises UserError: a colleague has to approve some of them
        """
        refused = self._get_refused()
        if refused:
            raise UserError(refused._explain_refused())
        by_person = not self.env.user._is_superuser()
        decided = self.filtered(lambda notice: notice._is_approved() if by_person else notice.approver_id)
        fresh = self - decided
        vals = {'state': 'queued', 'error_message': False, 'asked_on': False}
        if decided:
            decided._recording().write(vals)
        if fresh:
            vals.update(self._prepare_decision_vals(by_person))
            fresh._recording().write(vals)
        if by_person:
            fresh._take_snapshots('approved_data')
        self._log_act(lambda notice: notice.env._("Approved to be sent.") if notice.approver_id
                      else notice.env._("Put into the queue by the program; no person approved it."))

    @api.model
    def _prepare_decision_vals(self, by_person):
        """Return who decided about notices; the four fields are written together so that they agree."""
        return {
            'author_id': self.env.uid,
            'approver_id': by_person and self.env.uid,
            'approved_on': by_person and fields.Datetime.now(),
            'approved_data': False,
        }

    def _queue_allowed(self):
        """Queue what the current user may approve. Return what stays a proposal for a colleague."""
        refused = self._get_refused()
        (self - refused)._queue()
        return refused

    @api.model
    def _get_unapproved_vals(self):
        """Return what is written on notices that become proposals again: whoever does that decided last."""
        return {
            **self._prepare_decision_vals(by_person=False), 'state': 'draft',
            'waiting_reason': False, 'error_message': False}

    def _add_maker(self):
        """Remember that the current user had a hand in these notices."""
        if not self.env.user._is_superuser():
            self._recording().write({'maker_ids': [Command.link(self.env.uid)]})

    def _record_change(self, text, needing):
        """Write down that the current user changed a notice that did not leave; an approval ends.

        :param needing: whether it needed a colleague before the change
        """
        self.ensure_one()
        needs = needing or self._needs_colleague()
        vals = {'colleague_kept': needs, 'change_count': self.change_count + 1}
        if needs and self.state in ('queued', 'error'):
            vals.update(self._get_unapproved_vals())
            text = f'{text} {self.env._("It was changed, so it needs a new approval.")}'
        self._recording().write(vals)
        self._add_maker()
        if text:
            self._recording()._message_log(body=text)

    # -------------------------------------------------------------------------
    # ACTIONS OF USERS
    # -------------------------------------------------------------------------

    def action_review(self):
        """Open the summary of what would be approved."""
        self.check_access('write')
        return self.env['dunning.proposal.approve']._action_open(self)

    def action_take_back(self):
        """Make proposals of notices that wait in the queue, to look at them again; their approval ends."""
        self.check_access('write')
        queued = self.filtered(lambda notice: notice.state == 'queued')._lock_proposals(('queued',))
        queued._recording().write(self._get_unapproved_vals())
        return True

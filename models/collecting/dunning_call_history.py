"""A call that was logged: what stays as it was, what is shown of it, and taking it back within a minute."""

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from ..sending.dunning_notice_standing import is_recent


class DunningCallHistory(models.AbstractModel):
    _name = 'dunning.call.history'
    _description = "Call"

    @api.depends('duration')
    def _compute_duration_text(self):
        for call in self:
            call.duration_text = f'{call.duration // 60}:{call.duration % 60:02d}' if call.duration else False

    @api.depends('item_ids')
    def _compute_item_count(self):
        for call in self:
            call.item_count = len(call.item_ids)

    # -------------------------------------------------------------------------
    # WHAT STAYS AS IT WAS LOGGED
    # -------------------------------------------------------------------------

    def _get_frozen_message(self, action):
        return {
            'create': self.env._(
                "A call is logged with its outcome, so that what follows from it happens by itself. Use “Log a call” "
                "on the debtor, the invoice or the notice; programs use the method log_call."),
            'write': self.env._(
                "A call that was logged is history: only its note can be corrected. Log another call if something "
                "else was said."),
            'unlink': self.env._(
                "%(call)s cannot be deleted: it explains what followed. What is too old goes by itself, as the "
                "settings say.", call=self[:1].display_name),
            'copy': self.env._("A call cannot be copied. Log a new one."),
        }[action]

    def _refuse(self, action):
        # Whoever may not is told that, and not what to do instead.
        self.check_access('create' if action == 'copy' else action)
        return super()._refuse(action)

    def _check_user_write(self, vals):
        self.check_access('write')
        result = super()._check_user_write(vals)
        if (
            self._get_frozen_names(vals) and self.user_id - self.env.user and not self.env.su
            and not self.env.user.has_group('account.group_account_manager')
        ):
            raise UserError(self.env._("Only who made the call or an accounting manager corrects its note."))
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    @api.model
    def _action_show(self, domain):
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_call_action')
        return {**action, 'domain': domain, 'context': {}}

    def action_open_holds(self):
        """Show the holds that followed from this call."""
        self.ensure_one()
        self.check_access('read')
        return self.hold_ids._get_records_action(name=self.env._("Holds"), context={})

    def action_open_invoices(self):
        """Show the invoices that were talked about."""
        self.ensure_one()
        self.check_access('read')
        return self.item_ids.move_id._get_records_action(name=self.env._("Invoices"))

    def action_log_again(self):
        """Open the wizard for another call to the same debtor."""
        self.ensure_one()
        self.check_access('read')
        return self.env['dunning.call.enter']._action_open(
            partner=self.partner_id, company=self.company_id, contact=self.contact_id)

    # -------------------------------------------------------------------------
    # UNDOING
    # -------------------------------------------------------------------------

    def action_undo(self):
        """Take back a call that was logged by mistake, with what followed from it; the debtor keeps a line about it.

        Only by who logged it, within a minute, and only while nothing left because of it.

        :return: a notification
        :raise UserError: a sentence, where it cannot be undone; then nothing changes
        """
        self.ensure_one()
        self.check_access('write')
        self.lock_for_update()
        # The user who wrote it down: a telephone system may name another one.
        if self.create_uid != self.env.user or not is_recent(self.create_date):
            raise AccessError(self.env._(
                "A call can be undone within a minute, by who logged it. Log another call and say what is right."))
        self._check_nothing_left()
        message = self.env._("Undone: %s", self.display_name)
        self._undo_outcome()
        body = self.env._(
            "%(user)s undid a call that was logged a moment ago: %(outcome)s.", user=self.env.user.name,
            outcome=self.outcome_id.name)
        moves, debtor = self.item_ids.move_id, self.partner_id
        moves._message_log_batch(dict.fromkeys(moves.ids, body))
        # sudo: who logs calls need not be allowed to change contacts
        debtor.sudo()._message_log(body=body)
        # sudo: nobody deletes calls; this one was logged a moment ago
        self._recording().sudo().unlink()
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {'type': 'success', 'message': message, 'next': {'type': 'ir.actions.act_window_close'}},
        }

    def _check_nothing_left(self):
        """Raise what left already because of this call, or was made after it."""
        if self.kind == 'copy_wanted':
            raise UserError(self.env._("A copy of the invoices was sent already, so this call cannot be undone."))
        if self.env['dunning.arrangement'].search_count([('call_id', '=', self.id)], limit=1):
            raise UserError(self.env._("An arrangement was made in this call. Cancel that first."))
        if self.promise_id and self.promise_id.state != 'running':
            raise UserError(self.env._("The promise of this call was decided already, so it cannot be undone."))
        if self._get_confirmations().filtered(lambda mail: mail.state == 'sent'):
            raise UserError(self.env._(
                "The promise was confirmed by e-mail already. Take the promise back instead, and tell the debtor."))

    def _get_confirmations(self):
        """Return the e-mails that confirm the promise of this call."""
        # sudo: mail.mail belongs to the system
        return self.env['mail.mail'].sudo().search([
            ('model', '=', 'dunning.promise'), ('res_id', '=', self.promise_id.id)]) if self.promise_id else self.env[
                'mail.mail'].sudo()

    def _undo_outcome(self):
        """Let everything be as before the call: holds, promise, calls of the ladder and the number that was wrong."""
        why, today = self.env._("Undone: the call was logged by mistake."), self.company_id._dunning_today()
        self._get_confirmations().write({'state': 'cancel'})
        if self.promise_id:
            self.promise_id._take_back(why)
        holds = self.hold_ids | self.promise_id.hold_ids
        holds.filtered(lambda hold: not hold.closed_on)._close(why)
        # What held nothing need not be waited for: free at once, without the soft days.
        holds._recording().write({'soft_days': -1})
        gone = self.env['dunning.notice'].browse((self.answer or {}).get('notice_ids'))
        (gone | self.notice_ids)._get_undoable()._undo()
        if self.kind == 'wrong_number' and self.number:
            family = self.env['res.partner'].search([('commercial_partner_id', '=', self.partner_id.id)])
            # sudo: as when it was marked
            family.filtered(lambda person: (
                person.dunning_phone_wrong_on == today and person._get_dunning_number() == self.number
            )).sudo().write({'dunning_phone_wrong_on': False})

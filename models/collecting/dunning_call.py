"""The call log: who was spoken to about what, how it ended, and what followed from that by itself."""

from psycopg2.errors import UniqueViolation

from odoo import Command, api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import mute_logger

from ..kernel.formats import format_day


class DunningCall(models.Model):
    """One telephone call about payment. Made by :meth:`log_call` only, and history from then on.

    ``duration`` is in seconds, ``number`` in E.164, ``date_start`` in UTC; ``date`` is the day of the call where the
    company is.
    """

    _name = 'dunning.call'
    _inherit = [
        'dunning.call.parser', 'dunning.call.effect', 'dunning.recorded', 'mail.thread', 'mail.activity.mixin']
    _description = "Call"
    _order = 'date_start desc, id desc'
    _check_company_auto = True
    _mail_post_access = 'read'
    _recording_context = {'mail_create_nosubscribe': True, 'mail_create_nolog': True, 'mail_notrack': True}
    _user_writable = frozenset({'note'})
    _unlink_recorded = True

    company_id = fields.Many2one(comodel_name='res.company', required=True, index=True, readonly=True)
    company_currency_id = fields.Many2one(related='company_id.currency_id', string="Company Currency")
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='restrict')
    contact_id = fields.Many2one(
        comodel_name='res.partner', readonly=True, index='btree_not_null', ondelete='set null',
        help="Whose number was called, or who called.")
    contact_name = fields.Char(string="Spoken To", readonly=True)
    number = fields.Char(readonly=True, help="With the code of the country, as in +31201234567.")
    direction = fields.Selection(
        selection=[('out', "Outgoing"), ('in', "Incoming")], default='out', required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name='res.users', string="Called By", required=True, index=True, readonly=True,
        default=lambda self: self.env.user)
    date_start = fields.Datetime(string="Start", required=True, readonly=True)
    date = fields.Date(required=True, readonly=True, index=True, help="The day of the call where the company is.")
    duration = fields.Integer(string="Duration (s)", readonly=True, help="In seconds.")
    duration_text = fields.Char(string="Duration", compute='_compute_duration_text', help="In minutes and seconds.")
    item_ids = fields.Many2many(
        comodel_name='account.move.line', relation='dunning_call_item_rel', column1='call_id', column2='item_id',
        string="Due Items", readonly=True)
    item_count = fields.Integer(string="Number of Items", compute='_compute_item_count')
    amount_discussed = fields.Monetary(
        readonly=True, currency_field='company_currency_id', help="What was open of the items on the day of the call.")
    outcome_id = fields.Many2one(
        comodel_name='dunning.call.outcome', required=True, index=True, readonly=True, ondelete='restrict')
    kind = fields.Selection(related='outcome_id.kind', store=True)
    # As the outcome was when the call was logged: another setting does not change what happened.
    reached = fields.Boolean(readonly=True)
    note = fields.Text(help="Facts about the payment only. Internal.")
    next_step = fields.Char(readonly=True)
    next_date = fields.Date(string="Next Step On", readonly=True)
    summary = fields.Char(string="What Was Done", readonly=True)
    # What the first answer was: the same telephone call posted again gets it again.
    answer = fields.Json(readonly=True, copy=False)
    notice_ids = fields.Many2many(
        comodel_name='dunning.notice', relation='dunning_call_notice_rel', column1='call_id', column2='notice_id',
        string="Calls of the Ladder", readonly=True,
        help="The calls of the ladder that this call was about. Reached, they count as made.")
    hold_ids = fields.Many2many(
        comodel_name='dunning.hold', relation='dunning_call_hold_rel', column1='call_id', column2='hold_id',
        string="Holds", readonly=True)
    promise_id = fields.Many2one(
        comodel_name='dunning.promise', readonly=True, index='btree_not_null', ondelete='set null')
    origin = fields.Selection(
        selection=[
            ('screen', "Debtor screen"),
            ('form', "Form"),
            ('api', "Telephone system"),
            ('activity', "Activity"),
            ('notice', "Call of the ladder"),
        ],
        default='form', required=True, readonly=True)
    external_id = fields.Char(
        string="External ID", readonly=True, copy=False, help="How the telephone system calls it.")
    activity_source_id = fields.Integer(
        string="Taken From Activity", readonly=True, copy=False, index='btree_not_null')

    _external_id_uniq = models.UniqueIndex(
        "(company_id, external_id) WHERE external_id IS NOT NULL",
        "This call was logged already.",
    )
    _debtor_idx = models.Index("(partner_id, company_id, date_start DESC)")

    @api.depends('outcome_id.name', 'partner_id.name', 'date')
    def _compute_display_name(self):
        for call in self:
            call.display_name = self.env._(
                "%(outcome)s, %(debtor)s, %(date)s", outcome=call.outcome_id.name or '',
                debtor=call.partner_id.name or '', date=format_day(self.env, call.date))

    @api.depends('duration')
    def _compute_duration_text(self):
        for call in self:
            call.duration_text = f'{call.duration // 60}:{call.duration % 60:02d}' if call.duration else False

    @api.depends('item_ids')
    def _compute_item_count(self):
        for call in self:
            call.item_count = len(call.item_ids)

    # -------------------------------------------------------------------------
    # LOGGING
    # -------------------------------------------------------------------------

    @api.model
    def log_call(self, values=None):
        """Log a telephone call about payment, and do what follows from its outcome.

        For accounting users (``account.group_account_invoice``), from Odoo itself and over JSON-2 or XML-RPC.
        All or nothing: what cannot be applied raises one sentence and nothing is written. A call that was logged
        with the same ``external_id`` gives the same answer and nothing happens twice.

        :param dict values: of the call

            - ``partner_id`` (int, required): the debtor, or a contact of him
            - ``outcome`` (required): id of a ``dunning.call.outcome``, or its kind, such as ``'no_answer'``
            - ``company_id`` (int): default the current company
            - ``contact_id`` (int), ``contact_name`` (str): who was spoken to
            - ``number`` (str): default that of the contact; stored as E.164
            - ``direction``: ``'out'`` (default) or ``'in'``
            - ``date_start`` (str, UTC, ``YYYY-MM-DD HH:MM:SS``): default now; ``duration`` (int, seconds)
            - ``item_ids`` (list of int): open due items (``account.move.line``) that were talked about; default
              those that are late or on the list to call about, and if there are none all open items
            - ``note`` (str): facts about the payment
            - ``date`` (str, ``YYYY-MM-DD``): promised, paid, to call back or approved on
            - ``time`` (str ``HH:MM``): to call back at
            - ``amount`` (float, currency of the items): promised; default all that is open of the items
            - ``part_amount`` (float, currency of the item): in dispute; default everything
            - ``confirm`` (bool): mail the debtor what he promised; default as the settings of the company say
            - ``category``: what is disputed, as ``dunning.hold.dispute_category``
            - ``external_id`` (str): how the telephone system calls it
            - ``origin``: ``'api'`` (default), ``'screen'``, ``'form'``, ``'activity'`` or ``'notice'``
            - ``activity_id`` (int): the activity that this call was; it is done afterwards
        :return: dict with ``call_id``, ``promise_id`` (or False), ``hold_ids``, ``notice_ids`` (calls of the ladder
            that do not wait any more), ``message`` (one sentence) and ``action`` (what to open next, or False)
        :raise UserError: when a value makes no sense or the outcome cannot be applied
        :raise AccessError: when the user may not log calls or see the debtor or company
        """
        self.check_access('create')
        company = self._parse_company(values)
        lang = self.env.context.get('lang') or self.env.user.lang
        Call = self.with_company(company).with_context(lang=lang)
        with self.env.cr.savepoint():
            return Call._log_parsed(Call._parse_call(values))

    @api.model
    def _log_parsed(self, data):
        logged = self._find_logged(data)
        if logged:
            return logged.answer or logged._prepare_answer(
                logged.summary or logged.outcome_id.name, logged.hold_ids, logged.promise_id)
        call = self._create_call(data)
        promised = data['date'] if call.kind == 'promise' else None
        # Made is made: what the outcome puts on hold must not take the call of the ladder off the list first.
        gone = call._advance_ladder(promised) if call.reached else call.notice_ids.browse()
        result = getattr(call, f'_apply_{call.kind}')(data)
        if not call.reached:
            gone = call._advance_ladder()
        holds = result.get('holds') or self.env['dunning.hold']
        promise = result.get('promise')
        if not promise:  # a promise sees to that itself
            holds._take_back_notices(keep=call.notice_ids)
        if call.reached:
            call._finish_call_backs()
        message = " ".join(filter(None, [result['done'], call._tell_ladder(gone)]))
        answer = call._prepare_answer(message, holds, promise, gone, result.get('action'))
        call._recording().write({
            'summary': message,
            'next_step': result.get('next_step'),
            'next_date': result.get('next_date'),
            'hold_ids': [Command.set(holds.ids)],
            'promise_id': promise and promise.id,
            'answer': answer,
        })
        call._log_on_invoices()
        if data['activity']:
            call._take_activity(data['activity'])
        self.env.flush_all()
        return call.answer  # as JSON, as it is answered again

    @api.model
    def _find_logged(self, data):
        if not data['external_id']:
            return self.browse()
        logged = self.search([
            ('company_id', '=', data['company'].id), ('external_id', '=', data['external_id'])])
        if logged and logged.partner_id != data['partner']:
            raise UserError(self.env._(
                "The external ID %(external)s belongs to a call with %(debtor)s that was logged before. Give each "
                "call an ID of its own.", external=data['external_id'], debtor=logged.partner_id.display_name))
        return logged

    @api.model
    def _create_call(self, data):
        person = data['contact'] or data['partner']
        values = {
            'company_id': data['company'].id,
            'partner_id': data['partner'].id,
            'contact_id': person.id,
            'contact_name': data['contact_name'],
            'number': data['number'],
            'direction': data['direction'],
            'user_id': self.env.uid,
            'date_start': data['date_start'],
            'date': data['call_date'],
            'duration': data['duration'],
            'item_ids': [Command.set(data['items'].ids)],
            'amount_discussed': sum(data['items'].mapped('amount_residual')),
            'outcome_id': data['outcome'].id,
            'reached': data['outcome'].reached,
            'note': data['note'],
            'notice_ids': [Command.set(data['notices'].ids)],
            'origin': data['origin'],
            'external_id': data['external_id'],
            'activity_source_id': data['activity'].id,
        }
        try:
            with mute_logger('odoo.sql_db'):
                return self._recording().create([values]).with_env(self.env)
        except UniqueViolation as error:
            # Another request logs the same call just now. Odoo tries again, and then finds it.
            raise ConcurrencyError(self.env._("This call is being logged by another request.")) from error

    def _prepare_answer(self, message, holds, promise, gone=None, action=False):
        """Return what :meth:`log_call` answers.

        :param gone: the calls of the ladder that do not wait any more because of this call
        """
        self.ensure_one()
        return {
            'call_id': self.id,
            'promise_id': promise.id if promise else False,
            'hold_ids': holds.ids,
            'notice_ids': gone.ids if gone else [],
            'message': message,
            'action': action or False,
        }

    # -------------------------------------------------------------------------
    # WHAT FOLLOWS FROM EVERY CALL
    # -------------------------------------------------------------------------

    def _advance_ladder(self, promised=None):
        """Record the calls of the ladder as made when the debtor was reached, pass them over after too many tries.

        :return: the notices that do not wait for a call any more
        """
        self.ensure_one()
        notices = self.notice_ids.filtered(lambda notice: notice.state == 'todo')
        if not notices:
            return notices
        today = self.company_id._dunning_today()
        if self.reached:
            notices._recording().write({'date': today, 'deadline': False, 'promised_date': promised or False})
            notices._record_sent(today)
            return notices
        if not self.outcome_id._is_try():
            return notices.browse()
        # A number that is wrong is no use trying again.
        no_number = self.kind == 'wrong_number' and not self.partner_id._get_dunning_phone_contact(self.contact_id)
        tired = notices.filtered(lambda notice: no_number or (
            notice.level_id.phone_tries and notice.call_tries >= notice.level_id.phone_tries))
        tired._skip(today)
        return tired

    def _tell_ladder(self, gone):
        """Return the sentence about the calls of the ladder; empty when there is nothing to tell."""
        self.ensure_one()
        if not gone:
            return ''
        levels = ", ".join(dict.fromkeys(gone.level_id.mapped('name')))
        if self.reached:
            return self.env._("“%s” counts as done.", levels)
        return self.env._("“%s” is passed over: the next level follows.", levels)

    def _finish_call_backs(self):
        """Once spoken to, the debtor is not called back any more."""
        earlier = self.search([
            ('company_id', '=', self.company_id.id), ('partner_id', '=', self.partner_id.id), ('id', '!=', self.id)])
        # sudo: a colleague may have planned it
        waiting = earlier.sudo().activity_ids.filtered(
            lambda activity: activity.automated and activity.activity_type_id.category == 'phonecall')
        waiting.unlink()

    def _log_on_invoices(self):
        """Log one line on each invoice that was talked about: that there was a call and how it ended, not the note."""
        self.ensure_one()
        link = self._get_html_link(title=self.outcome_id.name)
        body = self.env._("Call of %(date)s: %(outcome)s.", date=format_day(self.env, self.date), outcome=link)
        moves = self.item_ids.move_id
        if moves:
            moves._message_log_batch({move.id: body for move in moves})

    def _take_activity(self, activity):
        """The activity was this call: it is done."""
        activity = activity.exists()  # that of a call of the ladder went with it
        if activity.active:
            activity.action_feedback(feedback=self.summary)

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
            self._get_frozen_names(vals) and not self.env.su
            and not self.env.user.has_group('account.group_account_manager')
            and any(call.user_id != self.env.user for call in self)
        ):
            raise UserError(self.env._("Only who made the call or an accounting manager corrects its note."))
        return result

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_open_holds(self):
        """Show the holds that followed from this call."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_hold_action')
        action.update({'domain': [('id', 'in', self.hold_ids.ids)], 'context': {}})
        return action

    def action_open_invoices(self):
        """Show the invoices that were talked about."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('account.action_move_out_invoice_type')
        action['domain'] = [('id', 'in', self.item_ids.move_id.ids)]
        return action

    def action_log_again(self):
        """Open the wizard for another call to the same debtor."""
        self.ensure_one()
        return self.env['dunning.call.enter']._action_open(
            partner=self.partner_id, company=self.company_id, contact=self.contact_id)

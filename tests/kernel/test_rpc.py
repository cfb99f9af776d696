"""Whoever talks to Odoo without its screens gets no further: real JSON-RPC calls, meant to do harm.

As public, portal, salesperson, reader of the books and accountant, on every model of the addon (found in the
registry, so that a new one is attacked as well). What has left, what proves it and who decided cannot be changed by
any of them.
"""

import base64
import inspect
from contextlib import contextmanager

from odoo import Command, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..common import DunningCommon, days

MODULE = 'odoo.addons.l10n_nl_dunning.'
#: How Odoo says no. Anything else is a traceback: an attacker has found something nobody thought of.
REFUSALS = {
    'odoo.exceptions.AccessError', 'odoo.exceptions.UserError', 'odoo.exceptions.ValidationError',
    'odoo.exceptions.MissingError', 'odoo.exceptions.RedirectWarning', 'odoo.http.SessionExpiredException',
    'odoo.exceptions.AccessDenied',
}
#: Ways to read.
READING = (
    ('search_read', [[]]), ('search', [[]]), ('web_search_read', [[], {'id': {}}]), ('name_search', ['']),
    ('export_data', [[1], ['id']]), ('formatted_read_group', [[], [], ['__count']]),
)
#: States in which a notice has left or was closed.
LEFT = ('sent', 'skipped', 'undelivered', 'withdrawn', 'cancelled', 'to_post', 'todo')
#: Fields that are for the chatter and for activities: these go on.
MIXINS = ('message_', 'activity_', 'my_activity_', 'website_message_', 'rating_', 'access_')
#: What an accountant says himself with these fields of ours on records that are not ours.
BY_HAND = {
    'res.partner': {
        'dunning_waive_interest', 'dunning_waive_costs', 'dunning_waive_reason', 'dunning_user_id',
        # Whoever may change an address or a number may say whether it works.
        'dunning_email_bounced_on', 'dunning_phone_wrong_on', 'dunning_post_returned_on', 'dunning_unreachable_on'},
    'account.move': set(),
    'account.move.line': set(),
}


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestRpc(DunningCommon, HttpCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._dunning_today()  # who calls knows no other
        cls.env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch').active = True
        due = cls.today - days(20)
        cls.before = cls.today - days(10)
        # By e-mail, by letter, by telephone: gone, on the pile, to do, proposed, cancelled.
        cls.move = cls.invoice(due=due)
        cls.sent = cls.dun(cls.before)
        cls.mails_leave(cls.sent, cls.before)
        found = {}
        for channel in ('letter', 'phone', 'email', 'both'):
            cls.reminder.channel = channel
            cls.invoice(cls.make_debtor(f"{channel} BV"), due)
            found[channel] = cls.make_notices(cls.before)
        cls.to_post = cls.send(found['letter'], cls.before)
        cls.todo = cls.send(found['phone'], cls.before)
        cls.cancelled = found['both']
        cls.cancelled.action_cancel()
        cls.reminder.channel = 'email'
        cls.draft = found['email']
        paid = cls.invoice(cls.make_debtor("Paid BV"), due)
        cls.wrong = cls.dun(cls.before).filtered(lambda notice: notice.line_ids.move_id == paid)
        cls.pay(paid, on=cls.before - days(1))
        cls.hold = cls.env['dunning.hold'].create({
            'move_id': cls.move.id, 'reason_id': cls.env.ref('l10n_nl_dunning.hold_reason_dispute').id,
            'date_end': cls.today + days(5), 'note': "Says the bread was old"})
        if 'dunning.call' in cls.registry:
            cls.call_made = cls.env['dunning.call'].log_call({
                'partner_id': cls.sent.partner_id.id, 'outcome': 'promise', 'amount': 50.0, 'note': "Pays half",
                'date': cls.today + days(3)})
        cls.other_company = cls.setup_other_company()['company']
        cls.users = {
            name: new_test_user(
                cls.env, f'rpc_{name}', groups=groups, password=f'rpc_{name}_password', company_id=company.id,
                company_ids=[Command.set(company.ids)])
            for name, groups, company in (
                ('portal', 'base.group_portal', cls.company),
                ('sales', 'base.group_user,base.group_partner_manager', cls.company),
                ('readonly', 'base.group_user,account.group_account_readonly', cls.company),
                ('clerk', 'base.group_user,account.group_account_invoice', cls.company),
                ('stranger', 'base.group_user,account.group_account_manager', cls.other_company))
        }
        # The portal user is the debtor himself.
        cls.users['portal'].partner_id.parent_id = cls.business
        cls.our_models = sorted(name for name in cls.registry if name.startswith('dunning.'))
        cls.env.flush_all()

    # --- calling ---

    def log_in(self, name):
        self.user_name = name
        self.authenticate(*(None, None) if name == 'public' else (f'rpc_{name}', f'rpc_{name}_password'))

    def call(self, model, method, *args, **kwargs):
        """Call a method as a browser does. Return (result, name of the error, its text)."""
        response = self.opener.post(
            f'{self.base_url()}/web/dataset/call_kw/{model}/{method}', timeout=30,
            json={'id': 0, 'jsonrpc': '2.0', 'method': 'call',
                  'params': {'model': model, 'method': method, 'args': args, 'kwargs': kwargs}})
        answer = response.json()
        error = answer.get('error')
        if not error:
            return answer.get('result'), '', ''
        return None, error['data']['name'], error['data']['message']

    def refuse(self, model, method, *args, **kwargs):
        """A call that has to be refused in words."""
        _result, error, text = self.call(model, method, *args, **kwargs)
        self.assertTrue(error, f"{self.user_name} may {model}.{method}{args}{kwargs or ''}")
        self.assertRefusal(error, text, f"{model}.{method}{args}")

    def assertRefusal(self, error, text, what):
        self.assertTrue(error in REFUSALS, f"{error}: {what[:200]} as {self.user_name}: {text}")
        self.assertTrue(text.strip(), what)
        for sign in ('Traceback', '%(', 'psycopg2', 'NoneType'):
            self.assertNotIn(sign, text, what)

    def try_to(self, model, method, *args, **kwargs):
        """A call that may be answered, as long as nothing changes that may not; an error has to be in words."""
        result, error, text = self.call(model, method, *args, **kwargs)
        if error:
            self.assertRefusal(error, text, f"{model}.{method}{args}")
        return result

    # --- looking ---

    def tables(self):
        """Return the models of ours that keep something."""
        return [
            name for name in self.our_models
            if not self.env[name]._abstract and not self.env[name]._transient and self.env[name]._auto]

    def photograph(self, models=None):
        """Return all that we keep: our tables, the letters and mails, and the numbering."""
        self.env.flush_all()
        self.env.invalidate_all()
        queries = {model: SQL("SELECT * FROM %s ORDER BY id", SQL.identifier(self.env[model]._table))
                   for model in models or self.tables()}
        queries |= {
            'files': SQL(
                "SELECT id, name, res_model, res_field, res_id, type, url, checksum, mimetype, company_id"
                " FROM ir_attachment WHERE res_model LIKE 'dunning.%%' ORDER BY id"),
            'messages': SQL(
                "SELECT id, model, res_id, subject, body, author_id, email_from, message_id, date"
                " FROM mail_message WHERE model LIKE 'dunning.%%' AND message_type = 'comment' ORDER BY id"),
            'links': SQL(
                "SELECT attachment_id AS id, link.message_id FROM message_attachment_rel link JOIN mail_message message"
                " ON message.id = link.message_id WHERE model LIKE 'dunning.%%' ORDER BY 1, 2"),
            'mails': SQL("SELECT id, state, email_to FROM mail_mail ORDER BY id"),
            'deliveries': SQL(
                "SELECT notification.id, notification_status, mail_email_address FROM mail_notification notification"
                " JOIN mail_message message ON message.id = mail_message_id WHERE model LIKE 'dunning.%%' ORDER BY 1"),
            'numbers': SQL("SELECT id, prefix, padding, implementation, number_next FROM ir_sequence ORDER BY id"),
            'levels': SQL("SELECT id, dunning_level_id FROM account_move ORDER BY id"),
        }
        return {
            name: {row['id']: row for row in self.env.execute_query_dict(query)}
            for name, query in queries.items()}

    @contextmanager
    def nothing_changes(self, models=None):
        before = self.photograph(models)
        yield
        after = self.photograph(models)
        for name, rows in before.items():
            self.assertEqual(set(after[name]), set(rows), f"{name} as {self.user_name}")
            for key, row in rows.items():
                changed = {
                    column: (value, after[name][key][column]) for column, value in row.items()
                    if after[name][key][column] != value}
                self.assertFalse(changed, f"{name} {key} as {self.user_name}")

    def other_value(self, record, field):
        """Return a value over RPC that is not the present one; None when there is nothing to try."""
        kind, value = field.type, record[field.name]
        if kind in ('char', 'text', 'html'):
            return '<p>hacked</p>' if kind == 'html' else 'hacked'
        if kind == 'selection':
            return next((key for key in field.get_values(self.env) if key != value), None)
        if kind in ('many2one', 'many2one_reference'):
            if kind == 'many2one_reference':
                return 1
            other = self.env[field.comodel_name].search([('id', '!=', value.id)], limit=1)
            return other.id or False
        return {
            'integer': 4711, 'float': 4711.5, 'monetary': 4711.5, 'boolean': not value, 'date': '2001-01-01',
            'datetime': '2001-01-01 00:00:00', 'json': {'hacked': 1}, 'binary': base64.b64encode(b'hacked').decode(),
            'one2many': [[5]], 'many2many': [[5]],
        }.get(kind)

    def stored_fields(self, model):
        return {
            name: field for name, field in self.env[model]._fields.items()
            if (field.store or field.type == 'binary' or field.inverse) and name not in ('id', 'display_name')
            and field.groups != fields.NO_ACCESS
            and not name.startswith(MIXINS) and name not in ('create_uid', 'create_date', 'write_uid', 'write_date')}

    def some(self, model, limit=1):
        """Return some records of a model, as the superuser."""
        return self.env[model].sudo().search([], limit=limit) if not self.env[model]._abstract else self.env[model]

    def plausible(self, model):
        """Return values with which somebody might try to create a record."""
        example = self.some(model) if not self.env[model]._transient else self.env[model]
        vals = {}
        for name, field in self.stored_fields(model).items():
            if field.type in ('one2many', 'many2many', 'reference'):
                continue
            value = example[name] if example else False
            value = value.id if isinstance(value, models.BaseModel) else value
            if field.type in ('date', 'datetime') and value:
                value = str(value)
            if isinstance(value, bytes):
                value = value.decode()
            if value is not False:
                vals[name] = value
        return vals

    # --- outsiders ---

    def may(self, name, model, operation):
        return name in self.users and self.env[model].with_user(self.users[name]).has_access(operation)

    def attack(self, name):
        """Try everything on every model that this user has no right to."""
        self.log_in(name)
        with self.nothing_changes():
            for model in self.our_models:
                ids = (self.some(model).ids if not self.env[model]._transient else []) or [1]
                with self.subTest(user=name, model=model):
                    if not self.may(name, model, 'create'):
                        self.refuse(model, 'create', [self.plausible(model)])
                        self.refuse(model, 'web_save', [], {}, specification={})
                        self.try_to(model, 'copy', ids)
                        if model in self.tables() and name == 'sales':  # Odoo itself looks for the table first
                            self.try_to(model, 'load', ['id'], [['hacked']])
                    if not self.may(name, model, 'write'):
                        self.refuse(model, 'write', ids, self.plausible(model) or {'id': 2})
                    if not self.may(name, model, 'unlink'):
                        self.refuse(model, 'unlink', ids)
                    if not self.may(name, model, 'read'):
                        self.refuse(model, 'read', ids, ['id', 'display_name'])
                        for method, args in READING if name == 'sales' else READING[:1]:
                            result = self.try_to(model, method, *args)
                            self.assertFalse(
                                result and result not in ({'datas': []}, {'length': 0, 'records': []}),
                                f"{name} reads {model} with {method}: {result}")

    def test_public_gets_nothing(self):
        self.attack('public')

    def test_portal_gets_nothing(self):
        self.attack('portal')

    def test_sales_gets_nothing(self):
        self.attack('sales')

    def test_readers_change_nothing(self):
        self.attack('readonly')

    def test_outsiders_press_no_buttons(self):
        for name in ('portal', 'sales', 'readonly'):
            self.log_in(name)
            with self.nothing_changes():
                for notice in (self.draft, self.todo, self.to_post, self.sent):
                    for button in ('action_approve', 'action_send_now', 'action_cancel', 'action_done', 'action_skip',
                                   'action_retry', 'action_print_pile', 'action_mark_posted', 'action_enter_receipt'):
                        result = self.try_to('dunning.notice', button, notice.ids)
                        self.assertFalse(result and button != 'action_retry', (name, button, notice.state, result))
                for button in ('action_close', 'action_extend'):
                    self.try_to('dunning.hold', button, self.hold.ids)
                self.try_to('account.move', 'action_dunning_send', self.move.ids)

    # --- the accountant ---

    def test_what_has_left_is_changed_by_no_accountant(self):
        """Field by field, whatever a form could send and more."""
        self.log_in('clerk')
        with self.nothing_changes():
            for notice in (self.sent, self.cancelled, self.wrong):
                self.assertIn(notice.state, LEFT)
                for name, field in self.stored_fields('dunning.notice').items():
                    value = self.other_value(notice, field)
                    if value is not None:
                        self.try_to('dunning.notice', 'write', notice.ids, {name: value})
                line = notice.line_ids[:1]
                for name, field in self.stored_fields('dunning.notice.line').items():
                    value = self.other_value(line, field)
                    if value is not None:
                        self.refuse('dunning.notice.line', 'write', line.ids, {name: value})
                        self.try_to('dunning.notice', 'write', notice.ids, {'line_ids': [[1, line.id, {name: value}]]})
                for command in ([2, line.id], [3, line.id], [5], [6, 0, []], [0, 0, {'name': "hacked"}]):
                    self.try_to('dunning.notice', 'write', notice.ids, {'line_ids': [command]})
                self.refuse('dunning.notice.line', 'unlink', line.ids)
                self.refuse('dunning.notice', 'copy', notice.ids)
                if notice.state != 'cancelled':
                    self.refuse('dunning.notice', 'unlink', notice.ids)
                for button in ('action_approve', 'action_send_now', 'action_cancel', 'action_done', 'action_skip',
                               'action_retry'):
                    self.try_to('dunning.notice', button, notice.ids)

    def test_what_is_read_only_on_a_screen_is_read_only_for_a_program(self):
        """In every model in which accountants may work: what the program fills in, they cannot."""
        self.log_in('clerk')
        clerk = self.users['clerk']
        for model in self.tables():
            if not self.env[model].with_user(clerk).has_access('write'):
                continue
            for record in self.some(model, limit=3):
                for name, field in self.stored_fields(model).items():
                    value = self.other_value(record, field) if field.readonly else None
                    if value is None:
                        continue
                    with self.subTest(model=model, field=name), self.nothing_changes([model]):
                        self.try_to(model, 'write', record.ids, {name: value})

    def test_no_evidence_is_made_up(self):
        """Receipts, withdrawals and the notes about mail servers come from the program alone."""
        self.log_in('clerk')
        with self.nothing_changes():
            for model in self.tables():
                records = self.some(model, limit=5)
                if model in ('dunning.notice', 'dunning.notice.line', 'dunning.receipt', 'dunning.withdrawal',
                             'dunning.handover'):
                    with self.subTest(model=model):
                        self.refuse(model, 'create', [self.plausible(model)])
                        for record in records:
                            if model != 'dunning.notice' or record.state not in ('draft', 'cancelled'):
                                self.refuse(model, 'unlink', record.ids)

    def test_no_context_opens_a_door(self):
        """What code puts into the context to record something is an object; a browser can only send words."""
        self.log_in('clerk')
        words = [
            True, 1, 'RECORDING', {}, [], {'object': 'RECORDING'}, '<object object at 0x7f0000000000>',
            ['dunning.notice', 'dunning.hold'], {'dunning.notice': True, 'dunning.hold': True}]
        keys = ('dunning_recording', 'dunning_preview', 'dunning_ladder', 'dunning_handovers')
        with self.nothing_changes():
            for word in words:
                context = dict.fromkeys(keys, word) | {
                    'tracking_disable': True, 'force_delete': True, 'install_mode': True, '_force_unlink': True}
                for model, record in (
                    ('dunning.notice', self.sent), ('dunning.notice.line', self.sent.line_ids),
                    ('dunning.receipt', self.sent.receipt_ids[:1]),
                ):
                    self.refuse(model, 'unlink', record.ids, context=context)
                    self.refuse(model, 'create', [self.plausible(model)], context=context)
                self.refuse('dunning.notice', 'write', self.sent.ids, {'amount_due': 1.0}, context=context)
                self.refuse('dunning.notice', 'write', self.draft.ids, {'state': 'sent'}, context=context)
                self.refuse('dunning.hold', 'unlink', self.hold.ids, context=context)
                self.refuse('dunning.hold', 'write', self.hold.ids, {'date_end': '2099-01-01'}, context=context)
                for letter in self.letters(self.sent):
                    self.refuse('ir.attachment', 'unlink', letter.ids, context=context)
                self.refuse('mail.message', 'unlink', self.sent.mail_message_id.ids, context=context)

    def test_no_defaults_reach_what_the_program_records(self):
        """Values that a client proposes for new records do not end up in a notice or its evidence."""
        self.log_in('clerk')
        context = {
            'default_approved': True, 'default_interrupts_prescription': True, 'default_receipt_date': '2001-01-01',
            'default_costs_from': '2001-01-01', 'default_sent_on': '2001-01-01 00:00:00', 'default_state': 'sent',
            'default_legal_role': 'default_notice', 'default_date': '2001-01-01', 'default_name': 'HACKED',
            'default_note': 'hacked', 'default_withdrawn_on': '2001-01-01', 'default_claim_data': {'hacked': 1},
            'default_company_id': self.other_company.id, 'default_subject': 'hacked',
            'dunning_at_date': '2001-01-01',
        }
        debtor = self.make_debtor("Default BV")
        move = self.invoice(debtor, self.today - days(20))
        action = self.try_to('account.move', 'action_dunning_send', move.ids, context=context)
        self.assertTrue(action)
        self.try_to('dunning.send', 'action_send_now', [action['res_id']], context=context)
        self.env.invalidate_all()
        notice = self.notices_of(move)
        self.assertTrue(notice)
        self.assertFalse(notice.interrupts_prescription and not notice.sent_on)
        self.assertEqual(notice.company_id, self.company)
        self.assertNotIn('HACKED', notice.name)
        self.assertNotIn('hacked', f"{notice.note}{notice.subject}{notice.claim_data}")
        for date in (notice.receipt_date, notice.costs_from, notice.date, notice.sent_on and notice.sent_on.date()):
            self.assertTrue(not date or date >= self.today - days(1), date)  # the clock of the server is UTC
        for receipt in notice.receipt_ids:
            self.assertFalse(receipt.withdrawn_on or receipt.note)

    def test_private_methods_are_private(self):
        self.log_in('clerk')
        with self.nothing_changes():
            for model in self.our_models:
                names = {
                    method for cls in type(self.env[model]).mro() if cls.__module__.startswith(MODULE)
                    for method, function in vars(cls).items()
                    if method.startswith('_') and not method.startswith('__') and inspect.isfunction(function)}
                dangerous = {
                    name for name in names if name.startswith((
                        '_record', '_send', '_make', '_mark', '_cancel', '_skip', '_queue', '_insert', '_add', '_with',
                        '_dispatch', '_cron', '_plan', '_store', '_create', '_write', '_decide', '_judge', '_apply',
                        '_forget', '_accept', '_start', '_recording', '_update', '_end', '_close', '_register'))}
                for method in sorted(dangerous):
                    self.refuse(model, method, self.some(model).ids if not self.env[model]._transient else [1])

    # --- proof ---

    def letters(self, notices):
        return self.env['ir.attachment'].sudo().search([
            ('res_model', '=', 'dunning.notice'), ('res_id', 'in', notices.ids), ('res_field', '=', 'letter_file')])

    def test_the_letter_stays_the_letter(self):
        """The file is an attachment, and attachments have doors of their own."""
        self.log_in('clerk')
        hacked = base64.b64encode(b'%PDF-1.4 hacked').decode()
        for notice in (self.sent, self.to_post, self.wrong):
            [letter] = self.letters(notice)
            with self.nothing_changes():
                self.refuse('ir.attachment', 'unlink', letter.ids)
                for vals in (
                    {'datas': hacked}, {'raw': hacked}, {'db_datas': hacked}, {'res_id': self.draft.id},
                    {'res_model': 'res.partner'}, {'res_field': False}, {'type': 'url', 'url': 'http://x.example.com'},
                    {'url': 'http://x.example.com'}, {'type': 'url'}, {'name': 'hacked.pdf'}, {'mimetype': 'text/html'},
                    {'company_id': False}, {'store_fname': 'aa/hacked'}, {'checksum': 'hacked'}, {'file_size': 0},
                ):
                    self.try_to('ir.attachment', 'write', letter.ids, vals)
                # A second file for the same field would be shown instead of the first.
                self.refuse('ir.attachment', 'create', [{
                    'name': 'second.pdf', 'res_model': 'dunning.notice', 'res_field': 'letter_file',
                    'res_id': notice.id, 'datas': hacked}])
                self.refuse('ir.attachment', 'copy', letter.ids)
                # One that is made elsewhere and moved there.
                other = self.env['ir.attachment'].with_user(self.users['clerk']).create(
                    {'name': 'third.pdf', 'datas': hacked})
                self.refuse('ir.attachment', 'write', other.ids, {
                    'res_model': 'dunning.notice', 'res_field': 'letter_file', 'res_id': notice.id})
            self.assertEqual(base64.b64decode(notice.letter_file), letter.raw)

    def test_the_mail_stays_the_mail(self):
        """What was mailed is a message in the chatter, and messages have doors of their own."""
        self.log_in('clerk')
        message = self.sent.mail_message_id
        self.assertTrue(message.attachment_ids)
        with self.nothing_changes():
            self.refuse('mail.message', 'unlink', message.ids)
            for vals in (
                {'body': "<p>hacked</p>"}, {'subject': "hacked"}, {'res_id': self.draft.id}, {'model': 'res.partner'},
                {'attachment_ids': [[5]]}, {'author_id': self.business.id}, {'date': '2001-01-01 00:00:00'},
                {'message_id': 'hacked'}, {'email_from': 'hacked@example.com'}, {'message_type': 'notification'},
                {'notification_ids': [[5]]},
            ):
                self.refuse('mail.message', 'write', message.ids, vals)
                self.refuse('dunning.notice', 'write', self.sent.ids, {'message_ids': [[1, message.id, vals]]})
            for command in ([2, message.id], [3, message.id], [5], [6, 0, []]):
                self.try_to('dunning.notice', 'write', self.sent.ids, {'message_ids': [command]})
            for attachment in message.sudo().attachment_ids:
                self.refuse('ir.attachment', 'unlink', attachment.ids)
                self.refuse('ir.attachment', 'write', attachment.ids, {'datas': base64.b64encode(b'x').decode()})
            answer = self.opener.post(f'{self.base_url()}/mail/message/update_content', json={
                'id': 0, 'jsonrpc': '2.0', 'method': 'call', 'params': {
                    'message_id': message.id, 'update_data': {'body': "hacked", 'attachment_ids': []}}})
            self.assertIn('error', answer.json())
        # The conversation goes on.
        self.assertTrue(self.try_to('dunning.notice', 'message_post', self.sent.ids, body="Called him about it"))

    def test_numbers_cannot_be_reset(self):
        sequence = self.env.ref('l10n_nl_dunning.sequence_notice')
        for name in ('portal', 'sales', 'readonly', 'clerk'):
            self.log_in(name)
            with self.nothing_changes():
                self.refuse('ir.sequence', 'write', sequence.ids, {'number_next': 1, 'prefix': "X"})
                self.refuse('ir.sequence', 'write', sequence.ids, {'number_next_actual': 1})
                self.refuse('ir.sequence', 'unlink', sequence.ids)
                self.try_to('dunning.notice', 'write', self.draft.ids, {'name': self.sent.name})

    def test_fields_of_ours_on_other_records_are_not_written_from_outside(self):
        """Levels, reasons and amounts on invoices, due items and contacts follow from what happened."""
        for name in ('sales', 'clerk'):
            self.log_in(name)
            for record in (self.business, self.move, self.items(self.move)):
                for field_name, field in self.env[record._name]._fields.items():
                    if not field_name.startswith('dunning_') or not field.store or field_name in BY_HAND[record._name]:
                        continue
                    value = self.other_value(record, field)
                    if value is None or not field.readonly:
                        continue
                    with self.subTest(user=name, model=record._name, field=field_name):
                        before = record[field_name]
                        self.try_to(record._name, 'write', record.ids, {field_name: value})
                        record.invalidate_recordset()
                        self.assertEqual(record[field_name], before)

    # --- companies ---

    def test_another_company_sees_and_does_nothing(self):
        self.log_in('stranger')
        with self.nothing_changes():
            for model in self.tables():
                if 'company_id' not in self.env[model]._fields:
                    continue
                ours = self.env[model].sudo().search([('company_id', '=', self.company.id)], limit=3)
                if not ours:
                    continue
                with self.subTest(model=model):
                    found = self.try_to(model, 'search', [['id', 'in', ours.ids]])
                    self.assertFalse(found)
                    self.refuse(model, 'read', ours.ids, ['display_name'])
                    self.refuse(model, 'write', ours.ids, {'company_id': self.other_company.id})
                    self.refuse(model, 'unlink', ours.ids)
                    context = {'allowed_company_ids': self.company.ids}
                    self.refuse(model, 'read', ours.ids, ['display_name'], context=context)
            for button in ('action_approve', 'action_send_now', 'action_cancel'):
                self.refuse('dunning.notice', button, self.draft.ids)
            self.refuse('ir.attachment', 'read', self.letters(self.sent).ids, ['raw'])

    # --- whoever may do everything ---

    def test_not_even_an_administrator_deletes_what_has_left(self):
        """Not directly, and not by deleting what it is about."""
        admin = new_test_user(
            self.env, 'rpc_admin', groups='base.group_system,account.group_account_manager',
            company_id=self.company.id, company_ids=[Command.set(self.company.ids)])
        ladder = self.reminder.policy_id
        with self.nothing_changes(['dunning.notice', 'dunning.notice.line', 'dunning.receipt']):
            self.user_name = 'admin'
            for records in (
                self.sent, self.sent.line_ids, self.sent.receipt_ids, self.wrong, self.to_post, self.reminder, ladder,
                self.company, self.business, self.sent.mail_message_id, self.letters(self.sent), self.move,
                self.sent.currency_id, self.env.ref('l10n_nl_dunning.sequence_notice') and self.sent,
            ):
                for env in (self.env(user=admin), self.env):
                    with self.subTest(records=records._name, user=env.user.login), \
                            mute_logger('odoo.sql_db'), self.assertRaises(UserError), \
                            self.env.cr.savepoint():
                        try:
                            records.with_env(env).unlink()
                        except Exception as error:
                            # As every request does: what PostgreSQL refuses is told in words.
                            if type(error).__module__.startswith('psycopg2'):
                                raise ValidationError(str(error)) from error
                            raise

    # --- who did what, when ---

    def test_each_act_of_a_user_leaves_a_trace(self):
        """Who did it and when, on the record itself."""
        clerk = self.users['clerk']

        env = self.env(user=clerk, context={'lang': 'en_US', 'allowed_company_ids': self.company.ids})

        def messages(record):
            return record.message_ids.filtered(lambda message: message.author_id == clerk.partner_id)

        contact = self.make_contact(self.draft.partner_id, "Ann")
        acts = [
            (self.draft, lambda notice: notice.write({'channel': 'both'})),
            (self.draft, lambda notice: notice.write({'recipient_id': contact.id})),
            (self.draft, lambda notice: notice.write({'lang': 'en_US' if notice.lang != 'en_US' else 'nl_NL'})),
            (self.draft, lambda notice: notice.action_approve()),
            (self.draft, lambda notice: notice.action_cancel()),
            (self.todo, lambda notice: notice.write({'note': "No answer"})),
            (self.todo, lambda notice: notice.action_skip()),
            (self.post_one(), lambda notice: notice.action_mark_posted()),
            (self.hold, lambda hold: hold.write({'note': "New facts"})),
        ]
        for number, (record, act) in enumerate(acts):
            with self.subTest(act=number, record=record):
                before = messages(record)
                act(record.with_env(env))
                self.env.flush_all()
                self.cr.precommit.run()  # chatter of changes is written then
                record.invalidate_recordset()
                new = messages(record) - before
                self.assertTrue(new, "Nothing in the chatter says who did this")
                self.assertTrue(new[0].date)
        # What happens once only has fields of its own.
        hold = self.hold.with_env(env)
        hold._close("It was settled")
        self.assertRecordValues(hold, [{
            'closed_by_id': clerk.id, 'close_reason': "It was settled", 'closed_on': self.today,
            'opened_by_id': self.env.uid}])
        withdrawal = self.env['dunning.withdrawal'].search([('line_ids', 'in', self.wrong.line_ids.ids)])
        withdrawal.with_env(env).action_send()
        self.assertEqual(withdrawal.decided_by_id, clerk)
        self.assertTrue(withdrawal.decided_on)
        self.assertEqual(self.to_post.posted_by_id, clerk)

    def post_one(self):
        # It was printed on an earlier day and would give too short a term: posting makes it again.
        self.post_letters(self.to_post, self.today)
        self.send(self.to_post, self.today)
        self.to_post._recording().write({'postal_state': 'printed'})
        return self.to_post

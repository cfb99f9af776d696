"""Who reads and who writes each of our fields, on the records of others and on our own: a new field needs an answer."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import DunningCommon, days

EVERYBODY = ('portal', 'employee', 'sales', 'readonly', 'clerk', 'manager')
COLLEAGUES = EVERYBODY[1:]
ACCOUNTING = EVERYBODY[3:]
BOOKKEEPERS = EVERYBODY[4:]
#: By model: who reads, who may write where the record itself may be written, and which fields.
ANSWERS = {
    'res.partner': (
        (COLLEAGUES, (), 'effective_type effective_type_reason email hold_text level_id term_warning'),
        (ACCOUNTING, BOOKKEEPERS,
         'policy_id debtor_type type_reason term_agreed waive_interest waive_costs waive_reason lang review user_id '
         'large_buyer term_expressly wki_number wki_exempt email_bounced_on phone_wrong_on post_returned_on '
         'unreachable_on hold_ids notice_ids'),
        (ACCOUNTING, (),
         'effective_policy_id amount_collectable amount_overdue days_overdue items_overdue '
         'arrangement_count arrangement_id arrangement_story arrangement_text call_count debtor_count hold_count '
         'notice_count promise_count promise_text'),
    ),
    'res.company': (
        # Who may write a company is an administrator.
        (COLLEAGUES, COLLEAGUES,
         'arrangement_max_amount arrangement_max_instalments auto_signatory_id booking_journal_id contact_id '
         'contacts_per_week cost_product_id interest_product_id keep_months lines_without_product oldest_due_date '
         'page_offer_total planned_on policy_business_id policy_consumer_id postal_days promise_confirm quiet '
         'retention_automatic shortest_term signatory_ids start_date term_agreed_business term_agreed_consumer user_id '
         'vat_on_costs window_side'),
        (COLLEAGUES, (), 'branch_ids creditor_id'),
        (EVERYBODY[5:], EVERYBODY[5:], 'legal_person'),
    ),
    'account.move': (
        # The debtor was told the level of the invoice; see `account.move`.
        (EVERYBODY, EVERYBODY, 'level_id'),
        (COLLEAGUES, (), 'days_overdue'),
        (ACCOUNTING, ACCOUNTING,
         'policy_id claim_kind arrangement_id notice_id line_ids return_reason returned_on sent_on sent_state '
         'sent_message_id'),
        (ACCOUNTING, (),
         'call_count hold_count hold_text is_due notice_count prescription_date prescription_reason reason sent_text'),
    ),
    'account.move.line': (
        (COLLEAGUES, (), 'days_overdue level_id'),
        (ACCOUNTING, (), 'prescription_date prescription_reason reason'),
    ),
    'account.journal': ((ACCOUNTING, ACCOUNTING, 'ignore_age'),),
    'account.payment.method.line': ((ACCOUNTING, ACCOUNTING, 'collects'),),
    'account.payment.term': ((COLLEAGUES, (), 'term_warning'),),
    'payment.transaction': ((ACCOUNTING, ACCOUNTING, 'arrangement_id instalment_id page_id'),),
}
#: Fields of our own models that fewer people read than the records: nobody, or accounting.
OWN = {
    NO_ACCESS: {
        'dunning.page.access_token', 'dunning.arrangement.access_token', 'dunning.arrangement.sign_url',
        'dunning.arrangement.document_data', 'dunning.arrangement.mail_payment', 'dunning.arrangement.told_payment',
        'dunning.notice.mail_payment', 'dunning.notice.shared_company_ids'},
    'account.group_account_invoice': {'dunning.arrangement.signed_ip'},
    'account.group_account_invoice,account.group_account_readonly': {
        'dunning.arrangement.booking_ids', 'dunning.notice.booking_left', 'dunning.notice.booking_ids',
        'dunning.notice.booking_count', 'dunning.booking.waive.booking_left'},
}
#: Changes of these are written down on the record.
TRACKED = {
    'res.partner': {
        'dunning_policy_id': None, 'dunning_debtor_type': 'government', 'dunning_type_reason': "Extract",
        'dunning_term_agreed': 'no', 'dunning_waive_interest': True, 'dunning_waive_costs': True,
        'dunning_waive_reason': "Agreed again", 'dunning_review': True, 'dunning_large_buyer': True,
        'dunning_term_expressly': True, 'dunning_wki_number': "12", 'dunning_wki_exempt': True},
    'account.move': {
        'dunning_policy_id': None, 'dunning_claim_kind': 'services', 'dunning_sent_on': '2025-01-02',
        'dunning_returned_on': '2025-01-02', 'dunning_return_reason': "AM04"},
}


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestFieldRights(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.invoice(due=cls.company._dunning_today() - days(20))
        cls.users = {
            name: new_test_user(
                cls.env, f'field_{name}', groups=groups, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)])
            for name, groups in {
                'portal': 'base.group_portal',
                'employee': 'base.group_user',
                'sales': 'base.group_user,base.group_partner_manager',
                'readonly': 'account.group_account_readonly,base.group_partner_manager',
                'clerk': 'account.group_account_invoice,base.group_partner_manager',
                'manager': 'account.group_account_manager,base.group_partner_manager',
            }.items()
        }

    def other_value(self, name):
        """Return a value that a contact does not have."""
        field = self.business._fields[name]
        return {
            'many2one': self.ladder.id if name == 'dunning_policy_id' else self.users['clerk'].id,
            'selection': field.type == 'selection' and field.get_values(self.env)[-1],
            'boolean': True, 'char': "x", 'date': '2025-01-01',
        }.get(field.type)

    def test_every_field_of_ours_has_an_answer(self):
        found = {}
        for name, model in self.registry.items():
            if name.startswith('dunning.') or model._transient or model._abstract:
                continue
            for field in model._fields.values():
                if field.name.startswith('dunning_') and field.inherited:
                    self.assertEqual(field.groups, field.related_field.groups, f"{name}: as where it comes from")
                elif field.name.startswith('dunning_'):
                    found.setdefault(name, set()).add(field.name)
        answered = {
            model: {f'dunning_{name}' for *_who, names in answers for name in names.split()}
            for model, answers in ANSWERS.items()}
        self.assertEqual(found, answered)
        own = {}
        for name, model in self.registry.items():
            if not name.startswith('dunning.') or model._abstract:
                continue
            for field in model._fields.values():
                # What the mixins of core bring along is core's.
                if field.groups and any(module == 'l10n_nl_dunning' for module in field._modules):
                    own.setdefault(field.groups, set()).add(f'{name}.{field.name}')
                if field.name in ('access_token', 'url', 'sign_url', 'page_url') and not model._transient:
                    self.assertEqual(field.groups, NO_ACCESS, f"{name}.{field.name} is a key")
        self.assertEqual(own, OWN)

    def test_fields_by_role(self):
        for model, answers in ANSWERS.items():
            for readers, _writers, names in answers:
                for name in names.split():
                    field = self.env[model]._fields[f'dunning_{name}']
                    for role, user in self.users.items():
                        records = self.env[model].with_user(user)
                        with self.subTest(model=model, field=field.name, role=role):
                            self.assertEqual(records._has_field_access(field, 'read'), role in readers)

    def test_who_writes_on_a_contact(self):
        """In a form, over RPC and in an import: the same fields, and nothing but refused or written."""
        writable = [
            f'dunning_{name}' for _readers, writers, names in ANSWERS['res.partner'] if writers
            for name in names.split()]
        for role in COLLEAGUES:
            user = self.users[role]
            for name in writable:
                value = self.other_value(name)
                if value is None:
                    continue
                vals = {name: value}
                if name.startswith('dunning_waive_'):
                    vals |= {'dunning_waive_reason': "Agreed"}
                contact = self.make_debtor(f"{role} {name}")
                Partner = self.env['res.partner'].with_user(user)
                with self.subTest(role=role, field=name):
                    if role in BOOKKEEPERS:
                        contact.with_user(user).write(vals)
                        self.assertTrue(contact[name])
                        continue
                    with self.assertRaises(AccessError), mute_logger('odoo.models'):
                        contact.with_user(user).write(vals)
                    with self.assertRaises(AccessError), mute_logger('odoo.models'):
                        Partner.create({'name': "New", **vals})
                    self.assertFalse(contact[name])

    def test_an_import_changes_nothing_either(self):
        contact = self.business
        self.env['ir.model.data'].create({
            'module': '__import__', 'name': 'field_rights', 'model': 'res.partner', 'res_id': contact.id})
        for name, value in (('dunning_debtor_type', "Consumer"), ('dunning_term_agreed', "Agreed")):
            for row in (['__import__.field_rights', "Bakker", value], ['', "New", value]):
                with mute_logger('odoo.models', 'odoo.sql_db'):
                    result = self.env['res.partner'].with_user(self.users['sales']).load(['id', 'name', name], [row])
                self.assertFalse(result['ids'], name)
                self.assertTrue(result['messages'])
            self.assertFalse(contact[name])

    def test_sales_goes_on_working_with_contacts_that_accounting_decided_about(self):
        self.business.write({
            'dunning_user_id': self.users['clerk'].id, 'dunning_debtor_type': 'government',
            'dunning_waive_costs': True, 'dunning_waive_reason': "Agreed", 'dunning_email_bounced_on': '2025-01-01'})
        Partner = self.env['res.partner'].with_user(self.users['sales'])
        firm = self.business.with_user(self.users['sales'])
        person = Partner.create({'name': "Ann", 'parent_id': firm.id})
        self.assertEqual(person.sudo().dunning_debtor_type, 'government', "It goes along with the firm")
        self.env['ir.model.data'].create({
            'module': '__import__', 'name': 'firm', 'model': 'res.partner', 'res_id': firm.id})
        result = Partner.load(['id', 'name', 'parent_id/id'], [['__import__.person', "Bob", '__import__.firm']])
        self.assertFalse(result['messages'])
        self.assertTrue(Partner.browse(result['ids']).sudo().dunning_waive_costs)
        with Form(firm) as form:
            form.email = 'other@debtor.example.com'
        self.assertFalse(self.business.dunning_email_bounced_on, "The mark belonged to the address")
        firm.copy()
        person.parent_id = False
        self.assertEqual(firm.dunning_effective_type, 'government')

    def test_a_debtor_corrects_his_own_contact(self):
        me = self.users['portal'].partner_id
        me.write({'email': 'old@debtor.example.com', 'dunning_email_bounced_on': '2025-01-01'})
        # sudo: as the portal of core does
        me.with_user(self.users['portal']).sudo().write({'email': 'new@debtor.example.com', 'vat': ''})
        self.assertFalse(me.dunning_email_bounced_on)
        for record in (me, self.company):
            for name in record._fields:
                if name.startswith('dunning_'):
                    with self.assertRaises(AccessError), mute_logger('odoo.models'):
                        record.with_user(self.users['portal']).read([name])
            self.assertTrue(record.with_user(self.users['portal']).read(['name']))

    def merge(self, role, others, target):
        with mute_logger('odoo.addons.base.wizard.base_partner_merge', 'odoo.models'), self.env.cr.savepoint():
            self.env['base.partner.merge.automatic.wizard'].with_user(self.users[role])._merge(
                (others | target).ids, target.with_user(self.users[role]))

    def test_a_merge_decides_nothing(self):
        def pair(number, **vals):
            contacts = [self.make_debtor(f"Dubbel {number}", email='same@debtor.example.com') for _n in range(2)]
            contacts[0].write(vals)
            return contacts

        old, kept = pair(1, dunning_waive_costs=True, dunning_waive_reason="Agreed")
        with self.assertRaisesRegex(UserError, "Accounting decided"):
            self.merge('sales', old, kept)
        self.assertTrue(old.exists())
        self.assertFalse(kept.dunning_waive_costs)
        self.merge('clerk', old, kept)
        self.assertTrue(kept.dunning_waive_costs)
        # What accounting decided about the one that stays, stays.
        kept, old = pair(2, dunning_debtor_type='consumer', dunning_policy_id=self.ladder.id)
        self.merge('sales', old, kept)
        self.assertFalse(old.exists())
        self.assertRecordValues(
            kept, [{'dunning_debtor_type': 'consumer', 'dunning_policy_id': self.ladder.id}])

    def written_down(self):
        self.env.flush_all()
        self.cr.precommit.run()  # chatter of changes is written then

    def test_what_was_decided_is_written_down(self):
        for model, values in TRACKED.items():
            record = self.business if model == 'res.partner' else self.move
            for name, value in values.items():
                self.written_down()
                before = record.message_ids
                vals = {name: value if value is not None else self.env['dunning.policy'].create({'name': "Other"}).id}
                if name.startswith('dunning_waive_') and not record.dunning_waive_reason:
                    vals['dunning_waive_reason'] = "Agreed"
                record.with_env(self.env(user=self.users['clerk'], context={
                    'allowed_company_ids': self.company.ids})).write(vals)
                self.written_down()
                # sudo: of whichever subtype
                values_written = (record.message_ids - before).sudo().tracking_value_ids
                self.assertIn(name, values_written.field_id.mapped('name'), model)

    # --- keys ---

    def test_a_key_is_read_by_nobody(self):
        page = self.business._get_dunning_page(self.company).sudo(False)
        arrangement = self.env['dunning.arrangement']._make(
            self.company, self.business, self.move._get_dunning_items(), {})
        arrangement._offer()
        self.invoice(due=self.company._dunning_today() - days(20))
        notice = self.dun(self.company._dunning_today())
        page_key, key = page.sudo().access_token, arrangement.sudo().access_token
        self.assertTrue(page_key and key)
        for role in ACCOUNTING:
            user = self.users[role]
            for record, value, names in (
                (page, page_key, ['access_token']), (arrangement, key, ['access_token', 'sign_url', 'document_data']),
            ):
                record = record.with_env(self.env(user=user))
                record.invalidate_recordset()
                for name in names:
                    with self.subTest(role=role, field=name), mute_logger('odoo.models'):
                        with self.assertRaises(AccessError):
                            record.read([name])
                        with self.assertRaises(AccessError):
                            record.search([(name, '=like', f'{value[:3]}%')])
                with self.subTest(role=role, record=record):
                    told = ('reminder', tuple(arrangement.sudo().instalment_ids.ids), ())
                    self.assertNotIn(value, str(record.with_context(dunning_told=told).read()))
                    self.assertNotIn(page_key, str(notice.with_user(user).read()))
                    share = self.env['portal.share'].with_user(user).with_context(
                        active_model=record._name, active_id=record.id).create({})
                    self.assertNotIn(value, share.share_link)
                    if record == page and role in BOOKKEEPERS:
                        self.assertNotIn(value, str(record.action_open_page()))
                    self.assertNotIn(value, str(record._get_access_action()))

    def test_the_history_has_no_key(self):
        """What was mailed has the link; what colleagues read of it afterwards has not."""
        arrangement = self.env['dunning.arrangement']._make(
            self.company, self.business, self.move._get_dunning_items(), {})
        arrangement._offer()
        other = self.invoice(self.make_debtor("Other BV"), due=self.company._dunning_today() - days(20))
        notice = self.dun(self.company._dunning_today()).filtered(lambda notice: other in notice.line_ids.move_id)
        page = other.partner_id._get_dunning_page(self.company)
        for record, key in ((arrangement, arrangement.sudo().access_token), (notice, page.access_token)):
            # sudo: e-mails are the system's
            mails = self.env['mail.mail'].sudo().search([('model', '=', record._name), ('res_id', '=', record.id)])
            self.assertTrue(any(key in mail.body_html for mail in mails), record)
            self.assertFalse([message for message in record.message_ids if key in message.body], record)

    # --- files ---

    def test_files_of_ours_are_never_public(self):
        notice = self.dun(self.company._dunning_today())
        files = self.env['ir.attachment'].sudo().search([
            ('res_model', '=', 'dunning.notice'), ('res_id', '=', notice.id), ('res_field', '!=', None)])
        files |= self.env['ir.attachment'].create({
            'name': "note.txt", 'raw': b"x", 'res_model': 'dunning.notice', 'res_id': notice.id})
        for file in files:
            for role in BOOKKEEPERS:
                mine = file.with_user(self.users[role])
                for vals in ({'public': True}, {'access_token': 'abc'}):
                    with self.subTest(file=file.res_field, vals=vals), self.assertRaises(UserError):
                        mine.write(vals)
                with self.assertRaises(UserError):
                    mine.generate_access_token()
        with self.assertRaises(UserError):
            self.env['ir.attachment'].create({
                'name': "x", 'raw': b"x", 'res_model': 'dunning.notice', 'res_id': notice.id, 'public': True})
        loose = self.env['ir.attachment'].create({'name': "x", 'raw': b"x", 'public': True})
        with self.assertRaises(UserError):
            loose.write({'res_model': 'dunning.notice', 'res_id': notice.id})

    def test_a_file_of_others_is_not_decoded(self):
        """Core refuses it in its own way, or takes it, as without us."""
        file = self.env['ir.attachment'].create({
            'name': "x", 'raw': b"x", 'res_model': 'res.partner', 'res_id': self.business.id})
        file._check_dunning_rewrite({'datas': "not base64"})

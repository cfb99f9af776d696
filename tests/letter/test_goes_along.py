"""What goes along is right: the invoice itself, the account, the sender, the number of an old invoice."""

from datetime import date

from odoo import Command
from odoo.tests import tagged

from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestGoesAlong(DunningCommon):

    def waiting(self):
        """Make a reminder that does not leave; return it."""
        self.invoice(self.make_debtor("Wacht BV"))
        notice = self.dun(DUE)
        self.assertEqual((notice.state, bool(notice.waiting_reason)), ('queued', True))
        return notice

    def let_go(self, notice):
        self.send(notice, DUE)
        self.assertEqual((notice.state, notice.waiting_reason), ('sent', False))

    # --- the invoice ---

    def render(self, move):
        """Return (name, text) of what goes along as this invoice; in tests core renders text."""
        document, = move._get_dunning_documents()
        return document['filename'], bytes(document['content']).decode('utf-8', 'ignore').lower()

    def test_an_invoice_without_a_pdf_is_printed_and_no_proforma(self):
        for vals in ({}, {'payment_reference': "P-1"}):
            move = self.invoice(self.make_debtor("Print BV"), **vals)
            self.assertFalse(move.invoice_pdf_report_id)
            name, text = self.render(move)
            self.assertNotIn('proforma', name)
            self.assertNotIn('pro forma', text.replace('-', ' '))
            self.assertNotIn('proforma', text)
        self.reminder.attach_invoices = True
        notice = self.dun(DUE)[:1]
        self.assertFalse([file.name for file in notice.mail_id.sudo().attachment_ids if 'proforma' in file.name])

    # --- the account ---

    def test_a_closed_account_is_not_named(self):
        old = self.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': self.company.partner_id.id, 'sequence': 1})
        move = self.invoice(partner_bank_id=old.id)
        Letter = self.env['dunning.letter']
        self.assertEqual(Letter._get_bank(self.company, move), old)
        old.active = False
        self.assertEqual(Letter._get_bank(self.company, move).sanitized_acc_number, 'NL20INGB0001234567')
        # One of somebody else is not ours either.
        other = self.env['res.partner.bank'].create({
            'acc_number': 'NL02RABO0123456789', 'partner_id': self.business.id})
        move.partner_bank_id = other
        self.assertEqual(Letter._get_bank(self.company, move).sanitized_acc_number, 'NL20INGB0001234567')

    def test_without_an_account_it_waits(self):
        banks = self.company.partner_id.bank_ids
        banks.active = False
        for channel in ('email', 'letter', 'both'):
            self.reminder.channel = channel
            notice = self.waiting()
            self.assertIn("has no bank account to pay on", notice.waiting_reason)
        banks.active = True
        self.reminder.channel = 'email'
        self.let_go(self.env['dunning.notice'].search([('state', '=', 'queued'), ('channel', '=', 'email')], limit=1))

    def test_a_branch_uses_the_account_of_its_head_office(self):
        branch = self.env['res.company'].create({'name': "Filiaal", 'parent_id': self.company.id})
        bank = self.env['dunning.letter']._get_bank(branch, self.env['account.move'])
        self.assertEqual(bank.sanitized_acc_number, 'NL20INGB0001234567')
        own = self.env['res.partner.bank'].create({
            'acc_number': 'NL02RABO0123456789', 'partner_id': branch.partner_id.id})
        self.assertEqual(self.env['dunning.letter']._get_bank(branch, self.env['account.move']), own)

    def test_the_code_to_scan_keeps_to_the_lengths_of_banks(self):
        drawn = []
        Letter = self.env['dunning.letter']
        self.patch(self.registry['dunning.letter'], '_draw_qr', lambda self, value: drawn.append(value) or 'data:x')
        bank = self.company.partner_id.bank_ids[:1]
        for holder, reference, text in (
            ("Bäckerei-Großhandel " * 6, 'RF18 5390 0754 7034', ''),
            ("Naam\r\nmet regel", "INV/1\nINV/2", "INV/1 INV/2"),
            ("Kort", 'X' * 180, 'X' * 140),
        ):
            bank.acc_holder_name = holder
            self.assertTrue(Letter._get_qr(bank, self.business, self.company.currency_id, 12.5, reference))
            lines = drawn[-1].split('\n')
            self.assertEqual(len(lines), 12)
            self.assertLessEqual(len(lines[5]), 70)
            self.assertEqual(lines[9:11], ['RF18539007547034' if reference.startswith('RF') else '', text])
            self.assertLessEqual(len(drawn[-1].encode()), 331)
        bank.acc_holder_name = 'Ü' * 70
        self.assertFalse(Letter._get_qr(bank, self.business, self.company.currency_id, 12.5, 'Ü' * 140), "Unreadable")

    # --- the sender ---

    def test_without_an_address_to_write_from_it_waits(self):
        for email in (False, ' ', 'odoobot@example.com', 'Info <info@YourCompany.com>', 'geen adres'):
            with self.subTest(email=email):
                self.company.email = email
                notice = self.waiting()
                self.assertIn("e-mail address", notice.waiting_reason)
                self.company.email = 'echt@debiteuren.test'
                self.let_go(notice)
        # On paper nobody writes from it.
        self.company.email = False
        self.reminder.channel = 'letter'
        self.invoice(self.make_debtor("Papier BV"))
        self.assertEqual(self.dun(DUE).filtered(lambda notice: notice.channel == 'letter').state, 'to_post')

    # --- the number of an old invoice ---

    def test_an_opening_entry_names_the_old_invoice(self):
        other = self.make_debtor("Molen BV")
        self.ladder.require_invoice_sent = False
        entry = self.env['account.move'].create({
            'journal_id': self.company_data['default_journal_misc'].id, 'date': TODAY - days(60),
            'ref': "Beginbalans", 'line_ids': [
                Command.create({
                    'account_id': self.receivable.id, 'debit': debit, 'partner_id': debtor.id, 'name': label,
                    'date_maturity': TODAY})
                for debtor, debit, label in (
                    (self.business, 321.0, "Factuur 2024-0815 van 15-12-2024"), (other, 50.0, "F-77"),
                    (other, 25.0, "F-78 (2024-11-02)"))
            ] + [Command.create({
                'account_id': self.company_data['default_account_revenue'].id, 'credit': 396.0})]})
        entry.action_post()
        items = entry.line_ids.filtered('debit')
        items.no_followup = False
        notices = self.dun(DUE)
        self.assertEqual(notices.mapped('state'), ['sent', 'sent'])
        told = {line.name: line.invoice_date for line in notices.line_ids}
        self.assertEqual(told, {
            "Factuur 2024-0815 van 15-12-2024": date(2024, 12, 15), "F-77": False,
            "F-78 (2024-11-02)": date(2024, 11, 2)})
        self.assertEqual(len(set(notices.mapped('reference'))), 2, "What is paid can be told apart")
        for notice in notices:
            self.assertEqual(notice.reference, notice.name)
            html = self.env['dunning.letter']._prepare_documents(notice)[0].html
            self.assertIn(notice.line_ids[0].name, html)
        # What was told counts, also when somebody completes the label.
        items[0].with_context(skip_readonly_check=True).name = "Factuur 2024-0815"
        later = max(notices.mapped('deadline')) + days(5)
        decision, = self.env['dunning.planner']._plan(self.company, later, items=items[0])
        self.assertEqual((decision.reason, decision.level_id), (None, self.demand.id))
        self.assertEqual(items[0].dunning_level_id, self.reminder)

    # --- small sums ---

    def test_no_shipped_ladder_reminds_of_cents(self):
        for name in ('policy_business', 'policy_consumer', 'policy_7_15_30', 'policy_neutral'):
            self.assertGreaterEqual(self.env.ref(f'l10n_nl_dunning.{name}').minimum_amount, 5, name)

"""The whole life of a payment arrangement, as those who live it see it: a collector, a debtor and a manager."""

from urllib.parse import urlsplit

from lxml import html

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from ..common import DunningCommon, days
from ..portal.test_portal_payment import publish_demo_provider

TELEPHONE = '390x844'


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestArrangementLife(DunningCommon, HttpCase):
    """Real screens, real documents, real mails; only the calendar is turned by hand."""

    real_letters = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.day = cls.company._dunning_today()
        clock = cls.registry['res.company']._dunning_today
        # What browsers ask for happens on the day of the story; who names a day means that day.
        cls.classPatch(cls.registry['res.company'], '_dunning_today', lambda company: (
            clock(company) if company.env.context.get('dunning_at_date') else cls.day))
        user = {'company_id': cls.company.id, 'company_ids': [Command.set(cls.company.ids)], 'lang': 'en_US'}
        cls.collector = new_test_user(
            cls.env, 'life_collector', name="Kees", groups='account.group_account_invoice', **user)
        cls.manager = new_test_user(
            cls.env, 'life_manager', name="Mia", groups='account.group_account_manager', **user)
        cls.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': cls.company.partner_id.id, 'allow_out_payment': True})
        publish_demo_provider(cls)
        cls.business.lang = 'en_US'
        cls.start = cls.day
        cls.first = cls.invoice(due=cls.start - days(40), amount=200.0)
        cls.second = cls.invoice(due=cls.start - days(10), amount=100.0)
        cls.both = cls.first | cls.second

    def setUp(self):
        super().setUp()
        type(self).day = self.start

    # --- what happens ---

    def night(self, day):
        """Let the scheduled action do its work of a day; return the proposals it made."""
        type(self).day = day
        before = self.notices_of(self.both)
        self.on(day, self.env['dunning.run'])._plan_company(self.company, day)
        self.env.flush_all()
        return self.notices_of(self.both) - before

    def nights(self, last):
        """Live through the nights until a day; return the proposals that were made."""
        made = self.env['dunning.notice']
        while self.day < last:
            made |= self.night(self.day + days(1))
        return made

    def visit(self, path, tour, login=None, size='1366x900'):
        self.browser_size, self.touch_enabled = size, size == TELEPHONE
        self.start_tour(path, f'l10n_nl_dunning.{tour}', login=login, timeout=90)
        self.env.invalidate_all()

    def mails(self, arrangement):
        return self.env['mail.mail'].sudo().search([
            ('model', '=', 'dunning.arrangement'), ('res_id', '=', arrangement.id), ('message_type', '=', 'comment'),
        ], order='id')

    def follow_link(self, mail, part):
        """Return the path of the first link in a mail that has ``part`` in it; it opens without an account."""
        links = [link for link in html.fromstring(mail.body_html).xpath('//a/@href') if part in link]
        self.assertTrue(links, f"There is no link to {part} in {mail.subject}")
        path = links[0][links[0].index('/', len('https://')):]
        self.authenticate(None, None)
        response = self.url_open(path)
        self.assertEqual(response.status_code, 200, path)
        self.assertEqual(urlsplit(response.url).path, urlsplit(path).path, "Straight there, without an account")
        return path

    def call_and_sign(self):
        """From the telephone call until it runs; return the arrangement."""
        self.dun(self.start - days(20))  # of the first: the second is not due then
        self.assertEqual(self.first.dunning_level_id, self.reminder)
        self.env['dunning.debtor'].invalidate_model()
        row = self.env['dunning.debtor'].search([
            ('partner_id', '=', self.business.id), ('company_id', '=', self.company.id)])
        action = row.action_open()
        self.env['ir.actions.client'].create({
            'name': "Debtor", 'tag': action['tag'], 'path': 'test-life-screen', 'params': action['params']})
        self.visit('/odoo/test-life-screen', 'arrangement_call', login='life_collector')
        call = self.env['dunning.call'].search([('partner_id', '=', self.business.id)])
        self.assertRecordValues(call, [{'kind': 'arrangement', 'user_id': self.collector.id}])
        arrangement = self.env['dunning.arrangement'].search([('partner_id', '=', self.business.id)])
        self.assertRecordValues(arrangement, [{
            'state': 'offered', 'call_id': call.id, 'user_id': self.collector.id, 'approval_state': 'not_needed'}])
        self.assertEqual(len(arrangement.instalment_ids), 3)
        self.assertAlmostEqual(sum(arrangement.instalment_ids.mapped('amount')), arrangement.amount_total)
        self.assertTrue(arrangement.offer_attachment_id.raw.startswith(b'%PDF'))
        # Nothing is asked while he can sign.
        self.assertFalse(self.night(self.start))
        for move in self.both:
            self.assertEqual(self.reason(move, self.start), 'hold')

        offer, = self.mails(arrangement)
        self.assertEqual(offer.email_to and self.business.email_normalized in offer.email_to, True)
        self.visit(
            self.follow_link(offer, f'/my/arrangements/{arrangement.id}'), 'arrangement_sign', size=TELEPHONE)
        self.assertRecordValues(arrangement, [{
            'state': 'signed', 'signed_name': "Jan Jansen", 'signed_how': 'drawn', 'signed_via': 'portal'}])
        self.assertEqual(arrangement.activity_ids.user_id, self.collector, "Somebody is told to sign for us")
        self.visit(
            f'/odoo/action-l10n_nl_dunning.dunning_arrangement_action/{arrangement.id}', 'arrangement_countersign',
            login='life_manager')
        self.assertRecordValues(arrangement, [{
            'state': 'active', 'countersigned_by_id': self.manager.id}])
        self.assertTrue(arrangement.agreement_attachment_id.raw.startswith(b'%PDF'))
        self.assertTrue(arrangement.interruption_id)
        self.assertAlmostEqual(
            sum(arrangement.line_ids.move_line_id.mapped('amount_residual')), arrangement.amount_total,
            msg="All of it is in the ledger")
        return arrangement

    def pay_on_telephone(self, arrangement, number):
        """Pay the first instalment that is open; return what is left by the ledger."""
        self.visit(arrangement.get_portal_url(), 'arrangement_pay', size=TELEPHONE)
        parts = arrangement.instalment_ids.sorted('date_due')
        self.assertEqual(parts.mapped('state')[:number], ['paid'] * number)
        left = sum(arrangement.line_ids.move_line_id.mapped('amount_residual'))
        self.assertAlmostEqual(left, sum(parts[number:].mapped('amount')))
        self.assertAlmostEqual(arrangement.amount_left, left)
        paid = parts[number - 1]
        transaction = self.env['payment.transaction'].sudo().search([('dunning_instalment_id', '=', paid.id)])
        self.assertRecordValues(transaction, [{
            'state': 'done', 'is_post_processed': True, 'amount': paid.amount, 'partner_id': self.business.id}])
        return left

    def wait_for(self, arrangement, number):
        """Let the nights pass until an instalment is due; nothing is asked but a reminder of it, with its link."""
        part, sent = arrangement.instalment_ids.sorted('date_due')[number - 1], self.mails(arrangement)
        self.assertFalse(self.nights(part.date_due), "As long as it is kept nothing else is asked")
        reminder = self.mails(arrangement) - sent
        self.assertEqual(len(reminder), 1, reminder.mapped('subject'))
        self.assertTrue(part.reminded_on and part.reminded_on < part.date_due)
        self.follow_link(reminder, f'/pay/{part.id}')
        return part

    # --- the stories ---

    def test_signed_and_broken(self):
        """Call, offer, signature, two instalments paid, one missed: reminded, told, broken, and dunning resumes."""
        arrangement = self.call_and_sign()
        self.wait_for(arrangement, 1)
        self.pay_on_telephone(arrangement, 1)
        self.wait_for(arrangement, 2)
        left = self.pay_on_telephone(arrangement, 2)
        third = arrangement.instalment_ids.sorted('date_due')[2]
        self.assertAlmostEqual(left, third.amount)
        items = arrangement.line_ids.move_line_id
        opened = items.filtered(lambda item: not item.reconciled)

        self.wait_for(arrangement, 3)
        sent = self.mails(arrangement)
        self.assertFalse(self.nights(third.grace_date + days(1)))
        told = self.mails(arrangement) - sent
        self.assertEqual(len(told), 1, told.mapped('subject'))
        self.follow_link(told, f'/pay/{third.id}')
        self.assertRecordValues(third, [{'state': 'missed', 'missed_on': self.day}])
        self.assertRecordValues(arrangement, [{'state': 'active'}])

        sent |= told
        while arrangement.state == 'active':
            self.assertEqual({self.reason(item.move_id, self.day) for item in opened}, {'hold'})
            self.assertFalse(self.night(self.day + days(1)))
            self.assertLess(self.day, third.grace_date + days(30))
        broken = self.mails(arrangement) - sent
        self.assertEqual(len(broken), 1, broken.mapped('subject'))
        self.assertRecordValues(arrangement, [{
            'state': 'broken', 'close_code': 'missed', 'amount_paid': arrangement.amount_total - left}])
        self.assertFalse(arrangement.hold_ids.filtered(lambda hold: not hold.closed_on))
        self.assertIn(self.collector, arrangement.activity_ids.user_id)
        # All of it can be asked and paid at once.
        page = self.business._get_dunning_page(self.company)
        self.assertGreaterEqual(page._get_payable('due').amount, left)
        self.follow_link(broken, '/my/')

        made = self.nights(max(arrangement.hold_ids.mapped('free_on')) + days(1))
        self.assertEqual(made.state, 'draft')
        told_before = self.notices_of(self.first).filtered(lambda notice: notice.state == 'sent')
        self.assertEqual(told_before.level_id, self.reminder)
        self.assertLessEqual(made.live_line_ids.move_line_id, opened)
        # What had been reminded goes on after that reminder, and what had not begins.
        for line in made.live_line_ids:
            self.assertExplained(self.decision(line.move_id, self.day))
            self.assertEqual(
                line.level_id, self.demand if line.move_line_id in told_before.line_ids.move_line_id else self.reminder)
        self.visit('/odoo/dunning-notices', 'arrangement_resumed', login='life_collector')
        self.assertEqual(made.state, 'queued')
        # What was booked of it for the arrangement is asked as well, though this level asks no interest and costs.
        self.assertGreater(made.amount_interest + made.amount_costs, 0.0)
        self.assertAlmostEqual(made.amount_principal + made.amount_interest + made.amount_costs, made.amount_due)
        self.send(made, self.day)
        self.assertEqual(made.state, 'sent')

    def test_signed_and_kept(self):
        """All three are paid, the last one by bank: it is kept, nothing is left, and what ran meanwhile is waived."""
        arrangement = self.call_and_sign()
        self.pay_on_telephone(arrangement, 1)  # both before their day
        left = self.pay_on_telephone(arrangement, 2)
        sent = self.mails(arrangement)
        third = self.wait_for(arrangement, 3)
        self.assertEqual(len(self.mails(arrangement) - sent), 1, "Of what was paid nobody is reminded")
        sent = self.mails(arrangement)
        payment = self.receive(self.business, left, on=self.day)
        (payment | arrangement.line_ids.move_line_id).filtered(lambda line: not line.reconciled).reconcile()
        self.nights(third.date_due + days(3))
        self.assertRecordValues(arrangement, [{
            'state': 'kept', 'close_code': 'paid', 'amount_left': 0.0, 'amount_paid': arrangement.amount_total}])
        kept = self.mails(arrangement) - sent
        self.assertEqual(len(kept), 1, kept.mapped('subject'))
        waived = self.env['dunning.waiver'].search([('item_id', 'in', arrangement.line_ids.move_line_id.ids)])
        self.assertGreater(sum(waived.mapped('amount_interest')), 0.0)
        self.assertFalse(sum(arrangement.line_ids.move_line_id.mapped('amount_residual')))
        self.assertFalse(arrangement.hold_ids.filtered(lambda hold: not hold.closed_on))
        self.assertEqual(self.env['dunning.arrangement']._get_kept_ratio(self.business, self.company), {
            self.business.id: (1, 1)})
        claims = self.env['dunning.claim']._compute_debtor(self.business, self.day)
        self.assertFalse([claim.total for claim in claims if claim.total])
        self.assertFalse(self.nights(self.day + days(10)))

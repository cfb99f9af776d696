"""The screen of a debtor: what it says, to whom, how fast, and ten calls with the keyboard alone."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from ..common import TODAY, DunningCommon, days, post_message

# What was to be paid on TODAY is a month late.
LATER = TODAY + days(30)


class ScreenCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        user = {'company_id': cls.company.id, 'company_ids': [Command.set(cls.company.ids)], 'lang': 'en_US'}
        cls.clerk = new_test_user(
            cls.env, 'dunning_clerk', name="Kees", groups='account.group_account_invoice', **user)
        cls.reader = new_test_user(cls.env, 'dunning_reader', groups='account.group_account_readonly', **user)
        cls.sales = new_test_user(
            cls.env, 'dunning_sales', groups='base.group_user,base.group_partner_manager', **user)

    def row(self, partner=None, company=None, currency=None):
        """Return the row of the worklist of a debtor."""
        self.env.flush_all()
        self.env['dunning.debtor'].invalidate_model()
        return self.env['dunning.debtor'].search([
            ('partner_id', '=', (partner or self.business).id), ('company_id', '=', (company or self.company).id),
            ('currency_id', '=', (currency or self.env.ref('base.EUR')).id)])

    def screen(self, partner=None, on=LATER, user=None):
        """Return what the screen of a debtor shows on a day."""
        debtor = self.on(on, self.env['dunning.debtor'].with_user(user or self.clerk))
        return debtor.get_screen(self.row(partner).id)

    def check(self, code, *args, **kwargs):
        """Return the state and the sentence of one check before calling."""
        found = [check for check in self.screen(*args, **kwargs)['checklist'] if check['code'] == code]
        return (found[0]['state'], found[0]['text']) if found else (None, '')


# What a mouse can press, a keyboard can: rows by their box, radios by digits in their group, days by the field beside.
BY_KEYBOARD = """
(async () => {
    const root = document.querySelector('.o_dunning_debtor_screen');
    const wrong = [];
    const judge = async (when) => {
        for (const node of root.querySelectorAll('a, button, input, textarea, select, .o_dunning_prepare')) {
            const name = `${when}: ${node.outerHTML.slice(0, 160)}`;
            if (node.disabled || !node.offsetParent || node.matches('[role=radio], .o_dunning_choice')) continue;
            if (node.tabIndex < 0) wrong.push(`not reached with Tab, ${name}`);
            if (!node.matches('a, button, [type=checkbox]')) continue;
            const checked = node.checked;
            const press = new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true});
            node.dispatchEvent(press);
            await new Promise((resolve) => setTimeout(resolve, 20));
            if (node.matches('input') ? node.checked === checked : press.defaultPrevented) {
                wrong.push(`not pressed with Enter, ${name}`);
            }
        }
        if (!window.axe) return;
        const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];
        const found = await axe.run('.o_dunning_body', {runOnly: rules});
        wrong.push(...found.violations.map((rule) => `${when}: ${rule.id}: ${rule.nodes.map((node) => node.html)}`));
    };
    await judge('before');
    root.querySelector('[data-kind=promise]').click();
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (!root.querySelector('.o_dunning_form')) wrong.push('no form');
    await judge('with a form');
    if (wrong.length) console.error(wrong.join('\\n'));
    else console.log('test successful');
})();
"""


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDebtorScreen(ScreenCommon):

    # --- figures ---

    def test_what_is_owed(self):
        late = self.invoice(amount=300.0)
        self.invoice(due=LATER + days(10), amount=50.0)
        self.invoice(due=LATER, amount=25.0)
        part = self.invoice(due=TODAY - days(60), amount=80.0)
        self.on(LATER, self.env['dunning.hold']).create({
            'move_id': part.id, 'amount': 30.0, 'date_end': LATER + days(5),
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id})
        screen = self.screen()
        self.assertEqual(screen['currency_id'], self.env.ref('base.EUR').id)
        amounts = screen['amounts']
        self.assertEqual(
            (amounts['open'], amounts['overdue'], amounts['held'], amounts['collectable'], amounts['disputed']),
            (455.0, 380.0, 30.0, 350.0, 30.0))
        self.assertEqual([bucket['amount'] for bucket in amounts['buckets']], [300.0, 0.0, 80.0, 0.0])
        self.assertEqual(amounts['days'], 90)
        self.assertEqual(
            [(item['days'], item['amount'], item['left'], item['checked']) for item in screen['items']],
            [(90, 80.0, 50.0, True), (30, 300.0, 300.0, True), (0, 25.0, 25.0, False), (-10, 50.0, 50.0, False)])
        self.assertEqual(screen['items'][1]['move_id'], late.id)
        self.assertTrue(screen['items'][0]['disputed'])
        self.assertTrue(all(item['why'] for item in screen['items']))

    def test_what_is_collected_by_direct_debit_is_asked_by_nobody(self):
        """One sum: planner, worklist, screen, claim, and what a promise or an arrangement is about by itself."""
        debit = self.bank_journal.inbound_payment_method_line_ids[:1].copy({
            'name': "Direct debit", 'dunning_collects': True})
        asked = self.items(self.invoice(due=LATER - days(60), amount=300.0))
        collected = self.items(self.invoice(
            due=LATER - days(2), amount=80.0, preferred_payment_method_line_id=debit.id))
        self.receive(amount=20.0, on=LATER)
        both = asked | collected

        def count():
            decisions = self.plan(LATER, items=both)
            debtor = self.on(LATER, self.env['dunning.debtor']).browse(self.row().id)
            debtor.invalidate_recordset()
            claim, = self.on(LATER, self.env['dunning.claim'])._compute_debtor(
                self.business, LATER, both, with_interest=False, with_costs=False)
            promise = self.on(LATER, self.env['dunning.promise.make'])._action_open(partner=self.business)
            arrangement = self.on(LATER, self.env['dunning.arrangement.make'])._action_open(partner=self.business)
            return (
                sum(decision.amount_due for decision in decisions.values()
                    if decision.reason not in ('direct_debit', 'netted')),
                debtor.amount_collectable, self.screen()['amounts']['collectable'], float(claim.total),
                self.env['dunning.promise.make'].browse(promise['res_id']).item_ids,
                self.env['account.move.line'].browse(arrangement['context']['default_item_ids'][0][2]))

        self.assertEqual(count(), (280.0, 280.0, 280.0, 280.0, asked, asked))
        self.assertEqual(
            [item['checked'] for item in self.screen()['items']], [True, False], "Nothing is promised of it")
        self.assertEqual(self.check('bank')[0], 'warn', "There is something else to call about")
        collected.move_id._record_dunning_return(LATER)
        self.assertEqual(count(), (360.0, 360.0, 360.0, 360.0, both, both))

    def test_an_agreement_about_nothing_else_can_be_made_all_the_same(self):
        debit = self.bank_journal.inbound_payment_method_line_ids[:1].copy({
            'name': "Direct debit", 'dunning_collects': True})
        collected = self.items(self.invoice(
            due=LATER - days(2), amount=80.0, preferred_payment_method_line_id=debit.id))
        promise = self.on(LATER, self.env['dunning.promise.make'])._action_open(partner=self.business)
        self.assertEqual(self.env['dunning.promise.make'].browse(promise['res_id']).item_ids, collected)

    def test_what_is_no_debt_is_asked_by_nobody(self):
        self.invoice(due=LATER - days(60), amount=300.0)
        back = self.env['account.payment'].create({
            'payment_type': 'outbound', 'partner_type': 'customer', 'partner_id': self.business.id, 'amount': 30.0,
            'date': LATER - days(8), 'journal_id': self.bank_journal.id})
        back.action_post()
        self.assertEqual(self.reason(self.items(back.move_id), LATER), 'paid_back')
        debtor = self.on(LATER, self.env['dunning.debtor']).browse(self.row().id)
        self.assertEqual((debtor.amount_collectable, self.screen()['amounts']['collectable']), (300.0, 300.0))

    def test_credits_are_shown_and_lower_what_can_be_collected(self):
        self.invoice(amount=300.0)
        self.credit_note(amount=100.0)
        screen = self.screen()
        self.assertEqual([credit['amount'] for credit in screen['credits']], [-100.0])
        self.assertEqual((screen['amounts']['credits'], screen['amounts']['collectable']), (100.0, 200.0))

    def test_it_agrees_with_the_worklist(self):
        self.invoice(amount=300.0)
        self.invoice(due=LATER + days(1), amount=40.0)
        self.credit_note(amount=100.0)
        amounts = self.screen()['amounts']
        row = self.on(LATER, self.row())
        row.invalidate_recordset()
        self.assertEqual(amounts['collectable'], row.amount_collectable)
        self.assertEqual((amounts['open'], amounts['overdue'], amounts['days']),
                         (row.amount_open, row.amount_overdue, row.days_overdue))

    def test_who_paid_is_gone(self):
        move = self.invoice()
        row_id = self.row().id
        self.pay(move)
        screen = self.env['dunning.debtor'].with_user(self.clerk).get_screen(row_id)
        self.assertEqual(list(screen), ['gone'])
        self.assertIn("paid", screen['gone'])

    # --- who may see it ---

    def test_who_may_see_it(self):
        self.invoice()
        row_id = self.row().id
        self.assertTrue(self.screen(user=self.clerk)['may_log'])
        self.assertFalse(self.screen(user=self.reader)['may_log'])
        with self.assertRaises(AccessError):
            self.env['dunning.debtor'].with_user(self.sales).get_screen(row_id)

    def test_another_company_sees_nothing(self):
        self.invoice()
        other = self.setup_other_company()['company']
        stranger = new_test_user(
            self.env, 'dunning_stranger', groups='account.group_account_invoice', company_id=other.id,
            company_ids=[Command.set(other.ids)])
        # To him the row does not even exist.
        screen = self.env['dunning.debtor'].with_user(stranger).get_screen(self.row().id)
        self.assertEqual(list(screen), ['gone'])

    # --- speed ---

    def test_as_many_queries_for_one_item_as_for_many(self):
        def queries():
            row_id = self.row().id
            Debtor = self.on(LATER, self.env['dunning.debtor'].with_user(self.clerk))
            Debtor.get_screen(row_id)  # what is cached for everybody is cached now
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            Debtor.get_screen(row_id)
            return self.cr.sql_log_count - before

        def live(name):
            self.invoice(amount=100.0)
            self.make_contact(self.business, name, phone='020 555 01 98', email=f'{name}@debtor.example.com')
            self.env['dunning.call'].with_user(self.clerk).log_call({
                'partner_id': self.business.id, 'outcome': 'refuses'})
            move = self.invoice(amount=10.0)
            self.env['dunning.hold'].create({
                'move_id': move.id, 'date_end': self.company._dunning_today() + days(5),
                'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id})
            post_message(self.business, "Hello", message_type='comment', author_id=self.business.id)

        live("ann")
        self.dun(TODAY + days(5))
        few = queries()
        for name in ("ben", "cor", "dirk", "eva", "fien", "gijs", "hans", "ida"):
            live(name)
        self.dun(TODAY + days(6))
        self.assertLessEqual(queries(), few + 2)
        self.assertLess(few, 140)

    # --- before you call ---

    def test_nothing_speaks_against_calling(self):
        self.invoice()
        self.make_contact(self.business, "Ann", type='dunning', phone='020 555 01 98', function="Accounts payable")
        screen = self.screen()
        states = {check['code']: check['state'] for check in screen['checklist']}
        self.assertEqual(
            {code: states[code] for code in ('may_call', 'contact', 'dispute', 'sent', 'pattern')},
            dict.fromkeys(('may_call', 'contact', 'dispute', 'sent', 'pattern'), 'ok'))
        self.assertEqual(screen['contacts'][0]['name'], "Ann")
        self.assertEqual(screen['contacts'][0]['number'], '+31205550198')
        self.assertEqual(screen['contact_id'], screen['contacts'][0]['id'])

    def test_the_right_person(self):
        self.invoice()
        self.assertEqual(self.check('contact')[0], 'warn')  # only the general number
        self.make_contact(self.business, "Accounts payable", type='dunning', email='ap@debtor.example.com')
        state, text = self.check('contact')
        self.assertEqual(state, 'ok')
        self.assertIn("Accounts payable", text)
        self.business.phone = False
        self.assertEqual(self.check('contact')[0], 'stop')

    def test_a_wrong_number_is_not_called(self):
        self.invoice()
        self.business.dunning_phone_wrong_on = TODAY
        self.assertEqual(self.check('contact')[0], 'stop')
        contact = self.make_contact(self.business, "Ann", phone='020 555 01 98')
        self.assertEqual(self.screen()['contact_id'], contact.id)

    def test_disputes(self):
        move = self.invoice()
        hold = self.on(LATER, self.env['dunning.hold']).create({
            'move_id': move.id, 'date_end': LATER + days(5), 'dispute_category': 'quality',
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id})
        state, text = self.check('dispute')
        self.assertEqual(state, 'stop')  # there is nothing else to call about
        self.assertIn("complaint", text)
        self.assertIn(hold.user_id.name, text)
        self.invoice()
        self.assertEqual(self.check('dispute')[0], 'warn')

    def test_insolvent_debtors_are_not_called(self):
        self.invoice()
        self.on(LATER, self.env['dunning.hold']).create({
            'partner_id': self.business.id, 'company_id': self.company.id, 'date_end': LATER + days(5),
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_insolvency').id})
        self.assertEqual(self.check('may_call')[0], 'stop')

    def test_invoices_that_never_arrived(self):
        move = self.invoice(sent=False)
        state, text = self.check('sent')
        self.assertEqual(state, 'stop')
        self.assertIn(move.name, text)
        move.is_move_sent = True
        self.assertEqual(self.check('sent')[0], 'ok')
        message = post_message(move, "Invoice", partner_ids=self.business.ids, message_type='comment')
        message.sudo().notification_ids.notification_status = 'bounce'
        state, text = self.check('sent')
        self.assertEqual(state, 'stop')
        self.assertIn("came back", text)

    def test_money_that_may_be_on_its_way(self):
        digits = self.invoice().name.split('/')[-1]
        self.env['account.bank.statement.line'].create({
            'journal_id': self.bank_journal.id, 'date': LATER, 'payment_ref': f"Paid {digits}", 'amount': 100.0})
        self.assertEqual(self.check('bank')[0], 'stop')

    def test_promises(self):
        move = self.invoice()
        self.assertEqual(self.check('promise'), (None, ''))
        promise = self.on(LATER, self.env['dunning.promise'])._make(
            self.company, self.business, LATER + days(3), 100.0, self.items(move), self.clerk)
        self.assertEqual(self.check('promise')[0], 'warn')
        screen = self.screen()
        self.assertEqual(screen['amounts']['promised'], 100.0)
        self.assertTrue(screen['items'][0]['promised'])
        self.assertFalse(screen['items'][0]['checked'])
        after = promise.grace_date + days(1)
        self.on(after, self.env['dunning.promise'])._judge(self.company, after)
        state, text = self.check('promise', on=after)
        self.assertEqual(state, 'warn')
        self.assertIn("Broke 1 of 1", text)

    def test_an_email_nobody_answered(self):
        move = self.invoice()
        post_message(move, "Where is my bread?", subject="Bread", message_type='email', author_id=self.business.id)
        state, text = self.check('answer')
        self.assertEqual(state, 'warn')
        self.assertIn("Bread", text)
        post_message(move.with_user(self.clerk), "It is on its way", message_type='comment')
        self.assertEqual(self.check('answer'), (None, ''))

    # --- what was said before, and what to say now ---

    def test_one_timeline(self):
        move = self.invoice(amount=300.0)
        self.dun(TODAY + days(5))
        self.pay(self.items(move), 50.0, on=TODAY + days(8))
        self.on(TODAY + days(9), self.env['dunning.call'].with_user(self.clerk)).log_call({
            'partner_id': self.business.id, 'outcome': 'no_answer', 'note': "Rang long",
            'date_start': fields.Datetime.to_string(datetime.combine(TODAY, datetime.min.time()) + timedelta(
                days=9, hours=10))})
        self.on(TODAY + days(10), self.env['dunning.promise'])._make(
            self.company, self.business, TODAY + days(12), 100.0, self.items(move), self.clerk)
        events = self.screen(on=TODAY + days(11))['timeline']
        self.assertEqual(
            [(event['kind'], event['who']) for event in events if event['kind'] in ('promise', 'call', 'payment')],
            [('promise', "Kees"), ('call', "Kees"), ('payment', '')])
        call = next(event for event in events if event['kind'] == 'call')
        self.assertEqual((call['text'], call['day']), ("Rang long", fields.Date.to_string(TODAY + days(9))))
        notice = next(event for event in events if event['kind'] == 'notice')
        self.assertEqual(notice['title'], "Reminder")
        # The hold of a promise is the promise itself.
        self.assertNotIn('hold', {event['kind'] for event in events})

    def test_script_with_the_debtors_own_figures(self):
        policy = self.make_policy("Calls", [
            {'channel': 'phone', 'delay_days': 5,
             'call_script': "<p>Open <t t-out=\"object.amount_text\"/>, <t t-out=\"object.days_overdue\"/> days</p>"}])
        self.use_policy(policy)
        self.invoice(amount=1234.5)
        for user in (self.clerk, self.reader):
            script = self.screen(user=user)['script']
            self.assertIn("1.234,50", script['html'])  # in the language of the debtor: he is who hears it
            self.assertIn("30 days", script['html'])
        # The same once the ladder asks for the call, with how often it was tried.
        self.dun(LATER)
        screen = self.screen()
        self.assertIn("1.234,50", screen['script']['html'])
        self.assertEqual(screen['tries'], {'level': "Level 1", 'number': 1, 'most': 3})
        self.on(LATER, self.env['dunning.call'].with_user(self.clerk)).log_call({
            'partner_id': self.business.id, 'outcome': 'no_answer'})
        self.assertEqual(self.screen()['tries']['number'], 2)

    def test_steps_where_no_level_has_a_script(self):
        person = self.make_debtor("Anna Bakker", consumer=True)
        self.invoice(person, amount=80.0)
        script = self.screen(person)['script']
        self.assertFalse(script['html'])
        self.assertIn("Anna Bakker in person", script['steps'][0])
        self.assertTrue(any("80.00" in step for step in script['steps']))

    def test_each_outcome_says_what_it_asks(self):
        self.invoice()
        outcomes = self.screen()['outcomes']
        shortcuts = [outcome['shortcut'] for outcome in outcomes if outcome['shortcut']]
        self.assertEqual(len(set(shortcuts)), len(shortcuts))
        # Keys of the screen itself are no letters or digits.
        self.assertTrue(all(shortcut.isalnum() for shortcut in shortcuts))
        asked = {name for outcome in outcomes for name in outcome['asks']}
        self.assertLessEqual(asked, {'date', 'time', 'amount', 'items', 'category', 'contact', 'text'})


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestDebtorScreenTours(ScreenCommon, HttpCase):
    """Collectors at their screen, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._dunning_today()  # the browser knows no other

    def make_screen(self, partner):
        action = self.row(partner).action_open()
        self.env['ir.actions.client'].create({
            'name': "Debtor", 'tag': action['tag'], 'path': 'test-debtor-screen',
            'params': action['params']})
        return '/odoo/test-debtor-screen'

    def open_screen(self, tour, partner, login):
        self.start_tour(self.make_screen(partner), tour, login=login)

    def test_everything_is_reached_with_tab_and_pressed_with_enter(self):
        """No mouse is needed, and who does not see the screen hears what is on it: axe-core finds nothing."""
        self.invoice(due=self.today - days(50), amount=120.0)
        self.dun(self.today - days(10))
        axe = Path(os.environ['AXE_CORE']).read_text() if os.environ.get('AXE_CORE') else ''
        self.browser_js(
            self.make_screen(self.business), f'{axe};\n{BY_KEYBOARD}', login='dunning_clerk', timeout=60,
            ready="!!document.querySelector('.o_dunning_columns:not(.o_dunning_loading)')")

    def test_ten_calls_with_the_keyboard_alone(self):
        debtors = {}
        for number, name in enumerate((
            "No answer", "Voicemail", "Calls back", "Promises all", "Promises part", "Paid already", "Wants a copy",
            "Waits for approval", "Disputes", "Refuses",
        )):
            debtors[name] = self.make_debtor(name)
            for part in (1, 2):
                self.invoice(debtors[name], due=self.today - days(20 + number), amount=100.0 * part)
        self.env.flush_all()
        self.start_tour(
            '/odoo/action-l10n_nl_dunning.dunning_debtor_action', 'l10n_nl_dunning.debtor_screen_keyboard',
            login='dunning_clerk', timeout=180)
        self.env.invalidate_all()
        calls = {name: self.env['dunning.call'].search([('partner_id', '=', partner.id)])
                 for name, partner in debtors.items()}
        self.assertEqual({name: call.kind for name, call in calls.items()}, {
            "No answer": 'no_answer', "Voicemail": 'voicemail', "Calls back": 'call_back', "Promises all": 'promise',
            "Promises part": 'promise', "Paid already": 'paid_already', "Wants a copy": 'copy_wanted',
            "Waits for approval": 'awaiting_approval', "Disputes": 'disputed', "Refuses": 'refuses'})
        for name, call in calls.items():
            with self.subTest(debtor=name):
                self.assertRecordValues(call, [{
                    'user_id': self.clerk.id, 'origin': 'screen', 'number': '+31205550100', 'direction': 'out',
                    'contact_id': debtors[name].id}])
                self.assertTrue(call.external_id)
        self.assertEqual(calls["Refuses"].note, "no money")
        whole, part = (
            self.env['dunning.promise'].search([('partner_id', '=', debtors[name].id)])
            for name in ("Promises all", "Promises part"))
        self.assertRecordValues(whole, [{
            'amount': 300.0, 'date_promised': self.today + days(7), 'state': 'running'}])
        self.assertEqual(len(whole.item_ids), 2)
        # The invoice of 100 was unchecked.
        self.assertRecordValues(part, [{
            'amount': 200.0, 'date_promised': self.today + days(3), 'state': 'running'}])
        self.assertEqual(part.item_ids.mapped('amount_residual'), [200.0])
        kinds = {
            name: set(self.env['dunning.hold'].search([('partner_id', '=', debtors[name].id)]).mapped('kind'))
            for name in debtors}
        self.assertEqual({name: found for name, found in kinds.items() if found}, {
            "Promises all": {'promise'}, "Promises part": {'promise'}, "Paid already": {'internal'},
            "Wants a copy": {'invoice_copy'}, "Waits for approval": {'other'}, "Disputes": {'dispute'}})
        dispute = self.env['dunning.hold'].search([('partner_id', '=', debtors["Disputes"].id)])
        self.assertEqual(set(dispute.mapped('dispute_category')), {'quantity'})
        approval = self.env['dunning.hold'].search([('partner_id', '=', debtors["Waits for approval"].id)])
        self.assertEqual(set(approval.mapped('date_end')), {self.today + days(5)})
        back = calls["Calls back"]
        self.assertGreater(back.next_date, self.today)
        self.assertEqual(back.activity_ids.mapped('activity_category'), ['phonecall'])

    def test_an_error_loses_nothing(self):
        self.invoice(due=self.today - days(20), amount=250.0)
        self.open_screen('l10n_nl_dunning.debtor_screen_error', self.business, 'dunning_clerk')
        self.env.invalidate_all()
        call = self.env['dunning.call'].search([('partner_id', '=', self.business.id)])
        self.assertEqual(call.mapped('note'), ["ann said so"])  # one call, not two
        self.assertRecordValues(self.env['dunning.promise'].search([('partner_id', '=', self.business.id)]), [{
            'amount': 250.0, 'date_promised': self.today + days(7)}])

    def test_a_call_is_undone_with_one_click(self):
        self.invoice(due=self.today - days(20), amount=250.0)
        self.open_screen('l10n_nl_dunning.debtor_screen_undo', self.business, 'dunning_clerk')
        self.assertFalse(self.env['dunning.call'].search([('partner_id', '=', self.business.id)]))
        self.assertIn("undid a call", self.business.message_ids[0].body)

    def test_who_may_only_look(self):
        self.invoice(due=self.today - days(20), amount=250.0)
        self.open_screen('l10n_nl_dunning.debtor_screen_look', self.business, 'dunning_reader')

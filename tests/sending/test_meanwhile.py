"""What was decided between a proposal and its departure counts: by the policy of now it is judged again."""

from odoo.tests import tagged

from ..common import TODAY, DunningCommon, days


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMeanwhile(DunningCommon):

    def setUp(self):
        super().setUp()
        self.move = self.invoice(self.business, TODAY - days(10), 1000.0)
        self.none = self.make_policy("No reminders", [{}])
        self.none.level_ids.active = False
        self.other = self.make_policy("Other", [{'delay_days': 3}])

    def assertTaken(self, notice, *words):
        """It did not leave, and says why."""
        self.assertEqual(notice.state, 'cancelled')
        for word in words:
            self.assertIn(word, notice.cancel_reason)

    def changes(self):
        """Return what can be decided meanwhile: functions by name, each with words of the reason."""
        debtor = self.business.with_company(self.company)
        return {
            'debtor excluded': (lambda: debtor.write({'dunning_policy_id': self.none.id}), "No reminders"),
            'another policy of the debtor': (lambda: debtor.write({'dunning_policy_id': self.other.id}), "Other"),
            'of the invoice': (lambda: self.move.write({'dunning_policy_id': self.other.id}), "Other"),
            'of the company': (lambda: self.use_policy(self.other), "Other"),
            'level archived': (lambda: self.reminder.write({'active': False}), "archived"),
            'all levels archived': (lambda: self.ladder.level_ids.write({'active': False}), "archived"),
            'a level before it': (lambda: self.env['dunning.level'].create({
                **self.reminder.copy_data()[0], 'name': "Prelude", 'sequence': 1}), "Prelude"),
            'a longer delay': (lambda: self.reminder.write({'delay_days': 30}), "follows on"),
            'no follow-up': (lambda: self.items(self.move).write({'no_followup': True}), "No Follow-Up"),
        }

    def test_between_the_proposal_and_its_departure(self):
        for name in self.changes():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                notice = self.make_notices()
                change, word = self.changes()[name]
                change()
                self.assertTaken(self.send(notice), word)
                savepoint.rollback()

    def test_on_the_print_pile(self):
        self.reminder.channel = 'letter'
        for name in self.changes():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                notice = self.dun()
                self.assertEqual(notice.state, 'to_post')
                change, word = self.changes()[name]
                change()
                self.make_notices(TODAY + days(1))
                self.assertTaken(notice, word)
                savepoint.rollback()

    def test_what_did_not_change_leaves(self):
        notice = self.make_notices()
        self.none.name = "Nobody"
        self.demand.delay_days = 20
        self.assertEqual(self.send(notice, TODAY + days(30)).state, 'sent')

    def test_a_person_chose_another_level(self):
        notice = self.make_notices()
        notice._change_level(self.final, "They asked for it")
        self.assertEqual(self.send(notice).state, 'sent')
        self.assertEqual(self.move.dunning_level_id, self.final)

    def test_a_person_was_ahead_of_time(self):
        move = self.invoice(self.make_debtor("Vroeg BV"), TODAY - days(2), 50.0)
        notice = self.on(TODAY, self.env['dunning.notice'])._create_from_decisions(
            self.company, self.plan(ignore={'waiting_delay'}, items=self.items(move)).values(), TODAY, forced=True)
        self.assertEqual(self.send(notice).state, 'sent')

    def test_interest_that_is_not_asked_any_more(self):
        self.reminder.write({'channel': 'letter', 'with_interest': True})
        notice = self.dun()
        self.assertGreater(notice.amount_interest, 0)
        changes = {
            'level': lambda: self.reminder.write({'with_interest': False}),
            'waiver': lambda: self.business.with_company(self.company).write({
                'dunning_waive_interest': True, 'dunning_waive_reason': "Good customer"})}
        for name, change in changes.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                change()
                self.make_notices(TODAY + days(1))
                self.assertEqual(notice.state, 'queued')
                self.send(notice, TODAY + days(1))
                self.assertEqual((notice.state, notice.amount_interest), ('to_post', 0))
                savepoint.rollback()
        self.make_notices(TODAY + days(1))
        self.assertEqual(notice.state, 'to_post', "Interest that runs on changes nothing")

    def test_a_call_that_waits(self):
        self.reminder.channel = 'phone'
        notice = self.dun()
        self.assertEqual(notice.state, 'todo')
        self.business.with_company(self.company).dunning_policy_id = self.other
        self.make_notices(TODAY + days(1))
        self.assertTaken(notice, "Other")
        self.assertEqual(self.notices_of(self.move)[-1].level_id, self.other.level_ids)

    def test_what_is_chosen_on_a_person_is_of_the_debtor(self):
        piet = self.make_contact(self.business, "Piet", type='invoice', email='piet@debtor.example.com')
        move = self.invoice(piet, TODAY - days(10))
        notice = self.make_notices()
        piet.with_company(self.company).dunning_policy_id = self.none
        self.assertEqual(self.business.with_company(self.company).dunning_policy_id, self.none)
        self.send(notice)
        self.assertEqual(set(notice.mapped('state')), {'cancelled'})
        self.assertEqual(self.reason(move), 'finished')
        piet.with_company(self.company).dunning_review = True
        self.assertTrue(self.business.with_company(self.company).dunning_review)
        # A person who joins brings nothing along.
        other = self.make_debtor("Ander BV")
        piet.parent_id = other
        self.assertFalse(other.with_company(self.company).dunning_policy_id)
        self.assertFalse(other.with_company(self.company).dunning_review)

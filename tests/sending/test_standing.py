"""Whatever is changed after a letter left: nothing is asked that rests on a letter which does not hold any more."""

from datetime import date

from odoo.tests import tagged
from odoo.tools import SQL

from ..claim.test_fourteen_day import DEFAULT_NOTICE, DUE, MONDAY, FourteenDayCommon, rung
from ..common import days

#: The term of a letter of MONDAY has run out, and the final demand asks its costs.
AFTER = date(2026, 12, 9)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestStanding(FourteenDayCommon):
    """A 14-day letter about 1,000, and what somebody edits afterwards."""

    def setUp(self):
        super().setUp()
        self.fourteen_letter = self.letter()
        self.item = self.items(self.move)
        self.assertEqual(self.costs(), 150, "The letter holds")

    def costs(self, at_date=AFTER):
        self.env.flush_all()
        return self.on(at_date, self.env['dunning.claim'])._compute(self.item, at_date).costs

    def plan(self, at_date=AFTER):
        self.on(at_date, self.env['dunning.run'])._plan_company(self.company, at_date)
        self.fourteen_letter.invalidate_recordset()

    def edit(self, **values):
        """Let the invoice be made again: back to draft, changed, posted."""
        self.move.button_draft()
        self.move.write(values)
        self.move.action_post()
        self.item = self.items(self.move)

    def assertVoid(self, reason):
        """No cent of costs, a task that says why, and the first level again."""
        self.assertEqual(self.costs(), 0)
        self.plan()
        line = self.fourteen_letter.line_ids
        self.assertEqual(line.status, 'void')
        self.assertIn(reason, line.void_reason)
        task = self.fourteen_letter.activity_ids.filtered('automated')
        self.assertIn(reason, task.note)
        decision = self.plan_one(self.move, AFTER + days(60))
        self.assertEqual(decision.last_level_id, None)

    def plan_one(self, move, at_date):
        [decision] = self.on(at_date, self.env['dunning.planner'])._plan(
            self.company, at_date, items=self.items(move))
        return decision

    def test_a_later_due_date(self):
        self.item.date_maturity = DUE + days(1)
        self.assertVoid("due later now")

    def test_a_higher_amount(self):
        self.edit(invoice_line_ids=[(1, self.move.invoice_line_ids.id, {'price_unit': 1001.0})])
        self.assertVoid("for more now")

    def test_another_number(self):
        self.edit(name='INV/2026/99999')
        self.assertVoid("another number")

    def test_a_lower_amount_or_an_earlier_day_harms_nobody(self):
        self.item.date_maturity = DUE - days(3)
        self.assertEqual(self.costs(), 150)
        self.edit(invoice_line_ids=[(1, self.move.invoice_line_ids.id, {'price_unit': 999.99})])
        self.plan()
        self.assertEqual(self.fourteen_letter.line_ids.status, 'sent')

    def test_a_term_that_was_not_agreed_after_all(self):
        """Then there was no default, and the letter came too early (article 6:96 lid 6 BW)."""
        self.company.dunning_term_agreed_consumer = False
        self.assertEqual(self.costs(), 0)
        self.plan()
        self.assertEqual(self.fourteen_letter.line_ids.status, 'void')
        self.assertEqual(self.plan_one(self.move, AFTER).last_level_id, self.first.id, "The reminder stands")

    def test_what_came_after_it_goes_along(self):
        final = self.mails_leave(self.dun(AFTER), AFTER)
        self.assertEqual((final.level_id, final.amount_costs), (self.last, 150))
        self.edit(name='INV/2026/99999')
        self.plan(AFTER + days(30))
        self.assertEqual(final.line_ids.status, 'void')
        self.assertIn("150", final.activity_ids.filtered('automated').note)

    def test_a_word_of_somebody_shortens_nothing(self):
        """“She phoned” is no proof; with what she wrote it is."""
        self.mails_leave(self.fourteen_letter, MONDAY)
        self.enter(self.fourteen_letter, 'acknowledged', MONDAY, today=MONDAY)
        self.assertTerm(self.fourteen_letter, MONDAY + days(1), date(2026, 12, 8), AFTER, 'email_accepted')
        self.enter(self.fourteen_letter, 'acknowledged', MONDAY, today=MONDAY, proof=b'c2VlbgsK')
        self.assertTerm(self.fourteen_letter, MONDAY, date(2026, 12, 7), date(2026, 12, 8), 'acknowledged')
        self.assertEqual((self.costs(date(2026, 12, 7)), self.costs(date(2026, 12, 8))), (0, 150))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestReasonableTerm(FourteenDayCommon):
    """A notice of default on paper."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.dunning_term_agreed_consumer = False
        cls.first.write({'sequence': 1})
        cls.default = cls.env['dunning.level'].create({
            **rung("Default", DEFAULT_NOTICE, legal_role='default_notice', channel='letter'),
            'policy_id': cls.consumers.id, 'sequence': 2})
        (cls.fourteen | cls.last).write({'sequence': 30})
        cls.move = cls.reminded(1000.0)

    def test_the_printed_day_counts_the_days_of_the_post_and_a_late_letter_is_made_again(self):
        """Posted on Monday it arrives on Thursday; seven days later is the last one."""
        notice = self.dun(MONDAY)
        self.assertRecordValues(notice, [{'level_id': self.default.id, 'deadline': date(2026, 12, 3)}])
        self.post_letters(notice, MONDAY + days(1))
        self.assertRecordValues(notice, [{'state': 'queued', 'postal_state': False, 'posted_on': False}])
        self.post_letters(self.send(notice, MONDAY + days(1)), MONDAY + days(1))
        self.assertRecordValues(notice, [{'state': 'sent', 'deadline': date(2026, 12, 4)}])

    def test_what_arrives_when_the_term_is_nearly_over_is_no_notice_of_default(self):
        notice = self.dun(MONDAY)
        self.post_letters(notice, MONDAY)
        self.assertEqual(self.in_default_from(), date(2026, 12, 4))
        self.enter(notice, 'registered', date(2026, 11, 28), proof=b'c2VlbgsK')
        self.assertEqual(self.in_default_from(), date(2026, 12, 4), "Five days are left")
        notice.receipt_ids.filtered(lambda receipt: receipt.kind == 'registered')._withdraw("Wrong day")
        self.enter(notice, 'registered', date(2026, 11, 29), proof=b'c2VlbgsK')
        self.assertIsNone(self.in_default_from(), "Four days are left")
        self.on(date(2026, 12, 10), self.env['dunning.run'])._plan_company(self.company, date(2026, 12, 10))
        self.assertEqual(notice.line_ids.status, 'void')
        self.assertIn("too little was left", notice.line_ids.void_reason)

    def in_default_from(self):
        self.env.flush_all()
        found = self.on(date(2026, 12, 10), self.env['dunning.claim'])._judge_letters(
            self.company, date(2026, 12, 10), SQL("TRUE"))
        return found[self.jan.id].default_from.get(self.items(self.move).id)

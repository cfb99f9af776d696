"""Proposals: edited, split, merged, shortened and judged by a second pair of eyes before anything leaves."""

from odoo import SUPERUSER_ID, Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from ..claim.test_fourteen_day import DEFAULT_NOTICE, FINAL, FOURTEEN, rung
from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)


class ProposalCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()

        def make(login, groups='account.group_account_invoice'):
            return new_test_user(
                cls.env, login, groups=groups, company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])
        cls.ann, cls.bob = make('ann'), make('bob')
        cls.boss = make('boss', 'account.group_account_manager')
        cls.sales = make('seller', 'base.group_user,base.group_partner_manager')
        cls.portal = new_test_user(cls.env, 'debtor', groups='base.group_portal')

    def as_user(self, user, records, at_date=DUE):
        return self.on(at_date, records.with_user(user))

    def propose(self, *amounts, partner=None, at_date=DUE):
        """Return the proposal of a debtor about invoices of these amounts, made by the scheduled action."""
        self.invoices = self.env['account.move'].union(*(
            self.invoice(partner, amount=amount) for amount in amounts))
        notice = self.make_notices(at_date)
        notice = notice.filtered(lambda notice: notice.line_ids.move_id & self.invoices)
        self.assertEqual(notice.mapped('state'), ['draft'])
        return self.on(at_date, notice)

    def change(self, user, notice, method, **values):
        """Open one of the windows as a user does, fill it in and apply it."""
        action = getattr(self.as_user(user, notice), method)()
        wizard = self.on(DUE, self.env[action['res_model']].with_user(user)).browse(action['res_id'])
        chosen = values.pop('choose', None)
        if chosen is not None:
            wizard.item_ids.filtered(lambda item: item.move_id in chosen).selected = True
        wizard.write(values)
        self.assertEqual(Form(wizard).kind, wizard.kind)
        result = wizard.action_apply()
        self.env.invalidate_all()
        return result

    def run_queue(self, at_date=DUE):
        """Do what the scheduled action does with the queue."""
        run = self.on(at_date, self.env['dunning.run'])
        self.env.flush_all()
        queue = run.env['dunning.notice'].search(run._get_queue_domain())
        run.env['dunning.dispatcher'].with_company(self.company)._dispatch(queue)
        self.env.invalidate_all()
        self.accept(queue, at_date)

    def use_consumer_ladder(self, *texts):
        """Return a consumer and the levels of a lawful ladder for him, that starts with the 14-day letter or before."""
        self.company.dunning_term_agreed_consumer = True
        self.company.partner_id.bank_ids = [Command.clear(), Command.create({'acc_number': 'NL91ABNA0417164300'})]
        policy = self.make_policy("Consumers", [
            *texts,
            rung("Fourteen", FOURTEEN, legal_role='fourteen_day', delay_days=5,
                 delay_from='previous_deadline' if texts else 'due_date'),
            rung("Final", FINAL, with_costs=True, payment_term_days=5),
        ], debtor_type='consumer')
        self.company.dunning_policy_consumer_id = policy
        return self.make_debtor("Jan Smit", consumer=True), policy.level_ids

    def log_of(self, notice):
        return " ".join(notice.message_ids.mapped('body'))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestProposalChanges(ProposalCommon):

    # --- edit ---

    def test_a_proposal_is_edited_on_its_form_and_says_so(self):
        contact = self.make_contact(self.business, "Ms. Eva Kok", email='eva@debtor.example.com')
        notice = self.propose(100.0)
        with Form(self.as_user(self.ann, notice)) as form:
            form.recipient_id = contact
            form.channel = 'letter'
            form.note = "Ask for Eva"
        self.as_user(self.ann, notice).letter_lang = 'en_US'
        self.assertRecordValues(notice, [{
            'recipient_id': contact.id, 'channel': 'letter', 'lang': 'en_US', 'letter_lang': 'en_US',
            'note': "Ask for Eva", 'maker_ids': self.ann.ids, 'state': 'draft'}])
        self.assertIn("Ms. Eva Kok", self.log_of(notice))
        self.assertIn("English", self.log_of(notice))

    def test_a_note_for_colleagues_makes_nobody_the_author(self):
        notice = self.propose(100.0)
        self.as_user(self.ann, notice).note = "Nice people"
        self.assertFalse(notice.maker_ids)

    def test_the_letter_goes_to_nobody_but_the_debtor(self):
        stranger = self.make_debtor("Stranger BV")
        notice = self.propose(100.0)
        with self.assertRaisesRegex(UserError, "does not belong"):
            self.as_user(self.ann, notice).recipient_id = stranger
        self.assertEqual(notice.recipient_id, self.business)

    def test_what_has_to_be_written_cannot_become_a_call(self):
        self.reminder.write({'letter_intro': DEFAULT_NOTICE, 'legal_role': 'default_notice'})
        notice = self.propose(100.0)
        with self.assertRaisesRegex(UserError, "has to be written"):
            self.as_user(self.ann, notice).channel = 'phone'

    # --- split ---

    def test_some_items_leave_on_their_own(self):
        notice = self.propose(100.0, 50.0, 20.0)
        self.change(self.ann, notice, 'action_split', choose=self.invoices[1])
        part = notice.split_ids
        self.assertRecordValues(notice | part, [
            {'state': 'draft', 'amount_due': 120.0, 'line_count': 2, 'split_from_id': False},
            {'state': 'draft', 'amount_due': 50.0, 'line_count': 1, 'split_from_id': notice.id}])
        self.assertEqual(part.line_ids.move_id, self.invoices[1])
        self.assertEqual(part.maker_ids, self.ann)
        self.assertIn(part.name, self.log_of(notice))
        self.send(notice | part, DUE)
        # One message a day: the other part follows tomorrow.
        self.assertEqual((notice | part).mapped('state'), ['sent', 'queued'])
        self.run_queue(DUE + days(1))
        self.assertEqual((notice | part).mapped('state'), ['sent', 'sent'])
        self.assertEqual(self.invoices.dunning_level_id, self.reminder)
        # Nothing twice, whatever is split.
        lines = self.env['dunning.notice.line'].search([('move_id', 'in', self.invoices.ids)])
        self.assertEqual(len(lines), 3)

    def test_a_split_leaves_something_on_both_sides(self):
        notice = self.propose(100.0, 50.0)
        for chosen in (self.invoices, self.env['account.move']):
            with self.assertRaisesRegex(UserError, "leave at least one"), self.env.cr.savepoint():
                self.change(self.ann, notice, 'action_split', choose=chosen)
        with self.assertRaisesRegex(UserError, "one item"):
            self.as_user(self.ann, self.propose(10.0, partner=self.make_debtor("One BV"))).action_split()

    def test_a_fourteen_day_letter_is_not_split(self):
        """Article 6:96 paragraph 7 BW: claims that can be claimed together are in one letter."""
        customer, _levels = self.use_consumer_ladder()
        notice = self.propose(100.0, 50.0, partner=customer)
        with self.assertRaisesRegex(UserError, "paragraph 7"):
            self.as_user(self.ann, notice).action_split()
        with self.assertRaisesRegex(UserError, "paragraph 7"):
            self.as_user(self.ann, notice)._split(notice.line_ids[:1])

    def test_a_notice_that_left_is_not_split_nor_shortened(self):
        notice = self.send(self.propose(100.0, 50.0), DUE)
        for method in ('action_split', 'action_take_off', 'action_change_level'):
            with self.assertRaisesRegex(UserError, "no proposal any more"):
                self.change(self.ann, notice, method)
        with self.assertRaisesRegex(UserError, "no proposal any more"):
            self.as_user(self.ann, notice)._split(notice.line_ids[:1])

    # --- merge ---

    def test_what_was_split_becomes_one_again(self):
        notice = self.propose(100.0, 50.0, 20.0)
        self.change(self.ann, notice, 'action_split', choose=self.invoices[1:])
        part = notice.split_ids
        self.change(self.bob, notice | part, 'action_merge')
        self.assertRecordValues(notice | part, [
            {'state': 'draft', 'amount_due': 170.0, 'line_count': 3, 'merged_into_id': False},
            {'state': 'cancelled', 'amount_due': 0.0, 'line_count': 0, 'merged_into_id': notice.id}])
        self.assertIn(notice.name, part.cancel_reason)
        self.assertEqual(notice.maker_ids, self.ann | self.bob)
        self.send(notice, DUE)
        self.assertEqual(notice.state, 'sent')

    def test_the_level_is_that_of_the_highest_item_after_a_split_and_a_merge(self):
        old = self.invoice(amount=100.0)
        self.dun(DUE)
        later = DUE + days(20)
        new = self.invoice(amount=50.0, due=later - days(6))
        notice = self.make_notices(later)
        self.assertEqual(notice.level_id, self.demand)
        self.assertEqual(notice.line_ids.level_id, self.reminder | self.demand)
        part = self.as_user(self.ann, notice, later)._split(notice.line_ids.filtered(lambda line: line.move_id == old))
        self.assertRecordValues(notice | part, [
            {'level_id': self.reminder.id, 'amount_due': 50.0}, {'level_id': self.demand.id, 'amount_due': 100.0}])
        target = self.as_user(self.bob, notice | part, later)._merge()
        self.assertEqual(target, part)
        self.assertRecordValues(target, [{'level_id': self.demand.id, 'amount_due': 150.0}])
        self.send(target, later)
        self.assertEqual((old.dunning_level_id, new.dunning_level_id), (self.demand, self.reminder))

    def test_only_what_one_letter_can_say_is_merged(self):
        first = self.propose(100.0)
        other = self.propose(60.0, partner=self.make_debtor("Other BV"))
        with self.assertRaisesRegex(UserError, "one debtor"):
            self.as_user(self.ann, first | other).action_merge()
        with self.assertRaisesRegex(UserError, "at least two"):
            self.as_user(self.ann, first).action_merge()
        second = self.propose(70.0, 80.0, partner=self.make_debtor("Third BV"))
        contact = self.make_contact(second.partner_id, "Eva")
        self.change(self.ann, second, 'action_split', choose=self.invoices[:1])
        second.split_ids._recording().recipient_id = contact
        with self.assertRaisesRegex(UserError, "different people"):
            self.as_user(self.ann, second | second.split_ids).action_merge()
        second.split_ids._recording().recipient_id = second.partner_id
        demand = self.demand
        demand.with_interest = True
        second.split_ids._recording().level_id = demand
        with self.assertRaisesRegex(UserError, "one letter"):
            self.as_user(self.ann, second | second.split_ids)._merge()

    # --- take off ---

    def test_an_item_is_taken_off_with_a_reason_that_answers_why_not(self):
        notice = self.propose(100.0, 50.0)
        dropped = self.invoices[1]
        self.change(self.ann, notice, 'action_take_off', choose=dropped, why="The driver says it came back",
                    date_end=DUE + days(10))
        self.assertRecordValues(notice, [{'state': 'draft', 'amount_due': 100.0, 'line_count': 1}])
        line = notice.line_ids.filtered('drop_reason')
        self.assertEqual(line.move_id, dropped)
        self.assertIn("The driver says it came back", line.drop_text)
        hold = self.env['dunning.hold'].search([('move_id', '=', dropped.id)])
        self.assertRecordValues(hold, [{
            'date_end': DUE + days(10), 'note': "The driver says it came back", 'user_id': self.ann.id}])
        answer = self.on(DUE, dropped.with_user(self.bob)).get_dunning_reason()
        text = str(answer)
        self.assertIn("The driver says it came back", text)
        # It is not proposed again the next night, and it is when the hold is over.
        self.send(notice, DUE)
        self.assertFalse(self.make_notices(DUE + days(1)).line_ids.filtered(lambda line: line.move_id == dropped))
        later = self.make_notices(DUE + days(30)).line_ids.filtered(lambda line: line.move_id == dropped)
        self.assertTrue(later)
        self.assertNotIn("The driver says", str(self.on(DUE + days(31), dropped).get_dunning_reason()))

    def test_a_reason_is_needed_and_everything_off_cancels(self):
        notice = self.propose(100.0)
        with self.assertRaisesRegex(UserError, "Say why"), self.env.cr.savepoint():
            self.change(self.ann, notice, 'action_take_off', choose=self.invoices, why="  ")
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.change(self.ann, notice, 'action_take_off', choose=self.invoices, why="x", date_end=DUE - days(1))
        self.change(self.ann, notice, 'action_take_off', choose=self.invoices, why="Wrong price")
        self.assertEqual(notice.state, 'cancelled')
        self.assertIn("Wrong price", notice.cancel_reason)

    # --- level ---

    def test_another_level_is_proposed_with_its_reason(self):
        notice = self.propose(100.0, 50.0)
        with self.assertRaisesRegex(UserError, "Say why"), self.env.cr.savepoint():
            self.change(self.ann, notice, 'action_change_level', level_id=self.demand.id)
        self.change(self.ann, notice, 'action_change_level', level_id=self.demand.id, why="Third time this year")
        self.assertRecordValues(notice, [{
            'level_id': self.demand.id, 'level_reason': "Third time this year", 'state': 'draft'}])
        self.assertEqual(notice.line_ids.level_id, self.demand)
        self.assertIn("Third time this year", self.log_of(notice))
        self.send(notice, DUE)
        self.assertRecordValues(notice, [{'state': 'sent', 'deadline': DUE + days(7)}])
        self.assertEqual(self.invoices.dunning_level_id, self.demand)
        # The ladder goes on from there.
        self.assertEqual(self.plan(DUE + days(20))[self.items(self.invoices)[0].id].level_id, self.final.id)

    def test_a_level_that_was_sent_does_not_come_back(self):
        self.send(self.propose(100.0), DUE)
        later = DUE + days(20)
        notice = self.make_notices(later)
        self.assertEqual(notice.level_id, self.demand)
        self.assertEqual(notice._get_possible_levels(), self.final)
        with self.assertRaisesRegex(UserError, "cannot be chosen"):
            self.as_user(self.ann, notice, later)._change_level(self.reminder, "Softer")
        stranger = self.make_policy("Other", [{'name': "Mild"}]).level_ids
        with self.assertRaisesRegex(UserError, "cannot be chosen"):
            self.as_user(self.ann, notice, later)._change_level(stranger, "Softer")

    def test_the_law_guards_the_level_that_is_chosen(self):
        """Article 6:96 BW: a consumer owes no costs before a 14-day letter has run out."""
        customer, (friendly, fourteen, costs) = self.use_consumer_ladder(rung("Friendly", delay_from='due_date'))
        notice = self.propose(100.0, partner=customer)
        self.assertEqual(notice.level_id, friendly)
        with self.assertRaisesRegex(ValidationError, "no 14-day letter"), self.env.cr.savepoint():
            self.change(self.ann, notice, 'action_change_level', level_id=costs.id, why="Hurry")
        notice.invalidate_recordset()
        self.assertRecordValues(notice, [{
            'level_id': friendly.id, 'state': 'draft', 'level_reason': False, 'maker_ids': [], 'error_message': False,
            'amount_costs': 0.0}])
        self.assertEqual(notice.line_ids.level_id, friendly)
        # The 14-day letter itself is lawful: he is in default, since the term was agreed with him.
        self.change(self.ann, notice, 'action_change_level', level_id=fourteen.id, why="No answer to our calls")
        self.assertRecordValues(notice, [{
            'level_id': fourteen.id, 'state': 'draft', 'amount_announced': 40.0, 'amount_due': 100.0}])
        self.send(notice, DUE)
        self.assertRecordValues(notice, [{'state': 'sent', 'legal_role': 'fourteen_day'}])

    # --- what changed ---

    def test_what_changed_between_proposal_and_sending_is_kept(self):
        notice = self.propose(100.0, 50.0, 20.0)
        self.assertFalse(notice.has_changes)
        self.pay(self.invoices[0], 40.0, on=DUE)
        self.as_user(self.ann, notice).action_approve()
        self.pay(self.invoices[1], on=DUE)
        self.reminder.with_context(lang=notice.lang).letter_intro = "<p>Pay <t t-out=\"object.amount_text\"/> now</p>"
        self.on(DUE, notice).action_send_now()
        self.assertRecordValues(notice, [{'state': 'leaving', 'amount_due': 80.0, 'has_changes': True}])
        self.assertEqual(
            [data['amount_due'] for data in (notice.proposed_data, notice.approved_data, notice.left_data)],
            [170.0, 170.0, 80.0])
        html = notice.changes_html
        for text in ("170", "80", self.invoices[0].name, self.invoices[1].name, "Nothing is owed", "edited",
                     self.ann.name):
            self.assertIn(text, html)
        self.assertNotIn(self.invoices[2].name, html)
        # Kept: what happens later does not change the story.
        self.reminder.with_context(lang=notice.lang).letter_intro = "<p>Else</p>"
        self.pay(self.invoices[2], on=DUE)
        notice.invalidate_recordset()
        self.assertEqual(notice.changes_html, html)

    def test_what_came_and_went_in_between_is_told_too(self):
        notice = self.propose(100.0)
        joined = self.invoice(amount=30.0) | self.invoice(amount=20.0)
        self.assertFalse(self.make_notices(DUE) - notice)
        self.change(self.ann, notice, 'action_take_off', choose=joined[0], why="Sent twice")
        self.change(self.ann, notice, 'action_split', choose=joined[1])
        self.send(notice, DUE)
        self.assertEqual(notice.amount_due, 100.0)
        for text in (joined[0].name, "Sent twice", joined[1].name, notice.split_ids.name):
            self.assertIn(text, notice.changes_html)

    def test_a_notice_that_left_as_proposed_says_nothing(self):
        notice = self.send(self.propose(100.0), DUE)
        self.assertTrue(notice.left_data)
        self.assertFalse(notice.has_changes)

    def test_names_of_debtors_are_escaped_in_the_panel(self):
        notice = self.propose(100.0)
        contact = self.make_contact(self.business, "<script>alert(1)</script>")
        self.as_user(self.ann, notice).recipient_id = contact
        self.assertNotIn('<script>', notice.changes_html)
        self.assertIn('&lt;script&gt;', notice.changes_html)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestFourEyes(ProposalCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ladder.four_eyes = 'always'

    def assertRefused(self, call, notice):
        with self.assertRaisesRegex(UserError, "second pair of eyes"), self.env.cr.savepoint():
            call()
        self.env.invalidate_all()
        self.assertEqual(notice.state, 'draft')

    def touched(self, *amounts, by=None, **kwargs):
        notice = self.propose(*(amounts or (100.0,)), **kwargs)
        self.as_user(by or self.ann, notice).channel = 'letter'
        return notice

    def test_who_changed_it_cannot_approve_it_in_any_way(self):
        notice = self.touched()
        mine = self.as_user(self.ann, notice)
        wizard = self.on(DUE, self.env['dunning.proposal.approve'].with_user(self.ann)).browse(
            mine.action_review()['res_id'])
        send = self.env['dunning.send'].with_user(self.ann).browse(mine.action_dunning_send()['res_id'])
        for call in (
            mine.action_approve, mine.action_send_now, mine.action_retry if notice.state == 'error' else
            mine.action_approve, mine._queue, mine.sudo()._queue, mine.sudo().action_send_now,
            wizard.action_approve, wizard.action_send_now,
        ):
            self.assertRefused(call, notice)
        # The send wizard leaves it a proposal and says so.
        for action in (send.action_send_now, send.action_queue):
            result = action()
            self.assertEqual(notice.state, 'draft')
            self.assertEqual(result['params']['type'], 'warning')
            self.assertIn("colleague", result['params']['message'])
        self.assertFalse(notice.may_approve if notice.env.user == self.ann else mine.may_approve)
        self.assertIn("colleague", mine.approval_text)

    def test_a_colleague_approves_and_it_leaves(self):
        notice = self.touched()
        self.assertTrue(self.as_user(self.bob, notice).may_approve)
        self.as_user(self.bob, notice).action_approve()
        self.assertRecordValues(notice, [{
            'state': 'queued', 'approver_id': self.bob.id, 'maker_ids': self.ann.ids}])
        # Anybody may push what was approved: the decision was made.
        self.as_user(self.ann, notice).action_send_now()
        self.assertEqual(notice.state, 'to_post')

    def test_nobody_writes_the_approval(self):
        notice = self.touched()
        mine = self.as_user(self.ann, notice)
        for vals in (
            {'state': 'queued'}, {'approver_id': self.bob.id}, {'maker_ids': [Command.clear()]},
            {'maker_ids': [Command.unlink(self.ann.id)]}, {'approved': True}, {'approved_data': {'amount_due': 100}},
            {'proposed_data': {}}, {'colleague_kept': False}, {'level_id': self.demand.id}, {'left_data': {}},
            {'channel': 'email', 'approver_id': self.bob.id}, {'split_from_id': notice.id}, {'author_id': self.bob.id},
        ):
            with self.subTest(vals=vals), self.assertRaises(UserError), self.env.cr.savepoint():
                mine.write(vals)
            with self.subTest(vals=vals, how='context'), self.assertRaises(UserError), \
                    self.env.cr.savepoint():
                mine.with_context(dunning_recording=True, dunning_preview=True).write(vals)
        with self.assertRaises(UserError):
            mine.line_ids.write({'notice_id': notice.id})
        with self.assertRaises(UserError):
            mine.copy()
        with self.assertRaises(AccessError):
            self.as_user(self.ann, self.ladder).four_eyes = 'never'
        with self.assertRaises(AccessError):
            self.as_user(self.ann, self.env['res.users']).browse(self.bob.id).write({'name': "Ann"})
        self.env.invalidate_all()
        self.assertRecordValues(notice, [{'state': 'draft', 'approver_id': False, 'maker_ids': self.ann.ids}])

    def test_another_users_records_are_asked_in_ones_own_name(self):
        """Records read by somebody else, or with all rights, do not lend his hand."""
        notice = self.touched()
        self.as_user(self.bob, notice).read(['state'])
        for mine in (
            self.as_user(self.bob, notice).with_user(self.ann), self.as_user(self.ann, notice).sudo(),
            self.as_user(self.ann, notice).with_context(uid=self.bob.id),
        ):
            self.assertRefused(mine.action_approve, notice)

    def test_change_after_approval_ends_it(self):
        for field, value in (('recipient_id', self.make_contact(self.business, "Eva")), ('lang', 'en_US')):
            notice = self.propose(100.0, partner=self.make_debtor(f"{field} BV")) if field == 'lang' else self.propose(
                100.0)
            self.as_user(self.bob, notice).action_approve()
            self.assertEqual(notice.state, 'queued')
            self.as_user(self.ann, notice)[field] = value
            self.assertRecordValues(notice, [{'state': 'draft', 'approver_id': False, 'approved_data': False}])
            self.assertRefused(self.as_user(self.ann, notice).action_approve, notice)
            # Bob saw it before; whoever changed last is not he.
            self.as_user(self.bob, notice).action_approve()
            self.assertEqual(notice.state, 'queued')

    def test_everybody_who_had_a_hand_in_it_is_an_author(self):
        """Else Ann's change would leave without anybody else having answered for it."""
        notice = self.touched(by=self.ann)
        self.as_user(self.bob, notice).lang = 'en_US'
        for user in (self.ann, self.bob):
            self.assertRefused(self.as_user(user, notice).action_approve, notice)
        self.as_user(self.boss, notice).action_approve()
        self.assertEqual(notice.approver_id, self.boss)

    def test_every_change_makes_an_author(self):
        stories = {
            'action_split': lambda moves: {'choose': moves[:1]},
            'action_take_off': lambda moves: {'choose': moves[:1], 'why': "x"},
            'action_change_level': lambda moves: {'level_id': self.demand.id, 'why': "x"},
        }
        for number, (method, values) in enumerate(stories.items()):
            notice = self.propose(100.0, 50.0, partner=self.make_debtor(f"D{number} BV"))
            self.change(self.ann, notice, method, **values(self.invoices))
            for one in notice | notice.split_ids:
                self.assertEqual(one.maker_ids, self.ann, method)
                self.assertRefused(self.as_user(self.ann, one).action_send_now, one)

    def test_the_wizard_makes_proposals_of_what_a_person_made(self):
        invoice = self.invoice()
        action = self.as_user(self.ann, invoice).action_dunning_send()
        wizard = self.on(DUE, self.env['dunning.send'].with_user(self.ann)).browse(action['res_id'])
        self.assertIn("a colleague approves", wizard.group_ids.problem)
        result = wizard.action_send_now()
        notice = self.notices_of(invoice)
        self.assertRecordValues(notice, [{'state': 'draft', 'origin': 'manual', 'maker_ids': self.ann.ids}])
        self.assertIn("colleague", result['params']['message'])
        self.assertFalse(notice.mail_id)
        self.as_user(self.bob, notice).action_send_now()
        self.assertEqual(notice.state, 'leaving')

    def test_the_scheduled_action_sends_nothing_unseen(self):
        self.ladder.approval = 'automatic'
        invoice = self.invoice()
        self.make_notices(DUE)
        notice = self.notices_of(invoice)
        self.assertRecordValues(notice, [{'state': 'draft', 'maker_ids': []}])
        self.run_queue()
        self.assertEqual(notice.state, 'draft')
        # Nobody made it, so anybody may approve it: that is the second pair of eyes.
        self.as_user(self.ann, notice).action_send_now()
        self.assertEqual(notice.state, 'leaving')

    def test_what_slipped_into_the_queue_is_sent_back(self):
        """However it came there: approved by its author before the policy asked, or by no person at all."""
        self.ladder.four_eyes = 'never'
        mine, nobodys = self.touched(), self.propose(60.0, partner=self.make_debtor("Other BV"))
        self.as_user(self.ann, mine).action_approve()
        nobodys.with_user(SUPERUSER_ID)._queue()
        self.ladder.four_eyes = 'always'
        self.run_queue()
        for notice in mine | nobodys:
            self.assertRecordValues(notice, [{'state': 'draft', 'mail_id': False, 'letter_file': False}])
            self.assertIn("no colleague approved", self.log_of(notice))
        with self.assertRaisesRegex(UserError, "that a person approves"):
            nobodys.with_user(SUPERUSER_ID)._queue()

    def test_a_letter_can_be_looked_at_before_it_is_approved(self):
        self.ladder.four_eyes = 'never'
        notice = self.touched()
        self.as_user(self.ann, notice).action_approve()
        self.ladder.four_eyes = 'always'
        self.assertTrue(self.env['dunning.letter']._get_pdfs(self.on(DUE, notice))[notice.id])
        self.assertEqual(notice.state, 'queued')

    def test_no_more_is_asked_than_was_approved(self):
        notice = self.propose(100.0, 50.0)
        payment = self.pay(self.invoices[0], 80.0, on=DUE)
        self.on(DUE, self.env['dunning.dispatcher'])._recheck(notice, DUE)
        self.assertEqual(notice.amount_due, 70.0)
        self.as_user(self.bob, notice).action_approve()
        self.unpay(self.invoices[0])  # the payment bounced
        payment.move_id.button_draft()
        self.run_queue()
        self.assertRecordValues(notice, [{'state': 'draft', 'amount_due': 150.0, 'approver_id': False}])
        self.assertIn("more than was approved", self.log_of(notice))
        self.as_user(self.bob, notice).action_send_now()
        self.assertEqual(notice.state, 'leaving')

    def test_another_address_after_the_approval_is_not_what_was_approved(self):
        """Many can write on a contact; the letter goes where the colleague saw it go."""
        eva = self.make_contact(self.business, "Eva", email='eva@debtor.example.com')
        notice = self.propose(100.0)
        self.as_user(self.ann, notice).recipient_id = eva
        self.as_user(self.bob, notice).action_approve()
        eva.email = 'ann@elsewhere.example.com'
        self.run_queue()
        self.assertRecordValues(notice, [{'state': 'draft', 'mail_id': False}])
        self.assertIn("address changed", self.log_of(notice))
        self.as_user(self.bob, notice).action_approve()
        self.run_queue()
        self.assertEqual(notice.state, 'sent')

    def test_what_changed_while_the_summary_was_open_is_looked_at_again(self):
        notice = self.propose(100.0)
        action = self.as_user(self.bob, notice).action_review()
        wizard = self.on(DUE, self.env['dunning.proposal.approve'].with_user(self.bob)).browse(action['res_id'])
        self.as_user(self.ann, notice).lang = 'en_US'
        with self.assertRaisesRegex(UserError, "while this window was open"):
            wizard.action_approve()
        self.assertEqual(notice.state, 'draft')

    def test_a_failed_notice_is_tried_again_without_a_new_approval(self):
        notice = self.touched()
        self.as_user(self.bob, notice).action_approve()
        notice._mark_failed("The printer was on fire")
        self.as_user(self.ann, notice).action_retry()
        self.assertRecordValues(notice, [{'state': 'queued', 'approver_id': self.bob.id}])
        notice._mark_failed("Again")
        self.as_user(self.ann, notice).channel = 'email'
        self.assertRecordValues(notice, [{'state': 'draft', 'approver_id': False}])

    def test_taken_back_it_needs_a_new_approval(self):
        notice = self.touched()
        self.as_user(self.bob, notice).action_approve()
        self.as_user(self.ann, notice).action_take_back()
        self.assertRefused(self.as_user(self.ann, notice).action_send_now, notice)

    def test_above_an_amount(self):
        self.ladder.write({'four_eyes': 'above', 'four_eyes_amount': 100.0})
        small = self.touched(100.0)
        self.as_user(self.ann, small).action_approve()
        self.assertEqual(small.state, 'queued')
        large = self.touched(100.01, partner=self.make_debtor("Large BV"))
        self.assertRefused(self.as_user(self.ann, large).action_approve, large)

    def test_small_pieces_of_a_large_proposal_stay_large(self):
        self.ladder.write({'four_eyes': 'above', 'four_eyes_amount': 100.0})
        notice = self.propose(90.0, 80.0)
        self.change(self.ann, notice, 'action_split', choose=self.invoices[:1])
        for part in notice | notice.split_ids:
            self.assertLessEqual(part.amount_due, 100.0)
            self.assertRefused(self.as_user(self.ann, part).action_approve, part)
        other = self.propose(90.0, 80.0, partner=self.make_debtor("Other BV"))
        self.change(self.ann, other, 'action_take_off', choose=self.invoices[:1], why="Later")
        self.assertRefused(self.as_user(self.ann, other).action_send_now, other)

    def test_amounts_in_another_currency_are_converted(self):
        dollar = self.env.ref('base.USD')
        dollar.active = True
        dollar.rate_ids.unlink()
        self.env['res.currency.rate'].create({
            'currency_id': dollar.id, 'name': TODAY - days(60), 'rate': 2.0, 'company_id': self.company.id})
        self.ladder.write({'four_eyes': 'above', 'four_eyes_amount': 100.0})
        self.invoice(self.make_debtor("Dollar BV"), amount=180.0, currency=dollar)
        self.invoice(self.make_debtor("More BV"), amount=220.0, currency=dollar)
        small, large = self.on(DUE, self.make_notices(DUE)).sorted('amount_due')
        self.assertEqual([small._needs_colleague(), large._needs_colleague()], [False, True])

    def test_many_are_approved_after_a_summary_and_mine_stay(self):
        mine = self.touched()
        others = self.propose(60.0, partner=self.make_debtor("Two BV")) | self.propose(
            40.0, partner=self.make_debtor("Three BV"))
        action = self.as_user(self.ann, mine | others).action_review()
        wizard = self.on(DUE, self.env['dunning.proposal.approve'].with_user(self.ann)).browse(action['res_id'])
        self.assertRecordValues(wizard, [{'count': 2, 'debtor_count': 2, 'refused_count': 1}])
        self.assertIn("100", wizard.amount_text)
        self.assertIn(mine.name, wizard.refused_text)
        self.assertIn("Reminder", wizard.summary_html)
        result = wizard.action_approve()
        self.assertIn("2 notices", result['params']['message'])
        self.assertEqual((mine | others).mapped('state'), ['draft', 'queued', 'queued'])
        self.assertEqual(others.approver_id, self.ann)

    def test_who_may_not_work_with_notices_changes_and_approves_nothing(self):
        notice = self.propose(100.0, 50.0)
        line = notice.line_ids[:1]
        reason = self.env.ref('l10n_nl_dunning.hold_reason_internal')
        for user in (self.sales, self.portal):
            theirs = self.as_user(user, notice)
            for call in (
                theirs.action_approve, theirs.action_send_now, theirs.action_review, theirs.action_split,
                theirs.action_merge, theirs.action_take_off, theirs.action_change_level, theirs.action_take_back,
                lambda theirs=theirs: theirs.write({'channel': 'letter'}),
                lambda theirs=theirs: theirs._split(line.with_env(theirs.env)),
                lambda theirs=theirs: theirs._take_off(line.with_env(theirs.env), "x", reason, DUE),
                lambda theirs=theirs: theirs._change_level(self.demand, "x"),
                lambda theirs=theirs: theirs.env['dunning.proposal.change'].create({
                    'kind': 'split', 'notice_id': notice.id}),
                lambda theirs=theirs: theirs.env['dunning.proposal.approve'].create({'notice_ids': notice.ids}),
            ):
                with self.subTest(user=user.login), self.assertRaises(AccessError), self.env.cr.savepoint():
                    call()
        self.env.invalidate_all()
        self.assertRecordValues(notice, [{'state': 'draft', 'line_count': 2, 'channel': 'email'}])

    def test_a_window_made_by_hand_reaches_no_foreign_item(self):
        """Items of another notice, put into the window through RPC, are not touched."""
        notice = self.propose(100.0, 50.0)
        other = self.propose(60.0, 10.0, partner=self.make_debtor("Other BV"))
        wizard = self.on(DUE, self.env['dunning.proposal.change'].with_user(self.ann)).create({
            'kind': 'split', 'notice_id': notice.id,
            'item_ids': [Command.create({'line_id': line.id, 'selected': True}) for line in other.line_ids[:1]]})
        with self.assertRaises(UserError):
            wizard.action_apply()
        self.assertEqual((notice.line_count, other.line_count), (2, 2))

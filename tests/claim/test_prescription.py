"""Until when a claim can be enforced: the terms, what interrupts them, who is told, and what is not asked any more."""

import base64
from datetime import date
from types import SimpleNamespace
from unittest.mock import patch

from dateutil.relativedelta import relativedelta
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tests import Form, new_test_user, tagged

from ...models.claim import dunning_prescription_warning
from ..common import TODAY, DunningCommon, days

RESERVES = "<p>Wij behouden ons ondubbelzinnig het recht op nakoming voor.</p>"


def plus_years(day, years):
    """Return the same day of a later year, 28 February where there is no 29th."""
    return day + relativedelta(years=years)


class PrescriptionCommon(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.dunning_lines_without_product = 'goods'
        cls.consumer = cls.make_debtor("Jan Jansen", consumer=True)
        cls.bread, cls.baking = cls.env['product.product'].create([
            {'name': "Bread", 'type': 'consu', 'taxes_id': False},
            {'name': "Baking lessons", 'type': 'service', 'taxes_id': False},
        ])
        # Reserves the right to performance only from the second letter on.
        cls.demand.letter_closing = RESERVES
        cls.Service = cls.env['dunning.prescription']

    @classmethod
    def sale(cls, partner, due, *products, **values):
        """Return an invoice with a line per product; None is a line without one."""
        lines = [
            Command.create({
                'product_id': product and product.id, 'name': "Line", 'quantity': 1, 'price_unit': 100.0,
                'tax_ids': [Command.clear()]})
            for product in products
        ]
        return cls.invoice(partner, due, invoice_line_ids=lines, **values)

    @classmethod
    def notice_about(cls, moves, on, *, state='sent', interrupts=True, channel='email', level=None, **values):
        """Return a notice that left on a day, without the way to it."""
        items = cls.items(moves)
        Notice = cls.env['dunning.notice']._recording()
        notice = Notice.create({
            'company_id': moves.company_id.id, 'partner_id': items.partner_id.commercial_partner_id.id,
            'recipient_id': items.partner_id.id, 'currency_id': items.currency_id.id,
            'level_id': (level or cls.demand).id, 'channel': channel, 'date_planned': on, 'state': state, 'date': on,
            'deadline': on + days(7), 'interrupts_prescription': interrupts, **values})
        Notice.env['dunning.notice.line'].create([
            {'notice_id': notice.id, 'move_line_id': item.id, 'move_id': item.move_id.id} for item in items])
        notice.flush_recordset()
        cls.env['account.move']._forget_dunning_answers()
        return notice.with_env(cls.env)

    @classmethod
    def act(cls, moves, on, kind='recognition', **values):
        return cls.env['dunning.interruption'].create({
            'company_id': moves.company_id.id, 'partner_id': moves.commercial_partner_id.id, 'kind': kind, 'date': on,
            'scope': 'invoices', 'move_ids': [Command.set(moves.ids)], **values})

    def until(self, move, at_date=None):
        """Return the last day in time of the only due item of a move."""
        item = self.items(move).with_context(dunning_at_date=at_date) if at_date else self.items(move)
        item.invalidate_recordset(['dunning_prescription_date', 'dunning_prescription_reason'])
        return item.dunning_prescription_date

    def text(self, move, at_date=TODAY):
        item = self.items(move).with_context(dunning_at_date=at_date, lang='en_US')
        item.invalidate_recordset(['dunning_prescription_date', 'dunning_prescription_reason'])
        return item.dunning_prescription_reason

    def find(self, *domain, model='account.move.line', at_date=None):
        env = self.env if at_date is None else self.env['base'].with_context(dunning_at_date=at_date).env
        return env[model].search(Domain(list(domain)))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPrescriptionTerms(PrescriptionCommon):
    """Five years, or two for goods sold to a consumer."""

    def test_five_years_by_the_calendar(self):
        for due, until in (
            (date(2021, 12, 3), date(2026, 12, 3)),
            (date(2019, 2, 28), date(2024, 2, 28)),  # the Convention of Basel: not the 29th
            (date(2020, 2, 29), date(2025, 2, 28)),
            (date(2020, 2, 28), date(2025, 2, 28)),
            (date(2020, 3, 1), date(2025, 3, 1)),
            (date(2019, 12, 31), date(2024, 12, 31)),
            (date(2015, 3, 1), date(2020, 3, 1)),  # a Sunday: a weekend does not prolong it
        ):
            with self.subTest(due=due):
                self.assertEqual(self.until(self.invoice(due=due)), until)

    def test_two_years_for_goods_sold_to_a_consumer(self):
        for due, until in (
            (date(2023, 5, 10), date(2025, 5, 10)),
            (date(2024, 2, 29), date(2026, 2, 28)),
            (date(2022, 2, 28), date(2024, 2, 28)),
        ):
            with self.subTest(due=due):
                self.assertEqual(self.until(self.sale(self.consumer, due, self.bread)), until)

    def test_what_was_sold_and_to_whom(self):
        due = date(2024, 1, 15)
        government = self.make_debtor("Gemeente", dunning_debtor_type='government')
        combo = self.env['product.product'].create({
            'name': "Bread and lessons", 'type': 'combo', 'taxes_id': False,
            'combo_ids': [Command.create({'name': "C", 'combo_item_ids': [
                Command.create({'product_id': self.bread.id})]})]})
        for partner, products, years, word in (
            (self.business, (self.bread,), 5, "years after 15 Jan 2024."),
            (government, (self.bread,), 5, "years after 15 Jan 2024."),
            (self.consumer, (self.bread,), 2, "goods sold to a consumer"),
            (self.consumer, (self.baking,), 5, "services to a consumer"),
            (self.consumer, (self.bread, self.baking), 2, "among other things"),
            (self.consumer, (self.bread, None), 2, "among other things"),
            (self.consumer, (self.baking, None), 2, "to be safe"),
            (self.consumer, (None,), 2, "to be safe"),
            (self.consumer, (combo,), 2, "goods sold to a consumer"),
        ):
            with self.subTest(partner=partner.name, products=[product and product.type for product in products]):
                move = self.sale(partner, due, *products)
                self.assertEqual(self.until(move), plus_years(due, years))
                self.assertIn(word, self.text(move))

    def test_lines_without_product_are_what_the_company_says(self):
        move = self.sale(self.consumer, date(2024, 1, 15), None)
        mixed = self.sale(self.consumer, date(2024, 1, 15), self.bread, None)
        self.company.dunning_lines_without_product = 'services'
        self.assertEqual(self.until(move), date(2029, 1, 15))
        self.assertIn("services to a consumer", self.text(move))
        self.assertEqual(self.until(mixed), date(2026, 1, 15), "Goods stay goods")

    def test_a_discount_is_not_a_thing_that_was_sold(self):
        move = self.invoice(self.consumer, date(2024, 1, 15), invoice_line_ids=[
            Command.create({'product_id': self.baking.id, 'price_unit': 100.0, 'tax_ids': [Command.clear()]}),
            Command.create({'name': "Discount", 'price_unit': -10.0, 'tax_ids': [Command.clear()]}),
        ])
        self.assertEqual(self.until(move), date(2029, 1, 15))

    def test_the_choice_on_the_invoice_wins(self):
        goods = self.sale(self.consumer, date(2024, 1, 15), self.bread)
        for kind, years in (('services', 5), ('other', 5), ('goods', 2), (False, 2)):
            goods.dunning_claim_kind = kind
            self.assertEqual(self.until(goods), plus_years(date(2024, 1, 15), years), kind)
        lessons = self.sale(self.consumer, date(2024, 1, 15), self.baking)
        lessons.dunning_claim_kind = 'goods'
        self.assertEqual(self.until(lessons), date(2026, 1, 15))
        self.assertIn("as chosen on the invoice", self.text(lessons))
        bought = self.sale(self.business, date(2024, 1, 15), self.bread)
        bought.dunning_claim_kind = 'goods'
        self.assertEqual(self.until(bought), date(2029, 1, 15), "Article 7:28 BW is for consumers only")

    def test_the_type_of_debtor_decides_as_it_does_for_the_planner(self):
        move = self.sale(self.consumer, date(2024, 1, 15), self.bread)
        self.consumer.vat = '/'
        self.assertEqual(self.until(move), date(2026, 1, 15))
        self.consumer.company_registry = '12345678'
        self.assertEqual(self.until(move), date(2026, 1, 15), "Who bought as a consumer stays one")
        self.consumer.write({'dunning_debtor_type': 'business', 'dunning_type_reason': "Extract of the register"})
        self.assertEqual(self.until(move), date(2029, 1, 15))
        self.consumer.dunning_debtor_type = 'consumer'
        self.assertEqual(self.until(move), date(2026, 1, 15))

    def test_an_entry_without_lines_is_in_doubt(self):
        entry = self.env['account.move'].create({
            'move_type': 'entry', 'date': date(2024, 1, 15),
            'line_ids': [
                Command.create({
                    'account_id': self.receivable.id, 'partner_id': self.consumer.id, 'debit': 50,
                    'date_maturity': date(2024, 1, 15)}),
                Command.create({'account_id': self.company_data['default_account_revenue'].id, 'credit': 50}),
            ]})
        entry.action_post()
        self.assertEqual(self.until(entry), date(2026, 1, 15))

    def test_each_instalment_has_its_own_day(self):
        move = self.invoice(instalments=[(50, date(2024, 1, 15)), (50, date(2024, 7, 15))])
        self.assertEqual(
            self.items(move).mapped('dunning_prescription_date'), [date(2029, 1, 15), date(2029, 7, 15)])
        self.assertEqual(move.dunning_prescription_date, date(2029, 1, 15))

    def test_only_what_is_owed_prescribes(self):
        paid, draft = self.invoice(), self.invoice(post=False, sent=False)
        self.pay(paid)
        credit = self.credit_note()
        for move in (paid, draft, credit):
            self.assertFalse(self.until(move))
            self.assertFalse(move.dunning_prescription_date)
            self.assertFalse(move.dunning_prescription_reason)
        self.unpay(paid)
        self.assertEqual(self.until(paid), plus_years(TODAY, 5), "A payment bounced")


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestInterruption(PrescriptionCommon):

    def test_the_sentence_of_the_design(self):
        move = self.invoice(due=date(2021, 12, 3))
        notice = self.notice_about(move, date(2024, 3, 4))
        self.assertEqual(self.until(move), date(2029, 3, 4))
        self.assertEqual(
            self.text(move),
            f"5 years after 3 Dec 2021; interrupted on 4 Mar 2024 by {notice.name}, so until 4 Mar 2029.")

    def test_a_letter_that_reserves_interrupts_when_it_left(self):
        move = self.invoice(due=TODAY)
        first = self.dun(TODAY + days(5))
        self.assertEqual(first.state, 'sent')
        self.assertFalse(first.interrupts_prescription, "A friendly reminder reserves nothing")
        self.assertEqual(self.until(move, TODAY + days(5)), plus_years(TODAY, 5))
        sent_on = TODAY + days(19)
        proposal = self.make_notices(sent_on)
        self.assertFalse(proposal.interrupts_prescription)
        self.assertEqual(self.until(move, sent_on), plus_years(TODAY, 5), "A proposal interrupts nothing")
        self.send(proposal, sent_on)
        self.assertTrue(proposal.interrupts_prescription)
        self.assertEqual(self.until(move, sent_on), plus_years(sent_on, 5))

    def test_a_call_interrupts_nothing_whatever_its_text(self):
        for channel in ('phone', 'task'):
            level = self.make_policy("Calls", [{
                'name': "Call", 'delay_days': 5, 'channel': channel, 'letter_closing': RESERVES}]).level_ids
            move = self.invoice()
            move.dunning_policy_id = level.policy_id
            notice = self.dun(TODAY + days(5))
            notice._recording().body_closing = RESERVES
            self.called(notice, TODAY + days(5))
            self.assertEqual(notice.state, 'sent')
            self.assertFalse(notice.interrupts_prescription)
            self.assertEqual(self.until(move, TODAY + days(6)), plus_years(TODAY, 5))
            self.pay(move)

    def test_what_was_sent_stays_what_it_was(self):
        self.invoice(due=TODAY)
        self.dun(TODAY + days(5))
        notice = self.dun(TODAY + days(19))
        self.demand.letter_closing = "<p>Nothing is reserved.</p>"
        self.assertTrue(notice.interrupts_prescription)
        with self.assertRaises(UserError):
            notice.interrupts_prescription = False

    def test_only_what_really_left_interrupts(self):
        for state in ('draft', 'queued', 'todo', 'to_post', 'error', 'skipped', 'undelivered', 'cancelled'):
            with self.subTest(state=state):
                move = self.invoice(due=date(2022, 1, 10))
                self.notice_about(move, date(2024, 3, 4), state=state)
                self.assertEqual(self.until(move), date(2027, 1, 10))

    def test_a_bounced_notice_does_not_interrupt(self):
        move = self.invoice(due=date(2022, 1, 10))
        notice = self.notice_about(move, date(2024, 3, 4))
        self.assertEqual(self.until(move), date(2029, 3, 4))
        notice._recording().state = 'undelivered'
        self.assertEqual(self.until(move), date(2027, 1, 10))

    def test_an_item_taken_off_is_not_interrupted(self):
        first, second = self.invoice(due=date(2022, 1, 10)), self.invoice(due=date(2022, 1, 10))
        notice = self.notice_about(first | second, date(2024, 3, 4))
        line = notice._recording().line_ids.filtered(lambda line: line.move_id == second)
        line.write({'drop_reason': 'hold'})
        self.assertEqual(self.until(first), date(2029, 3, 4))
        self.assertEqual(self.until(second), date(2027, 1, 10))

    def test_a_chain_of_interruptions(self):
        move = self.invoice(due=date(2012, 6, 1))
        self.notice_about(move, date(2017, 6, 1), level=self.reminder)  # the last day
        self.notice_about(move, date(2020, 2, 29), level=self.demand)
        self.notice_about(move, date(2025, 2, 28), level=self.final)  # again the last day, after a leap day
        self.assertEqual(self.until(move), date(2030, 2, 28))
        self.assertIn("interrupted 3 times, last on 28 Feb 2025", self.text(move))

    def test_too_late_does_not_revive(self):
        move = self.invoice(due=date(2012, 6, 1))
        late = self.notice_about(move, date(2017, 6, 2), level=self.reminder)  # the day after the last day
        self.notice_about(move, date(2017, 6, 3), level=self.demand)
        self.notice_about(move, date(2022, 6, 1), level=self.final)
        self.assertEqual(self.until(move), date(2017, 6, 1))
        self.assertEqual(
            self.text(move),
            f"5 years after 1 Jun 2012; {late.name} of 2 Jun 2017 came too late; prescribed since 2 Jun 2017.")

    def test_a_late_link_ends_the_chain(self):
        move = self.invoice(due=date(2008, 6, 1))
        self.notice_about(move, date(2012, 1, 1), level=self.reminder)
        self.notice_about(move, date(2017, 1, 2), level=self.demand)  # one day late
        self.notice_about(move, date(2018, 1, 1), level=self.final)
        self.assertEqual(self.until(move), date(2017, 1, 1))

    def test_two_years_stay_two(self):
        move = self.sale(self.consumer, date(2022, 5, 1), self.bread)
        self.notice_about(move, date(2024, 2, 29))
        self.assertEqual(self.until(move), date(2026, 2, 28))
        self.act(move, date(2025, 3, 1))
        self.assertEqual(self.until(move), date(2027, 3, 1))

    def test_interrupting_never_shortens(self):
        """Article 3:319 paragraph 2: a notice before the due date does not make the claim prescribe sooner."""
        move = self.invoice(due=date(2025, 3, 1))
        self.notice_about(move, date(2025, 1, 10))
        self.assertEqual(self.until(move), date(2030, 3, 1))
        self.assertEqual(self.text(move), "5 years after 1 Mar 2025.")

    def test_a_letter_must_arrive_in_time(self):
        for on, posted, receipt, in_time in (
            (date(2017, 5, 29), date(2017, 5, 29), None, True),  # three postal days: the last day
            (date(2017, 5, 30), date(2017, 5, 30), None, False),
            (date(2017, 5, 20), date(2017, 6, 1), None, False),  # it lay on the pile
            (date(2017, 5, 30), date(2017, 5, 30), date(2017, 6, 1), True),  # proven
            (date(2017, 5, 20), date(2017, 5, 20), date(2017, 6, 2), False),
        ):
            with self.subTest(on=on, posted=posted, receipt=receipt):
                move = self.invoice(due=date(2012, 6, 1))
                self.notice_about(move, on, channel='letter', posted_on=posted, receipt_date=receipt)
                self.assertEqual(self.until(move), plus_years(on, 5) if in_time else date(2017, 6, 1))

    def test_each_kind_entered_by_hand(self):
        for kind, years, word in (
            ('recognition', 5, "by a recognition of the debt"),
            ('written', 5, "by a written notice"),
            ('summons', 5, "by a summons"),
            ('judgment', 20, "judgment of 4 Mar 2024, which can be executed until 4 Mar 2044"),
        ):
            move = self.invoice(due=date(2021, 12, 3))
            self.act(move, date(2024, 3, 4), kind)
            self.assertEqual(self.until(move), plus_years(date(2024, 3, 4), years))
            self.assertIn(word, self.text(move))

    def test_a_judgment_counts_whatever_came_before_and_after(self):
        move = self.invoice(due=date(2005, 6, 1))
        self.notice_about(move, date(2011, 1, 1), level=self.reminder)  # too late
        self.act(move, date(2012, 1, 1), 'judgment')
        self.assertEqual(self.until(move), date(2032, 1, 1))
        self.notice_about(move, date(2025, 1, 1))
        self.assertEqual(self.until(move), date(2032, 1, 1), "Five years more would be less")

    def test_about_one_invoice_one_instalment_or_everything(self):
        due = date(2024, 1, 15)
        one, other, stranger = self.invoice(due=due), self.invoice(due=due), self.invoice(self.consumer, due)
        parts = self.invoice(instalments=[(50, due), (50, date(2024, 2, 15))])
        self.act(one, date(2025, 1, 10))
        self.act(parts, date(2025, 1, 11), scope='items', move_ids=False,
                 item_ids=[Command.set(self.items(parts)[0].ids)])
        self.assertEqual(self.until(one), date(2030, 1, 10))
        self.assertEqual(self.until(other), date(2029, 1, 15))
        self.assertEqual(
            self.items(parts).mapped('dunning_prescription_date'), [date(2030, 1, 11), date(2029, 2, 15)])
        self.act(other, date(2025, 2, 1), scope='debtor', move_ids=False)
        later = self.invoice(due=date(2025, 3, 20))
        self.assertEqual(self.until(one), date(2030, 2, 1))
        self.assertEqual(self.until(other), date(2030, 2, 1))
        self.assertEqual(self.until(later), date(2030, 3, 20))
        self.assertEqual(self.until(stranger), date(2026, 1, 15))

    def test_on_an_earlier_day_later_acts_are_not_known(self):
        move = self.invoice(due=date(2021, 12, 3))
        self.notice_about(move, date(2023, 3, 4), level=self.reminder)
        self.act(move, date(2024, 3, 4))
        for at_date, until in (
            (date(2023, 3, 3), date(2026, 12, 3)), (date(2023, 3, 4), date(2028, 3, 4)),
            (date(2024, 3, 3), date(2028, 3, 4)), (date(2024, 3, 4), date(2029, 3, 4)),
        ):
            self.assertEqual(self.until(move, at_date), until)
            self.assertEqual(
                self.find(('dunning_prescription_date', '=', until), ('move_id', '=', move.id), at_date=at_date),
                self.items(move))

    # --- the evidence ---

    def test_evidence_is_withdrawn_not_changed(self):
        move = self.invoice(due=date(2021, 12, 3))
        act = self.act(move, date(2024, 3, 4), proof=base64.b64encode(b'%PDF-1.4 signed'), proof_filename="a.pdf")
        for change in (
            lambda: act.write({'date': date(2024, 3, 5)}), lambda: act.write({'move_ids': [Command.clear()]}),
            lambda: act.write({'proof': False}), lambda: act.write({'withdrawn_on': TODAY}),
            lambda: act.write({'withdrawn_reason': "Mistake", 'kind': 'judgment'}), act.unlink,
            lambda: act.write({'withdrawn_reason': ' '}),
            lambda: self.env['ir.attachment'].search([
                ('res_model', '=', 'dunning.interruption'), ('res_field', '=', 'proof'), ('res_id', '=', act.id),
            ]).write({'raw': b'other'}),
            lambda: self.env['ir.attachment'].search([
                ('res_model', '=', 'dunning.interruption'), ('res_field', '=', 'proof'), ('res_id', '=', act.id),
            ]).unlink(),
        ):
            with self.assertRaises(UserError):
                change()
        self.assertEqual(self.until(move), date(2029, 3, 4))
        act.withdrawn_reason = "It was another debtor who signed"
        self.assertEqual(act.withdrawn_by_id, self.env.user)
        self.assertEqual(self.until(move), date(2026, 12, 3))
        with self.assertRaises(UserError):
            act.withdrawn_reason = "Once more"
        self.assertEqual(base64.b64decode(act.proof), b'%PDF-1.4 signed')

    def test_nonsense_is_refused_with_a_sentence(self):
        move, other = self.invoice(), self.invoice(self.consumer)
        for values in (
            {'date': TODAY + days(1)},
            {'move_ids': False},
            {'move_ids': [Command.set((move | other).ids)]},
            {'scope': 'items'},
            {'scope': 'debtor'},
        ):
            with self.assertRaises(ValidationError):
                self.env['dunning.interruption'].with_context(dunning_at_date=TODAY).create({
                    'company_id': self.company.id, 'partner_id': self.business.id, 'kind': 'written', 'date': TODAY,
                    'scope': 'invoices', 'move_ids': [Command.set(move.ids)], **values})
        with self.assertRaises(UserError):
            self.act(move, TODAY, withdrawn_reason="Before it was entered")
        with self.assertRaises(UserError):
            (move | other).action_dunning_interruption()
        with self.assertRaises(UserError):
            self.invoice(post=False, sent=False).action_dunning_interruption()

    def test_from_the_invoice(self):
        move = self.invoice(self.make_contact(self.business, "Ann"), due=date(2021, 12, 3))
        action = move.action_dunning_interruption()
        form = Form(self.env[action['res_model']].with_context(**action['context']))
        form.kind = 'written'
        form.date = date(2024, 3, 4)
        act = form.save()
        self.assertEqual((act.move_ids, act.partner_id, act.user_id), (move, self.business, self.env.user))
        self.assertEqual(move.dunning_prescription_date, date(2029, 3, 4))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPrescriptionSearch(PrescriptionCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        service = cls.env['account.move']
        starts = [date(2014, 2, 28), date(2016, 2, 29), date(2020, 2, 29), date(2023, 3, 3), TODAY]
        for due in starts:
            cls.sale(cls.business, due, cls.bread)
            cls.sale(cls.consumer, due, cls.bread)
            cls.sale(cls.consumer, due, cls.baking)
        cls.sale(cls.business, TODAY, cls.bread, instalments=[(50, date(2020, 1, 1)), (50, date(2024, 6, 1))])
        chained = cls.invoice(due=date(2014, 6, 1))
        cls.notice_about(chained, date(2019, 6, 1))
        cls.act(chained, date(2024, 6, 1))
        cls.act(cls.invoice(due=date(2013, 6, 1)), date(2019, 6, 1))  # too late
        cls.act(cls.invoice(due=date(2013, 6, 1)), date(2016, 6, 1), 'judgment')
        cls.pay(cls.invoice(due=date(2020, 1, 1)))
        cls.credit_note(on=date(2020, 1, 1))
        cls.all_items = cls.env['account.move.line'].search([('company_id', '=', cls.company.id)])
        cls.all_moves = service.search([('company_id', '=', cls.company.id)])
        cls.days = sorted(filter(None, set(cls.all_items.mapped('dunning_prescription_date'))))

    def _check(self, domain, python):
        for records in (self.all_items, self.all_moves):
            found = records.search([('id', 'in', records.ids), *domain])
            expected = records.filtered(lambda record: python(record.dunning_prescription_date))
            self.assertEqual(found, expected & found, (records._name, domain))
            self.assertEqual(set(found.ids), set(expected.ids), (records._name, domain))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_searching_finds_what_is_computed(self, data):
        near = st.sampled_from(self.days).flatmap(
            lambda day: st.integers(-2, 2).map(lambda offset: day + days(offset)))
        day = data.draw(near | st.dates(date(2010, 1, 1), date(2045, 1, 1)))
        operator, python = data.draw(st.sampled_from([
            ('<', lambda value: value and value < day),
            ('<=', lambda value: value and value <= day),
            ('>', lambda value: value and value > day),
            ('>=', lambda value: value and value >= day),
            ('=', lambda value: value == day),
            ('!=', lambda value: value != day),
        ]))
        self._check([('dunning_prescription_date', operator, day)], python)

    def test_set_or_not(self):
        self._check([('dunning_prescription_date', '=', False)], lambda value: not value)
        self._check([('dunning_prescription_date', '!=', False)], bool)
        some = self.days[1]
        self._check([('dunning_prescription_date', 'in', [some, False])], lambda value: not value or value == some)
        self._check([('dunning_prescription_date', 'not in', [some, False])], lambda value: value and value != some)

    def test_in_the_order_in_which_they_prescribe(self):
        open_items = self.all_items.search([
            ('id', 'in', self.all_items.ids), ('dunning_prescription_date', '!=', False)],
            order='dunning_prescription_date, id')
        dates = open_items.mapped('dunning_prescription_date')
        self.assertEqual(dates, sorted(dates))
        backwards = self.all_items.search(
            [('id', 'in', open_items.ids)], order='dunning_prescription_date desc, id desc')
        self.assertEqual(backwards.ids, open_items.ids[::-1])

    def test_the_filters_of_the_list(self):
        """The relative days in the views are understood by the search."""
        action = self.env.ref('l10n_nl_dunning.account_move_line_action_limitation')
        arch = self.env['account.move.line'].get_view(action.search_view_id.id, 'search')['arch']
        for name in ('prescribes_6', 'prescribes_3', 'prescription_close', 'prescribed'):
            self.assertIn(f'name="{name}"', arch)
        # The day of the company and that of the user are the same one, also shortly after midnight.
        Item = self.env['account.move.line'].with_context(tz='Europe/Amsterdam')
        today = self.env.company._dunning_today()
        soon = self.invoice(due=today - relativedelta(years=5, months=-2))
        later = self.invoice(due=today - relativedelta(years=5, months=-5))
        last_day = self.invoice(due=today - relativedelta(years=5))
        gone = self.invoice(due=today - relativedelta(years=5) - days(1))
        moves = soon | later | last_day | gone
        ours = [('move_id', 'in', moves.ids)]
        until = 'dunning_prescription_date'
        self.assertEqual(
            Item.search([*ours, (until, '>=', 'today'), (until, '<=', 'today +6m')]).move_id, soon | later | last_day)
        self.assertEqual(
            Item.search([*ours, (until, '>=', 'today'), (until, '<=', 'today +3m')]).move_id, soon | last_day)
        self.assertEqual(Item.search([*ours, (until, '<', 'today')]).move_id, gone)

    def test_one_query_for_a_page(self):
        items = self.all_items
        items.mapped('dunning_prescription_reason')  # warm
        self.env['account.move']._forget_dunning_answers()
        # The statement, the names of notices and the kinds of acts entered by hand.
        with self.assertQueryCount(3):
            items.mapped('dunning_prescription_reason')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestChain(PrescriptionCommon):
    """The statement follows a chain as a person with a calendar would, one act after the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.due = date(2010, 6, 1)
        cls.five = cls.invoice(due=cls.due)
        cls.two = cls.sale(cls.consumer, cls.due, cls.bread)

    @staticmethod
    def _by_hand(due, years, acts):
        until = plus_years(due, years)
        until = max([until, *(plus_years(act.date, 20) for act in acts if act.kind == 'judgment')])
        for act in sorted(acts, key=lambda act: act.date):
            if act.date <= until:
                until = max(until, plus_years(act.date, 20 if act.kind == 'judgment' else years))
        return until

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(acts=st.lists(st.builds(
        SimpleNamespace, date=st.dates(date(2009, 1, 1), date(2024, 12, 31)),
        kind=st.sampled_from(['written'] * 6 + ['recognition', 'summons', 'judgment']),
        notice=st.booleans()), max_size=6))
    def test_as_by_hand(self, acts):
        with self.env.cr.savepoint() as savepoint:
            for move, years in ((self.five, 5), (self.two, 2)):
                levels = iter(self.make_policy("L", [{'name': f"Level {number}"} for number in range(6)]).level_ids)
                for act in acts:
                    if act.notice and act.kind == 'written':
                        self.notice_about(move, act.date, level=next(levels))
                    else:
                        self.act(move, act.date, act.kind)
                self.assertEqual(self.until(move), self._by_hand(self.due, years, acts), (years, acts))
            savepoint.rollback()
        self.env.invalidate_all()


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPrescribedIsNotDemanded(PrescriptionCommon):

    def test_the_last_day_is_in_time(self):
        move = self.invoice(due=date(2020, 3, 2))
        self.assertEqual(self.reason(move, date(2025, 3, 2)), 'due')
        self.assertEqual(self.reason(move, date(2025, 3, 3)), 'prescribed')
        self.assertExplained(self.decision(move, date(2025, 3, 3)))

    def test_goods_of_a_consumer_and_a_debt_that_was_interrupted(self):
        goods = self.sale(self.consumer, date(2023, 3, 2), self.bread)
        lessons = self.sale(self.consumer, date(2023, 3, 2), self.baking)
        bought = self.sale(self.business, date(2023, 3, 2), self.bread)
        interrupted = self.sale(self.consumer, date(2023, 3, 2), self.bread)
        self.act(interrupted, date(2024, 12, 1))
        self.assertEqual(
            [self.reason(move, TODAY) for move in (goods, lessons, bought, interrupted)],
            ['prescribed', 'due', 'due', 'due'])
        goods.dunning_claim_kind = 'services'
        self.assertEqual(self.reason(goods, TODAY), 'due')

    def test_no_notice_leaves_about_it_not_even_by_hand(self):
        old, new = self.invoice(due=date(2020, 3, 2)), self.invoice(due=date(2025, 2, 3))
        notices = self.make_notices(date(2025, 3, 3))
        self.assertEqual(notices.line_ids.move_id, new)
        wizard = self.env['dunning.planner']._plan(
            self.company, date(2025, 3, 3), items=self.items(old), ignore=frozenset({'waiting_delay', 'backlog'}))
        self.assertEqual(wizard[0].reason, 'prescribed')

    def test_what_prescribed_while_it_waited_does_not_leave(self):
        move = self.invoice(due=date(2020, 3, 2))
        proposal = self.make_notices(date(2025, 3, 2))
        self.assertEqual(proposal.line_ids.move_id, move)
        self.send(proposal, date(2025, 3, 3))
        self.assertEqual(proposal.state, 'cancelled')
        self.assertIn("prescribed", proposal.cancel_reason)

    def test_the_planner_and_the_list_agree(self):
        for due in (date(2020, 3, 1), date(2020, 3, 2), date(2020, 3, 3), date(2023, 3, 1), date(2023, 3, 2),
                    date(2023, 3, 3), date(2020, 2, 29), TODAY):
            self.sale(self.business, due, self.bread)
            self.sale(self.consumer, due, self.bread)
            self.act(self.sale(self.consumer, due, self.bread), date(2025, 1, 1))
        for at_date in (date(2025, 2, 28), date(2025, 3, 1), date(2025, 3, 2), date(2025, 3, 3)):
            planned = {item for item, decision in self.plan(at_date).items() if decision.reason == 'prescribed'}
            listed = self.find(
                ('dunning_prescription_date', '<', at_date), ('company_id', '=', self.company.id), at_date=at_date)
            self.assertEqual(planned, set(listed.ids), at_date)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestWarning(PrescriptionCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.collector = new_test_user(
            cls.env, 'prescription_collector', groups='account.group_account_invoice', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])
        cls.business.user_id = cls.collector

    def warn(self, at_date):
        return self.Service._warn_prescription(self.company, at_date)

    def test_told_six_and_three_months_before_once_each(self):
        move = self.invoice(due=date(2020, 8, 31))  # until 31 August 2025
        self.assertFalse(self.warn(date(2025, 2, 27)), "31 August is more than six months away")
        six = self.warn(date(2025, 2, 28))
        self.assertEqual(len(six), 1)
        self.assertEqual((six.user_id, six.res_model, six.res_id), (self.collector, 'account.move', move.id))
        self.assertIn("prescribes after 31 Aug 2025", six.summary)
        self.assertIn("until 31 Aug 2025", six.note)
        self.assertIn(move.name, six.note)
        for at_date in (date(2025, 2, 28), date(2025, 3, 1), date(2025, 5, 30)):
            self.assertFalse(self.warn(at_date))
        self.assertEqual(len(self.warn(date(2025, 5, 31))), 1)
        for at_date in (date(2025, 6, 1), date(2025, 8, 31), date(2025, 9, 1)):
            self.assertFalse(self.warn(at_date))
        self.assertEqual(len(move.activity_ids), 2, "Nothing was done about it")

    def test_found_late_told_once(self):
        self.invoice(due=date(2020, 4, 1))
        self.assertEqual(len(self.warn(TODAY)), 1)
        self.assertFalse(self.warn(TODAY + days(1)))
        self.invoice(due=TODAY - relativedelta(years=5))
        self.assertEqual(len(self.warn(TODAY)), 1, "The last day is in time")

    def test_what_is_prescribed_already_is_in_the_list_only(self):
        self.invoice(due=date(2015, 4, 1))
        self.assertFalse(self.warn(TODAY))

    def test_one_activity_per_debtor(self):
        second = self.invoice(due=date(2020, 5, 2))
        first = self.invoice(due=date(2020, 5, 1))
        self.invoice(self.make_debtor("Other BV"), due=date(2020, 5, 1))
        activities = self.warn(TODAY)
        self.assertEqual(len(activities), 2)
        mine = activities.filtered(lambda activity: activity.res_id == first.id)
        self.assertIn(first.name, mine.note)
        self.assertIn(second.name, mine.note)

    def test_a_flood_is_told_in_one_activity(self):
        self.patch(dunning_prescription_warning, 'MAX_ACTIVITIES', 2)
        for number in range(5):
            debtor = self.make_debtor(f"Debtor {number} BV", user_id=self.collector.id)
            self.invoice(debtor, due=date(2020, 5, number + 1))
        activities = self.warn(TODAY)
        self.assertEqual(len(activities), 3)
        self.assertIn("3 more debtors", activities[-1].summary)
        self.assertFalse(self.warn(TODAY + days(1)))

    def test_what_was_settled_is_taken_off_the_list(self):
        paid, interrupted, open_one = (
            self.invoice(self.make_debtor(f"Debtor {number} BV"), due=date(2020, 5, 1)) for number in range(3))
        self.warn(TODAY)
        self.pay(paid)
        self.act(interrupted, TODAY)
        self.warn(TODAY + days(1))
        self.assertFalse((paid | interrupted).activity_ids)
        self.assertTrue(open_one.activity_ids)

    def test_after_an_interruption_told_again_before_the_new_day(self):
        move = self.invoice(due=date(2020, 5, 1))
        self.assertTrue(self.warn(TODAY))
        self.act(move, TODAY)
        self.assertFalse(self.warn(TODAY + days(1)))
        self.assertTrue(self.warn(date(2029, 9, 3)))

    def test_never_somebody_who_may_not_see_the_invoice(self):
        sales = new_test_user(
            self.env, 'prescription_sales', groups='sales_team.group_sale_salesman'
            if self.env.ref('sales_team.group_sale_salesman', raise_if_not_found=False) else 'base.group_user',
            company_id=self.company.id, company_ids=[Command.set(self.company.ids)])
        self.business.user_id = sales
        move = self.invoice(due=date(2020, 5, 1))
        move.invoice_user_id = sales
        activity = self.warn(TODAY)
        self.assertTrue(activity.user_id)
        self.assertNotEqual(activity.user_id, sales)

    def test_the_daily_run_asks(self):
        move = self.invoice(due=self.company._dunning_today() - relativedelta(years=5, months=-5))
        other = self.setup_other_company()['company']
        elsewhere = self.invoice(
            self.make_debtor("Far BV"), due=date(2020, 5, 1), company=other)
        with self.enter_registry_test_mode():
            self.env.ref('l10n_nl_dunning.ir_cron_dunning_plan').method_direct_trigger()
        self.assertTrue(move.activity_ids.filtered('automated'))
        self.assertFalse(self.warn(TODAY).filtered(lambda activity: activity.res_id == elsewhere.id))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPrescriptionRights(PrescriptionCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.setup_other_company(name="Other BV")['company']
        cls.users = {
            name: new_test_user(
                cls.env, f'prescription_{name}', groups=groups, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)])
            for name, groups in {
                'employee': 'base.group_user',
                'readonly': 'account.group_account_readonly',
                'clerk': 'account.group_account_invoice',
            }.items()
        }
        cls.move = cls.invoice(due=date(2021, 12, 3))

    def test_who_enters_and_who_reads(self):
        values = {
            'partner_id': self.business.id, 'kind': 'written', 'date': date(2024, 3, 4),
            'move_ids': [Command.set(self.move.ids)], 'user_id': self.env.uid}
        Interruption = self.env['dunning.interruption']
        for name in ('employee', 'readonly'):
            with self.assertRaises(AccessError):
                Interruption.with_user(self.users[name]).create(values)
        act = Interruption.with_user(self.users['clerk']).create(values)
        self.assertEqual(act.user_id, self.users['clerk'], "Nobody enters evidence in the name of another")
        with self.assertRaises(AccessError):
            act.with_user(self.users['clerk']).unlink()
        self.assertEqual(act.with_user(self.users['readonly']).kind, 'written')
        with self.assertRaises(AccessError):
            act.with_user(self.users['employee']).read(['kind'])
        act.with_user(self.users['clerk']).withdrawn_reason = "Mistake"

    def test_who_sees_the_day(self):
        for name in ('readonly', 'clerk'):
            move = self.move.with_user(self.users[name])
            self.assertEqual(move.dunning_prescription_date, date(2026, 12, 3))
            self.assertIn("5 years", self.items(move).dunning_prescription_reason)
            found = move.env['account.move.line'].search([('dunning_prescription_date', '=', date(2026, 12, 3))])
            self.assertIn(self.move, found.move_id)
        with self.assertRaises(AccessError):
            self.items(self.move).with_user(self.users['employee']).read(['dunning_prescription_date'])

    def test_companies_do_not_mix(self):
        theirs = self.invoice(due=date(2021, 12, 3), company=self.other)
        Item = self.env['account.move.line'].with_user(self.users['clerk'])
        self.assertFalse(Item.search([('dunning_prescription_date', '!=', False)]).filtered(
            lambda item: item.company_id != self.company))
        self.act(theirs, date(2024, 3, 4), scope='debtor', move_ids=False)
        self.assertEqual(self.until(theirs), date(2029, 3, 4))
        self.assertEqual(self.until(self.move), date(2026, 12, 3), "Said to another company")
        self.assertFalse(self.env['dunning.interruption'].with_user(self.users['clerk']).search([]))
        with self.assertRaises(UserError):
            self.act(self.move, date(2024, 3, 4), move_ids=[Command.set((self.move | theirs).ids)])
        both = (self.company | self.other).ids
        found = self.env['account.move.line'].with_context(allowed_company_ids=both).search([
            ('dunning_prescription_date', '<=', date(2029, 3, 4)), ('partner_id', '=', self.business.id)])
        self.assertEqual(found.move_id, self.move | theirs)

    def test_posting_and_paying_cost_nothing_extra(self):
        fields = self.env['account.move.line']._fields
        self.assertFalse(any(field.store for name, field in fields.items() if name.startswith('dunning_')))
        self.env['account.move.line'].fields_get(['dunning_prescription_date'])  # core asks it with each write
        with self.assertQueryCount(0):
            self.assertTrue(self.env['account.move.line'].fields_get(
                ['dunning_prescription_date'])['dunning_prescription_date']['sortable'])
        with patch.object(self.registry['dunning.prescription'], '_fetch', side_effect=AssertionError):
            move = self.invoice()
            self.pay(move)
        self.assertIn(move.payment_state, ('paid', 'in_payment'))

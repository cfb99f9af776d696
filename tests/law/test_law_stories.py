"""Debtors walked through the ladders that ship, day by day, as a judge would: what left, when, and for how much.

Every amount and date stands in the comments with its sum, worked out by hand from articles 6:44, 6:82, 6:96, 6:119 and
6:119a BW, the decree on collection costs (Besluit BIK) and HR 25-11-2016. “Left” is what debtors got, read from paper.
"""

import io
import re
from contextlib import contextmanager
from datetime import date
from decimal import Decimal as D

from lxml import html

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader

from odoo.addons.base.models import ir_actions_report

from ...tools.law.amounts import to_decimal
from ..common import DunningCommon, days, letter_bytes

# What a text about costs looks like, apart from sentences that say that there are none.
COSTS = re.compile(r'incassokosten|aanmaningskosten|herinneringskosten|administratiekosten', re.IGNORECASE)
PROOF = 'cHJvb2Y='
# Most consumers here have an invoice that is due on this Monday.
DUE = date(2026, 8, 31)


def euro(amount):
    """Return an amount as a Dutch letter writes it."""
    whole, _dot, cents = f"{D(amount):,.2f}".partition('.')
    return f"€ {whole.replace(',', '.')},{cents}"


def plain(text):
    return ' '.join(text.replace('\xa0', ' ').split())


class StoryCommon(DunningCommon):
    """A company as it is after the installation, but for its bank account: shipped ladders, quiet hours, terms."""

    real_letters = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.zakelijk = cls.env.ref('l10n_nl_dunning.policy_business')
        cls.particulier = cls.env.ref('l10n_nl_dunning.policy_consumer')
        cls.company.write({
            'dunning_policy_business_id': cls.zakelijk.id,
            'dunning_policy_consumer_id': cls.particulier.id,
            'dunning_quiet': True,
            'dunning_contacts_per_week': 3,
            'company_registry': '30241556',
        })
        cls.env['res.partner.bank'].create({
            'acc_number': 'NL91ABNA0417164300', 'partner_id': cls.company.partner_id.id, 'allow_out_payment': True})
        # Paper costs half a second; only stories about what it says print it.
        cls.printing = printing = set()
        render = cls.registry['dunning.letter']._render_pdfs

        def render_when_read(self, notices, *args, **kwargs):
            if printing:
                return render(self, notices, *args, **kwargs)
            return {notice.id: letter_bytes(notice) for notice in notices}

        cls.classPatch(cls.registry['dunning.letter'], '_render_pdfs', render_when_read)
        cls.Claim = cls.env['dunning.claim'].with_company(cls.company)

    # --- days go by ---

    def live(self, first, last, *, calls=True, posts=True, daily=False):
        """Let the days from ``first`` up to and including ``last`` go by as in an office, and return what left.

        In the morning the scheduled action plans, a person approves all of it and the queue goes; mails leave, letters
        are printed and brought to the post, calls are made.

        :param calls: ``False`` when nobody calls, so that calls expire
        :param posts: ``False`` when the pile of letters stays where it is
        :param daily: every single day; else those are left out for which the planner has nothing and nothing waits
        """
        Notice = self.env['dunning.notice']
        gone, day = Notice, first
        while day <= last:
            self.env['dunning.run'].with_context(dunning_at_date=day)._plan_company(self.company, day)
            waiting = Notice.search([('company_id', '=', self.company.id), ('state', 'in', ('draft', 'queued'))])
            if waiting:
                self.approve(waiting, day)
            gone |= self.leave(day, calls=calls, posts=posts)
            day = day + days(1) if daily else self.next_day(day, last)
        gone.invalidate_recordset()
        return gone.sorted('id')

    def approve(self, notices, day):
        """Approve proposals and let the queue go, as the scheduled action: together, and when one fails one by one."""
        notices = notices.with_context(dunning_at_date=day)
        notices.filtered(lambda notice: notice.state == 'draft')._queue()
        try:
            with self.env.cr.savepoint():
                notices.env['dunning.dispatcher']._dispatch(notices)
        except UserError:
            self.send(notices, day)

    def next_day(self, day, last):
        """Return the next day on which something can happen, or the day after ``last``."""
        pending = self.env['dunning.notice'].search_count([
            '|', ('state', 'in', ('draft', 'queued', 'to_post')), '|', ('postal_state', '=', 'to_print'),
            '&', ('state', '=', 'todo'), ('channel', '=', 'phone')], limit=1)
        dates = [decision.next_date for decision in self.plan(day).values() if decision.next_date]
        return day + days(1) if pending else max(min(dates, default=last + days(1)), day + days(1))

    def leave(self, day, *, calls=True, posts=True):
        """Let mails, letters and calls of a day go; return the notices that left the queue."""
        Notice = self.env['dunning.notice'].with_context(dunning_at_date=day)
        mails = Notice.search([('mail_id.state', '=', 'outgoing')])
        if mails:
            self.mails_leave(mails, day)
        pile = Notice.search([('postal_state', '=', 'to_print')])
        if pile and posts:
            self.post_letters(pile, day)
        todo = Notice.search([('state', '=', 'todo'), ('channel', '=', 'phone')])
        if todo and calls:
            self.called(todo, day)
        return Notice.search([('date', '=', day), ('state', 'in', ('sent', 'to_post', 'todo', 'skipped'))]).with_env(
            self.env)

    def of(self, notices, debtor):
        return notices.filtered(lambda notice: notice.partner_id == debtor)

    def ladder_of(self, notices):
        """Return what left as (level, day, deadline)."""
        return [
            (notice.level_id.get_external_id()[notice.level_id.id].split('.level_')[1], notice.date, notice.deadline)
            for notice in notices]

    def notice_at(self, notices, level):
        found = notices.filtered(lambda notice: notice.level_id == self.level(level))
        found.ensure_one()
        return found

    def level(self, name):
        return self.env.ref(f'l10n_nl_dunning.level_{name}')

    # --- what a debtor reads ---

    def paper(self):
        """Print real letters for the rest of the test."""
        if ir_actions_report._wkhtml().state == 'install':
            self.skipTest("wkhtmltopdf is not installed, so no letter can be printed")
        self.printing.add('paper')
        self.addCleanup(self.printing.clear)

    def read_pdf(self, pdf):
        return plain(' '.join(page.extract_text() for page in PdfFileReader(io.BytesIO(pdf)).pages))

    def read_letter(self, notice):
        """Return the text of the PDF that left, without the specification behind it."""
        text = self.read_pdf(self.env['dunning.letter']._get_frozen_pdfs(notice)[notice.id])
        letter, _title, specification = text.partition("Specificatie van de vordering")
        waived = notice.partner_id.with_company(notice.company_id).dunning_waive_reason
        self.assertNotIn(waived or "No reason", specification, "Why something is waived is for colleagues")
        return letter

    def read_mail(self, notice):
        """Return the text of the mail that left."""
        message = notice.mail_message_id.sudo()  # the mail itself is gone when it was sent
        return plain(f"{message.subject} {html.fromstring(message.body).text_content()}")

    def read_specification(self, notice):
        pdf, _type = self.env['ir.actions.report'].with_context(force_report_rendering=True)._render_qweb_pdf(
            'l10n_nl_dunning.report_dunning_specification', notice.ids)
        return self.read_pdf(pdf)

    # --- what must hold ---

    def claim(self, moves, at_date, **kwargs):
        return self.Claim.with_context(dunning_at_date=at_date)._compute(self.items(moves), at_date, **kwargs)

    def assertAmounts(self, notice, principal, interest, costs):
        """The notice asks exactly this, and its claim, as it was frozen and as computed again, says the same cents."""
        self.assertEqual(
            [to_decimal(notice[name]) for name in (
                'amount_principal', 'amount_interest', 'amount_costs', 'amount_due')],
            [D(principal), D(interest), D(costs), D(principal) + D(interest) + D(costs)])
        data = notice.claim_data
        self.assertEqual(
            [D(data[name]) for name in ('principal', 'interest', 'costs', 'total')],
            [D(principal), D(interest), D(costs), D(principal) + D(interest) + D(costs)])
        self.assertEqual(sum(map(D, data['left'])), D(principal) + D(interest) + D(costs))

    def assertClaim(self, moves, at_date, interest, costs, left=None):
        """What is owed on a day, and how the law divides it: (costs, interest, principal)."""
        claim = self.claim(moves, at_date)
        self.assertEqual((claim.interest, claim.costs), (D(interest), D(costs)), at_date)
        if left:
            self.assertEqual(tuple(claim.left), tuple(map(D, left)), at_date)
        return claim

    @contextmanager
    def assertRefused(self, exception, words):
        """It is refused with these words, and nothing of it stays."""
        with self.assertRaises(exception) as refused:
            yield
        self.assertRegex(str(refused.exception), words)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestConsumers(StoryCommon):
    """Consumers: costs only after a 14-day letter ran out, over what was then unpaid."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.dunning_term_agreed_consumer = True
        # The days of these stories are those of a notice of default by e-mail; of one on paper see test_standing.
        cls.env.ref('l10n_nl_dunning.level_consumer_first').channel = 'email'

    def consumers(self, *names, amount=1000.0, due=DUE, **values):
        """Return (debtor, invoice) for each name."""
        debtors = [self.make_debtor(name, consumer=True, **values) for name in names]
        return [(debtor, self.invoice(debtor, due, amount)) for debtor in debtors]

    def enter(self, notice, kind, at_date, today=None, **values):
        """Enter what is known of the receipt, as a person does."""
        notice = self.on(today or at_date, notice)
        action = notice.action_enter_receipt()
        wizard = self.env[action['res_model']].with_context(**notice.env.context).browse(action['res_id'])
        wizard.write({'kind': kind, 'date': at_date, **values})
        wizard.action_confirm()
        notice.invalidate_recordset()

    def bounce(self, notice, at_date):
        notification = self.on(at_date, notice.mail_message_id.sudo().notification_ids)
        notification.write({'notification_status': 'bounce', 'failure_reason': "No such mailbox"})
        notice.invalidate_recordset()

    # --- 1. the whole ladder ---

    # Due Monday 31 August. Five days: Saturday 5 September, until the 12th. Four days: Wednesday the 16th, until the
    # 23rd. Four days: the 27th is a Sunday, on which no mail leaves, so Monday the 28th. Posted that day: Tuesday,
    # Wednesday, Thursday 1 October; fourteen days: Thursday the 15th; the costs from the 16th. Four days: Monday the
    # 19th, until the 26th. Four days: Friday the 30th.
    LADDER = [
        ('consumer_reminder', date(2026, 9, 5), date(2026, 9, 12)),
        ('consumer_first', date(2026, 9, 16), date(2026, 9, 23)),
        ('consumer_fourteen_day', date(2026, 9, 28), date(2026, 10, 15)),
        # On paper, which the debtor has on Thursday the 22nd.
        ('consumer_final', date(2026, 10, 19), date(2026, 10, 29)),
        ('consumer_handover', date(2026, 11, 2), False),
    ]

    def walk(self, agreed, interest, daily=False):
        self.paper()
        self.company.dunning_term_agreed_consumer = agreed
        self.particulier.claim_booking = 'booked'
        jan = self.make_debtor("Jan Smit", consumer=True)
        move = self.invoice(jan, DUE, 1234.56)
        left = self.live(DUE, date(2026, 11, 2), daily=daily)
        self.assertEqual(self.ladder_of(left), self.LADDER)
        reminder, demand, letter, final, handover = left
        # Before the letter: the bare invoice, and no word about costs that are owed.
        for notice in reminder | demand:
            self.assertEqual(to_decimal(notice.amount_due), D('1234.56'))
            for text in (self.read_letter(notice), self.read_mail(notice)):
                self.assertIn(euro('1234.56'), text)
                self.assertNotRegex(text, COSTS)
                self.assertEqual(set(re.findall(r'€ [\d.,]+\d', text)), {euro('1234.56')})
        for text in (self.read_letter(reminder), self.read_mail(reminder)):
            self.assertNotRegex(text, "(?i)kosten|rente")
        # The letter: 15% of 1,234.56 = 185.184.
        self.assertRecordValues(letter, [{
            'state': 'sent', 'legal_role': 'fourteen_day', 'amount_due': 1234.56, 'amount_announced': 185.18,
            'amount_costs': 0, 'amount_interest': 0, 'receipt_date': date(2026, 10, 1),
            'receipt_kind': 'post_presumed', 'costs_from': date(2026, 10, 16)}])
        for text in (self.read_letter(letter), self.read_mail(letter)):
            for part in (
                "u bent in verzuim", euro('1234.56'), euro('185.18'), euro('1419.74'), "artikel 6:96",
                "binnen veertien dagen vanaf de dag nadat deze brief bij u is bezorgd",
            ):
                self.assertIn(part, text)
            # No day by which to pay: the 15th of October is only known by us.
            self.assertNotRegex(text, r"1[0-9] oktober")
        paper = self.read_letter(letter)
        self.assertEqual(set(re.findall(r'NL\d\d ?[A-Z]{4}[ \d]{10,13}', paper)), {'NL91 ABNA 0417 1643 00'})
        self.assertNotIn("btw", paper.lower().replace("btw-nummer", "").replace("btw nl", ""))
        # The last demand: costs, and interest over the days until that Monday.
        self.assertAmounts(final, '1234.56', interest, '185.18')
        total = D('1234.56') + D(interest) + D('185.18')
        for text in (self.read_letter(final), self.read_mail(final), self.read_specification(final)):
            for amount in ('1234.56', interest, '185.18', total):
                self.assertIn(euro(amount).strip("€ "), text)
            self.assertIn(euro(total), text)
        self.assertClaim(move, date(2026, 10, 19), interest, '185.18')
        self.assertEqual(to_decimal(final.booking_ids.amount_total), D(interest) + D('185.18'))
        self.assertEqual(final.booking_ids.amount_tax, 0)
        self.assertEqual((reminder | demand | letter | handover).booking_ids, self.env['account.move'])
        # Day by day: nothing is owed on the 15th, all of it on the 16th, by whatever way one asks.
        for offset in range(60):
            day = DUE + days(offset)
            self.assertEqual(self.claim(move, day).costs, D('185.18') if day >= date(2026, 10, 16) else 0, day)
        self.assertEqual(handover.state, 'todo')
        return left

    def test_term_agreed(self):
        """Interest from 1 September: 30 + 19 = 49 days; 1,234.56 × 4% × 49 / 365 = 6.6294."""
        self.walk(True, '6.63', daily=True)

    def test_term_not_agreed(self):
        """Interest from the day after the notice of default ran out, 24 September: 7 + 19 = 26 days; 3.5176."""
        [_reminder, demand, *_rest] = self.walk(False, '3.52')
        self.assertIn("ingebrekestelling", self.read_letter(demand))
        self.assertIn("23 september 2026", self.read_letter(demand))
        self.assertEqual(demand.legal_role, 'default_notice')

    # --- 2. payments ---

    def test_payments_inside_and_after_the_fourteen_days(self):
        """1,000 due on 31 August; letter of 28 September, received on 1 October; free until 15 October; 4% interest."""
        (anna, inside), (bert, on_last_day), (cees, day_later), (_dirk, all_in_time), (eva, all_late), (fien, late) = (
            self.consumers("Anna Aa", "Bert Bee", "Cees Cee", "Dirk Dee", "Eva Ee", "Fien Eff"))
        left = self.live(DUE, date(2026, 10, 4))
        letters = left.filtered(lambda notice: notice.legal_role == 'fourteen_day')
        self.assertEqual(set(letters.mapped('amount_announced')), {150})
        self.assertEqual(set(letters.mapped('costs_from')), {date(2026, 10, 16)})
        self.pay(inside, 400, on=date(2026, 10, 5))
        self.pay(on_last_day, 400, on=date(2026, 10, 15))
        self.pay(all_in_time, on=date(2026, 10, 15))
        self.live(date(2026, 10, 5), date(2026, 10, 15))
        self.pay(day_later, 400, on=date(2026, 10, 16))
        self.pay(all_late, on=date(2026, 10, 16))
        finals = self.live(date(2026, 10, 16), date(2026, 10, 19))
        self.assertEqual(finals.partner_id, anna | bert | cees | fien)
        self.assertEqual(set(finals.mapped('date')), {date(2026, 10, 19)})
        # Anna: 15% of 600. Interest to 5 October over 1,000: 35 days, 3.836; then 14 days over 600: 0.921.
        self.assertAmounts(self.of(finals, anna), 600, '4.76', 90)
        # Bert, on the last free day: 45 days over 1,000, 4.932; 4 days over 600, 0.263.
        self.assertAmounts(self.of(finals, bert), 600, '5.19', 90)
        # Cees, one day later: the costs are 150, and his 400 pays them first; no interest was asked yet, so the other
        # 250 goes to the principal. 46 days over 1,000, 5.041; 3 days over 750, 0.247.
        self.assertAmounts(self.of(finals, cees), 600, '5.29', 150)
        self.assertClaim(day_later, date(2026, 10, 19), '5.29', 150, left=(0, '5.29', 750))
        # Fien did not pay: 49 days over 1,000, 5.370.
        self.assertAmounts(self.of(finals, fien), 1000, '5.37', 150)
        # Dirk paid all of it in time: nothing is asked and nothing is left over. Eva was a day late: 150 of her 1,000
        # paid the costs, so 150 of the principal is left: 46 days over 1,000, and nothing after that. A person decides.
        self.assertEqual(self.claim(all_in_time, date(2026, 10, 19)).costs, 0)
        [remainder] = self.Claim._get_remainders(self.company, date(2026, 10, 19))
        self.assertEqual(
            (remainder.partner_id, remainder.interest, remainder.costs), (eva.id, D('5.04'), 150))
        self.assertClaim(all_late, date(2026, 10, 19), '5.04', 150, left=(0, '5.04', 150))
        self.assertFalse(self.notices_of(all_in_time | all_late).filtered(lambda notice: notice.amount_costs))
        # Fien pays 500 after the last demand asked interest too: costs 150, interest of 53 days 5.808, and 344.19 of
        # the principal. Then 7 days over 655.81: 0.503.
        self.pay(late, 500, on=date(2026, 10, 23))
        handovers = self.live(date(2026, 10, 20), date(2026, 11, 2))
        self.assertClaim(late, date(2026, 10, 30), '6.31', 150, left=(0, '0.50', '655.81'))
        self.assertEqual(handovers.partner_id, anna | bert | cees | fien)
        self.assertEqual(handovers.level_id, self.level('consumer_handover'))

    # --- 3. holidays ---

    def test_christmas(self):
        """Due Thursday 26 November. Tuesday 1 December until the 8th; Saturday the 12th until the 19th; letter on
        Wednesday the 23rd."""
        (anna, first), (bert, second) = self.consumers("Anna Aa", "Bert Bee", due=date(2026, 11, 26))
        left = self.live(date(2026, 11, 26), date(2026, 12, 23), posts=False)
        letters = left.filtered(lambda notice: notice.date == date(2026, 12, 23))
        self.assertEqual(letters.level_id, self.level('consumer_fourteen_day'))
        # Mailed on the 23rd, but the paper of one lies a day longer: until it is posted nobody knows the term.
        self.post_letters(self.of(letters, anna), date(2026, 12, 23))
        self.assertFalse(self.of(letters, bert).costs_from)
        self.post_letters(self.of(letters, bert), date(2026, 12, 24))
        # Thursday 24, Tuesday 29, Wednesday 30: Christmas, Sunday and Monday do not count.
        self.assertRecordValues(self.of(letters, anna), [{
            'receipt_date': date(2026, 12, 30), 'deadline': date(2027, 1, 13), 'costs_from': date(2027, 1, 14)}])
        self.assertRecordValues(self.of(letters, bert), [{
            'receipt_date': date(2026, 12, 31), 'deadline': date(2027, 1, 14), 'costs_from': date(2027, 1, 15)}])
        self.assertEqual([self.claim(first, date(2027, 1, day)).costs for day in (13, 14)], [0, 150])
        self.assertEqual([self.claim(second, date(2027, 1, day)).costs for day in (14, 15)], [0, 150])
        # Nobody knows the interest of 2027 yet: what asks interest waits for somebody to look it up.
        self.assertFalse(self.live(date(2026, 12, 24), date(2027, 1, 19)))
        self.assertIn("was not confirmed", self.assertExplained(self.decision(first, date(2027, 1, 18))))
        self.on(date(2027, 1, 20), self.env.ref('l10n_nl_dunning.rate_consumer_2026_01_01')).action_confirm_half_year()
        finals = self.live(date(2027, 1, 20), date(2027, 1, 20))
        # From 27 November: 4 + 31 + 20 = 55 days; 1,000 × 4% × 55 / 365 = 6.027.
        for debtor in (anna, bert):
            self.assertAmounts(self.of(finals, debtor), 1000, '6.03', 150)

    def test_easter_and_the_days_in_spring(self):
        """2027: Good Friday 26 March, Easter Monday the 29th, King's Day Tuesday 27 April, 5 May, Ascension 6 May."""
        spring = [
            # Thursday, Friday, Saturday. The 20th is a Saturday: Monday.
            (date(2027, 2, 1), date(2027, 3, 3), date(2027, 3, 6), date(2027, 3, 22)),
            # Wednesday, Thursday, Friday. Good Friday, Saturday, Easter: Tuesday.
            (date(2027, 2, 1), date(2027, 3, 9), date(2027, 3, 12), date(2027, 3, 30)),
            # Saturday, Tuesday, Wednesday: Good Friday and Easter Monday do not count.
            (date(2027, 2, 22), date(2027, 3, 25), date(2027, 3, 31), date(2027, 4, 14)),
            # Friday, Saturday, Tuesday. King's Day: Wednesday.
            (date(2027, 3, 8), date(2027, 4, 8), date(2027, 4, 13), date(2027, 4, 28)),
            # Saturday, Tuesday, Wednesday. 5 May, Ascension: Friday.
            (date(2027, 3, 16), date(2027, 4, 16), date(2027, 4, 21), date(2027, 5, 7)),
        ]
        debtors = [self.consumers(f"Jan {posted}", due=due)[0] for due, posted, _receipt, _last_day in spring]
        day = date(2027, 2, 1)
        for (jan, move), (_due, posted, receipt, last_day) in zip(debtors, spring, strict=True):
            self.live(day, posted, posts=False)
            letter = self.notices_of(move)[-1]
            self.assertEqual((letter.legal_role, letter.costs_from), ('fourteen_day', False))
            self.post_letters(letter, posted)
            self.assertRecordValues(letter, [{
                'partner_id': jan.id, 'receipt_date': receipt, 'deadline': last_day,
                'costs_from': last_day + days(1)}])
            self.assertEqual(self.claim(move, last_day).costs, 0)
            self.assertEqual(self.claim(move, last_day + days(1)).costs, 150)
            day = posted + days(1)

    # --- 4. another rate ---

    def test_six_percent_until_new_year_and_four_after(self):
        """Due Tuesday 16 December 2025. Monday the 22nd until the 29th; Friday 2 January until the 9th; letter on
        Tuesday the 13th, received on Friday the 16th, free until the 30th; last demand on Tuesday 3 February."""
        [(_jan, move)] = self.consumers("Jan Smit", amount=10000.0, due=date(2025, 12, 16))
        left = self.live(date(2025, 12, 16), date(2026, 2, 3))
        # 15 days at 6%: 24.658; 34 days at 4%: 37.260. 15% of 2,500, 10% of 2,500, 5% of 5,000.
        self.assertEqual(left[-1].date, date(2026, 2, 3))
        self.assertAmounts(left[-1], 10000, '61.92', 875)
        # The same on 15 January: 24.66 + 15 days at 4% 16.44.
        self.assertClaim(move, date(2026, 1, 15), '41.10', 0)

    # --- 5. it did not arrive, or later ---

    def test_the_mail_bounces_and_the_letter_follows_by_post(self):
        [(jan, move)] = self.consumers("Jan Smit", street=False, city=False)
        letter = self.live(DUE, date(2026, 9, 28))[-1]
        self.assertRecordValues(letter, [{'legal_role': 'fourteen_day', 'costs_from': date(2026, 10, 14)}])
        self.bounce(letter, date(2026, 9, 29))
        self.assertRecordValues(letter, [{'state': 'undelivered', 'receipt_date': False, 'costs_from': False}])
        self.assertEqual(move.dunning_level_id, self.level('consumer_first'))
        self.assertFalse(self.live(date(2026, 9, 30), date(2026, 10, 4)))
        self.assertIn("bounced on 29 Sep 2026", self.assertExplained(self.decision(move, date(2026, 10, 4))))
        jan.write({'street': "Keizersgracht 1", 'city': "Amsterdam"})
        # Posted on Monday 5 October: Tuesday, Wednesday, Thursday; until Thursday the 22nd; the Monday after it.
        again = self.live(date(2026, 10, 5), date(2026, 10, 26))
        self.assertRecordValues(again, [
            {'level_id': self.level('consumer_fourteen_day').id, 'date': date(2026, 10, 5), 'mail_id': False,
             'receipt_date': date(2026, 10, 8), 'costs_from': date(2026, 10, 23), 'amount_announced': 150},
            {'level_id': self.level('consumer_final').id, 'date': date(2026, 10, 26), 'mail_id': False,
             'receipt_date': date(2026, 10, 29), 'costs_from': False, 'amount_announced': 0},
        ])
        self.assertEqual([self.claim(move, date(2026, 10, day)).costs for day in (16, 22, 23)], [0, 0, 150])

    def test_the_letter_comes_back_and_the_mail_too(self):
        [(_jan, move)] = self.consumers("Jan Smit")
        letter = self.live(DUE, date(2026, 9, 28))[-1]
        self.assertEqual(letter.costs_from, date(2026, 10, 16))
        self.bounce(letter, date(2026, 9, 29))
        self.assertEqual(letter.costs_from, date(2026, 10, 16), "The paper is on its way")
        self.enter(letter, 'returned', date(2026, 10, 6))
        self.assertRecordValues(letter, [{'state': 'undelivered', 'costs_from': False}])
        self.assertEqual(move.dunning_level_id, self.level('consumer_first'))
        self.assertEqual(self.claim(move, date(2026, 12, 31)).costs, 0)
        self.assertTrue(letter.activity_ids, "Somebody has to look for the address")

    def test_registered_delivery_later_than_presumed(self):
        """Presumed on 1 October, delivered on Monday the 5th: until the 19th, so the last demand on the 23rd."""
        [(_jan, move)] = self.consumers("Jan Smit")
        letter = self.live(DUE, date(2026, 10, 5))[-1]
        self.enter(letter, 'registered', date(2026, 10, 5), today=date(2026, 10, 7), proof=PROOF, tracking_code='3S')
        self.assertRecordValues(letter, [{
            'receipt_kind': 'registered', 'deadline': date(2026, 10, 19), 'costs_from': date(2026, 10, 20)}])
        [final] = self.live(date(2026, 10, 7), date(2026, 10, 23))
        # 1 September to 23 October: 53 days, 5.808.
        self.assertEqual(final.date, date(2026, 10, 23))
        self.assertAmounts(final, 1000, '5.81', 150)
        self.assertEqual(self.claim(move, date(2026, 10, 19)).costs, 0)

    # --- 6. several claims ---

    def test_all_claims_in_one_letter_and_a_later_one_on_its_own(self):
        """Due on 31 August, 7 and 21 September; the one due on the day of the letter has still that day to be paid."""
        jan = self.make_debtor("Jan Smit", consumer=True)
        moves = self.env['account.move'].union(*(
            self.invoice(jan, due, 100.0) for due in (DUE, date(2026, 9, 7), date(2026, 9, 21))))
        late = self.invoice(jan, date(2026, 9, 28), 50.0)
        left = self.live(DUE, date(2026, 9, 28))
        letter = left.filtered(lambda notice: notice.legal_role == 'fourteen_day')
        self.assertEqual(letter.line_ids.move_id, moves)
        # 15% of 300, not three times 40.
        self.assertRecordValues(letter, [{'date': date(2026, 9, 28), 'amount_due': 300, 'amount_announced': 45}])
        left = self.live(date(2026, 9, 29), date(2026, 10, 31))
        final, again = (left.filtered(lambda notice, level=level: notice.level_id == self.level(level)) for level in (
            'consumer_final', 'consumer_fourteen_day'))
        # To 19 October: 49, 42 and 28 days over 100: 0.537, 0.460, 0.307.
        self.assertAmounts(final, 300, '1.31', 45)
        self.assertEqual(set(final.line_ids.mapped('amount_costs')), {15})
        # Saturday 3 October until the 10th; Wednesday the 14th until the 21st; Sunday the 25th, so Monday. Small
        # instalments of half a year bear costs together: 15% of 350 is 52.50, of which 45 was announced.
        self.assertRecordValues(again, [{'date': date(2026, 10, 26), 'amount_due': 50, 'amount_announced': 7.5}])
        self.assertEqual(again.line_ids.move_id, late)

    def test_two_currencies(self):
        """In dollars the law knows no costs: nothing is announced and nothing is asked; the euros go on."""
        jan = self.make_debtor("Jan Smit", consumer=True)
        dollar = self.env.ref('base.USD')
        dollar.active = True
        self.env['res.currency.rate'].create({
            'name': '2020-01-01', 'currency_id': dollar.id, 'company_id': self.company.id, 'rate': 1.1})
        euros, dollars = self.invoice(jan, DUE, 500.0), self.invoice(jan, DUE, 300.0, currency=dollar)
        left = self.live(DUE, date(2026, 10, 19)).filtered(lambda notice: notice.currency_id != dollar)
        self.assertEqual(self.ladder_of(left), [
            ('consumer_reminder', date(2026, 9, 5), date(2026, 9, 12)),
            ('consumer_first', date(2026, 9, 16), date(2026, 9, 23)),
            ('consumer_fourteen_day', date(2026, 9, 28), date(2026, 10, 15)),
            ('consumer_final', date(2026, 10, 19), date(2026, 10, 29)),
        ])
        # 15% of 500; 49 days over 500: 2.685.
        self.assertAmounts(self.notices_of(euros)[-1], 500, '2.68', 75)
        # The letter about dollars would announce nothing, so it is passed over: the last demand four days later. Each a
        # day after the one in euros: one message a day.
        self.assertEqual([(notice.state, notice.date) for notice in self.notices_of(dollars)[2:4]], [
            ('skipped', date(2026, 9, 29)), ('sent', date(2026, 10, 3))])
        self.assertIn("not in euros", self.notices_of(dollars)[2].cancel_reason)
        self.assertEqual(self.notices_of(dollars)[3].amount_due, 300)
        self.assertFalse(self.notices_of(dollars).filtered(
            lambda notice: notice.amount_costs or notice.amount_interest or notice.amount_announced))
        claim = self.claim(dollars, date(2026, 10, 19))
        self.assertEqual((claim.total, claim.currency, claim.lawful), (300, 'USD', False))

    def test_what_was_credited_was_never_owed(self):
        (anna, before), (bert, after) = self.consumers("Anna Aa", "Bert Bee")
        self.live(DUE, date(2026, 10, 7))
        self.credit(before, 400.0, date(2026, 10, 8))
        finals = self.live(date(2026, 10, 8), date(2026, 10, 19))
        # 15% of 600; 49 days over 600, from the beginning: 3.222.
        self.assertAmounts(self.of(finals, anna), 600, '3.22', 90)
        self.assertAmounts(self.of(finals, bert), 1000, '5.37', 150)
        # Credited after the costs were asked: they go down with it. 60 days over 600: 3.945.
        self.credit(after, 400.0, date(2026, 10, 22))
        self.assertClaim(after, date(2026, 10, 30), '3.95', 90, left=(90, '3.95', 600))

    def credit(self, move, amount, on):
        note = self.credit_note(move.partner_id, amount, on, invoice_date=on, date=on)
        (self.items(move) | self.items(note)).reconcile()

    def test_a_part_in_dispute_is_not_in_the_letter(self):
        [(_jan, move)] = self.consumers("Jan Smit")
        self.live(DUE, date(2026, 9, 20))
        self.on(date(2026, 9, 21), self.env['dunning.hold']).create({
            'move_id': move.id, 'amount': 400.0, 'date_end': date(2026, 10, 20), 'user_id': self.env.uid,
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_dispute').id})
        letter, final = self.live(date(2026, 9, 21), date(2026, 10, 19))
        # 15% of 600.
        self.assertRecordValues(letter, [{'amount_due': 600, 'amount_held': 400, 'amount_announced': 90}])
        # 49 days over 600: 3.222.
        self.assertAmounts(final, 600, '3.22', 90)
        # Whoever was right: a letter never leads to more costs than it announced.
        self.assertEqual(self.claim(move, date(2026, 10, 30)).costs, 90)

    def test_small_instalments_bear_costs_once_in_six_months(self):
        """Twice 60: 15% of 120 is 18, so 40 for both together; the first letter announced it."""
        jan = self.make_debtor("Jan Smit", consumer=True)
        first, second = self.invoice(jan, DUE, 60.0), self.invoice(jan, date(2026, 9, 30), 60.0)
        left = self.live(DUE, date(2026, 11, 30))
        letter, final = (self.notices_of(first).filtered(
            lambda notice, level=level: notice.level_id == self.level(level)) for level in (
                'consumer_fourteen_day', 'consumer_final'))
        self.assertEqual(letter.amount_announced, 40)
        self.assertEqual(final.amount_costs, 40)
        self.assertEqual(self.claim(first | second, date(2026, 11, 30)).costs, 40)
        self.assertFalse(self.notices_of(second).filtered(lambda notice: notice.amount_costs))
        self.assertEqual(left.mapped('amount_costs').count(40), 1)
        # Monday 5 October until the 12th; Friday the 16th until the 23rd; the letter of the 27th has nothing to
        # announce and is passed over; the last demand on the 31st: 31 days over 60, 0.204.
        _reminder, _demand, passed_over, demand = self.notices_of(second)[:4]
        self.assertRecordValues(passed_over, [{'state': 'skipped', 'date': date(2026, 10, 27), 'mail_id': False}])
        self.assertIn("no collection costs to announce", passed_over.cancel_reason)
        self.assertEqual(demand.date, date(2026, 10, 31))
        self.assertAmounts(demand, 60, '0.20', 0)

    def test_waived_costs_do_not_stop_the_ladder(self):
        [(jan, _move)] = self.consumers("Jan Smit")
        jan.write({'dunning_waive_costs': True, 'dunning_waive_reason': "Ill for months"})
        self.paper()
        left = self.live(DUE, date(2026, 10, 2))
        self.assertEqual(left.mapped('state'), ['sent', 'sent', 'skipped', 'sent'])
        # Friday 2 October: 32 days, 3.507.
        self.assertAmounts(left[-1], 1000, '3.51', 0)
        for text in (self.read_letter(left[-1]), self.read_mail(left[-1])):
            self.assertNotRegex(text, COSTS)

    # --- 8. attempts ---

    def test_no_setting_brings_costs_before_the_letter(self):
        reminder, demand, letter, final = (
            self.level(f'consumer_{name}') for name in ('reminder', 'first', 'fourteen_day', 'final'))
        text = "<p>U bent nu € 40,00 %s verschuldigd. Betaal <t t-out=\"object.amount_text\"/>.</p>"
        for record, values, words in (
            (reminder, {'with_costs': True}, "niets verschuldigd voordat de termijn"),
            (demand, {'with_costs': True}, "Zet er een 14-dagenbrief voor"),
            (letter, {'with_costs': True}, "kan ze niet ook vragen"),
            (letter, {'legal_role': False}, "Zet er een 14-dagenbrief voor|geen kosten verschuldigd voordat"),
            (letter, {'active': False}, "Zet er een 14-dagenbrief voor"),
            (letter, {'sequence': 99}, "Zet er een 14-dagenbrief voor"),
            (letter, {'channel': 'phone'}, "moet dus schriftelijk"),
            (letter, {'policy_id': self.zakelijk.id}, "Zet er een 14-dagenbrief voor|is voor particulieren"),
            (final, {'sequence': 1}, "Zet er een 14-dagenbrief voor"),
            (self.particulier, {'debtor_type': 'business'}, "is voor particulieren"),
            (self.particulier, {'cost_formula': 'agreed'}, "geen andere incassokosten"),
            (self.zakelijk, {'debtor_type': 'any'}, "Zet er een 14-dagenbrief voor|is voor bedrijven"),
            (reminder, {'letter_intro': text % "incassokosten"}, "geen kosten verschuldigd voordat"),
            (demand, {'letter_closing': text % "aanmaningskosten"}, "(?i)vergoeding"),
            (reminder, {'letter_closing': text % "administratiekosten"}, "(?i)vergoeding"),
            (letter, {'letter_intro': letter.with_context(lang='nl_NL').letter_intro.replace(
                'object.term_text', "'binnen veertien dagen na heden'")}, "(?i)termijn|dagen"),
            (letter, {'letter_closing': text % "incassokosten"}, "(?i)kosten"),
        ):
            with self.subTest(values=values), self.assertRefused(ValidationError, words):
                record.with_context(lang='nl_NL').write(values)

    def test_the_law_is_not_a_number_of_days(self):
        """Fourteen days stay fourteen, whatever the level says, and nothing comes the day after them too early."""
        self.level('consumer_fourteen_day').payment_term_days = 3
        self.level('consumer_final').delay_days = 0
        [(_jan, move)] = self.consumers("Jan Smit")
        left = self.live(DUE, date(2026, 10, 16))
        self.assertEqual(self.ladder_of(left)[2:], [
            ('consumer_fourteen_day', date(2026, 9, 28), date(2026, 10, 15)),
            ('consumer_final', date(2026, 10, 16), date(2026, 10, 28))])
        # 46 days: 5.041.
        self.assertAmounts(left[-1], 1000, '5.04', 150)
        self.assertEqual(self.claim(move, date(2026, 10, 15)).costs, 0)

    def test_the_ladder_of_businesses_for_a_consumer(self):
        (anna, on_contact), (_bert, on_invoice) = self.consumers("Anna Aa", "Bert Bee")
        anna.dunning_policy_id = self.zakelijk
        on_invoice.dunning_policy_id = self.zakelijk
        self.assertFalse(self.live(DUE, date(2026, 12, 31)))
        for move in on_contact | on_invoice:
            self.assertIn("not meant for this kind of debtor", self.assertExplained(
                self.decision(move, date(2026, 12, 31))))
            self.assertEqual(self.claim(move, date(2026, 12, 31)).costs, 0)

    def test_nothing_can_be_written_from_outside(self):
        self.consumers("Jan Smit")
        letter = self.live(DUE, date(2026, 9, 28))[-1]
        proposal = self.invoice(self.make_debtor("Anna Aa", consumer=True), date(2026, 9, 20), 100.0)
        proposal = self.notices_of(proposal) or self.make_notices(date(2026, 9, 28))
        clerk = new_test_user(
            self.env, 'stories_clerk', groups='base.group_user,account.group_account_invoice',
            company_id=self.company.id, company_ids=[Command.set(self.company.ids)])
        tricks = {'dunning_recording': True, 'dunning_ladder': True, 'dunning_at_date': '2026-12-31'}
        mine, sent = proposal.with_user(clerk).with_context(**tricks), letter.with_user(clerk).with_context(**tricks)
        for action, words in (
            (lambda: mine.write({'amount_costs': 40}), "follows from the due items"),
            (lambda: mine.write({'with_costs': True}), "follows from the due items"),
            (lambda: mine.write({'level_id': self.level('consumer_final').id}), "follows from the due items"),
            (lambda: mine.write({'claim_data': {'costs': '40'}}), "follows from the due items"),
            (lambda: mine.write({'letter_intro': "<p>€ 40 kosten</p>"}), "follows from the due items"),
            (lambda: mine.line_ids.write({'amount_costs': 40}), "cannot be changed by hand"),
            (lambda: mine.line_ids.copy(), "cannot be changed by hand|not allowed"),
            (lambda: mine.copy(), "are made by the scheduled action"),
            (lambda: sent.write({'costs_from': DUE}), "has left or was closed"),
            (lambda: sent.write({'receipt_date': DUE}), "has left or was closed"),
            (lambda: sent.write({'deadline': DUE}), "has left or was closed"),
            (lambda: sent.line_ids.write({'amount_announced': 400}), "cannot be changed by hand"),
            (lambda: sent.line_ids.unlink(), "cannot be changed by hand"),
            (lambda: sent.unlink(), "cannot be deleted"),
            (lambda: sent.receipt_ids.write({'date': DUE}), "not allowed|recorded when"),
            (lambda: sent.receipt_ids.unlink(), "not allowed|never deleted"),
            (lambda: sent.receipt_ids.create({'notice_id': letter.id, 'kind': 'acknowledged', 'date': DUE}),
             "not allowed|recorded when"),
            (lambda: self.env.ref('l10n_nl_dunning.rate_consumer_2026_01_01').with_user(clerk).write({'percent': 12}),
             "not allowed"),
            (lambda: self.level('consumer_reminder').with_user(clerk).write({'with_costs': True}), "not allowed"),
        ):
            with self.assertRefused(UserError, words), mute_logger('odoo.addons.base.models.ir_model'):
                action()
        self.assertRecordValues(letter, [{'costs_from': date(2026, 10, 16), 'amount_announced': 150}])

    def test_a_receipt_that_cannot_be(self):
        self.consumers("Jan Smit")
        letter = self.live(DUE, date(2026, 9, 28))[-1]
        today = date(2026, 10, 7)
        for kind, day, values, words in (
            ('acknowledged', date(2026, 9, 27), {'note': "He called"}, "cannot have been received"),
            ('acknowledged', date(2026, 10, 8), {'note': "He called"}, "lies in the future"),
            ('acknowledged', date(2026, 9, 29), {}, "Say how the debtor acknowledged it"),
            ('registered', date(2026, 9, 29), {}, "Add the proof of delivery"),
        ):
            with self.assertRefused(UserError, words):
                self.enter(letter, kind, day, today=today, **values)
        self.assertEqual(letter.costs_from, date(2026, 10, 16))
        # What he wrote counts, and taken back it does not.
        self.enter(letter, 'acknowledged', date(2026, 10, 6), today=today, note="He wrote that it came today")
        self.assertEqual(letter.costs_from, date(2026, 10, 21))
        self.on(today, letter.receipt_ids.filtered(lambda receipt: receipt.kind == 'acknowledged'))._withdraw("Another")
        self.assertEqual(letter.costs_from, date(2026, 10, 16))

    def test_the_last_demand_waits_and_the_letter_comes_back(self):
        self.consumers("Jan Smit")
        letter = self.live(DUE, date(2026, 10, 18))[-1]
        final = self.make_notices(date(2026, 10, 19))
        self.assertEqual(final.amount_costs, 150)
        self.bounce(letter, date(2026, 10, 19))
        self.enter(letter, 'returned', date(2026, 10, 19))
        self.send(final, date(2026, 10, 19))
        self.assertIn("no 14-day letter that holds about", final.error_message)
        self.assertFalse(final.mail_id or final.postal_state)

    def test_another_kind_of_debtor_between_proposal_and_sending(self):
        (first, first_day), (second, second_day) = (
            (self.make_debtor(f"{name} BV"), due) for name, due in (
                ("Eerst", date(2026, 6, 11)), ("Tweede", date(2026, 5, 31))))
        for debtor, due in ((first, first_day), (second, second_day)):
            self.invoice(debtor, due, 1000.0)
        self.live(date(2026, 5, 31), date(2026, 6, 30))
        # One is at the first demand, without costs but with the words for businesses; the other asks costs.
        notices = self.make_notices(date(2026, 7, 1))
        self.assertEqual(notices.level_id, self.level('business_first') | self.level('business_second'))
        (first | second).dunning_debtor_type = 'consumer'
        self.send(notices, date(2026, 7, 1))
        # The policy of consumers applies now: neither leaves.
        self.assertEqual(
            [(notice.state, notice.line_ids.drop_reason) for notice in notices], [('cancelled', 'other_step')] * 2)
        self.assertFalse(notices.mail_id)
        # And the other way round: a 14-day letter is not for businesses.
        [(jan, _move)] = self.consumers("Jan Smit")
        self.live(DUE, date(2026, 9, 26))
        letter = self.of(self.make_notices(date(2026, 9, 28)), jan)
        self.assertEqual(letter.amount_announced, 150)
        jan.write({'vat': 'NL123456782B90', 'dunning_debtor_type': 'business', 'dunning_type_reason': "He trades."})
        self.send(letter, date(2026, 9, 28))
        self.assertEqual((letter.state, letter.line_ids.drop_reason), ('cancelled', 'other_step'))
        self.assertFalse(letter.mail_id)

    def test_a_rate_that_is_changed_later(self):
        [(_jan, move)] = self.consumers("Jan Smit")
        left = self.live(DUE, date(2026, 10, 19))
        final, rate = left[-1], self.env.ref('l10n_nl_dunning.rate_consumer_2026_01_01')
        frozen = final.claim_data
        with self.assertRefused(UserError, "stays as their proof"):
            rate.unlink()
        # 5% × 49 days: 6.712. What left keeps its cents.
        rate.percent = 5
        self.assertClaim(move, date(2026, 10, 19), '6.71', 150)
        self.assertAmounts(final, 1000, '5.37', 150)
        self.assertEqual(final.claim_data, frozen)
        self.assertIn("5,37", plain(self.Claim._prepare_notice_document(final).html))

    def test_vat_after_the_letter(self):
        """The letter announced 150 without VAT: nobody can raise that afterwards, nor say that it was."""
        [(_jan, move)] = self.consumers("Jan Smit")
        self.live(DUE, date(2026, 10, 18))
        self.company.dunning_vat_on_costs = True
        self.assertEqual(self.claim(move, date(2026, 10, 18)).costs, 150)
        self.paper()
        [final] = self.live(date(2026, 10, 19), date(2026, 10, 19))
        self.assertAmounts(final, 1000, '5.37', 150)
        self.assertNotRegex(self.read_letter(final), "(?i)21 ?%")


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestBusinesses(StoryCommon):
    """7. Businesses: interest and costs from the day after the last day to pay."""

    def test_the_whole_ladder(self):
        """Due on Sunday 31 May 2026. Friday 5 June until the 12th; a call on Saturday the 13th; Saturday the 20th until
        the 27th; second demand on Wednesday 1 July until the 8th; the 12th is a Sunday, so the last on Monday the 13th.
        """
        due, second_on, final_on = date(2026, 5, 31), date(2026, 7, 1), date(2026, 7, 13)
        self.zakelijk.claim_booking = 'booked'
        agreed, minimum, each = (self.zakelijk.copy({'name': formula, 'cost_formula': formula}) for formula in (
            'agreed', 'minimum', 'scale_per_invoice'))
        agreed.write({'agreed_cost_percent': 10, 'agreed_interest_percent': 6})
        found = {}

        def debtor(name, *amounts, due=due, **values):
            found[name] = self.make_debtor(name, **values)
            return self.env['account.move'].union(*(self.invoice(found[name], due, amount) for amount in amounts))

        plain_move = debtor("Plain BV", 1000.0)
        debtor("Old BV", 5000.0, due=date(2024, 2, 28))
        paying = debtor("Paying BV", 1000.0)
        debtor("Without BV", 1000.0, dunning_term_agreed='no')
        debtor("Agreed BV", 1000.0, dunning_policy_id=agreed.id)
        debtor("Gemeente Ergens", 1000.0, dunning_policy_id=agreed.id, dunning_debtor_type='government')
        debtor("Minimum BV", 1000.0, dunning_policy_id=minimum.id)
        small = debtor("Small BV", 100.0)
        debtor("Each BV", 50.0, 50.0, 50.0, dunning_policy_id=each.id)
        debtor("Twice BV", 1500.0, 1500.0)
        debtor("Waived BV", 1000.0, dunning_waive_costs=True, dunning_waive_reason="A good customer")
        debtor("Piet Bakker", 1000.0, consumer=True, vat='NL123456782B90')
        debtor("Later BV", 2000.0)
        later = self.invoice(found["Later BV"], date(2026, 6, 14), 2000.0)
        self.assertEqual(found["Piet Bakker"].dunning_effective_type, 'business')
        self.assertIn("VAT number", found["Piet Bakker"].dunning_effective_type_reason)
        # EUR 40 without any reminder, from the day after the due date.
        self.assertEqual([self.claim(small, due + days(offset)).costs for offset in (0, 1)], [0, 40])

        before = self.live(date(2026, 6, 5), date(2026, 6, 30))
        self.assertFalse(before.filtered(lambda notice: notice.amount_costs or notice.amount_interest))
        self.paper()
        seconds = self.live(second_on, second_on)
        self.printing.clear()
        self.assertEqual(seconds.partner_id, self.env['res.partner'].union(*found.values()))
        for name, principal, interest, costs in (
            # 30 days at 10.15% to 30 June, 1 day at 10.40%: 8.342 + 0.285. 15% of 1,000.
            ("Plain BV", 1000, '8.62', 150),
            ("Paying BV", 1000, '8.62', 150),
            ("Piet Bakker", 1000, '8.62', 150),
            ("Waived BV", 1000, '8.62', 0),
            ("Minimum BV", 1000, '8.62', 40),
            # 6% was agreed: 31 days, 5.096, and 10% costs. A public body owes no less than the law says.
            ("Agreed BV", 1000, '5.10', 100),
            ("Gemeente Ergens", 1000, '8.62', 100),
            # Invoice of Friday 1 May: Saturday, Wednesday (5 May is a holiday), Thursday the 7th; thirty days: 6 June.
            # 24 days 6.674, 1 day 0.285.
            ("Without BV", 1000, '6.95', 150),
            # 0.834 + 0.028; at least 40.
            ("Small BV", 100, '0.86', 40),
            # Each 0.417 + 0.014; 40 for each.
            ("Each BV", 150, '1.29', 120),
            # Each 12.514 + 0.427; 15% of 2,500 and 10% of 500.
            ("Twice BV", 3000, '25.88', 425),
            # 16.685 + 0.570. What falls due later waits for its own turn.
            ("Later BV", 2000, '17.25', 300),
            # From 29 February 2024, so a year ends on 27 February. 123 days at 12.5% 210.62, 184 at 12.25% 308.77, 58
            # at 11.15% 88.59: 5,607.98. 123 days at 11.15% 210.71, 242 at 10.15% 377.39: 6,196.08. 123 days at 10.15%
            # 211.93, 1 day at 10.40% 1.77. Costs over the 5,000.
            ("Old BV", 5000, '1409.78', 625),
        ):
            with self.subTest(debtor=name):
                notice = self.of(seconds, found[name])
                self.assertAmounts(notice, principal, interest, costs)
                self.assertEqual(to_decimal(notice.booking_ids.amount_total), D(interest) + D(costs))
                text = self.read_letter(notice)
                for amount in (D(principal) + D(interest) + D(costs), interest):
                    self.assertIn(euro(amount).strip("€ "), text)
                if costs:
                    self.assertIn(f"{euro(costs)} incassokosten", text)
                else:
                    self.assertNotRegex(text, COSTS)
        text = self.read_letter(self.of(seconds, found["Plain BV"]))
        for part in (
            "6:119a", self.of(seconds, found["Plain BV"]).interest_name, "10,4", "€ 0,28", "30241556", "stuiting",
            "betalingsregeling", "1 juli 2026", "8 juli 2026", "privacyverklaring", "NL91 ABNA 0417 1643 00",
        ):
            self.assertIn(part, text)
        # Paying pays 300 after interest and costs were asked: costs 150, interest of 30 days 8.342 and 6 days 1.710,
        # and 139.95 of the principal. Then 7 days over 860.05: 1.715.
        self.pay(paying, 300, on=date(2026, 7, 6))
        rest = self.live(date(2026, 7, 2), date(2026, 7, 15))
        finals = rest.filtered(lambda notice: notice.level_id == self.level('business_final'))
        self.assertEqual(set(finals.mapped('date')), {final_on})
        self.assertAmounts(self.of(finals, found["Paying BV"]), 700, '11.77', 150)
        self.assertClaim(paying, final_on, '11.77', 150, left=(0, '1.72', '860.05'))
        # 8.342 and 13 days at 10.40%: 3.704; booked is what came on top.
        final = self.of(finals, found["Plain BV"])
        self.assertAmounts(final, 1000, '12.04', 150)
        self.assertEqual(to_decimal(final.booking_ids.amount_total), D('3.42'))
        # 13 days over 6,196.08: 22.951.
        self.assertAmounts(self.of(finals, found["Old BV"]), 5000, '1430.96', 625)
        self.assertAmounts(self.of(finals, found["Waived BV"]), 1000, '12.04', 0)
        # Due on 14 June: Friday the 19th until the 26th; Saturday; Saturday 4 July until the 11th; Wednesday the 15th.
        # 16 days at 10.15% 8.899, 15 at 10.40% 8.548. It bears costs of its own.
        own = self.notices_of(later)[-1]
        self.assertEqual(own.date, date(2026, 7, 15))
        self.assertAmounts(own, 2000, '17.45', 300)
        # To 31 August: 8.34 + 62 days at 10.40% 17.665.
        self.assertClaim(plain_move, date(2026, 8, 31), '26.01', 150)

    def test_a_call_that_nobody_makes_and_the_hand_over(self):
        """Nobody calls from 13 June on: five days later the ladder goes on. 18 + 4: the 22nd until the 29th; 3 July
        until the 10th; the 14th, on paper there on the 17th, until the 24th; 28 July."""
        self.invoice(self.business, date(2026, 5, 31), 1000.0)
        left = self.live(date(2026, 5, 31), date(2026, 7, 31), calls=False)
        self.assertEqual(self.ladder_of(left), [
            ('business_reminder', date(2026, 6, 5), date(2026, 6, 12)),
            ('business_call', date(2026, 6, 18), date(2026, 6, 18)),
            ('business_first', date(2026, 6, 22), date(2026, 6, 29)),
            ('business_second', date(2026, 7, 3), date(2026, 7, 10)),
            ('business_final', date(2026, 7, 14), date(2026, 7, 24)),
            ('business_handover', date(2026, 7, 28), False),
        ])
        self.assertEqual(left[1].state, 'skipped')

    def test_a_waiver_needs_a_reason(self):
        with self.assertRefused(ValidationError, "Say why"):
            self.business.dunning_waive_costs = True

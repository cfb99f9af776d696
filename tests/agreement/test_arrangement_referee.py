"""Any life of an arrangement, next to a referee with a calendar and a purse that knows neither Odoo nor the addon."""

from contextlib import contextmanager

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from .. import arrangement_referee
from ..common import days
from .test_arrangement_follow import SIGNED, FollowCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestArrangementReferee(FollowCommon):
    """However it is paid, credited and bounced, it goes as somebody with a calendar and a purse says."""

    @contextmanager
    def undone(self):
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    @settings(
        max_examples=6, deadline=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate))
    @given(
        cents=st.integers(300, 90000), count=st.integers(1, 4), period=st.sampled_from(['week', 'fortnight']),
        step=st.integers(1, 3),
        acts=st.lists(st.tuples(
            st.integers(1, 60), st.sampled_from(['pay', 'pay', 'pay', 'exact', 'credit', 'bounce']),
            st.integers(1, 100), st.integers(0, 6)), max_size=7),
    )
    def test_any_life(self, cents, count, period, step, acts):
        with self.undone():
            move = self.invoice(amount=cents / 100)
            arrangement = self.agree(move, instalment_count=count, period=period, date_first=SIGNED + days(7))
            parts = arrangement.instalment_ids.sorted('date_due')
            referee = arrangement_referee.Referee(
                [(part.date_due, round(part.amount * 100)) for part in parts])
            payments = []
            script = {}
            for day, act, share, late in acts:
                script.setdefault(SIGNED + days(day), []).append((act, share, late))
            for number in range(1, 66):
                today = SIGNED + days(number)
                # The run does not come every day.
                if number % step == 0:
                    self.judge(today)
                    referee.morning(today)
                    self.compare(arrangement, parts, referee, today)
                for act, share, late in script.get(today, ()):
                    self.act(move, referee, payments, today, act, share, late)
                    referee.settle()
                # What was unmatched lies ready until the run has seen that the bank took it back.
                if today in script and not any(act == 'bounce' for act, _share, _late in script[today]):
                    self.compare(arrangement, parts, referee, today, held=False)

    def act(self, move, referee, payments, today, act, share, late):
        open_cents = referee.open_cents()
        if act == 'bounce':
            if payments:
                index = share % len(payments)
                self.bounce(payments.pop(index), today)
                referee.bounce(index)
            return
        cents = open_cents * share // 100
        if act == 'exact':
            cents = next((left for left in referee.unpaid() if left), 0)
        cents = min(cents, open_cents)
        if cents <= 0:
            return
        if act == 'credit':
            self.credit(move, cents / 100, today)
            referee.credit(cents)
        else:
            # Booked today, with the day on which the bank got it.
            payment = self.receive(move.partner_id, cents / 100, today - days(late))
            self.on(today, self.items(move) | payment).reconcile()
            payments.append(payment)
            referee.pay(today - days(late), cents)

    def compare(self, arrangement, parts, referee, today, held=True):
        state = {'credited': 'cancelled'}.get(referee.state, referee.state)
        self.assertEqual(arrangement.state, state, f"{today}: {arrangement.story}")
        if state in ('active', 'kept'):
            self.assertEqual(
                [round(part.amount_left * 100) for part in parts], referee.unpaid(), f"{today}: {arrangement.story}")
        self.assertEqual(round(arrangement.amount_left * 100), sum(referee.unpaid()), today)
        if held:
            self.assertHeld(arrangement, today)
            words = {'vervalt op': 'reminder', 'kwam nog niet binnen': 'missed', 'geëindigd': 'broken'}
            sent = [
                kind for subject in self.mails(arrangement) for word, kind in words.items() if word in subject]
            self.assertEqual(sent, [kind for _day, kind in referee.mails], today)

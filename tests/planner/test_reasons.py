"""What a reason is: one object, from which lists, *Why (not)?* and the table in the docs follow."""

import re
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.l10n_nl_dunning.models.planner.dunning_planner import Decision
from odoo.addons.l10n_nl_dunning.models.planner.dunning_planner_reasons import Reason

from ..common import TODAY, DunningCommon

DOCS = Path(__file__).parents[2] / 'docs' / 'reasons.md'
#: Who or what each reason waits for, in words.
WAITS_FOR = {
    'not_posted': "Whoever is responsible for the invoice",
    'settled': "Nobody",
    'credit': "Nobody",
    'no_debtor': "A person",
    'payment_pending': "The bank: a payment to match",
    'transaction_pending': "The bank: a payment to match",
    'unmatched_receipt': "The bank: a payment to match",
    'blocked': "Whoever is responsible for the invoice",
    'no_followup': "Whoever is responsible for the invoice",
    'hold': "OdooBot",
    'overbooked': "A person",
    'hold_ended': "Time",
    'booked_extra': "Nobody",
    'prescribed': "Nobody",
    'no_policy': "Whoever sets up the policies",
    'wrong_policy': "Whoever sets up the policies",
    'foreign_law': "Whoever sets up the policies",
    'not_sent': "Whoever is responsible for the invoice",
    'sending_failed': "Whoever is responsible for the invoice",
    'sending_uncertain': "Whoever is responsible for the invoice",
    'pending': "A person",
    'finished': "A person",
    'not_due': "Time",
    'waiting_delay': "Time",
    'waiting_deadline': "Time",
    'open_dispute': "Whoever settles the dispute",
    'no_default': "Whoever sets up the policies",
    'needs_fourteen_day': "Whoever sets up the policies",
    'fourteen_day_running': "Time",
    'rates_stale': "Whoever confirms the interest rates",
    'bank_stale': "The bank: statements to import",
    'contact_budget': "Time",
    'backlog': "A person",
    'netted': "The bank: a payment to match",
    'below_minimum': "More overdue items, or a lower minimum in the policy",
    'no_address': "Whoever completes the contact",
    'one_message': "Time",
}
#: The reasons with a property that is not the usual one.
UNUSUAL = {
    ('late', True): {'one_message'},
    ('gate', True): {
        'transaction_pending', 'unmatched_receipt', 'foreign_law', 'rates_stale', 'bank_stale', 'contact_budget',
        'one_message'},
    ('overridable', True): {'waiting_delay', 'contact_budget', 'backlog', 'below_minimum'},
    ('at_recheck', False): {'pending', 'finished', 'waiting_delay', 'waiting_deadline', 'backlog', 'no_address'},
    ('keeps_apart', False): {'pending', 'waiting_delay', 'below_minimum', 'no_address', 'one_message'},
    ('known_of_past', False): {'transaction_pending', 'unmatched_receipt', 'bank_stale'},
    ('known_of_future', False): {'bank_stale'},
    ('foreseen', False): {'transaction_pending', 'bank_stale'},
    ('is_payment', True): {'payment_pending', 'transaction_pending', 'unmatched_receipt'},
}
#: How the table says it.
REMARKS = {
    ('gate', True): "a notice in the queue waits",
    ('overridable', True): "can be set aside by hand",
    ('at_recheck', False): "not asked again before sending",
    ('known_of_past', False): "not known of the past",
    ('known_of_future', False): "not known of the future",
}


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestReasons(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Planner = cls.env['dunning.planner']
        cls.reasons = cls.Planner._get_reasons()
        cls.nothing = Decision(*[None] * len(Decision._fields))

    def test_each_reason_has_all_properties(self):
        texts = self.Planner._get_waits_for_texts()
        for code, reason in self.reasons.items():
            with self.subTest(code):
                self.assertIsInstance(reason, Reason)
                self.assertTrue(callable(reason.sentence))
                self.assertIn(reason.waits_for, texts)
                self.assertEqual({type(getattr(reason, name)) for name, _value in UNUSUAL}, {bool})
        self.assertLessEqual(self.Planner._get_reason_codes(late=True), set(self.Planner._notice_reasons()))

    def test_the_lists_follow_from_the_properties(self):
        self.assertEqual(self.Planner._get_reason_codes(), set(self.reasons))
        for (name, value), codes in UNUSUAL.items():
            self.assertEqual(self.Planner._get_reason_codes(**{name: value}), codes, name)
            self.assertEqual(self.Planner._get_reason_codes(**{name: not value}), set(self.reasons) - codes, name)
        self.assertEqual(self.Planner._get_reason_codes(gate=True, overridable=True), {'contact_budget'})

    def test_the_properties_are_known_without_looking_anything_up(self):
        self.company.dunning_contacts_per_week = 3
        Planner = self.Planner.with_company(self.company)
        Planner._get_reason_codes()  # reads the settings of the company
        with self.assertQueryCount(0):
            Planner._get_reason_codes(gate=True)

    def test_who_or_what_each_reason_waits_for(self):
        self.assertEqual({
            code: self.Planner._get_waits_for(
                self.nothing._replace(reason=code, hold_user_id=self.env.ref('base.user_root').id))
            for code in self.reasons
        }, WAITS_FOR)

    def test_what_waits_for_time_says_when(self):
        for code, reason in self.reasons.items():
            if reason.waits_for == 'time':
                self.assertTrue(reason.next_date, code)
        self.assertEqual(self.reasons['one_message'].waits_for, 'time')
        self.assertEqual(self.reasons['bank_stale'].waits_for, 'bank')

    def test_the_table_in_the_docs(self):
        if not DOCS.exists():
            self.skipTest("The docs are not part of this installation")
        text = DOCS.read_text(encoding='utf-8')
        expected, count = re.subn(r'(?m)(^\|.*\n)+', lambda _table: self.get_table(), text, count=1)
        self.assertTrue(count, f"There is no table in {DOCS}")
        if text != expected:
            with tempfile.NamedTemporaryFile(
                'w', encoding='utf-8', prefix='reasons_', suffix='.md', delete=False,
            ) as file:
                file.write(expected)
            self.assertEqual(text, expected, f"The reasons changed. Bring the docs up to date: cp {file.name} {DOCS}")

    def get_table(self):
        """Return the table of the docs: the reasons in their order, with every sentence each can give."""
        rows = [
            "| reason | what the user reads | waits for | changes by itself | |",
            "|---|---|---|---|---|",
        ]
        with (
            # The sentences as they stand in the code, whatever is in them.
            patch.object(type(self.env), '_', lambda env, source, *args, **kwargs: (
                re.sub(r'%(\(\w+\))?s', "…", source))),
            patch.object(type(self.Planner), '_fmt_hold', lambda planner, decision: ''),
            patch.object(type(self.company), '_get_dunning_bank_states', lambda company: [(self.company, TODAY)]),
        ):
            texts = self.Planner._get_waits_for_texts() | {'hold': "The owner of the hold", 'notice': "That notice"}
            for code, reason in self.reasons.items():
                remarks = "; ".join(
                    text for (name, value), text in REMARKS.items() if getattr(reason, name) == value)
                name, waits_for = f"`{code}`", texts[reason.waits_for]
                for sentence, on_day in self.get_sentences(code, reason).items():
                    by_itself = "on the day shown" if on_day else "no"
                    rows.append(f"| {name} | {sentence} | {waits_for} | {by_itself} | {remarks} |")
                    name = waits_for = remarks = ''
        return re.sub(r' +', ' ', "\n".join(rows)) + "\n"

    def get_sentences(self, code, reason):
        """Return ``{sentence: whether it names the day on which that changes}``."""
        decision = self.nothing._replace(reason=code, level_id=self.reminder.id, other_level_id=self.reminder.id)
        sentences = {}
        if code == 'no_address':
            for channel in ('email', 'letter', 'both', 'phone'):
                self.reminder.channel = channel
                for bounced_on in (None, TODAY):
                    for self.reminder.fallback_channel in (False, True):
                        sentences.setdefault(reason.sentence(decision._replace(
                            channel=channel, detour='bounced' if bounced_on else 'email', bounced_on=bounced_on)))
            return sentences
        for next_date in (TODAY, None) if reason.next_date else (None,):
            for last_level_id in (self.reminder.id, None):
                sentences.setdefault(
                    reason.sentence(decision._replace(next_date=next_date, last_level_id=last_level_id)),
                    bool(next_date))
        return sentences

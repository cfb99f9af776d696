"""Whatever is edited between letters and afterwards: the addon's answer is that of an independent referee."""

import importlib
import random
import shutil
import sys
import tempfile
from collections import Counter
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from ..law_oracle import CALM
from ..letter_referee import RATES
from ..letter_stories import Teller
from .case import BaseCase, tagged

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
ADDON = __name__.split('.tests.')[0]
#: At least so many examples reached each of these.
REACHED = ('fourteen_day', 'deadline_past', 'costs_asked', 'edited_afterwards')
MINIMUM = 200

# What is broken on purpose: (file in tools/law, what stands there, what would be a mistake).
VALIDITY, LETTERS, RECEIPT, FACTS = 'letter_validity.py', 'letters.py', 'receipt.py', 'dated_facts.py'
FAULTS = (
    (VALIDITY, "left < self.creditor.shortest_term", "left < 0"),
    (VALIDITY, "item.amount > told.amount", "item.amount > told.amount * 2"),
    (VALIDITY, "item.number != told.number", "False"),
    (VALIDITY, "item.due_date > told.due_date", "item.due_date > letter.day"),
    (VALIDITY, "item.due_date >= letter.day", "item.due_date > letter.day"),
    (VALIDITY, "item.debtor_id != letter.debtor_id", "False"),
    (VALIDITY, "default_from is None or default_from > letter.day", "default_from is None"),
    (VALIDITY, "if item_id in self.costs_from:", "if False:"),
    (VALIDITY, "and (item.known_on is None or item.known_on < letter.day)", ""),
    (VALIDITY, "and not any(period.has(letter.day) for period in item.apart)", ""),
    (VALIDITY, "and item.unpaid_before(letter.day, letter.day + ONE_DAY) > 0", ""),
    (VALIDITY, "yield Breach(Why.NOT_JOINED", "None and Breach(Why.NOT_JOINED"),
    (VALIDITY, "if letter.announced > costs:", "if letter.announced > costs + 100:"),
    (VALIDITY, "letter.debtor_type != CONSUMER and self.debtor_type == CONSUMER", "False"),
    (VALIDITY, "letter.debtor_type == CONSUMER and self.debtor_type != CONSUMER", "False"),
    (VALIDITY, "later_counts=letter.role == FOURTEEN_DAY", "later_counts=False"),
    (VALIDITY, "fourteen_day_term(receipt.day).last_free_day", "date.fromordinal(receipt.day.toordinal() + 14)"),
    (VALIDITY, "self.creditor.postal_days, self.facts", "0, self.facts"),
    (VALIDITY, "min(earlier.last_day, day)", "day"),
    (VALIDITY, "total=min(costs.total, earlier.letter.announced)", "total=earlier.letter.announced"),
    (VALIDITY, "for item_id in demand.item_ids:", "for item_id in verdict.item_ids:"),
    (VALIDITY, "min(demand.effect_from, self.default_from.get(item_id, date.max))", "demand.effect_from"),
    (VALIDITY, "if told.item_id not in wrong}", "if told.item_id in self.items}"),
    (LETTERS, "breach.item_id in (None, item_id)", "breach.item_id == item_id"),
    (LETTERS, "line.day < (day if", "line.day <= (day if"),
    (LETTERS, "credits_before or day", "day"),
    (LETTERS, "self.last_day + ONE_DAY", "self.last_day"),
    (LETTERS, "self.since <= day and", ""),
    (RECEIPT, "return left_on + ONE_DAY if", "return left_on if"),
    (RECEIPT, "presumed = None if way.failed else presume", "presumed = presume"),
    (RECEIPT, "if any(receipt.state == UNKNOWN for receipt in left):", "if left and left[0].state == UNKNOWN:"),
    (RECEIPT, "proof.kind != OPENED and proof.documented", "proof.kind != OPENED"),
    (RECEIPT, "max([presumed, *typed])", "presumed"),
    (RECEIPT, "if opened and (presumed is None or min(opened) <= presumed):", "if opened:"),
    (RECEIPT, "if proof.day >= way.left_on", "if True"),
    (RECEIPT, "POST if proof.kind == REGISTERED else proof.channel", "proof.channel"),
    (RECEIPT, "or way.channel == EMAIL)", "or True)"),
    (FACTS, "POSTAL_DAYS, date(2027, 7, 1), 4", "POSTAL_DAYS, date(2027, 7, 1), 3"),
)


def load(package):
    """Return what is tried, from the package ``tools`` or a copy of it."""
    def module(name):
        return importlib.import_module(f'{package}.{name}')

    return SimpleNamespace(
        validity=module('law.letter_validity'), letters=module('law.letters'), receipt=module('law.receipt'),
        engine=module('law.engine'), model=module('law.claim'), rates=module('law.statutory_interest'))


def euros(cents):
    return Decimal(cents) / 100


def read_letters(tools, story):
    """Return the letters of a story and the items they could be about."""
    letters, receipt = tools.letters, tools.receipt
    items = {
        number: letters.Item(
            number, owed['debtor'], owed['number'], euros(owed['cents']), owed['due'], owed['agreed'], owed['known'],
            tuple(letters.Settlement(day, euros(cents), is_money) for day, cents, is_money in owed['moves']),
            tuple(letters.Period(*days) for days in owed['apart']))
        for number, owed in story.invoices.items()}
    told = [
        letters.Letter(
            index, told['role'], told['debtor'], told['treated'], told['day'],
            tuple(letters.LetterItem(number, printed, euros(cents), due)
                  for number, (printed, cents, due) in told['items'].items()),
            tuple(receipt.Way(*way) for way in told['ways']), tuple(receipt.Proof(*proof) for proof in told['proofs']),
            told['deadline'], euros(told['announced']))
        for index, told in enumerate(story.letters)]
    return told, items


def judge(tools, story):
    """Return the judgement on the letters of a story."""
    told, items = read_letters(tools, story)
    return tools.validity.judge_letters(
        told, items, story.debtor_type, tools.letters.Creditor(story.shortest, story.postal_days))


def ask(tools, story, judgement):
    """Return what the claim asks when it rests on nothing but letters that hold: {number: cents of each kind}."""
    model, day = tools.model, story.day
    letters, items = read_letters(tools, story)
    rates = tools.rates.RateTable([(since, Decimal(int(percent))) for since, percent in RATES])
    sent = model.Correspondence(
        tuple(letters), items, {letter.source: (str(letter.source), None) for letter in letters})
    asked = {}
    for agreed in (True, False):
        numbers = tuple(number for number, owed in story.invoices.items() if owed['agreed'] == agreed)
        ledger = model.Ledger(
            model.Creditor(1, 'EUR', 3), {
                number: model.DueItem(number, number, '', euros(owed['cents']), owed['due'], owed['due'])
                for number, owed in story.invoices.items()},
            letters={1: sent}, settlements={
                number: [model.Settlement(when, euros(cents), is_money) for when, cents, is_money in owed['moves']]
                for number, owed in story.invoices.items()},
            rates={'consumer': rates})
        engine = tools.engine.Engine(ledger)
        # In a story a term may be agreed for one invoice and not for another.
        engine.judge = lambda debtor, at_date, source=None: judgement
        claim = engine.compute(model.Request(
            'claim', model.Debtor(1, 'consumer', 'yes' if agreed else 'no'), numbers,
            dict.fromkeys(numbers, model.Agreements()), day))
        for item in claim.items:
            left = item.account.left
            asked[item.item_id] = tuple(int(amount * 100) for amount in (left.principal, left.interest, left.costs))
    return asked


def answer(tools, story):
    """Return what the addon makes of a story.

    For each letter why it does not hold, its receipt, the last day of its term and what it could have announced; and
    what may be asked of a consumer.
    """
    judgement = judge(tools, story)
    letters = [
        ({(breach.why.value, breach.now if breach.why.value == 'not_joined' else breach.item_id)
          for breach in verdict.breaches}, verdict.receipt.day, verdict.last_day, int(verdict.costs * 100))
        for verdict in judgement.verdicts.values()]
    return letters, ask(tools, story, judgement) if story.debtor_type == 'consumer' else None


def expect(story):
    """Return what the referee makes of it."""
    referee = story.referee
    letters = []
    for index, told in enumerate(story.letters):
        received = referee.received(told)
        letters.append((
            referee.reasons(index), None if isinstance(received, str) else received, referee.last_day(told),
            referee.right_costs(index) if told['role'] == 'fourteen_day' else 0))
    return letters, referee.ask(story.day) if story.debtor_type == 'consumer' else None


def get_reached(story, expected):
    """Return which of :data:`REACHED` a story reached."""
    _letters, asked = expected
    last_days = [story.referee.last_day(told) for told in story.fourteen]
    found = {
        'fourteen_day': story.fourteen,
        'deadline_past': any(day and day < story.day for day in last_days),
        'costs_asked': asked and any(costs for _principal, _interest, costs in asked.values()),
        'edited_afterwards': any(after for _name, after in story.edits)}
    return [name for name, reached in found.items() if reached]


@lru_cache(maxsize=1)
def get_stories():
    """Return stories with what the referee makes of them, for the faults."""
    stories = [Teller(random.Random(seed)).tell() for seed in range(600)]
    return [(story, expect(story)) for story in stories]


def break_it(folder, number, name, right, wrong):
    """Return a copy of the tools with one fault, as :func:`load` does."""
    package = folder / f'tools_with_fault_{number}'
    shutil.copytree(TOOLS, package, ignore=shutil.ignore_patterns('__pycache__', 'wording', 'agreement'))
    file = package / 'law' / name
    source = file.read_text()
    assert source.count(right) == 1, (name, right, source.count(right))
    file.write_text(source.replace(right, wrong))
    return load(package.name)


def is_noticed(tools):
    """Return whether one of the stories shows that something is wrong with the tools."""
    for story, expected in get_stories():
        try:
            if answer(tools, story) != expected:
                return True
        except (TypeError, KeyError):
            return True
    return False


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLetterReferee(BaseCase):

    def test_edits(self):
        """The referee and the addon agree on every reason and every cent, and the examples go far enough."""
        reached, tools = Counter(), load(f'{ADDON}.tools')

        @settings(CALM, max_examples=900)
        @given(st.randoms(use_true_random=False))
        def story_by_story(source):
            story = Teller(source).tell()
            expected = expect(story)
            reached.update(get_reached(story, expected))
            self.assertEqual(answer(tools, story), expected, story)

        story_by_story()
        sys.stderr.write(f"\nExamples that reached: {dict(reached)}\n")
        self.assertGreaterEqual(min(reached[name] for name in REACHED), MINIMUM, reached)

    def test_faults(self):
        """Whatever is broken on purpose is noticed."""
        self.assertFalse(is_noticed(load(f'{ADDON}.tools')))
        with tempfile.TemporaryDirectory() as folder:
            sys.path.insert(0, folder)
            try:
                for number, fault in enumerate(FAULTS):
                    with self.subTest(fault=fault):
                        self.assertTrue(is_noticed(break_it(Path(folder), number, *fault)))
            finally:
                sys.path.remove(folder)
                for name in [name for name in sys.modules if name.startswith('tools_with_fault_')]:
                    del sys.modules[name]

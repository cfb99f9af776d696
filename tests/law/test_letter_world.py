"""Consumers in a real database, edited at random, next to the independent referee of letters; and whether he is awake.

``make test`` lives through a few of them. ``make deep`` sets DUNNING_DEEP, lives through hundreds, and breaks the
program on purpose in more than twenty ways.
"""

import os
import sys
from collections import Counter
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.tests import new_test_user, tagged

from ..claim.test_fourteen_day import DEFAULT_NOTICE, FINAL, FOURTEEN, REMINDER
from ..common import DunningCommon
from ..kernel.test_properties import CALM
from ..letter_faults import Faults, tell
from ..letter_life import EVENING, MORNING, NOON, shrink
from ..letter_world import REACHED, World

DEEP = bool(os.environ.get('DUNNING_DEEP'))
#: Worlds, consumers in each, and how many of these must reach each of what makes it worth looking.
WORLDS, CONSUMERS, MINIMUM = (16, 24, 200) if DEEP else (1, 4, 1)
#: How often a failing story is told again to make it shorter.
TRIES = 30
#: A story in which a fault matters says itself when the page is looked at.
TOLD = {'plans': (2, 6, 10, 14, 18, 20, 26, 28, 36, 40, 46, 50), 'shown': ()}
#: What once went wrong, in the program or with the referee.
STORIES = {
    # The notice of default turns out to have come when an offer had been made that asks costs.
    'an offer rests on a letter that came late': tell(
        (38, NOON, 'edit_offer', ()), (46, MORNING, 'edit_acknowledged', (0, 1, 0.1)),
        *((day, EVENING, 'visit', ()) for day in range(46, 54))),
    # An invoice that is credited on the morning of the 14-day letter is not missing in it.
    'credited on the day of the letter': tell(
        (0, MORNING, 'owe', (0, 0)), (18, MORNING, 'credit', (1, 2)), amount=6),
    # The surplus is set against the oldest invoice, and what was booked of the paid one is asked alone.
    'what was asked is paid too late': tell(
        (4, MORNING, 'owe', (2, 1)), (44, MORNING, 'pay_asked', ()),
        *((day, EVENING, 'visit', ()) for day in range(45, 60, 2)), set_up=(0, 0, 1, 0), amount=1),
}
#: A seed of which the first invoice is of the head office, and the second of its branch.
BOTH = 'both 1'
INTEREST = "<p>Daarin zit <t t-out=\"object.interest_text\"/> aan wettelijke rente.</p>"


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestLetterWorld(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ('_store_offer', '_send_offer', '_store_agreement', '_send_agreement'):
            cls.classPatch(cls.registry['dunning.arrangement'], name, lambda self, *args, **kwargs: None)
        cls.company.partner_id.bank_ids = [Command.clear(), Command.create({
            'acc_number': 'NL91ABNA0417164300', 'allow_out_payment': True})]
        cls.manager = new_test_user(
            cls.env, 'referee_manager', groups='base.group_user,account.group_account_manager',
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])
        # The rates of the referee: 4% until 1 July 2027, then 6%.
        Rate = cls.env['dunning.interest.rate']
        Rate.search([('date_from', '>=', '2026-01-01')]).confirmed_until = '2027-06-30'
        Rate.create([
            {'kind': kind, 'date_from': '2027-07-01', 'percent': percent, 'source': "Invented"}
            for kind, percent in (('consumer', 6), ('commercial', 11))]).confirmed_until = '2028-12-31'

    @contextmanager
    def undone(self):
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    def live(self, seeds, *, start=0, scripts=None, **words):
        """Return the lives of a world of which nothing stays."""
        with self.undone():
            return World(
                self, seeds, texts=(REMINDER, DEFAULT_NOTICE, FOURTEEN, FINAL + INTEREST), manager=self.manager,
                start=start, scripts=scripts, **words).run()

    def tell(self, life, start):
        """Return what happened to somebody who was asked too much, in as few words as can be."""
        kind, tries = next(iter(life.failures)), iter(range(TRIES))

        def fails(script):
            return next(tries, None) is not None and kind in self.live(
                [life.seed], start=start, scripts={life.seed: script})[0].failures

        script = shrink(fails, life.script) if fails(life.script) else life.script
        [again] = self.live([life.seed], start=start, scripts={life.seed: script})
        told = again.told if again.failures else life.told
        return "\n".join([f"{kind}, story {life.seed!r} of world {start}:", *told])

    def test_whatever_is_edited(self):
        """No document asks a consumer a cent that the facts of the day do not give."""
        reached = Counter()

        @settings(CALM, max_examples=WORLDS, phases=[Phase.generate])
        @given(st.integers(0, 10 ** 6))
        def world_by_world(number):
            seeds = [f'{number}/{index}' for index in range(CONSUMERS)]
            # Among a few there is one who gets all letters.
            lives = self.live(seeds, start=number, scripts={} if DEEP else {
                seeds[0]: tell((40, MORNING, 'credit', (0, 1)), amount=6)})
            reached.update(what for life in lives for what in life.reached)
            reached['consumers'] += len(lives)
            wrong = [life for life in lives if life.failures]
            if wrong:
                self.fail("\n".join([
                    self.tell(wrong[0], number), *(f"Also: {life.seed!r} {life.failures}" for life in wrong[1:])]))

        world_by_world()
        sys.stderr.write(f"\nConsumers that reached: {dict(reached)}\n")
        self.assertGreaterEqual(min(reached[name] for name in REACHED), MINIMUM, reached)

    def test_a_head_office_and_its_branch(self):
        """They are one creditor: who owes to both is asked as who owes all of it to one."""
        branch = self.env['res.company'].create({'name': "Filiaal", 'parent_id': self.company.id})
        self.env.cr.precommit.run()  # the chart of accounts
        self.env.user.company_ids |= branch
        self.manager.company_ids |= branch
        env, company = self.env, self.company
        try:
            # As the world finds it.
            type(self).env = env(context={**env.context, 'allowed_company_ids': [company.id, branch.id]})
            type(self).company = company.with_env(self.env)
            words = {'branches': [branch.with_env(self.env)]}
            wrong = [
                life for life in self.live([f'branch {number}' for number in range(CONSUMERS)], start=1, **words)
                if life.failures]
            self.assertFalse(wrong, "\n".join(line for life in wrong for line in life.told))
            # One invoice of each: in one letter nothing is wrong; planned apart, it is noticed.
            both = {'scripts': {BOTH: tell((0, MORNING, 'owe', (0, 1)), amount=1)}, **TOLD, **words}
            [life] = self.live([BOTH], **both)
            self.assertFalse(life.failures, "\n".join(life.told))
            self.assertGreaterEqual(life.reached, {'fourteen_day', 'costs_owed'}, "\n".join(life.told))
            apart = patch.object(self.registry['res.company'], '_get_dunning_company_ids', lambda own: own._ids)
            self.addCleanup(lambda: apart.stop())
            [life] = self.live([BOTH], break_program=apart.start, **both)
            self.assertTrue(life.failures, "\n".join(life.told))
        finally:
            type(self).env, type(self).company = env, company

    def test_what_once_went_wrong(self):
        for life in self.live(list(STORIES), scripts=STORIES, **TOLD):
            with self.subTest(life.seed):
                self.assertFalse(life.failures, "\n".join(life.told))

    def test_faults(self):
        """Whatever is broken on purpose is noticed, in a story in which nothing is wrong otherwise."""
        faults = Faults(self.env).get_faults()
        names = list(faults) if DEEP else ['claims_are_not_joined', 'costs_before_the_term_is_over']
        scripts = {name: faults[name][1] for name in names}
        for life in self.live(names, scripts=scripts, **TOLD):
            self.assertFalse(life.failures, "\n".join(life.told))
        for name in names:
            with self.subTest(fault=name):
                self.undo = undo = []

                def patch(target, attribute, make):
                    original = getattr(target, attribute)
                    self.undo.append((target, attribute, vars(target).get(attribute)))
                    setattr(target, attribute, make(original))

                try:
                    faults[name][0](patch)
                    [life] = self.live([name], scripts=scripts, **TOLD)
                finally:
                    for target, attribute, original in reversed(undo):
                        if original is None:
                            delattr(target, attribute)
                        else:
                            setattr(target, attribute, original)
                self.assertTrue(life.failures, "\n".join(life.told))

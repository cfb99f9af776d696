"""What could be wrong with the program, done to it on purpose, each with a story in which it matters.

Each fault is a function that gets ``patch(target, name, make)``: ``make`` gets what stands there and returns what takes
its place. The stories begin on the first of February 2027, a Monday: reminder on the 3rd, notice of default on the 7th,
14-day letter on the 19th, its fourteen days end on 8 March, final demand on the 9th.
"""

import sys
from datetime import timedelta
from decimal import Decimal

from ..tools.law import collection_costs, dutch_calendar, engine, letter_validity, letters, receipt
from .letter_life import EVENING, MORNING, NOON

DAY = timedelta(days=1)
WHY = letters.Why
#: Numbers of the stories' days.
NOTICE, FOURTEEN, INSIDE, LAST_DAY, FINAL = 6, 18, 24, 35, 36
PLAIN = (0, 0, 0, 0)


def tell(*lines, set_up=PLAIN, amount=5):
    """Return a script with one invoice (of 450.17 unless said otherwise) that is due when it begins."""
    story = [(0, MORNING, 'set_up', set_up), (0, MORNING, 'owe', (amount,)), *lines]
    visits = [(day, EVENING, 'visit', ()) for day in (INSIDE, LAST_DAY, FINAL, 44, 52)]
    return sorted([*story, *visits], key=lambda line: line[:2])


def replace(value):
    return lambda original: value


def without(*whys):
    """Return what leaves out these reasons why a letter does not hold."""
    return lambda original: lambda *args: (breach for breach in original(*args) if breach.why not in whys)


class Faults:
    """The faults; ``env`` knows the models."""

    def __init__(self, env):
        self.models = {name: env.registry[name] for name in (
            'dunning.claim', 'dunning.dispatcher', 'dunning.notice', 'dunning.level', 'res.partner',
            'dunning.interest.rate')}

    def forget(self, patch, *whys):
        """Forget reasons: the law does not know them, and the steps are not taken back either."""
        for name in ('_judge_delivery', '_judge_items', '_judge_announcement', '_judge_joining'):
            patch(letter_validity._Bench, name, without(*whys))
        patch(self.models['dunning.notice'], '_find_outdated', replace(lambda *args: {}))

    def get_faults(self):
        """Return ``{name: (break it, script)}``."""
        found = {
            name.removeprefix('fault_'): getattr(self, name) for name in sorted(dir(self)) if name.startswith('fault_')}
        return {name: (fault, fault.__func__.story) for name, fault in found.items()}

    # --- the term ---

    def fault_term_a_day_short(self, patch):
        def make(original):
            def shorter(day):
                term = original(day)
                return type(term)(*(value - DAY for value in term))
            return shorter
        patch(letter_validity, 'fourteen_day_term', make)
        patch(dutch_calendar, 'fourteen_day_term', make)
    fault_term_a_day_short.story = tell()

    def fault_email_arrives_the_same_day(self, patch):
        def make(original):
            return lambda channel, left_on, postal_days: (
                left_on if channel == 'email' else original(channel, left_on, postal_days))
        patch(receipt, 'presume', make)
    fault_email_arrives_the_same_day.story = tell((33, EVENING, 'visit', ()), (34, EVENING, 'visit', ()))

    def fault_post_takes_a_day(self, patch):
        patch(receipt, 'presumed_receipt', lambda original: lambda posted, postal_days: posted + DAY)
    fault_post_takes_a_day.story = tell(*((day, EVENING, 'visit', ()) for day in range(34, 48)), set_up=(1, 0, 0, 0))

    def fault_bounces_are_ignored(self, patch):
        for module in self.get_readers():
            patch(module, 'read_evidence', lambda original: lambda evidence, **words: original(
                [line for line in evidence if line.kind not in ('bounced', 'returned')], **words))
    fault_bounces_are_ignored.story = tell((INSIDE, NOON, 'edit_comes_back', (-1, 0, 0.9)))

    def fault_words_shorten_the_term(self, patch):
        for module in self.get_readers():
            patch(module, 'read_evidence', lambda original: lambda evidence, **words: original(
                [line._replace(documented=True) for line in evidence], **words))
    # Posted on Saturday the 27th: presumed on 4 March, and he says on 1 March that he has it.
    fault_words_shorten_the_term.story = tell((28, NOON, 'edit_acknowledged', (-1, 0, 0.9)), set_up=(1, 0, 0, 0))

    def get_readers(self):
        return [
            module for name, module in list(sys.modules.items())
            if name.endswith(('models.claim.dunning_claim_letters', 'models.notice.dunning_notice_evidence'))
            and hasattr(module, 'read_evidence')]

    # --- what the letter rested on ---

    def fault_short_terms_count(self, patch):
        self.forget(patch, WHY.TERM_TOO_SHORT)
    fault_short_terms_count.story = tell(set_up=(0, 1, 0, 0))

    def fault_a_higher_amount_is_not_seen(self, patch):
        self.forget(patch, WHY.AMOUNT_RAISED)
    fault_a_higher_amount_is_not_seen.story = tell((INSIDE, MORNING, 'edit_amount', (0, 4)))

    def fault_another_number_is_not_seen(self, patch):
        self.forget(patch, WHY.NUMBER_CHANGED)
    fault_another_number_is_not_seen.story = tell((INSIDE, MORNING, 'edit_number', (0, 0)))

    def fault_a_later_due_date_is_not_seen(self, patch):
        self.forget(patch, WHY.DUE_DATE_LATER, WHY.NOT_DUE, WHY.NOT_IN_DEFAULT)
    fault_a_later_due_date_is_not_seen.story = tell((INSIDE, MORNING, 'edit_due', (0, 6, 0.1)))

    def fault_claims_are_not_joined(self, patch):
        self.forget(patch, WHY.NOT_JOINED)
        patch(self.models['dunning.dispatcher'], '_sort_companions', replace(lambda *args: ({}, {})))
    # The second invoice goes up another ladder.
    fault_claims_are_not_joined.story = tell(
        (0, MORNING, 'owe', (0, 1)), (1, MORNING, 'edit_policy', (0.1, 1)), amount=1)

    def fault_default_is_not_asked_for(self, patch):
        self.forget(patch, WHY.NOT_IN_DEFAULT)
        patch(letter_validity._Bench, '_get_right_costs', replace(lambda *args: Decimal(10 ** 6)))
    fault_default_is_not_asked_for.story = tell((INSIDE, MORNING, 'edit_comes_back', (0, 0, 0.9)))

    def fault_too_high_costs_are_fine(self, patch):
        patch(letter_validity._Bench, '_get_right_costs', replace(lambda *args: Decimal(10 ** 6)))
    fault_too_high_costs_are_fine.story = tell((INSIDE, MORNING, 'pay_part_early', ()), amount=6)

    def fault_a_consumer_becomes_a_business(self, patch):
        patch(self.models['res.partner'], '_filter_dunning_consumers', lambda original: lambda partners, **words: (
            partners.browse()))
    fault_a_consumer_becomes_a_business.story = tell((10, MORNING, 'edit_business', (2,)))

    def fault_an_employer_gets_the_debts(self, patch):
        patch(self.models['res.partner'], '_check_dunning_private', replace(lambda *args: None))
    fault_an_employer_gets_the_debts.story = tell((INSIDE, MORNING, 'edit_parent', ()))

    # --- the amounts ---

    def fault_vat_is_added(self, patch):
        def make(original):
            return lambda *args, **words: original(*args, **(words | {'vat_rate': Decimal(21)}))
        patch(collection_costs, 'collection_costs', make)
        patch(letter_validity, 'collection_costs', make)
    fault_vat_is_added.story = tell()

    def fault_costs_of_all_that_was_owed(self, patch):
        patch(engine._Computation, '_get_principal', lambda original: lambda computation, item_id, until: (
            computation.ledger.items[item_id].original))
    fault_costs_of_all_that_was_owed.story = tell((INSIDE, MORNING, 'pay_half', ()), amount=6)

    def fault_costs_before_the_term_is_over(self, patch):
        def make(original):
            def owed(computation, found):
                return original(computation, [letter._replace(since=letter.sent_on) for letter in found])
            return owed
        patch(engine._Computation, '_get_letter_costs', make)
    fault_costs_before_the_term_is_over.story = tell((INSIDE, MORNING, 'edit_offer', ()))

    def fault_small_instalments_pile_up(self, patch):
        patch(engine._Computation, '_get_costs_of_letter', lambda original: lambda computation, told, owed, earlier: (
            original(computation, told, owed, ())))
        patch(letter_validity._Bench, '_look_back', replace(lambda *args: []))
    fault_small_instalments_pile_up.story = tell((8, MORNING, 'owe', (0, 1)), amount=0)

    def fault_interest_since_the_due_date(self, patch):
        def make(original):
            return lambda computation, item: original(computation, item)._replace(day=item.due_date + DAY)
        patch(engine._Computation, '_get_start', make)
    fault_interest_since_the_due_date.story = tell()

    def fault_the_rate_is_for_businesses(self, patch):
        patch(self.models['dunning.interest.rate'], '_get_table', lambda original: lambda rates, kind: (
            original(rates, 'commercial')))
    fault_the_rate_is_for_businesses.story = tell()

    def fault_a_credit_note_is_money(self, patch):
        def make(original):
            return lambda claims, items: {
                item_id: [line._replace(is_money=True) for line in lines]
                for item_id, lines in original(claims, items).items()}
        patch(self.models['dunning.claim'], '_read_settlements', make)
    fault_a_credit_note_is_money.story = tell((42, MORNING, 'credit', (0, 1)), amount=6)

    def fault_nobody_is_told_of_bookings(self, patch):
        patch(self.models['dunning.notice'], '_propose_credits', replace(lambda *args: None))
    # Two thirds came in on 7 March, inside the fourteen days, and were entered when costs of all had been booked.
    fault_nobody_is_told_of_bookings.story = tell(
        (38, MORNING, 'pay_part', (0, 0.66, 4)), *((day, EVENING, 'visit', ()) for day in range(39, 46)),
        set_up=(0, 0, 1, 0), amount=8)

    def fault_bookings_are_asked_twice(self, patch):
        patch(self.models['dunning.claim'], '_read_overbooked', replace(lambda *args, **words: {}))
    # What the final demand asked was paid in time, and its surplus lies beside the booking and another invoice.
    fault_bookings_are_asked_twice.story = tell(
        (4, MORNING, 'owe', (0, 2)), (38, MORNING, 'pay_asked', ()),
        *((day, EVENING, 'visit', ()) for day in range(39, 60, 2)), set_up=(0, 0, 1, 0), amount=7)

    def fault_typed_amounts_leave(self, patch):
        patch(self.models['dunning.level'], '_check_wording', replace(lambda *args, **words: {}))
        patch(self.models['dunning.dispatcher'], '_refuse_unlawful_letters', replace(
            lambda dispatcher, notices: notices))
    fault_typed_amounts_leave.story = tell((1, MORNING, 'edit_text', (0, 0, 0)))

"""The life of a consumer whose letters are looked at: what happens to him, his invoices and his ladder.

What happens is written down before it does: a script of (day, moment, name, die). Leaving out a part of a script
changes nothing of the rest, so that what goes wrong can be told in few words.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from odoo.exceptions import UserError

# In no simple proportion: who gets a cent that cannot be divided is nobody's right.
AMOUNTS = (40.07, 90.13, 200.11, 266.67, 266.68, 450.17, 1000.03, 1800.43, 3100.19)
#: The moments of a day: before planning, between planning and sending, after the post.
MORNING, NOON, EVENING = range(3)
DAYS = 72
PROOF = 'cHJvb2Y='
#: What somebody types into a letter.
TYPED = (
    "BIK: € 40,00.", "Wij brengen € 12,50 in rekening.", "veertig euro erbij", "40,-", "Daar komt één procent bij.",
    "You owe us €40.00 for late payment.", "De kosten zijn 15% van de som.", "Wij verhogen het bedrag met 25 euro.")
#: What happens, and how often of a hundred; the others are edits.
PAYS = ('pay_part', 'pay_all', 'pay_asked', 'pay_unmatched', 'unpay', 'credit')


class Chosen:
    """Stands in for chance in a story that is told on purpose: the next of these positions, each time."""

    def __init__(self, positions):
        self.positions = list(positions)

    def choice(self, options):
        return options[self.positions.pop(0)]

    def random(self):
        return self.positions.pop(0)


@dataclass()
class Life:
    """A consumer and what is known of him without asking the addon."""

    seed: str
    script: list
    number: int = 0
    debtor: object = None
    policy: object = None
    other: object = None
    moves: list = field(default_factory=list)  # ids, in order
    known: dict = field(default_factory=dict)  # {id of a move: the day it was sent}
    due: dict = field(default_factory=dict)
    receipts: list = field(default_factory=list)  # (id of a bank entry, day, cents that came in)
    letters: dict = field(default_factory=dict)  # {id of a notice: what left}
    apart: dict = field(default_factory=dict)  # {id of a move: [(first day, last day or None)]}
    told: list = field(default_factory=list)  # what happened, in words
    reached: set = field(default_factory=set)
    failures: dict = field(default_factory=dict)  # {kind: (day, words)}
    acts: int = 0  # how much happened
    signed_after: int = 0  # how much had happened when an arrangement was signed
    doubts: dict = field(default_factory=dict)  # {kind: first day} of what the program has to see when it plans

    def is_closed(self, day):
        """The office does not send mails nor bring letters to the post on this day; it never closes in told stories."""
        return self.script[0][2] != 'set_up' and Random(f'{self.seed}/{day}').random() < 0.15


def write_script(seed):
    """Return what happens to somebody, from a seed."""
    random, edits = Random(f'script {seed}'), sorted(name for name in dir(Actions) if name.startswith('edit_'))
    script = [(0, MORNING, 'owe', random.getrandbits(32))]
    script += [
        (random.randrange(30), MORNING, 'owe', random.getrandbits(32)) for _extra in range(random.choice((0, 1, 1, 2)))]
    # Some live quietly, some are edited now and then, some between two steps fifty times and more.
    for _number in range(random.choice((0, 1, 2, 3, 4, 6, 9))):
        script.append((random.randrange(10, DAYS), random.randrange(3), random.choice(edits), random.getrandbits(32)))
    for _number in range(random.choice((0, 0, 1, 1, 2))):
        script.append((random.randrange(8, DAYS), random.randrange(3), random.choice(PAYS), random.getrandbits(32)))
    if random.random() < 0.5:
        # After the 14-day letter, when much rests on it.
        for _number in range(random.choice((1, 1, 2, 3))):
            script.append((
                random.randrange(38, DAYS), random.randrange(3), random.choice(edits), random.getrandbits(32)))
    if random.random() < 0.06:
        day, moment = random.randrange(14, DAYS - 8), random.randrange(3)
        script += [
            (day + number // 20, moment, random.choice(edits), random.getrandbits(32))
            for number in range(random.randrange(50, 65))]
    script.sort(key=lambda line: line[:2])
    return script


class Actions:
    """What can happen to a life. Each method does one thing, or nothing when it cannot be.

    :param world: has ``case`` (a test class with what the tests share), ``env``, ``company`` and ``day``
    """

    def __init__(self, world):
        self.world, self.case = world, world.case
        self.env, self.company = world.env, world.company

    @property
    def day(self):
        return self.world.day

    def on(self, records):
        return records.with_context(dunning_at_date=self.day)

    def run(self, life, name, die):
        """Do it, unless the program refuses; return whether it was done."""
        random = Random(die) if isinstance(die, int) else Chosen(die)
        try:
            with self.env.cr.savepoint():
                words = getattr(self, name)(life, random)
                self.env.flush_all()
        except UserError as error:
            life.told.append(f"{self.day} {name} refused: {str(error)[:110]}")
            self.env.invalidate_all()
            return False
        if words is None:
            return False
        life.told.append(f"{self.day} {name.removeprefix('edit_')}: {words}")
        return True

    # --- what there is ---

    def posted(self, life):
        moves = self.env['account.move'].browse(life.moves)
        return moves.filtered(lambda move: move.state == 'posted')

    def pick(self, life, random, *, only_open=False):
        moves = self.posted(life)
        if only_open:
            moves = moves.filtered(lambda move: move.amount_residual > 0)
        return random.choice(moves) if moves else moves

    def pick_letter(self, life, random):
        letters = [self.env['dunning.notice'].browse(notice_id) for notice_id in life.letters]
        letters = [notice for notice in letters if notice.state == 'sent']
        # Mostly one on which something rests.
        weighty = [notice for notice in letters if notice.legal_role]
        return random.choice(weighty or letters) if letters else None

    def last_letter(self, life):
        return max(life.letters.values(), key=lambda told: (told['day'], told['id']), default=None)

    # --- a story that is told on purpose ---

    def set_up(self, life, random):
        """How it goes in stories that say nothing else: by e-mail, ten days, nothing agreed, nothing booked."""
        life.policy.level_ids[1:3].channel = random.choice(('email', 'letter', 'both'))
        life.policy.level_ids[1].payment_term_days = random.choice((10, 3))
        life.policy.claim_booking = random.choice(('letter', 'booked'))
        life.debtor.with_company(self.company).dunning_term_agreed = random.choice((False, 'yes', 'no'))
        return "as told"

    def visit(self, life, random):
        """Somebody looks at the page."""
        return "the page"

    # --- invoices ---

    def owe(self, life, random):
        day = self.day
        due = day + timedelta(days=random.choice((0, 0, 1, 2, 3, 4))) if life.moves else day
        move = self.case.invoice(
            life.debtor, due, random.choice(AMOUNTS), invoice_date=day, date=day,
            company=self.world.pick_company(life, f'owe {len(life.moves)}'))
        life.moves.append(move.id)
        life.known[move.id] = day
        return f"{move.name} of {move.amount_total:.2f}, due {due}"

    def change(self, move, change):
        """Make an invoice a draft, change it and post it again."""
        move.button_draft()
        change()
        move.action_post()

    def edit_amount(self, life, random):
        move, factor = self.pick(life, random), random.choice((0.5, 0.9, 1.1, 1.5, 3))
        if not move:
            return None
        line = move.invoice_line_ids[:1]
        self.change(move, lambda: line.write({'price_unit': round(line.price_unit * factor, 2)}))
        return f"{move.name} is {move.amount_total:.2f} now"

    def edit_due(self, life, random):
        move = self.pick(life, random)
        if not move:
            return None
        due = move.invoice_date_due + timedelta(days=random.choice((-9, -3, -1, 1, 7, 14, 30, 45)))
        due = max(due, move.invoice_date)
        if random.random() < 0.5:
            move.invoice_date_due = due
        else:
            self.change(move, lambda: move.write({'invoice_date_due': due}))
        return f"{move.name} is due {due}"

    def edit_due_of_item(self, life, random):
        move = self.pick(life, random)
        if not move:
            return None
        item = self.case.items(move)
        item.date_maturity += timedelta(days=random.choice((-5, 5, 20, 40)))
        return f"the item of {move.name} is due {item.date_maturity}"

    def edit_number(self, life, random):
        move = self.pick(life, random)
        if not move:
            return None
        name = f"{move.name}-{random.choice('ABCDEF')}"
        self.change(move, lambda: move.write({'name': name}))
        return f"it is called {move.name}"

    def edit_cancel(self, life, random):
        move = self.pick(life, random)
        if not move or random.random() < 0.5:
            return None
        move.button_draft()
        move.button_cancel()
        return f"{move.name} is cancelled"

    # --- money ---

    def receive(self, life, cents, day=None):
        payment = self.case.receive(
            life.debtor, cents / 100, day or self.day,
            company=self.world.pick_company(life, f'receive {len(life.receipts)}'))
        life.receipts.append((payment.move_id.id, day or self.day, cents))
        return payment

    def match(self, move, payment):
        items = self.case.items(move).filtered(lambda item: not item.reconciled)
        if items and not payment.reconciled:
            self.on(items | payment).reconcile()

    def pay_part(self, life, random):
        move = self.pick(life, random, only_open=True)
        if not move:
            return None
        cents = max(1, int(move.amount_residual * 100 * random.random()))
        day = self.day - timedelta(days=random.choice((0, 0, 0, 1, 4)))
        self.match(move, self.receive(life, cents, day))
        return f"{cents / 100:.2f} for {move.name} on {day}"

    def pay_half(self, life, random):
        move = self.posted(life)[:1]
        self.match(move, self.receive(life, round(move.amount_residual * 50)))
        return f"half of {move.name}"

    def pay_part_early(self, life, random):
        """Money that was there before the 14-day letter, and that nobody had seen."""
        move, day = self.posted(life)[:1], self.day - timedelta(days=10)
        self.match(move, self.receive(life, round(move.amount_residual * 50), day))
        return f"half of {move.name} on {day}"

    def pay_all(self, life, random):
        move = self.pick(life, random, only_open=True)
        if not move:
            return None
        cents = round(move.amount_residual * 100)
        self.match(move, self.receive(life, cents))
        return f"all of {move.name}"

    def pay_asked(self, life, random):
        """Exactly what the last letter asked; what is over stays open."""
        told = self.last_letter(life)
        if not told or told['asked'] <= 0:
            return None
        payment = self.receive(life, told['asked'])
        for move in self.posted(life).filtered(lambda move: move.id in told['lines']):
            self.match(move, payment)
        return f"{told['asked'] / 100:.2f}, what the letter of {told['day']} asked by {told['deadline']}"

    def pay_unmatched(self, life, random):
        self.receive(life, random.randint(100, 30000))
        return "something, and nobody matched it"

    def unpay(self, life, random):
        if not life.receipts:
            return None
        entry = self.env['account.move'].browse(life.receipts[-1][0])
        entry.line_ids.remove_move_reconcile()
        entry.button_draft()
        life.receipts.pop()
        return "the bank took the last payment back"

    def credit(self, life, random):
        move = self.pick(life, random, only_open=True)
        if not move:
            return None
        amount = round(move.amount_residual * random.choice((0.3, 0.5, 1)), 2)
        note = self.case.credit_note(
            life.debtor, amount, self.day, invoice_date=self.day, date=self.day,
            company=self.world.pick_company(life, f'credit {self.day}'))
        self.on(self.case.items(move | note)).reconcile()
        return f"{amount:.2f} of {move.name}"

    edit_pay_part, edit_pay_asked, edit_unpay, edit_credit = pay_part, pay_asked, unpay, credit

    # --- the contact ---

    def edit_business(self, life, random):
        """What makes the program think of a business."""
        values = random.choice((
            {'vat': 'NL123456782B90'}, {'company_registry': '30241556'}, {'is_company': True}))
        life.debtor.write(values)
        return str(values)

    def edit_type(self, life, random):
        """An accountant says so."""
        kind = random.choice(('business', 'consumer', 'consumer'))
        life.debtor.write({'dunning_debtor_type': kind, 'dunning_type_reason': "She showed an invoice"})
        return kind

    def edit_parent(self, life, random):
        if life.debtor.parent_id:
            life.debtor.parent_id = False
            return "without an employer"
        life.debtor.parent_id = self.world.employer
        return "works for a company"

    def edit_address(self, life, random):
        values = random.choice((
            {'email': False}, {'street': False, 'zip': False, 'city': False}, {'name': "Anders Heet"},
            {'email': f'new{life.number}@debtor.example.com', 'street': "Plein 2", 'zip': '1011 AA',
             'city': "Amsterdam", 'dunning_email_bounced_on': False, 'dunning_post_returned_on': False}))
        life.debtor.write(values)
        return str(values)

    def edit_agreed(self, life, random):
        choice = random.choice(('yes', 'no', False))
        life.debtor.with_company(self.company).dunning_term_agreed = choice
        return f"payment term agreed: {choice}"

    def edit_waive(self, life, random):
        debtor = life.debtor.with_company(self.company)
        debtor.write({'dunning_waive_costs': not debtor.dunning_waive_costs, 'dunning_waive_reason': "So we say"})
        return f"waive costs: {debtor.dunning_waive_costs}"

    # --- the ladder ---

    def edit_level(self, life, random):
        level = random.choice(life.policy.level_ids)
        values = random.choice((
            {'with_interest': not level.with_interest}, {'with_costs': not level.with_costs},
            {'payment_term_days': random.choice((0, 1, 3, 7, 14))}, {'delay_days': random.choice((1, 5))},
            {'channel': random.choice(('email', 'letter', 'both'))}, {'sequence': random.choice((1, 15, 25, 99))},
            {'legal_role': random.choice((False, 'default_notice', 'fourteen_day'))}, {'active': not level.active},
        ))
        level.write(values)
        return f"{level.name}: {values}"

    def edit_text(self, life, random):
        level, words = random.choice(life.policy.level_ids), random.choice(TYPED)
        name = random.choice(('letter_intro', 'letter_closing', 'subject'))
        level.write({name: f"{level[name] or ''} {words if name == 'subject' else f'<p>{words}</p>'}"})
        return f"{level.name}, {name}: {words}"

    def edit_policy(self, life, random):
        policy = life.other if life.debtor.with_company(self.company).dunning_policy_id == life.policy else life.policy
        if random.random() < 0.3 and life.moves:
            move = self.pick(life, random)
            if move:
                move.dunning_policy_id = policy
                return f"{policy.name} for {move.name}"
        life.debtor.with_company(self.company).dunning_policy_id = policy
        return policy.name

    def edit_booking(self, life, random):
        life.policy.claim_booking = 'booked' if life.policy.claim_booking != 'booked' else 'letter'
        return life.policy.claim_booking

    # --- holds and arrangements ---

    def edit_hold(self, life, random):
        move, last = self.pick(life, random, only_open=True), self.day + timedelta(days=random.choice((1, 5, 20)))
        if not move:
            return None
        whole = random.random() < 0.3
        hold = self.on(self.env['dunning.hold']).create({
            **({'partner_id': life.debtor.id} if whole else {'move_id': move.id}), 'date_end': last,
            'reason_id': self.env.ref('l10n_nl_dunning.hold_reason_internal').id})
        hold._take_back_notices()
        return f"{'all' if whole else move.name} until {last}"

    def edit_release(self, life, random):
        holds = self.env['dunning.hold'].search([
            ('partner_id', '=', life.debtor.id), ('closed_on', '=', False), ('kind', '=', 'internal')])
        if not holds:
            return None
        self.on(holds[:1])._close("Settled.")
        return "a hold"

    def edit_offer(self, life, random):
        items = self.case.items(self.posted(life)).filtered(
            lambda item: item.amount_residual > 0 and item.date_maturity < self.day)
        if not items:
            return None
        arrangement = self.on(self.env['dunning.arrangement'])._make(
            self.company, life.debtor, items, {
                'instalment_count': 2, 'date_first': self.day + timedelta(days=14),
                'with_interest': True, 'with_costs': True, 'interest_mode': 'none'},
            user=self.world.manager)
        arrangement._offer()
        return f"{arrangement.name} of {arrangement.amount_total:.2f}"

    def edit_sign(self, life, random):
        offers = self.env['dunning.arrangement'].search([
            ('partner_id', '=', life.debtor.id), ('state', '=', 'offered')])
        if not offers:
            return None
        offer = self.on(offers[:1])
        offer._sign("Jan Jansen", via='paper')
        if offer.state == 'signed':
            offer._countersign(self.world.manager)
        life.signed_after = life.acts + 1
        return f"{offer.name} is {offer.state}"

    edit_offer_again, edit_sign_again = edit_offer, edit_sign

    # --- receipt ---

    def edit_comes_back(self, life, random):
        notice = self.pick_letter(life, random)
        if not notice:
            return None
        told = life.letters[notice.id]
        way = random.choice([name for name in ('email', 'post') if told[name]] or [None])
        if not way or not told[way]['left']:
            return None
        if way == 'email':
            self.on(notice)._record_bounced("550 No such user", mark_address=random.random() < 0.5)
        else:
            self.enter(notice, 'returned', self.day)
        told[way]['lost'] = True
        return f"{way} of the letter of {told['day']}"

    edit_comes_back_again = edit_comes_back

    def enter(self, notice, kind, day, **values):
        notice = self.on(notice)
        action = notice.action_enter_receipt()
        wizard = self.env[action['res_model']].with_context(**notice.env.context).browse(action['res_id'])
        wizard.write({'kind': kind, 'date': day, 'note': "She phoned", **values})
        wizard.action_confirm()

    def edit_acknowledged(self, life, random):
        notice = self.pick_letter(life, random)
        if not notice:
            return None
        day = self.day - timedelta(days=random.choice((0, 1, 5)))
        proof = PROOF if random.random() < 0.5 else False
        self.enter(notice, 'acknowledged', day, proof=proof)
        life.letters[notice.id]['proofs'].append(('acknowledged', day, None, bool(proof)))
        return f"on {day}, {'with a document' if proof else 'in words'}"

    def edit_registered(self, life, random):
        notice = self.pick_letter(life, random)
        if not notice or not life.letters[notice.id]['post'] or not life.letters[notice.id]['post']['left']:
            return None
        self.enter(notice, 'registered', self.day, proof=PROOF)
        life.letters[notice.id]['proofs'].append(('registered', self.day, 'post', True))
        return f"on {self.day}"

    def edit_opened(self, life, random):
        notice = self.pick_letter(life, random)
        if not notice or not self.on(notice)._register_opening(self.day):
            return None
        life.letters[notice.id]['proofs'].append(('opened', self.day, None, False))
        return f"the letter of {life.letters[notice.id]['day']}"

    def edit_withdraw(self, life, random):
        withdrawal = self.env['dunning.withdrawal'].search([
            ('partner_id', '=', life.debtor.id), ('state', '=', 'proposed')], limit=1)
        if not withdrawal:
            return None
        self.on(withdrawal)._withdraw(self.day, silent=True)
        return withdrawal.display_name

    def edit_drop_proposal(self, life, random):
        notices = self.env['dunning.notice'].search([
            ('partner_id', '=', life.debtor.id), ('state', 'in', ('draft', 'queued', 'to_post', 'error'))])
        if not notices:
            return None
        self.on(notices).action_cancel()
        return "what waits"

    @staticmethod
    def make_policies(case, number, texts):
        """Return the two ladders of a life, of its own so that nobody else feels what is edited."""
        reminder, notice, fourteen, final = texts
        both = Random(number).choice(('email', 'email', 'both', 'letter'))

        def level(name, text, **values):
            return {
                'name': name, 'letter_intro': text, 'letter_closing': False, 'subject': name, 'delay_days': 1,
                'payment_term_days': 7, 'delay_from': 'previous_deadline', **values}

        def make(name, **values):
            return case.make_policy(f"{name} {number}", [
                level("Reminder", reminder, delay_from='due_date', delay_days=2, payment_term_days=2),
                level(
                    "Notice of default", notice, legal_role='default_notice', channel=both,
                    payment_term_days=Random(number).choice((7, 10, 14, 14))),
                level("Fourteen", fourteen, legal_role='fourteen_day', channel=both),
                level("Final", final, with_costs=True, with_interest=True, payment_term_days=5),
                level("Last", final, with_costs=True, with_interest=True, payment_term_days=5, delay_days=4),
            ], debtor_type='consumer', **values)

        return make("Own"), make("Other")


def make_life(world, seed, number, script=None):
    """Return somebody with an address, a ladder of its own and a script.

    :param number: its place in the world; a seed that ends with one keeps it when its life is told alone
    """
    place = seed.rpartition('/')[2]
    number = int(place) if place.isdigit() else number
    case, life = world.case, Life(seed, write_script(seed) if script is None else script, number)
    life.policy, life.other = Actions.make_policies(case, number, world.texts)
    life.policy.claim_booking = 'booked' if Random(f'{seed}b').random() < 0.4 else 'letter'
    life.debtor = case.make_debtor(f"Jan{number} Smit", consumer=True)
    life.debtor.with_company(world.company).write({
        'dunning_policy_id': life.policy.id,
        'dunning_term_agreed': Random(f'{seed}a').choice((False, False, 'yes', 'no'))})
    return life


def shrink(fails, script):
    """Return a short part of a script that still fails.

    :param fails: whether a script does
    """
    size = len(script) // 2
    while size:
        start = 0
        while start < len(script):
            shorter = script[:start] + script[start + size:]
            if shorter and shorter[0][2] == 'owe' and fails(shorter):
                script = shorter
            else:
                start += size
        size //= 2
    return script



"""Replay of what changes meanwhile: each day what the mail server took is compared with the books of the referee.

:class:`EdgeReplay` lives through ledgers, of ``data/ledgers.txt`` or drawn from a file of invoices
(:func:`draw_world`): invoices get another debtor, contacts leave, are archived and merged, mail is refused, slow,
accepted days later or comes back, ladders change, invoices turn out to be sent late. Only the mail server
(:class:`Post`) is not real.
"""

import random
from contextlib import contextmanager
from datetime import date, timedelta
from types import SimpleNamespace
from unittest.mock import patch

from odoo import Command
from odoo.tools import mute_logger
from odoo.tools.mail import email_normalize

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from .edge_referee import MOMENTS, Invoice, Ledger, Referee, Rung, World
from .replay_engine import MAX_FAILURES, Replay

FIRST = date(2012, 3, 1)
DOMAIN = '@edges.example'
QUIET = (
    'odoo.addons.mail.models.mail_mail', 'odoo.addons.base.wizard.base_partner_merge', 'odoo.sql_db',
    'odoo.addons.l10n_nl_dunning.models.sending.mail_mail')
#: The ladders that ship, as README.md has them: places, days, terms, and what keeps a rung out of another's message.
SHIPPED = {
    'business': (
        ('Herinnering', 10, 5, 'due', 7), ('Bellen', 20, 1, 'term', 3, 'call'), ('Aanmaning', 30, 4, 'term', 7),
        ('Tweede aanmaning', 40, 4, 'term', 7, 'mail', 'interest and costs'),
        ('Laatste aanmaning', 50, 4, 'term', 7, 'mail', 'interest and costs'),
        ('Uit handen geven', 60, 4, 'term', 0, 'task')),
    '7_15_30': (
        ('Herinnering na 7 dagen', 10, 7, 'due', 7), ('Herinnering na 15 dagen', 20, 15, 'due', 7),
        ('Herinnering na 30 dagen', 30, 30, 'due', 7, 'mail', 'default')),
}
#: Of our own, to change to.
OWN = {
    'rustig': (('Rustig 1', 15, 14, 'due', 10), ('Rustig 2', 35, 5, 'term', 10), ('Rustig 3', 45, 5, 'term', 10)),
    'geen': (),
}
#: What happens to an invoice of a file or to its debtor: how often, and the events. A day is that of the event or
#: ``later``; *moment* is any before the mail queue is empty.
FATES = {
    'nothing': (30,),
    'give': (8, ('day', 'moment', 'give', 'number', 'other')),
    'leave': (6, ('day', 'moment', 'leave', 'person', 'other')),
    'archive': (6, ('day', 'moment', 'archive', 'person')),
    'merge': (4, ('day', 'early', 'merge', 'person', 'twin')),
    'slow': (8, ('day', 'early', 'slow', 'customer', 'later')),
    'service': (5, ('day', 'early', 'service', 'customer', 'later')),
    'refuse': (8, ('day', 'early', 'refuse', 'customer', 'later'), ('later', 'early', 'retry', 'customer')),
    'unknown': (4, ('day', 'early', 'unknown', 'person')),
    'bounce': (8, ('day', 'early', 'bounce', 'customer'), ('later', 'early', 'mend', 'customer')),
    'policy': (10, ('day', 'moment', 'policy', 'customer', 'ladder')),
    'exclude': (6, ('day', 'moment', 'policy', 'customer', 'geen'), ('later', 'early', 'policy', 'customer', 'ladder')),
    'ladder': (6, ('day', 'moment', 'ladder', 'number', 'ladder')),
    'sent': (6, ('day', 'moment', 'sent', 'number')),
    'ignore': (4, ('day', 'moment', 'ignore', 'number')),
    'pay_part': (6, ('day', 'moment', 'pay', 'number', '10')),
}


class Post:
    """Stands for the mail server, as an addon for a mail service does: it replaces ``send_email``.

    ``taken``: Message-Id and mailbox of what it took; ``letters``: what those say. ``refused``: the mailboxes whose
    mail it does not want; ``unknown``: those that it does not know.
    """

    smtp_from = from_filter = send_message = False  # as core's own session has them

    def __init__(self):
        self.taken, self.letters, self.refused, self.unknown = [], [], set(), set()

    def quit(self):
        """Close nothing."""

    @contextmanager
    def at_work(self, env):
        def send_email(model, message, *args, **kwargs):
            mailbox = read_mailbox(message['To'])
            if mailbox in self.unknown:
                raise MailDeliveryException("Mail Delivery Failed", f"SMTPRecipientsRefused: 550 {mailbox} unknown")
            if mailbox in self.refused:
                raise MailDeliveryException("Mail Delivery Failed", "SMTPDataError: 554 Spam")
            self.taken.append((message['Message-Id'], mailbox))
            return message['Message-Id']

        server = type(env['ir.mail_server'])
        with patch.object(server, '_disable_send', classmethod(lambda model: False)), \
                patch.object(server, '_connect__', lambda model, *args, **kwargs: self), \
                patch.object(server, 'send_email', send_email), mute_logger(*QUIET):
            yield


def read_mailbox(email):
    return (email_normalize(email or '') or '').removesuffix(DOMAIN)


class EdgeReplay(Replay):
    """:param World world: its ladders, and what happens to the company
    :param ledgers: those of them to live through
    """

    def __init__(self, env, company, world, ledgers=None, *, first=FIRST, **kwargs):
        self.world, self.referee, self.post = world, Referee(world, ledgers), Post()
        # It wants a first and a last day; the invoices are those of the referee.
        days = SimpleNamespace(
            invoice_date=first, settled_date=first + timedelta(days=self.referee.last), customer='-', country='')
        super().__init__(env, company, [days], **kwargs)
        # Before anything is due nothing is looked at: a day costs as much as a letter.
        self.quiet = min(invoice.due for ledger in self.referee.ledgers for invoice in ledger.invoices)
        self.env = self.env(context={**self.env.context, 'tracking_disable': True})

    # --- the company, its debtors ---

    def set_up(self):
        result = super().set_up()
        self.policies = {name: self._get_policy(name, rungs) for name, rungs in self.world.ladders.items()}
        self.company.dunning_policy_business_id = self.policies[self.world.company]
        self.rungs = {rung.name: rung for rungs in self.world.ladders.values() for rung in rungs}
        self.others = self.env['res.company'].search([('id', '!=', self.company.id)])
        Partner = self.env['res.partner'].with_company(self.company)
        self.partners = {}
        # Whoever comes first in the books has the first id: of two messages alike his goes first.
        for person in sorted(self.referee.people.values(), key=lambda person: person.name != person.debtor):
            main = person.name == person.debtor
            self.partners[person.name] = Partner.create({
                'name': person.name, 'email': person.mailbox + DOMAIN, 'lang': 'nl_NL', 'phone': '+31 20 555 0100',
                'country_id': self.env.ref('base.nl').id, 'is_company': main,
                **({} if main else {'parent_id': self.partners[person.debtor].id, 'type': 'other'})})
        self.moves = {}
        return result

    def _get_policy(self, name, rungs):
        shipped = self.env.ref(f'l10n_nl_dunning.policy_{name}', raise_if_not_found=False)
        return shipped or self.env['dunning.policy'].create({
            'name': name, 'approval': 'automatic', 'debtor_type': 'any', 'level_ids': [Command.create({
                'name': rung.name, 'sequence': rung.place[0], 'delay_days': rung.days, 'payment_term_days': rung.term,
                'delay_from': 'due_date' if rung.since == 'due' else 'previous_deadline',
                'channel': 'phone' if rung.kind == 'call' else 'email',
                'expire_days': 5 if rung.kind == 'call' else 0,
                'subject': "Openstaande facturen", 'letter_intro': "<p>Wilt u betalen?</p>",
            }) for rung in rungs]})

    def _make_debtors(self, policies):
        """They are those of the referee."""
        self.debtors, self.reachable, self.policy_of, self.patient = {}, {}, {}, set()

    # --- the days ---

    def _patch(self, stack):
        result = super()._patch(stack)
        stack.enter_context(self.post.at_work(self.env))
        return result

    def _live(self, day):
        env = self.env(context={**self.env.context, 'dunning_at_date': day})
        number = (day - self.first).days
        self._time('invoices', self._post_invoices, env, number)
        before = len(self.referee.letters)
        self._time('referee', self.referee.live, number)
        self.post.letters.clear()
        if number < self.quiet or (self.only and number not in self.only):
            for moment in MOMENTS:
                self._happen(env, number, moment)
            return
        self._time('events', self._happen, env, number, 'early')
        self.others.dunning_planned_on = day  # nothing happens there
        self._time('planning', env['dunning.run']._cron_plan)
        self._time('events', self._happen, env, number, 'noon')
        self._time('sending', env['dunning.run']._cron_dispatch)
        self._time('events', self._happen, env, number, 'late')
        for _round in range(2):
            self._time('mail', self._wake_mail, env, number)
            self._time('sending', env['dunning.run']._cron_dispatch)
        self._time('mail', self._wake_mail, env, number)
        self._time('events', self._happen, env, number, 'night')
        self._time('checking', self._compare, env, day, self.referee.letters[before:])

    def _post_invoices(self, env, number):
        for invoice in (invoice for ledger in self.referee.ledgers for invoice in ledger.invoices):
            if invoice.dated == number:
                move = env['account.move'].create({
                    'move_type': 'out_invoice', 'partner_id': self.partners[invoice.person or invoice.debtor].id,
                    'invoice_date': self.get_date(invoice.dated), 'invoice_date_due': self.get_date(invoice.due),
                    'invoice_payment_term_id': False, 'ref': invoice.number,
                    'invoice_line_ids': [Command.create({
                        'name': invoice.number, 'price_unit': invoice.cents / 100, 'tax_ids': [Command.clear()]})]})
                move.action_post()
                move.is_move_sent = invoice.sent
                self.moves[invoice.number] = move.with_env(self.env)
                self.counts['invoices'] += 1

    def get_date(self, number):
        return self.first + timedelta(days=number)

    def _wake_mail(self, env, number):
        """The mail queue works; of some debtors it does not get there, of others a service answers later."""
        Mail = env['mail.mail']
        waiting = Mail.search([('model', '=', 'dunning.notice'), ('state', '=', 'outgoing')])
        names = {partner.id: name for name, partner in self.partners.items() if name not in self.merged}
        self.post.refused, self.post.unknown = set(), set(self.referee.until['unknown'])
        free = Mail
        for mail in waiting:
            debtor = names[env['dunning.notice'].browse(mail.res_id).partner_id.id]
            answers, slow, refused = (
                self.referee.until[kind].get(debtor, 0) for kind in ('service', 'slow', 'refuse'))
            if number < refused:
                self.post.refused.add(read_mailbox(mail.email_to))
            handed = mail.id in self.handed
            if handed and number >= answers:
                self.post.letters.append(self.handed.pop(mail.id))
                mail.state = 'sent'
                mail._postprocess_sent_message(success_pids=[], success_emails=[mail.email_to])
            elif not handed and number < answers:
                self.handed[mail.id] = self._read_letter(env, mail.message_id, read_mailbox(mail.email_to))
            elif handed:
                continue
            elif number >= slow:
                free |= mail
        if free:
            Mail.process_email_queue(free.ids)
        env.invalidate_all()
        self.post.letters += [self._read_letter(env, *taken) for taken in self.post.taken]
        self.post.taken.clear()

    def _read_letter(self, env, message_id, mailbox):
        """Return ``(mailbox, rung, {number: cents})`` of a mail, or None when it is not of a notice."""
        notice = env['dunning.notice'].with_context(lang='nl_NL').search([
            ('mail_message_id.message_id', '=', message_id)])
        rung = self.rungs.get(notice.level_id.name)
        if rung and notice.deadline != (last := notice.env.context['dunning_at_date'] + timedelta(days=rung.term)):
            self._fail(last, f"{notice.name} says to pay by {notice.deadline} instead of {last}")
        return notice and (mailbox, notice.level_id.name, {
            line.move_id.ref: round((line.amount_residual - line.amount_netted - line.amount_held) * 100)
            for line in notice.live_line_ids})

    def run(self, *, stop=False):
        """Live through the days. Return the failures.

        :param bool stop: only through the days around what the referee expects, and until the first failure
        """
        self.handed, self.merged, self.stop, self.only = {}, set(), stop, set()
        if stop:
            books = Referee(self.world, self.referee.ledgers)
            days = [*(letter[0] for letter in books.run()), *(day for day, _moment in books.agenda)]
            self.only = {day + shift for day in days for shift in (-1, 0, 1)}
        return super().run()

    # --- what happens ---

    def _happen(self, env, number, moment):
        for kind, *words in self.referee.agenda.get((number, moment), ()):
            self.counts[f'event: {kind}'] += 1
            do = getattr(self, f'_do_{kind}', None)
            if do:  # what is about the mail server is asked of the referee
                do(env, *words)

    def _do_pay(self, env, number, amount=None):
        left = self.moves[number].amount_residual
        if not left:
            return
        env['account.payment.register'].with_context(
            active_model='account.move', active_ids=self.moves[number].ids,
        ).create({
            'payment_date': env.context['dunning_at_date'], 'journal_id': self.bank.id,
            **({'amount': min(float(amount), left)} if amount else {}),
        })._create_payments()

    def _do_give(self, env, number, debtor):
        move = self.moves[number].with_env(env)
        due = move.invoice_date_due
        move.button_draft()
        move.write({
            'partner_id': self.partners[debtor].id, 'invoice_payment_term_id': False, 'invoice_date_due': due})
        move.action_post()
        move.is_move_sent = True

    def _do_leave(self, env, person, company):
        self.partners[person].with_env(env).write({
            'parent_id': self.partners[company].id, 'email': f'{person.lower()}.new{DOMAIN}'})

    def _do_archive(self, env, person):
        self.partners[person].with_env(env).active = False

    def _do_merge(self, env, source, target):
        both = self.partners[source] | self.partners[target]
        env['base.partner.merge.automatic.wizard'].create({})._merge(both.ids, self.partners[target].with_env(env))
        self.partners[source] = self.partners[target]
        self.merged.add(source)
        env.invalidate_all()

    def _do_bounce(self, env, debtor):
        notices = env['dunning.notice'].search([
            ('partner_id', '=', self.partners[debtor].id), ('state', '=', 'sent'), ('mail_message_id', '!=', False)])
        if notices:
            notice = notices.sorted(lambda notice: (notice.live_line_ids[:1].date or notice.date, notice.id))[-1]
            notice.mail_message_id.sudo().notification_ids.write({
                'notification_status': 'bounce', 'failure_type': 'mail_bounce', 'failure_reason': "550 No such user"})

    def _do_mend(self, env, person):
        self.partners[person].with_env(env).email = self.referee.people[person].mailbox + DOMAIN

    def _do_retry(self, env, debtor):
        env['dunning.notice'].with_user(self.collector).search([
            ('partner_id', '=', self.partners[debtor].id), ('state', '=', 'error')]).action_retry()

    def _do_policy(self, env, debtor, ladder):
        self.partners[debtor].with_env(env).with_company(self.company).dunning_policy_id = self.policies[ladder]

    def _do_ladder(self, env, number, ladder):
        self.moves[number].with_env(env).dunning_policy_id = self.policies[ladder]

    def _do_company(self, env, ladder):
        self.company.with_env(env).dunning_policy_business_id = self.policies[ladder]

    def _do_retire(self, env, name, active=False):
        for policy in self.policies.values():
            policy.with_env(env).with_context(active_test=False, lang='nl_NL').level_ids.filtered(
                lambda level: level.name == name).active = active

    def _do_restore(self, env, name):
        self._do_retire(env, name, active=True)

    def _do_sent(self, env, number):
        action = self.moves[number].with_env(env).action_dunning_mark_sent()
        env['dunning.invoice.sent'].browse(action['res_id']).action_confirm()

    def _do_ignore(self, env, number):
        self.moves[number].with_env(env).no_followup = True

    # --- what should have happened ---

    def _compare(self, env, day, expected):
        """Compare what the mail server took with what the referee expects, and the levels with those of his books."""
        found = [letter for letter in self.post.letters if letter]  # a colleague may have been told of a task
        self.counts['sent'] += len(found)
        wanted = [tuple(letter) for _day, *letter in expected]
        for letter in found:
            if letter in wanted:
                wanted.remove(letter)
            else:
                self._fail(day, f"day {(day - self.first).days}: {letter} left, and should not have")
        for letter in wanted:
            self._fail(day, f"day {(day - self.first).days}: {letter} should have left")
        if self.stop and self.failures:
            self.last = day  # enough was seen
        for number, move in self.moves.items():
            level = move.with_context(lang='nl_NL').dunning_level_id.name or ''
            right = self.referee.get_level(number)
            if level != right and len(self.failures) < MAX_FAILURES:
                self._fail(day, f"day {(day - self.first).days}: {number} shows level “{level}” instead of “{right}”")

    def _check_end(self):
        """Each day was compared."""

    def report(self):
        events = ", ".join(
            f"{kind[7:]} {count}" for kind, count in sorted(self.counts.items()) if kind.startswith('event'))
        return "\n".join([
            f"{self.counts['days']} days, {self.counts['invoices']} invoices, {self.counts['sent']} letters: {events}",
            "Seconds: " + ", ".join(f"{what} {seconds:.1f}" for what, seconds in self.seconds.most_common()),
            *([f"✗ {failure}" for failure in self.failures] or ["✓ Each letter to whom, when and as the books say."])])


# --- a world drawn from a file of invoices ---

def draw_world(rows, seed):
    """Return the :class:`World` of the rows of a file with seeded events, and its first day."""
    return Draw(rows, seed).world, min(row.invoice_date for row in rows)


class Draw:
    """Draws what happens to the invoices of a file, their debtors and the ladders."""

    def __init__(self, rows, seed):
        self.seed, self.first = seed, min(row.invoice_date for row in rows)
        self.world = World(company='business')
        number = 0
        for name, rungs in {**SHIPPED, **OWN}.items():
            self.world.ladders[name] = []
            for rung, sequence, *rest in rungs:
                number += 1
                self.world.ladders[name].append(Rung(rung, (sequence, number), *rest))
        length = (max(row.settled_date for row in rows) - self.first).days
        for share, moment, *event in (
            (.2, 'noon', 'retire', 'Aanmaning'), (.3, 'early', 'restore', 'Aanmaning'),
            (.35, 'early', 'company', '7_15_30'),
            (.45, 'late', 'retire', 'Herinnering na 15 dagen'), (.55, 'early', 'restore', 'Herinnering na 15 dagen'),
            (.6, 'noon', 'company', 'rustig'), (.7, 'early', 'company', 'business'),
        ):
            self.world.events.append((int(length * share), moment, *event))
        customers = sorted({row.customer for row in rows})
        # Of two that are merged nothing else happens to themselves.
        self.merged = dict(zip(customers[5::12], customers[6::12], strict=False))
        self.calm = {*self.merged, *self.merged.values()}
        self.others = [customer for customer in customers if customer not in self.calm]
        for position, customer in enumerate(customers):
            mine = [row for row in rows if row.customer == customer]
            self.ledger = Ledger(customer, length + 60)
            self.world.ledgers.append(self.ledger)
            if position % 5 == 3 and customer not in self.calm:
                self.add(0, 'night', 'policy', customer, ('7_15_30', 'rustig')[position % 2])
            for row in mine:
                self.draw(row, customer)
            if customer in self.merged:
                middle = sorted(row.due_date for row in mine)[len(mine) // 2]
                self.add((middle - self.first).days + 10, 'early', 'merge', customer, self.merged[customer])

    def add(self, day, moment, *event):
        self.ledger.events.append((day, moment, *event))

    def draw(self, row, customer):
        chance = random.Random(f'{self.seed}/{row.number}')
        dated, due, paid = ((day - self.first).days for day in (row.invoice_date, row.due_date, row.settled_date))
        fates = ['nothing'] if customer in self.calm else list(FATES)
        fate, = chance.choices(fates, weights=[FATES[name][0] for name in fates])
        if fate == 'pay_part' and row.amount < 20:
            fate = 'nothing'  # what is left would be below the minimum
        events = FATES[fate][1:]
        person = f'p{row.number}' if not chance.randrange(6) or any('person' in event for event in events) else ''
        self.ledger.invoices.append(Invoice(
            row.number, customer, round(row.amount * 100), due, person, dated, sent=fate != 'sent'))
        self.add(paid, chance.choice(MOMENTS[:3]), 'pay', row.number)
        # At or after the first reminder, where there is time for one.
        day = max(dated + 1, min(due + chance.randint(3, 40), paid - 1))
        if day >= paid:
            return
        words = {
            'day': day, 'later': day + chance.randint(2, 12), 'moment': chance.choice(MOMENTS[:3]),
            'number': row.number, 'customer': customer, 'person': person, 'twin': f'q{row.number}',
            'other': chance.choice(self.others), 'ladder': chance.choice(('business', '7_15_30', 'rustig'))}
        for when, moment, kind, *about in events:
            self.add(words[when], words.get(moment, moment), kind, *(words.get(word, word) for word in about))
        if fate == 'merge':
            self.ledger.invoices.append(Invoice(f'{row.number}q', customer, 2000, day + 20, words['twin'], day))

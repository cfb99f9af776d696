"""Days and days of planning and sending by processes that are killed at random; see ``test_soak``.

:class:`Soak` lives in the process of the tests: it lets jobs do the business of a day, kills some of them, and compares
what the books say with what the mail server accepted. The jobs are those of ``faults_engine`` and the ones below.
"""

import hashlib
import random
import time
from collections import Counter
from datetime import date, timedelta

from . import faults_engine
from .faults_engine import JOBS

#: A Monday in a year without anything in it.
FIRST_DAY = date(2027, 1, 4)
DEBTORS = 40
#: The mailbox that is full now and then.
LATER = 'later@debtor.example.com'
CHUNK = 3
#: Stages at which a job may be killed; otherwise it happens at any moment.
STAGES = {
    'plan': ('planned', 'plan committed'),
    'soak_dispatch': ('locked', 'rechecked', 'rendered', 'PDF stored', 'mail made', 'recorded', 'committed'),
    'soak_mails_leave': ('mail begun', 'mail accepted', 'mail recorded', 'server answered'),
}
#: How many processes do it together.
TOGETHER = {'plan': 2, 'soak_dispatch': 3, 'soak_mails_leave': 2}
#: How often, and after how many seconds, what a killed process still held is looked at again.
TRIES, PAUSE = 20, 0.3
#: What makes another process try again is no fault.
HARMLESS = ('SerializationFailure', 'LockNotAvailable', 'DeadlockDetected', 'UniqueViolation')
#: Everything in which something arrived at the debtor or waits for a person.
DONE_STATES = ('sent', 'leaving', 'to_post', 'todo', 'withdrawn', 'undelivered')


class Soak:
    """So many days, and what went wrong in them.

    :param workers: the :class:`~.faults_engine.Workers`
    :param server: the mail server, that knows what it accepted
    :param real_letters: make PDFs with wkhtmltopdf
    """

    def __init__(self, workers, server, *, seed=1, real_letters=False, say=lambda text: None):
        self.workers, self.server, self.say = workers, server, say
        self.real_letters = real_letters
        self.random = random.Random(seed)
        self.counts = Counter()
        self.failures = []

    def run(self, days):
        """Live so many days. Return what went wrong."""
        for number in range(days):
            day = FIRST_DAY + timedelta(days=number)
            self._live(day)
            if self.failures:
                break
            if number % 10 == 9:
                self.say(f"{day}: {self.report()}")
        self._check_all()
        return self.failures

    def report(self):
        return ", ".join(f"{count} {what}" for what, count in self.counts.items())

    def _live(self, day):
        self.counts['days'] += 1
        self.server.strict = self.random.random() < 0.3
        self._do('soak_morning', day, seed=self.random.randrange(10 ** 9), accepted=self._get_accepted())
        self._shake('plan', day)
        self._do('soak_noon', day, seed=self.random.randrange(10 ** 9))
        self._shake('soak_dispatch', day)
        self._shake('soak_mails_leave', day)
        # An e-mail that waited for a day is made again, and leaves the same day.
        left = self._do('soak_left', day)
        if left and not left['woken']:
            self.failures.append(f"{day}: {left['count']} notices were to be made again, and nobody wakes the queue")
        for do in ('soak_dispatch', 'soak_mails_leave') if left else ():
            self._do(do, day)
        evening = self._do('soak_evening', day)
        self.failures += [f"{day}: {problem}" for problem in evening['problems']]
        self.counts.update(evening['counts'])
        self._check_mails(day, evening['mails'])

    def _do(self, do, day, **job):
        return self.workers.do(do, day=day.isoformat(), real_letters=self.real_letters, **job)

    def _shake(self, do, day, **job):
        """Let several processes do it together, kill some, and let one that lives do the rest."""
        jobs = []
        for _number in range(TOGETHER[do]):
            one = {'do': do, 'day': day.isoformat(), 'real_letters': self.real_letters, **job}
            chance = self.random.random()
            if chance < 0.35:
                one['fault'] = {'stage': self.random.choice(STAGES[do]), 'kind': 'kill',
                                'times': self.random.randint(1, 3)}
            elif chance < 0.8:
                one['kill_after'] = self.random.uniform(0.01, 0.5)
            jobs.append(one)
        for outcome in self.workers.run_together(*jobs):
            self.counts['processes'] += 1
            self.counts['killed'] += bool(outcome['signal'])
            if outcome['error'] and not any(word in outcome['error'] for word in HARMLESS):
                self.failures.append(f"{day}: {do} ended with {outcome['error']}")
        for _number in range(TRIES):
            left = self._do(do, day, **job)
            if not left:
                return
            # PostgreSQL has yet to notice that who held them is gone. In production the queue wakes up again.
            if not left['woken']:
                self.failures.append(f"{day}: {left['count']} notices were left in the queue, and nobody wakes it")
            time.sleep(PAUSE)

    def _get_accepted(self):
        return sorted({message_id for _address, message_id, _content in self.server.accepted})

    def _check_mails(self, day, mails):
        """Compare what the books of today say about e-mails with what the mail server accepted."""
        accepted = Counter(message_id for _address, message_id, _content in self.server.accepted)
        for mail in mails:
            times = accepted[mail['message_id']]
            if mail['status'] == 'sent' and times != 1:
                self.failures.append(f"{day}: {mail['name']} was sent by the books, and accepted {times} times")
            elif mail['status'] == 'ready' and not (mail['later'] and self.server.strict):
                self.failures.append(f"{day}: {mail['name']} was forgotten in the mail queue")
            elif mail['status'] == 'exception' and not mail['uncertain']:
                self.failures.append(f"{day}: {mail['name']} failed: {mail['reason']}")
            self.counts['uncertain'] += mail['status'] == 'exception'

    def _check_all(self):
        """At the end: each notice that left by e-mail was accepted once, and nothing else was accepted."""
        accepted = Counter(message_id for _address, message_id, _content in self.server.accepted)
        known = {mail['message_id']: mail for mail in self.workers.do('soak_mails')}
        self.counts['mails accepted'] = len(self.server.accepted)
        self.failures += [f"Accepted {times} times: {known.get(message_id, {}).get('name', message_id)}"
                          for message_id, times in accepted.items() if times > 1]
        self.failures += [f"Nobody knows of {message_id}" for message_id in accepted if message_id not in known]
        for message_id, mail in known.items():
            if message_id not in accepted and mail['status'] not in ('ready', 'exception'):
                self.failures.append(f"{mail['name']} is {mail['status']} by the books, and never arrived")


# -------------------------------------------------------------------------
# JOBS
# -------------------------------------------------------------------------


def job_soak_prepare(env, answer, smtp_port):
    """A company whose reminders leave by themselves: by e-mail, by e-mail and on paper, on paper."""
    faults_engine.CHANNELS, faults_engine.PROPOSALS = {}, 0  # in this process only
    faults_engine.job_prepare(env, answer, smtp_port)
    make = faults_engine._Maker.use(env)
    make.use_policy(make.make_policy("Soak", [
        {'name': "Reminder", 'delay_days': 3, 'payment_term_days': 5},
        {'name': "Demand", 'delay_days': 2, 'payment_term_days': 5, 'delay_from': 'previous_deadline',
         'channel': 'both'},
        {'name': "Final", 'delay_days': 2, 'payment_term_days': 5, 'delay_from': 'previous_deadline',
         'channel': 'letter'},
    ], approval='automatic', bank_max_age=0))
    for number in range(DEBTORS):
        box = 'later' if number == 1 else f'debtor{number}'
        debtor = make.make_debtor(f"Debtor {number} BV", email=f'{box}@debtor.example.com', ref='soak')
        if number < 15:
            make.invoice(debtor, FIRST_DAY - timedelta(days=2), 100 + number)


def _get_open_items(env):
    return env['account.move.line'].search([
        ('account_id.account_type', '=', 'asset_receivable'), ('parent_state', '=', 'posted'),
        ('reconciled', '=', False), ('move_id.move_type', '=', 'out_invoice')])


def _pay_some(env, chance, rng):
    make = faults_engine._Maker.use(env)
    for item in _get_open_items(env):
        if rng.random() < chance:
            make.pay(item.move_id, on=env.company._dunning_today())


def job_soak_morning(env, answer, seed, accepted):
    """Invoices and payments of a day; people bring letters to the post and look after e-mails."""
    rng = random.Random(seed)
    make, today = faults_engine._Maker.use(env), env.company._dunning_today()
    debtors = env['res.partner'].search([('ref', '=', 'soak')])
    for _number in range(rng.randint(2, 7)):
        make.invoice(rng.choice(debtors), today + timedelta(days=rng.randint(-2, 4)), rng.randint(20, 900))
    _pay_some(env, 0.02, rng)
    letters = env['dunning.notice'].search([
        ('postal_state', '=', 'to_print'), ('state', 'in', ('to_post', 'leaving', 'sent'))])
    if letters:
        letters._recording().write({'postal_state': 'printed'})
        letters.action_mark_posted()
    # Where it is not certain whether it left, a person asked: what did not arrive is tried again.
    failed = env['mail.mail'].search([('state', '=', 'exception'), ('model', '=', 'dunning.notice')])
    failed.filtered(lambda mail: mail.message_id not in accepted).action_retry()
    arrived = failed.filtered(lambda mail: mail.message_id in accepted)
    env['dunning.notice'].search([('mail_id', 'in', arrived.ids)]).action_confirm_mailed()
    faults_engine.job_pass_pauses(env, answer)


def job_soak_noon(env, answer, seed):
    """Some pay after the reminder was planned and before it leaves."""
    _pay_some(env, 0.03, random.Random(seed))


def job_soak_dispatch(env, answer):
    """Send; return what is still there although nothing is said to be in its way."""
    faults_engine.job_dispatch(env, answer, CHUNK)
    return job_soak_left(env, answer)


def job_soak_left(env, answer):
    """Return how many notices wait although nothing is said to be in their way, and whether the queue is awake."""
    left = env['dunning.notice'].search([('state', '=', 'queued'), ('waiting_reason', '=', False)])
    cron = env.ref('l10n_nl_dunning.ir_cron_dunning_dispatch')
    # It wakes later, or was woken when they came into the queue.
    since = min([env.cr.now(), *left.mapped('write_date')]) - timedelta(seconds=1)
    woken = env['ir.cron.trigger'].search_count([('cron_id', '=', cron.id), ('call_at', '>=', since)], limit=1)
    return {'count': len(left), 'woken': bool(woken)} if left else None


def job_soak_mails_leave(env, answer):
    """Hand over e-mails; return what is still there."""
    faults_engine.job_mails(env, answer)
    env.cr.commit()
    count = env['mail.mail'].search_count([('state', '=', 'outgoing'), ('scheduled_date', '=', False)])
    return {'count': count, 'woken': True} if count else None


def job_soak_evening(env, answer):
    """What is wrong with the books after a day, and its e-mails."""
    company = env.company
    today = company._dunning_today()
    Notice = env['dunning.notice']
    problems = []
    for notice in Notice.search([('state', '=', 'queued')]):
        if not notice.waiting_reason:
            problems.append(f"{notice.name} was left in the queue")
    due = [decision for decision in env['dunning.planner']._plan(company, today) if not decision.reason]
    problems += [f"item {decision.item_id} is due and has no notice" for decision in due]
    touched = Notice.search(['|', ('date', '=', today), ('write_date', '>=', env.cr.now() - timedelta(minutes=10))])
    told = Counter()
    for notice in touched:
        problems += [f"{notice.name} ({notice.state}, {notice.channel}): {problem}" for problem in _judge(env, notice)]
        if notice.date == today and notice.state in DONE_STATES:
            told[notice.partner_id.name] += 1
    problems += [f"{name} got {count} messages on one day" for name, count in told.items() if count > 1]
    env.cr.execute(
        """
        SELECT move_line_id, level_id FROM dunning_notice_line WHERE status IN ('pending', 'sent')
      GROUP BY move_line_id, level_id HAVING COUNT(*) > 1
        """)
    problems += [f"item {item} was asked twice at level {level}" for item, level in env.cr.fetchall()]
    left = touched.filtered(lambda notice: notice.date == today and notice.state in DONE_STATES)
    return {
        'problems': problems, 'mails': _get_mails(touched),
        'counts': {'notices left': len(left), 'letters': sum(bool(notice.letter_sha256) for notice in left)}}


def _judge(env, notice):
    """Yield what is half about a notice."""
    by_mail, on_paper = notice.channel in ('email', 'both'), notice.channel in ('letter', 'both')
    # What failed after its mail was made is a person's, and what is made again was made before.
    done = notice.state in DONE_STATES or bool(notice.state == 'error' and notice.mail_message_id)
    again = not done and bool(notice.mail_id)
    if not done and notice.state not in ('draft', 'queued', 'cancelled'):
        yield f"in a state it should not be in: {notice.error_message}"
    letters = env['ir.attachment'].search([
        ('res_model', '=', 'dunning.notice'), ('res_field', '=', 'letter_file'), ('res_id', '=', notice.id)])
    if notice.state != 'cancelled' and not again:
        if len(letters) != int(done):
            yield f"{len(letters)} PDFs"
        if done and hashlib.sha256(letters[:1].raw or b'').hexdigest() != notice.letter_sha256:
            yield "the PDF is not the one that left"
    messages = env['mail.message'].search([
        ('model', '=', 'dunning.notice'), ('res_id', '=', notice.id), ('message_type', '=', 'comment')])
    if bool(messages) != (done and by_mail) and not again and notice.state != 'cancelled':
        yield f"{len(messages)} e-mails were made"
    if done and on_paper and not notice.postal_state:
        yield "nothing for the post"


def _get_mails(notices):
    result = []
    for notice in notices:
        message = notice.mail_message_id
        if not message:
            continue
        mail = notice.mail_id
        reason = " ".join(filter(None, message.notification_ids.mapped('failure_reason')))
        result.append({
            'name': notice.name, 'message_id': message.message_id,
            'status': message.notification_ids[:1].notification_status, 'reason': reason,
            'uncertain': "not certain" in reason, 'later': bool(mail.scheduled_date)})
    return result


def job_soak_mails(env, answer):
    """All e-mails of notices, as the books know them."""
    return _get_mails(env['dunning.notice'].search([('mail_message_id', '!=', False)]))


JOBS.update({name.removeprefix('job_'): job for name, job in list(globals().items()) if name.startswith('job_')})

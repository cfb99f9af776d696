"""The demonstration: an installation company, its customers and their invoices, relative to today.

What there is, is data: dev/demo/ (company, debtors, invoices with what happened to them, calls). Some debtors have a
past: the scheduled actions were run for them on earlier days, the calls made and the letters posted.
"""

import base64
import csv
import json
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path

from freezegun.api import freeze_time

from odoo.fields import Command
from odoo.tools.convert import convert_csv_import, convert_xml_import

DATA = Path(__file__).with_name("demo")
STORY = json.loads((DATA / "story.json").read_text())
with (DATA / "invoices.csv").open(newline="") as _file:
    INVOICES = list(csv.DictReader(_file))
#: The scheduled actions were not run during the last QUIET_DAYS days: what became due meanwhile is due today.
PAST_DAYS, QUIET_DAYS = 100, 4
#: In place of a number of days: long enough ago for the last demand to a consumer, see `_days_since_due`.
LAST_DEMAND = "last demand"
#: Days from the due date to the 14-day letter in the shipped ladder: 5, a term of 7, 4, a term of 7, 4.
FOURTEEN_DAY_LETTER, AFTER_ITS_TERM = 27, 4


def load(env):
    """Fill a fresh database."""
    _make_company(env)
    company = env.company
    today = company._dunning_today()
    year_ago = today - timedelta(days=365)
    # Only here: on a Sunday, a holiday or in the evening the demonstration could not send anything.
    company.write({"dunning_start_date": year_ago, "dunning_oldest_due_date": year_ago, "dunning_quiet": False})
    env["res.currency.rate"].create(
        {
            "currency_id": env.ref("base.USD").id,
            "company_id": company.id,
            "name": today - timedelta(days=90),
            "rate": 1.0850,
        }
    )
    _confirm_rates(env, today)
    # A bank statement of today: reminders wait when the bank data are old.
    rent = {"journal_id": _bank_journal(env).id, "date": today, "payment_ref": "Huur werkplaats", "amount": -1850.00}
    env["account.bank.statement.line"].create(rent)
    past = _make_invoices(env, today, "past")
    # PostgreSQL takes tables that were empty until now for empty, and would read them whole for every row.
    env.cr.execute("ANALYZE account_move, account_move_line")
    _live_through(env, company, today)
    _Events(env, today).let_happen(past)
    _Events(env, today).let_happen(_make_invoices(env, today, "now"))
    _make_invoices(env, today, "dollar", currency_id=env.ref("base.USD").id)
    _make_instalments(env, today, **STORY["instalments"])
    for ref, days, hour, login, said in STORY["calls"]:
        _log_call(env, today + timedelta(days=days), _debtors(env, ref), login, hour, **said)
    env["dunning.promise"]._judge(company, today)
    env["dunning.behaviour"]._refresh(company, today)
    _share_work(env, company, today)
    if "sale.order" in env:
        _sell(env)
    _open_branch(env, today, **STORY["branch"])
    env.flush_all()


def _make_company(env):
    """Make the company, its users and customers: what does not depend on today."""
    env["res.lang"]._activate_lang("de_DE")
    env.company.write({"country_id": env.ref("base.nl").id, "currency_id": env.ref("base.EUR").id})
    env["account.chart.template"].try_loading("nl", env.company)
    quiet = env(context={**env.context, "no_reset_password": True})
    convert_xml_import(quiet, "demo", str(DATA / "company.xml"), idref={})
    convert_csv_import(quiet, "demo", "res.partner.csv", (DATA / "res.partner.csv").read_bytes())
    # The demonstration sends by itself and books what it asks; the addon ships with “Propose, I approve” and with
    # interest and costs on letters only.
    for policy in env["dunning.policy"].search([]):
        booking = "booked" if policy.debtor_type == "business" else "letter"
        least = max(policy.minimum_amount, 10)
        policy.write({"approval": "automatic", "minimum_amount": least, "claim_booking": booking})


def run_scheduled_actions(env, *xmlids):
    """Run them as the server does, and look anew at what they changed."""
    for xmlid in xmlids:
        outcome = env.ref(xmlid).method_direct_trigger()
        if outcome is not True:
            message = outcome.get("params", {}).get("message", outcome)
            raise SystemExit(f"✗ The scheduled action “{env.ref(xmlid).name}” failed: {message}")
        # The job worked on a cursor of its own; a new transaction is needed to see what it did.
        env.cr.commit()
    env.invalidate_all()


# --- invoices ---


def _days_since_due(company, today):
    """Return the days from today to a due date that make the last demand to a consumer due about now.

    How long that takes depends on Sundays and holidays: the term of the 14-day letter runs from its receipt.
    """
    from odoo.addons.l10n_nl_dunning.tools.law import dutch_calendar

    days = -FOURTEEN_DAY_LETTER
    while True:
        posted = today + timedelta(days=days + FOURTEEN_DAY_LETTER)
        received = dutch_calendar.presumed_receipt(posted, company._get_dunning_postal_days(posted))
        if dutch_calendar.fourteen_day_term(received).last_free_day + timedelta(days=AFTER_ITS_TERM) <= today:
            return days
        days -= 1


def _make_invoices(env, today, when, **values):
    """Post an invoice per row of then; each was sent on its own day. Return ``[(invoice, event)]``."""
    rows = [row for row in INVOICES if row["when"] == when]
    values_list = []
    for row in rows:
        debtor, days = _debtors(env, row["debtor"]), row["days"]
        due = today + timedelta(days=_days_since_due(env.company, today) if days == LAST_DEMAND else int(days))
        # Consumers get 14 days, businesses 30; nothing is dated after today.
        day = min(due - timedelta(days=30 if debtor.is_company else 14), today - timedelta(days=1))
        line = _line(env, debtor, row["text"], float(row["amount"]))
        values_list.append(_invoice(debtor, day, line, invoice_date_due=due, invoice_payment_term_id=False, **values))
    moves = env["account.move"].create(values_list)
    moves.sorted(lambda move: (move.invoice_date, move.id)).action_post()
    moves.is_move_sent = True
    return [(move, row["event"]) for move, row in zip(moves, rows, strict=True)]


def _invoice(debtor, day, line, **values):
    invoice = {"move_type": "out_invoice", "partner_id": debtor.id, "invoice_date": day, "invoice_line_ids": [line]}
    return {**invoice, **values}


def _line(env, debtor, text, amount):
    tax = env.company.account_sale_tax_id if debtor.country_id.code == "NL" else env["account.tax"]
    return Command.create({"name": text, "price_unit": amount, "tax_ids": [Command.set(tax.ids)]})


def _make_instalments(env, today, *, debtor, text, amount, days, paid, term, parts):
    """An invoice to be paid in parts; the first part is paid, the second overdue."""
    lines = [{"value": "percent", "value_amount": percent, "nb_days": later} for percent, later in parts]
    term = env["account.payment.term"].create({"name": term, "line_ids": list(map(Command.create, lines))})
    debtor = _debtors(env, debtor)
    line, day = _line(env, debtor, text, amount), today + timedelta(days=days)
    move = env["account.move"].create(_invoice(debtor, day, line, invoice_payment_term_id=term.id))
    move.action_post()
    move.is_move_sent = True
    _pay(env, move, today + timedelta(days=paid), _receivable(move).sorted("date_maturity")[0].amount_residual)


class _Events:
    """What happened to an invoice: the steps in ``events`` of the story are methods, of this class or of an invoice."""

    def __init__(self, env, today):
        self.env, self.today = env, today

    def let_happen(self, moves):
        for move, event in moves:
            for name, words in STORY["events"].get(event, ()) if event else ():
                if hasattr(self, name):
                    getattr(self, name)(move, **words)
                else:
                    getattr(move, name)(**words)

    def pay(self, move, days=None, days_since_due=0, share=None):
        day = move.invoice_date_due + timedelta(days=days_since_due) if days is None else self._day(days)
        _pay(self.env, move, day, share and round(move.amount_total * share, 2))

    def pay_in_term(self, move, amount):
        """A part was paid within the fourteen days: it bears no costs."""
        _pay(self.env, move, min(self._get_notice(move, "fourteen_day").deadline, self.today) - timedelta(3), amount)

    def pay_unmatched(self, move, days, memo):
        """Paid without saying for what: more than enough, but not matched with the invoice."""
        kind = {"partner_id": move.partner_id.id, "partner_type": "customer", "payment_type": "inbound"}
        paid = {"amount": move.amount_total, "date": self._day(days), "journal_id": _bank_journal(self.env).id}
        self.env["account.payment"].create({**kind, **paid, "memo": memo}).action_post()

    def credit(self, move, share):
        day = self._day(-2)
        credit = move._reverse_moves([{"invoice_date": day, "date": day}])
        credit.invoice_line_ids.price_unit *= share
        credit.action_post()  # which also reconciles it with what it reverses

    def receive(self, move, date):
        return self.env["account.bank.statement.line"].create(
            {
                "journal_id": _bank_journal(self.env).id,
                "date": date,
                "payment_ref": move.payment_reference or move.name,
                "partner_id": move.partner_id.id,
                "amount": move.amount_total,
            }
        )

    def receive_and_match(self, move):
        """Received on the bank account and matched with the invoice there."""
        _liquidity, suspense, _other = self.receive(move, move.invoice_date_due)._seek_for_lines()
        suspense.account_id = _receivable(move).account_id
        (suspense + _receivable(move)).reconcile()

    def receive_without_name(self, move):
        """Money came in with the number of the invoice, and nobody matched it yet."""
        self.receive(move, self.today).write({"partner_id": False, "payment_ref": f"Betaling {move.name}"})

    def call(self, move, day, **said):
        """A call about this invoice; `days` is from the call to the day that was named."""
        _log_call(self.env, self._day(day), move.partner_id, "accountant", item_ids=_receivable(move).ids, **said)

    def answer(self, move, body):
        """The debtor answered the e-mail, and nobody read it yet."""
        notice, debtor = self._get_notice(move), move.partner_id
        kind = {"message_type": "email", "subtype_xmlid": "mail.mt_comment"}
        notice.message_post(author_id=debtor.id, body=body, **kind)
        notice.message_update({"author_id": debtor.id, "email_from": debtor.email})

    def bounce(self, move):
        """The mail came back: the reminder does not count, and goes again on paper."""
        reason = "550 5.1.1 The e-mail account that you tried to reach does not exist"
        values = {"notification_status": "bounce", "failure_type": "mail_bounce", "failure_reason": reason}
        self._get_notice(move).mail_message_id.notification_ids.write(values)

    def prove_delivery(self, move, tracking_code):
        """The 14-day letter was sent by registered post: its term runs from a day that is proven."""
        letter = self._get_notice(move, "fourteen_day")
        day = letter.posted_on + timedelta(days=2)
        day += timedelta(days=day.weekday() == 6)
        proof = f"Zending {tracking_code}\nBezorgd op {day:%d-%m-%Y} om 11:42 uur\n"
        proof += f"Ontvangen door: {move.partner_id.name}\n"
        self.env["dunning.receipt.enter"].with_user(_user(self.env, "accountant")).create(
            {
                "notice_id": letter.id,
                "kind": "registered",
                "date": min(day, self.today),
                "tracking_code": tracking_code,
                "proof": base64.b64encode(proof.encode()),
                "proof_filename": "bezorgbewijs.txt",
            }
        ).action_confirm()

    def arrange(self, move, **terms):
        """On offer: it can be read and signed on its page."""
        self._make_arrangement(self.env, move, terms).action_offer()

    def arrange_in_the_past(self, move, **terms):
        """Two instalments were paid; the third did not come, and the debtor was told."""
        with _on(self.env, self._day(-88)) as then:
            arrangement = self._make_arrangement(then, move, terms)
            arrangement._offer(send=False)
            scan = then["ir.attachment"].create({"name": "Regeling getekend.pdf", "raw": b"%PDF-1.4 scan"})
            arrangement._sign("Kees van der Horst", via="paper", scan=scan)
            arrangement.with_user(_user(self.env, "accountant")).action_countersign()
        for part in arrangement.instalment_ids.sorted("date_due")[:2]:
            _pay(self.env, move, part.date_due, part.amount)
        for days in range(-28, 1, 7):
            with _on(self.env, self._day(days)) as then:
                then["dunning.arrangement"]._judge(self.env.company, self._day(days))
        let_mails_leave(self.env, "dunning.arrangement")

    def _make_arrangement(self, env, move, terms):
        user = _user(self.env, "accountant").with_env(env)
        return env["dunning.arrangement"]._make(env.company, move.partner_id, _receivable(move), terms, user=user)

    def _day(self, days):
        return self.today + timedelta(days=days)

    def _get_notice(self, move, role=False):
        """Return the last notice about an invoice that left, with that role in law."""
        lines = self.env["dunning.notice.line"].search([("move_id", "=", move.id), ("status", "=", "sent")])
        return lines.notice_id.filtered(lambda notice: not role or notice.legal_role == role).sorted("date")[-1]


def _pay(env, moves, date, amount=None):
    wizard = env["account.payment.register"].with_context(active_model="account.move", active_ids=moves.ids)
    wizard.create({"payment_date": date, **({"amount": amount} if amount else {})})._create_payments()


def _log_call(env, day, debtor, login, hour=8, days=None, **said):
    """Log a call of a user; `days` is from the call to the day that was named."""
    if days is not None:
        said["date"] = str(day + timedelta(days=days))
    with _on(env, day, hour) as then:
        Call = then["dunning.call"].with_user(_user(env, login))
        Call.log_call({"partner_id": debtor.id, "origin": "screen", "duration": 95, **said})


def _share_work(env, company, today):
    """A colleague is away today, and what is large needs two of them: she looked at one proposal before."""
    accountant, colleague = _user(env, "accountant"), _user(env, "colleague")
    away = {"date_from": today, "date_to": today + timedelta(days=4)}
    env["dunning.absence"].create({"user_id": colleague.id, "cover_id": accountant.id, **away})
    env.ref("l10n_nl_dunning.policy_business").write({"four_eyes": "above", "four_eyes_amount": 2500})
    debtor = _debtors(env, "D1002")
    decisions = env["dunning.planner"].with_company(company)._plan(company, today, partners=debtor, only_due=True)
    last_level = env.ref("l10n_nl_dunning.level_business_final")
    last = [decision for decision in decisions if decision.level_id == last_level.id]
    proposal = env["dunning.notice"]._create_from_decisions(company, last, today).with_user(colleague)
    proposal.write({"note": "Karel van Dijk belt zelf terug; hij krijgt de brief."})
    small, reason = proposal.live_line_ids.sorted("amount_residual")[:1], "De keuring van de lift wordt nog opgeleverd"
    internal = env.ref("l10n_nl_dunning.hold_reason_internal")
    proposal._take_off(small, reason, internal, today + timedelta(days=14))


def _sell(env):
    """Tom sells to customers of all kinds; Marieke releases what the policy holds."""
    _user(env, "sales").group_ids |= env.ref("sales_team.group_sale_salesman_all_leads")
    for login in ("accountant", "admin"):
        _user(env, login).group_ids |= env.ref("l10n_nl_dunning_sale.group_credit_manager")
    for policy, *rules in STORY["credit_rules"]:
        levels = {name: env.ref(f"l10n_nl_dunning.{name}").id for _when, name, _then in rules if name}
        env.ref(f"l10n_nl_dunning.{policy}").credit_rule_ids = [
            Command.create({"condition": when, "level_id": levels.get(name), "effect": then})
            for when, name, then in rules
        ]
    user = _user(env, "sales")
    for ref, text, amount, asked in STORY["quotations"]:
        product = env["product.product"].create({"name": text, "type": "service", "list_price": amount})
        line = Command.create({"product_id": product.id, "product_uom_qty": 1})
        order = (
            env["sale.order"]
            .with_user(user)
            .create({"partner_id": _debtors(env, ref).id, "user_id": user.id, "order_line": [line]})
        )
        if asked:
            order.action_dunning_ask()


def _open_branch(env, today, *, company, invoices):
    """A branch of the same creditor, where one clerk works, and what is owed to it."""
    country = env.company.country_id
    branch = env["res.company"].create({**company, "parent_id": env.company.id, "country_id": country.id})
    env.cr.precommit.run()  # its chart of accounts
    for login in ("admin", "accountant"):
        _user(env, login).company_ids |= branch
    values = {"company_id": branch.id, "company_ids": [Command.set(branch.ids)]}
    clerk = {"name": "Bram Kuiper", "login": "branch", "password": "branch", "email": "bram@jansen.example"}
    _user(env, "colleague").with_context(no_reset_password=True).copy({**clerk, **values})
    for ref, days, text, amount in invoices:
        debtor, due = _debtors(env, ref), today + timedelta(days=days)
        move = (
            env["account.move"]
            .with_company(branch)
            .create(
                _invoice(
                    debtor,
                    due - timedelta(days=30 if debtor.is_company else 14),
                    _line(env, debtor, text, amount),
                    invoice_date_due=due,
                    invoice_payment_term_id=False,
                    company_id=branch.id,
                )
            )
        )
        move.action_post()
        move.is_move_sent = True


def _receivable(move):
    return move.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")


def _bank_journal(env):
    return env["account.journal"].search([("company_id", "=", env.company.id), ("type", "=", "bank")], limit=1)


def _user(env, login):
    return env["res.users"].search([("login", "=", login)], limit=1)


def _debtors(env, *refs):
    return env["res.partner"].search([("ref", "in", refs)])


def _confirm_rates(env, today):
    """Record that the rates did not change since this version: only in a demonstration, where no debtor is real."""
    Rate = env["dunning.interest.rate"]
    for kind in Rate._freshness(today):
        Rate.search([("kind", "=", kind)], order="date_from desc", limit=1).action_confirm_half_year()


# --- the past ---


def _live_through(env, company, today):
    """Run the scheduled actions on each earlier day on which something was due, and do what people did then."""
    day, last = today - timedelta(days=PAST_DAYS), today - timedelta(days=QUIET_DAYS)
    while day <= last:
        with _on(env, day) as then:
            _one_day(then, company, day)
            decisions = then["dunning.planner"].with_company(company)._plan(company, day)
        upcoming = [decision.next_date for decision in decisions if decision.next_date and decision.next_date > day]
        day = min(upcoming, default=today)


def _one_day(env, company, day):
    notices = env["dunning.run"]._plan_company(company, day)["notices"]
    env["dunning.dispatcher"]._dispatch(notices.filtered(lambda notice: notice.state == "queued"))
    people = notices.with_user(_user(env, "accountant"))
    for call in people.filtered(lambda notice: notice.state == "todo"):
        said = call.channel == "phone" and STORY["calls_of_ladder"].get(call.partner_id.ref)
        if said:
            _log_call(env, day, call.partner_id, "accountant", **said)
        else:
            call.note = "Gesproken met de administratie; zij kijkt het na."
            call.action_done()
    if letters := people.filtered(lambda notice: notice.postal_state == "to_print"):
        letters._recording().write({"postal_state": "printed"})
        letters.action_mark_posted()
    # The mail queue works all day: what left then is received the day after, and not mailed again today.
    let_mails_leave(env)
    if failed := notices.filtered(lambda notice: notice.state == "error"):
        raise ValueError(f"Could not live through {day}: {failed[0].error_message}")


def let_mails_leave(env, model="dunning.notice"):
    """Do what the mail queue does when a mail server accepts everything; the mails are kept to be looked at."""
    mails = env["mail.mail"].search([("model", "=", model), ("state", "=", "outgoing")])
    mails.write({"state": "sent", "auto_delete": False})
    mails._postprocess_sent_message(success_pids=[], success_emails=mails.mapped("email_to"))


@contextmanager
def _on(env, day, hour=8):
    """Yield the environment of a day in the past, in the morning or at that hour (UTC)."""
    with freeze_time(datetime.combine(day, time(hour)), ignore=["psycopg2"]):
        yield env(context={**env.context, "dunning_at_date": day})

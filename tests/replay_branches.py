"""The random world of a creditor with branches: each invoice, payment, credit note, hold and promise is of any of them.

The referee knows one creditor: nothing in his books says where something was booked. So a letter, a set-off or a day
of rest that somebody works out per company is wrong. Of letters to consumers he knows besides that there is one about
all that is owed, with costs over the sum (article 6:96 paragraph 7 BW).
"""

from datetime import timedelta

from .replay_engine import EARLY
from .replay_world import WorldReplay

#: The statutory scale (Besluit vergoeding voor buitengerechtelijke incassokosten): cents until which a percentage is.
SCALE, LEAST_COSTS = ((250_000, 15), (500_000, 10), (1_000_000, 5), (20_000_000, 1)), 4000


def get_costs(cents):
    """Return the costs of collection of a principal, in cents."""
    costs = since = 0
    for until, percent in SCALE:
        costs += max(0, min(cents, until) - since) * percent / 100
        since = until
    return max(LEAST_COSTS, round(costs))


class BranchReplay(WorldReplay):
    """:param branches: companies of the same creditor as the company"""

    def __init__(self, env, company, rows, *, branches, **kwargs):
        super().__init__(env, company, rows, **kwargs)
        self.env = self.env(context={**self.env.context, 'allowed_company_ids': [company.id, *branches.ids]})
        self.company = self.company.with_env(self.env)
        self.places = self.env['res.company'].browse([company.id, *branches.ids])

    def set_up(self):
        result = super().set_up()
        # The account of the head office is one of its branches as well; each has one of its own besides.
        self.banks = self.bank | self.env['account.journal'].create([
            {'name': "Bank", 'type': 'bank', 'code': f'BNK{number}', 'company_id': branch.id}
            for number, branch in enumerate(self.places[1:], 2)])
        return result

    def _get_place(self, *what):
        place = self._chance('place', *what).choice(list(self.places))
        self.events[f'{what[0]}: {place.name}'] += 1
        return place

    def _get_account(self, row):
        return self._chance('account', row.number).choice(list(self.banks))

    def _judge_sent(self, notice, day, moment):
        rows = [self.by_item[line.move_line_id.id] for line in notice.live_line_ids]
        before = {row.number for row in rows if self._is_told_fourteen_days(row)}
        result = super()._judge_sent(notice, day, moment)
        if len(notice.live_line_ids.move_id.company_id) > 1:
            self.events['notice about several companies'] += 1
        if notice.level_id.legal_role == 'fourteen_day':
            self._judge_fourteen_days(notice, rows, before, day)
        return result

    def _judge_fourteen_days(self, notice, rows, before, day):
        asked = sum(
            round((line.amount_residual - line.amount_held - line.amount_netted) * 100)
            for line in notice.live_line_ids)
        if round(notice.amount_announced * 100) != get_costs(asked):
            self._fail(day, f"{notice.name}: {notice.amount_announced} was announced over {asked / 100}")
        customer, when = rows[0].customer, (notice.date, EARLY)
        for row in self.rows_of[customer]:
            if row in rows or row.number in before or not row.item_id or row.due_date >= notice.date:
                continue
            if self._is_free(row, when) and customer not in self.touched[notice.date]:
                self._fail(day, f"{notice.name}: {row.number} could have been claimed in the same letter")

    @staticmethod
    def _is_fourteen_days(step):
        return step.level.legal_role == 'fourteen_day' and step.kind == 'sent'

    def _is_told_fourteen_days(self, row):
        return any(map(self._is_fourteen_days, self.accounts[row.number].get_ladder()))

    def _is_free(self, row, when):
        """Return whether nothing whatever is in the way of asking an invoice on the day of a letter and the day before.
        """
        account = self.accounts[row.number]
        last = row.history[-1] if row.history else None
        return all(
            self._get_open(row, now) > 0 and not account.get_marks(now) and not self._get_held(row, now)[1]
            and not self._get_netted(row, now)[1] and not self._may_be_paid(row, now)
            and not self._is_collected(row, now)
            for now in (when, (when[0] - timedelta(days=1), EARLY))
        ) and not self._is_told_fourteen_days(row) and not (last and last[2] > when[0] + timedelta(days=14))

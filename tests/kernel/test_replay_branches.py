"""Weeks of real invoices of a head office and its branches: the referee knows that they are one creditor."""

from datetime import date, timedelta

from odoo.tests import tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .. import replay_branches, replay_engine
from .test_replay import SAMPLE

FIRST = date(2012, 3, 1)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestReplayBranches(AccountTestInvoicingCommon):

    @classmethod
    @AccountTestInvoicingCommon.setup_country('nl')
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({'email': 'finance@replay.example', 'street': "Kade 1", 'city': "Amsterdam"})
        cls.branches = cls.env['res.company'].create([
            {'name': name, 'parent_id': cls.company.id} for name in ("Utrecht", "Breda")])
        cls.env.cr.precommit.run()  # the charts of accounts
        cls.env = cls.env(context={**cls.env.context, 'tracking_disable': True})

    def replay(self, late=36):
        """Live through three invoices of a consumer and three of a business, at any of the companies."""
        found = {}
        for row in replay_engine.read_rows(SAMPLE):
            if not row.disputed:
                found.setdefault(row.country in ('818', '897'), []).append(row)
        rows = [row for debtor in found.values() for row in debtor[:3]]
        for debtor in found.values():
            for row in debtor:
                row.customer, row.country = debtor[0].customer, debtor[0].country
        fates = {row.number: 'nothing' for row in rows}
        for row in rows:
            row.invoice_date, row.due_date = FIRST, FIRST + timedelta(days=2)
            row.settled_date = row.due_date + timedelta(days=late)
        return Places(
            self.env, self.company, sorted(rows, key=lambda row: row.number), branches=self.branches, fates=fates,
            aftermath=1)

    def test_one_creditor(self):
        replay = self.replay()
        self.assertFalse(replay.run(), replay.report())
        self.assertGreater(replay.events['notice about several companies'], 3, replay.report())
        roles = [level.legal_role for _policy, level, _channel, state in replay.levels if state == 'sent']
        self.assertIn('fourteen_day', roles)

    def test_referee(self):
        """Whoever plans each company as a creditor of its own is caught."""
        replay = self.replay()
        set_up = replay.set_up

        def apart():
            set_up()
            self.branches.write({'dunning_legal_person': True, 'email': 'finance@replay.example'})
            self.env['res.partner.bank'].create([
                {'acc_number': iban, 'partner_id': branch.partner_id.id}
                for iban, branch in zip(('NL20INGB0001234567', 'NL44RABO0123456789'), self.branches, strict=True)])

        self.patch(replay, 'set_up', apart)
        failures = "\n".join(replay.run())
        for text in ("the debtor already got", "could have been claimed in the same letter", "other open items"):
            self.assertIn(text, failures)


class Places(replay_branches.BranchReplay):
    """Each of the three invoices of a debtor is of another company, and no mail comes back."""

    def _make_debtors(self, policies):
        result = super()._make_debtors(policies)
        for customer, debtor in self.debtors.items():
            debtor.write({'email': f'{customer.lower()}@replay.example', 'street': "Kade 1"})
            kind = 'business' if debtor.is_company else 'consumer'
            debtor.with_company(self.company).dunning_policy_id = self.policy_of[customer] = policies[kind]
            self.reachable[customer].update(email=True, both=True)
        self.consumers = {customer for customer, debtor in self.debtors.items() if not debtor.is_company}
        return result

    def _get_place(self, what, number, *more):
        numbers = sorted(row.number for row in self.rows_of[self.row_of[number].customer])
        return self.places[(numbers.index(number) + (what != 'invoice')) % len(self.places)]

    def _collect(self, env, day):
        replay_engine.Replay._collect(self, env, day)

    def _scheduled(self, env, day, name, faults):
        getattr(env['dunning.run'], name)()

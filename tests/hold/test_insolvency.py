"""An insolvency stops older debts and their interest from its first day on; later debts go on."""

from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from ...tools.law.insolvency import KINDS, Insolvency, stops_dunning
from ..common import TODAY, days
from .test_hold import HoldCommon

RULING = TODAY + days(10)
LATER = TODAY + days(60)
END = TODAY + days(100)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestInsolvency(HoldCommon):

    def insolvent(self, kind='bankruptcy', on=RULING, **values):
        return self.hold(
            self.business, END, 'insolvency', on=on, insolvency_kind=kind, insolvent_on=RULING, **values)

    def claim(self, move, at_date):
        return self.on(at_date, self.env['dunning.claim'])._compute(self.items(move), at_date)

    def test_older_debts_stop_and_later_ones_go_on(self):
        """In SQL the same as in `tools/law`: by the delivery, or else by the invoice."""
        moves = {}
        for invoiced, delivered in (
            (RULING - days(5), None), (RULING, None), (RULING + days(1), None), (RULING + days(9), RULING - days(1)),
            (RULING - days(2), RULING + days(2)),
        ):
            move = self.invoice(due=invoiced + days(30), post=False, invoice_date=invoiced, date=invoiced)
            move.delivery_date = delivered
            move.action_post()
            moves[move] = delivered or invoiced
        insolvency = Insolvency('bankruptcy', RULING)
        hold = self.insolvent()
        older = self.env['account.move']
        for move, arose_on in moves.items():
            stops = stops_dunning(insolvency, arose_on, LATER)
            older |= move if stops else older
            with self.subTest(arose_on=arose_on):
                self.assertEqual(self.reason(move, LATER), 'hold' if stops else 'due')
        self.assertEqual(len(older), 3)
        self.assertEqual(hold._get_items(), self.items(older))
        self.assertEqual(
            self.env['dunning.hold.report'].search([('hold_id', '=', hold.id)]).move_id, older)
        # And the ladder asks no more than that.
        self.assertEqual(self.dun(LATER).live_line_ids.move_id, self.concat(*moves) - older)

    def concat(self, *moves):
        return self.env['account.move'].concat(*moves)

    def test_while_the_day_is_not_known_everything_is_on_hold(self):
        old, new = self.invoice(), self.invoice(due=RULING + days(40))
        hold = self.hold(self.business, END, 'insolvency')
        for move in (old, new):
            self.assertEqual(self.reason(move, LATER), 'hold')
        self.on(RULING, hold.with_user(self.clerk)).write({'insolvency_kind': 'suspension', 'insolvent_on': RULING})
        self.assertEqual((self.reason(old, LATER), self.reason(new, LATER)), ('hold', 'due'))

    def test_interest_ends_the_day_before(self):
        old, new = self.invoice(amount=1000), self.invoice(due=RULING + days(31), amount=1000)
        before = self.claim(old, RULING - days(1))
        later, of_new = self.claim(old, LATER), self.claim(new, LATER)
        self.assertGreater(later.interest, before.interest)
        hold = self.insolvent()
        claim = self.claim(old, LATER)
        self.assertEqual((claim.interest, claim.per_day), (before.interest, 0))
        self.assertEqual(claim.costs, before.costs)
        self.assertEqual(self.claim(old, RULING - days(4)).interest, self.claim(old, RULING - days(4)).interest)
        words = self.env['dunning.claim']._prepare_specification(claim.to_json(), self.business, self.company)
        self.assertIn("the day before the debtor became insolvent", words['items'][0]['why'])
        # A later debt bears interest as always.
        self.assertEqual(self.claim(new, LATER).interest, of_new.interest)
        # Whoever closes the hold says that it is over.
        self.close(hold, LATER)
        self.assertEqual(self.claim(old, LATER).interest, later.interest)

    def test_interest_that_had_not_begun_never_does(self):
        old = self.invoice(due=RULING + days(5), amount=1000)
        self.insolvent()
        claim = self.claim(old, LATER)
        self.assertEqual((claim.interest, claim.costs, claim.principal), (0, 0, 1000))
        self.assertEqual(claim.items[0].interest_why, 'insolvent')

    def test_of_each_kind(self):
        old = self.invoice(amount=1000)
        without = self.claim(old, LATER).interest
        self.assertEqual(
            [kind for kind, _label in self.env['dunning.hold']._fields['insolvency_kind'].selection], list(KINDS))
        for kind, rules in KINDS.items():
            with self.subTest(kind=kind):
                hold = self.insolvent(kind)
                self.assertEqual(self.reason(old, LATER), 'hold')
                self.assertEqual(self.claim(old, LATER).interest < without, rules.stops_interest)
                self.close(hold, RULING)

    def test_only_of_this_company_and_this_debtor(self):
        other = self.invoice(self.make_debtor("Other BV"), amount=1000)
        interest = self.claim(other, LATER).interest
        self.insolvent()
        self.assertEqual(self.reason(other, LATER), 'due')
        self.assertEqual(self.claim(other, LATER).interest, interest)

    def test_what_a_trustee_asks(self):
        """The claim of the day of the ruling, also of what was not due yet; not what is put on hold by it."""
        old, not_due = self.invoice(amount=1000), self.invoice(due=RULING + days(20), amount=500)
        self.invoice(due=RULING + days(40), amount=70)
        curator = self.env['res.partner'].create({'name': "mr. A. de Wit"})
        hold = self.insolvent(curator_id=curator.id)
        readonly = new_test_user(
            self.env, 'rita', groups='account.group_account_readonly', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        for user in (self.clerk, readonly):
            action = self.on(LATER, hold.with_user(user)).action_dunning_specification()
            wizard = self.env['dunning.specification'].browse(action['res_id'])
            self.assertEqual((wizard.at_date, wizard.item_ids), (RULING, self.items(old | not_due)))
            claim, = self.on(LATER, wizard)._get_claims()
            self.assertEqual((claim.principal, claim.at_date), (1500, RULING))
            self.assertEqual(claim.interest, self.claim(old, RULING - days(1)).interest)
        self.assertEqual(hold.curator_id, curator)
        with self.assertRaises(UserError):
            self.hold(self.make_debtor("Third BV"), END, 'insolvency').action_dunning_specification()
        with self.assertRaises(AccessError):
            hold.with_user(new_test_user(self.env, 'employee', groups='base.group_user')).action_dunning_specification()

    def test_what_can_be_told(self):
        hold = self.insolvent()
        curator = self.env['res.partner'].create({'name': "mr. A. de Wit"})
        clerk = hold.with_user(self.clerk)
        self.on(RULING, clerk).write({'curator_id': curator.id, 'insolvent_on': RULING - days(1)})
        self.assertRecordValues(hold, [{'curator_id': curator.id, 'insolvent_on': RULING - days(1)}])
        with self.assertRaises(ValidationError):
            self.on(RULING, clerk).insolvent_on = RULING + days(1)
        with self.assertRaises(ValidationError):
            self.on(RULING, clerk).insolvency_kind = False
        self.close(hold, RULING)
        with self.assertRaises(UserError):
            self.on(RULING, clerk).insolvent_on = RULING
        with self.assertRaises(ValidationError):
            self.hold(self.invoice(), END, 'dispute', on=TODAY + days(90), insolvency_kind='bankruptcy')

    def test_the_wizard_asks(self):
        old, new = self.invoice(), self.invoice(due=date(2025, 6, 1))
        wizard = self.on(RULING, self.business.with_user(self.clerk)).action_dunning_hold()
        wizard = self.on(RULING, self.env['dunning.hold.place'].with_user(self.clerk)).browse(wizard['res_id'])
        with Form(wizard) as form:
            form.reason_id = self.reasons['insolvency']
            form.insolvency_kind = 'debt_restructuring'
            form.insolvent_on = RULING
        wizard.action_place()
        hold = self.env['dunning.hold'].search([('partner_id', '=', self.business.id)])
        self.assertRecordValues(hold, [{'insolvency_kind': 'debt_restructuring', 'insolvent_on': RULING}])
        self.assertEqual((self.reason(old, LATER), self.reason(new, date(2025, 6, 20))), ('hold', 'due'))

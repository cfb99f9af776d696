"""Who was treated as a consumer stays one, with private debts, until somebody in accounting says why not."""

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import TODAY, DunningCommon, days

VAT = 'NL123456782B90'
WHY = "Extract of the register of 3 March"
ACTIVITY = 'l10n_nl_dunning.mail_activity_type_debtor_type'


class DebtorTypeCase(DunningCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.consumers = cls.make_policy("Consumers", [{'name': "Reminder", 'delay_days': 5, 'payment_term_days': 14}])
        cls.company.dunning_policy_consumer_id = cls.consumers
        cls.jan = cls.make_debtor("Jan Smit", consumer=True)
        cls.sales = new_test_user(
            cls.env, 'type_sales', groups='base.group_user,base.group_partner_manager', name="Sales",
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])
        cls.clerk = new_test_user(
            cls.env, 'type_clerk', groups='account.group_account_invoice,base.group_partner_manager', name="Clerk",
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])
        cls.jan.dunning_user_id = cls.clerk

    def todo(self, debtor=None):
        return (debtor or self.jan).sudo().activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.env.ref(ACTIVITY))

    def assertStaysConsumer(self, move, debtor=None):
        debtor = debtor or self.jan
        debtor.invalidate_recordset()
        self.assertEqual(debtor.dunning_effective_type, 'consumer')
        self.assertEqual(self.decision(move).policy_id, self.consumers.id)
        self.assertRecordValues(self.todo(debtor), [{
            'user_id': self.clerk.id, 'summary': "Is this debtor a business?"}])
        self.assertIn("Until somebody in accounting confirms", self.todo(debtor).note)

    def assertBusiness(self, move, debtor=None):
        debtor = debtor or self.jan
        self.assertEqual(debtor.dunning_effective_type, 'business')
        self.assertEqual(self.decision(move).policy_id, self.ladder.id)
        self.assertFalse(self.todo(debtor))


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestConsumerStays(DebtorTypeCase):

    def test_whatever_says_that_it_is_a_business(self):
        for values in (
            {'vat': VAT}, {'company_registry': '12345678'}, {'is_company': True}, {'company_type': 'company'},
            {'vat': VAT, 'is_company': True, 'name': "Smit BV"},
        ):
            with self.subTest(values):
                jan = self.make_debtor("Jan Smit", consumer=True, dunning_user_id=self.clerk.id)
                move = self.invoice(jan)
                jan.with_user(self.sales).write(values)
                self.assertStaysConsumer(move, jan)
                self.assertTrue(all(jan[name] == value for name, value in values.items()), "The contact says it")
                # Emptied it stays one as well.
                jan.dunning_debtor_type = False
                self.assertStaysConsumer(move, jan)

    def test_who_owes_nothing_and_was_never_reminded_is_no_consumer_yet(self):
        self.jan.vat = VAT
        self.assertBusiness(self.invoice(self.jan))

    def test_who_was_reminded_and_paid(self):
        move = self.invoice(self.jan, due=TODAY - days(6))
        notice = self.dun()
        self.assertEqual((notice.partner_id, notice.debtor_type), (self.jan, 'consumer'))
        self.pay(move)
        self.jan.with_user(self.sales).vat = VAT
        self.assertStaysConsumer(self.invoice(self.jan))
        self.assertEqual(notice.debtor_type, 'consumer')

    def test_who_paid_and_was_never_reminded(self):
        self.pay(self.invoice(self.jan))
        self.jan.vat = VAT
        self.assertBusiness(self.invoice(self.jan))

    def test_the_debts_of_every_company_count(self):
        company = self.setup_other_company()['company']
        self.invoice(self.jan, company=company)
        self.jan.with_user(self.sales).vat = VAT
        self.assertEqual(self.jan.dunning_effective_type, 'consumer')

    def test_the_debtor_on_the_website(self):
        """A shop writes what its visitor typed, as superuser."""
        visitor = new_test_user(self.env, 'type_visitor', groups='base.group_portal')
        move = self.invoice(self.jan)
        self.jan.with_user(visitor).sudo().write({'vat': VAT, 'company_name': "Smit BV"})
        self.assertStaysConsumer(move)
        with self.assertRaises(UserError):
            self.jan.with_user(visitor).sudo().write({'dunning_debtor_type': 'business', 'dunning_type_reason': WHY})

    def test_an_import(self):
        move = self.invoice(self.jan)
        self.env['ir.model.data'].create({
            'module': '__test__', 'name': 'jan', 'model': 'res.partner', 'res_id': self.jan.id})
        result = self.env['res.partner'].with_user(self.sales).load(
            ['id', 'vat', 'is_company'], [['__test__.jan', VAT, '1']])
        self.assertEqual(result['ids'], self.jan.ids, result['messages'])
        self.assertStaysConsumer(move)
        result = self.env['res.partner'].with_user(self.sales).load(
            ['id', 'dunning_debtor_type'], [['__test__.jan', 'business']])
        self.assertIn("was treated as a consumer", result['messages'][0]['message'])

    def test_a_number_typed_on_a_contact_person(self):
        contact = self.make_contact(self.jan, "Piet Smit")
        move = self.invoice(self.jan)
        contact.with_user(self.sales).vat = VAT
        self.assertEqual(self.jan.vat, VAT)
        self.assertStaysConsumer(move)

    def test_only_accounting_with_a_reason(self):
        move = self.invoice(self.jan)
        for user, values in (
            (self.sales, {'dunning_debtor_type': 'business'}),
            (self.sales, {'dunning_debtor_type': 'government', 'vat': VAT}),
            (self.sales, {'dunning_debtor_type': 'business', 'dunning_type_reason': WHY}),
            (self.clerk, {'dunning_debtor_type': 'business'}),
            (self.clerk, {'dunning_debtor_type': 'business', 'dunning_type_reason': "  "}),
        ):
            with self.subTest(values, user=user.name), self.assertRaises(UserError):
                self.jan.with_user(user).write(values)
        self.assertEqual(self.jan.dunning_effective_type, 'consumer')
        with self.assertRaises(AccessError):
            self.jan.with_user(self.sales).dunning_type_reason = WHY
        self.jan.vat = VAT
        self.assertStaysConsumer(move)
        with Form(self.jan.with_user(self.clerk)) as form:
            form.dunning_debtor_type = 'business'
            form.dunning_type_reason = WHY
        self.assertBusiness(move)
        self.assertEqual(self.jan.with_user(self.sales).dunning_effective_type_reason, WHY)
        note = self.jan.message_ids[:1]
        self.assertEqual(note.author_id, self.clerk.partner_id)
        self.assertIn(WHY, note.body)
        # Back to a consumer takes no reason; what was said before says nothing any more.
        self.jan.with_user(self.clerk).dunning_debtor_type = 'consumer'
        self.assertFalse(self.jan.dunning_type_reason)
        with self.assertRaises(UserError):
            self.jan.with_user(self.clerk).dunning_debtor_type = 'business'

    def test_several_contacts_at_once(self):
        piet = self.make_debtor("Piet Bakker", consumer=True)
        move = self.invoice(self.jan)
        with self.assertRaises(UserError):
            (piet | self.jan).dunning_debtor_type = 'business'
        (piet | self.jan).is_company = True
        self.assertStaysConsumer(move)
        self.assertEqual(piet.dunning_effective_type, 'business')


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPrivateDebts(DebtorTypeCase):

    def assertPrivate(self, move):
        self.assertEqual((self.items(move).partner_id, move.commercial_partner_id), (self.jan, self.jan))
        self.assertEqual(self.jan.commercial_partner_id, self.jan)

    def test_no_parent_takes_over_private_debts(self):
        paid, move = self.invoice(self.jan), self.invoice(self.jan)
        self.pay(paid)
        ways = (
            lambda: self.jan.write({'parent_id': self.business.id}),
            lambda: self.jan.write({'parent_id': self.business.id, 'company_type': 'person'}),
            lambda: self.business.write({'child_ids': [Command.link(self.jan.id)]}),
            lambda: self.jan.write({'parent_id': self.make_debtor("Mother", consumer=True).id}),
        )
        for way in ways:
            with self.assertRaisesRegex(ValidationError, "Make a separate contact"):
                way()
            self.assertPrivate(move)
        # By way of a company in its own right that becomes a person again.
        self.jan.is_company = True
        self.jan.parent_id = self.business
        for values in ({'is_company': False}, {'company_type': 'person'}):
            with self.assertRaises(ValidationError):
                self.jan.write(values)
            self.assertPrivate(move)
        self.jan.write({'parent_id': False, 'is_company': False})
        # What was paid can be owed again.
        self.pay(move)
        with self.assertRaises(ValidationError):
            self.jan.parent_id = self.business
        # They were never private.
        self.jan.write({'dunning_debtor_type': 'business', 'dunning_type_reason': WHY})
        self.jan.parent_id = self.business
        self.assertEqual(self.items(move).partner_id, self.business)

    def test_who_has_no_private_debts(self):
        contact = self.make_contact(self.business, "Piet Bakker")
        move = self.invoice(contact)
        contact.parent_id = self.make_debtor("Holding BV")
        self.assertEqual(self.items(move).partner_id, self.business)
        self.jan.parent_id = self.business
        self.assertEqual(self.jan.commercial_partner_id, self.business)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMergedKind(DebtorTypeCase):

    def merge(self, target, *others):
        ids = [target.id, *(other.id for other in others)]
        with mute_logger('odoo.addons.base.wizard.base_partner_merge', 'odoo.sql_db'):
            self.env['base.partner.merge.automatic.wizard'].create({})._merge(ids, target)
        self.env.invalidate_all()

    def test_a_consumer_and_a_business_whichever_is_left(self):
        for name, turned in (("Jan Smit", False), ("Jan Smit Timmerwerken", True)):
            with self.subTest(name):
                person = self.make_debtor(name, consumer=True, dunning_user_id=self.clerk.id)
                firm = self.make_debtor("Smit BV", vat=VAT, dunning_user_id=self.clerk.id)
                moves = self.invoice(person), self.invoice(firm)
                target, other = (firm, person) if turned else (person, firm)
                self.merge(target, other)
                for move in moves:
                    self.assertStaysConsumer(move, target)

    def test_a_type_that_was_chosen_for_the_other(self):
        move = self.invoice(self.jan)
        self.merge(self.jan, self.make_debtor("Smit", consumer=True, dunning_debtor_type='business'))
        self.assertStaysConsumer(move)

    def test_a_contact_without_debts_becomes_the_business_it_is(self):
        firm = self.make_debtor("Smit BV", vat=VAT)
        move = self.invoice(firm)
        self.merge(self.jan, firm)
        self.assertBusiness(move)

    def test_merged_with_a_contact_of_a_company(self):
        move = self.invoice(self.jan)
        contact = self.make_contact(self.business, "Jan Smit", email=self.jan.email)
        with self.assertRaisesRegex(ValidationError, "Merge the other way round"):
            self.merge(contact, self.jan)
        self.merge(self.jan, contact)
        self.assertEqual((self.items(move).partner_id.commercial_partner_id, self.jan.parent_id.ids), (self.jan, []))
        self.assertEqual(self.jan.dunning_effective_type, 'consumer')

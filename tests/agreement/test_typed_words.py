"""What debtors are written about promises, arrangements and withdrawals: no figure in it was typed."""

import json

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..common import TODAY, days
from .test_arrangement_document import FIRST, OFFERED, PaperCommon

COSTS = "<p>Voor deze regeling rekenen wij vijftien extra.</p>"


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestTypedWords(PaperCommon):

    def smuggle(self, name, text):
        """Write a text of a template past the constraints, as an older version let it in."""
        template = self.env.ref(f'l10n_nl_dunning.mail_template_{name}')
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_template SET body_html = %s WHERE id = %s",
            [json.dumps({'en_US': text, 'nl_NL': text}), template.id])
        self.env.invalidate_all()
        return template

    def promise(self, debtor):
        return self.on(OFFERED, self.env['dunning.promise'])._make(
            self.company, debtor, OFFERED + days(4), items=self.items(self.invoice(debtor)), confirm=True)

    def mails_of(self, record):
        return self.env['mail.mail'].sudo().search([('model', '=', record._name), ('res_id', 'in', record.ids)])

    def test_promise(self):
        self.assertTrue(self.mails_of(self.promise(self.consumer)))
        self.smuggle('promise', "<p>U betaalt <b t-out=\"object.amount_text\"/> en veertig erbij.</p>")
        with self.assertRaisesRegex(UserError, r"“veertig”.*object\.amount_text"):
            self.promise(self.english)
        self.assertTrue(self.mails_of(self.promise(self.crown)))

    def test_a_value_of_another_record(self):
        self.smuggle('promise', "<p>U betaalt <t t-out=\"object.amount * 1.15\"/>.</p>")
        with self.assertRaisesRegex(UserError, "1.15"):
            self.promise(self.consumer)

    def test_clauses(self):
        body = str(self.template('consumer').body_html)
        with self.assertRaises(ValidationError):
            self.template('consumer').body_html = body + COSTS
        self.smuggle('arrangement_consumer', body + COSTS)
        with self.assertRaisesRegex(UserError, r"(?s)cannot be offered.*“vijftien”"):
            self.offer(self.consumer)
        self.template('business').body_html = str(self.template('business').body_html) + COSTS
        self.assertEqual(self.offer(self.crown).state, 'offered')

    def test_messages_while_it_runs(self):
        """Nobody sees a traceback at night, and no debtor what was typed: the collector gets a to-do that says why."""
        arrangement = self.offer(self.consumer)
        self.sign(arrangement)
        self.smuggle('arrangement_reminder', "<p>Betaal <t t-out=\"object.told_amount\"/> en € 15,00.</p>")
        sent, known = self.mails_of(arrangement), arrangement.activity_ids
        part = arrangement.instalment_ids.sorted('date_due')[:1]
        local = self.on(FIRST - days(3), arrangement)
        local._write_to_debtor('reminder', FIRST - days(3), part)
        self.assertEqual(self.mails_of(arrangement), sent)
        self.assertIn("€ 15,00", str((arrangement.activity_ids - known).note).replace('\xa0', ' '))
        self.smuggle('arrangement_reminder', "<p>Betaal <t t-out=\"object.told_amount\"/>.</p>")
        local._write_to_debtor('reminder', FIRST - days(3), part)
        self.assertEqual(len(self.mails_of(arrangement) - sent), 1)

    def test_a_signature_is_kept(self):
        """The agreement itself was offered lawfully: a text that is not does not take the signatures back."""
        arrangement = self.offer(self.consumer)
        self.smuggle('arrangement_agreement', COSTS)
        sent = self.mails_of(arrangement)
        self.sign(arrangement)
        self.assertEqual(arrangement.state, 'active')
        self.assertEqual(self.mails_of(arrangement), sent)

    def test_withdrawal(self):
        move = self.invoice(self.consumer, TODAY - days(10), 100.0)
        self.dun()
        self.pay(move, 40.0, on=TODAY - days(3))
        withdrawal = self.env['dunning.withdrawal'].search([('partner_id', '=', self.consumer.id)])
        for text in ("<p>U betaalt nog vijf extra.</p>", "<p>Er komt € 12,50 bij.</p>", "<p>De rente is 4%.</p>"):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                withdrawal.preview_body = text
        withdrawal.preview_body = "<p>Er staat nog € 60 open, van de € 40,00 zien wij af.</p>"
        self.on(TODAY + days(2), withdrawal).action_send()
        self.assertEqual(withdrawal.state, 'sent')
        self.smuggle('withdrawal', COSTS)
        other = self.invoice(self.english, TODAY - days(10), 100.0)
        self.dun()
        self.pay(other, on=TODAY - days(3))
        withdrawal = self.env['dunning.withdrawal'].search([('partner_id', '=', self.english.id)])
        with self.assertRaisesRegex(UserError, "“vijftien”"):
            self.on(TODAY + days(2), withdrawal).action_send()

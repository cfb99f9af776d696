from lxml import html

from odoo.tests import tagged

from ...tools.wording import LetterFacts, check_letter, parse_amount
from ..common import TODAY, days
from .test_letters import LetterCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestShippedFourteenDayLetter(LetterCommon):
    """The 14-day letter that ships, printed, against the facts of its notice."""

    def letter_and_facts(self, lang):
        debtor = self.make_debtor("Mevr. F. van den Berg", consumer=True, lang=lang)
        moves = self.invoice(debtor, TODAY - days(40), 600.0) | self.invoice(debtor, TODAY - days(30), 400.0)
        notice = self.make_notice('consumer_fourteen_day', moves)
        for line, costs in zip(notice._recording().line_ids, (90.0, 60.0), strict=True):
            line.amount_announced = costs
        [document] = self.documents(notice)
        facts = LetterFacts(
            amount_to_pay=notice.amount_text, iban="NL91 ABNA 0417 1643 00", costs=notice.costs_announced_text,
            total_with_costs=notice.total_after_term_text, term_text=notice.term_text,
            names=(debtor.name, self.company.name), quoted=tuple(moves.mapped('name')) + ("Bread",))
        return html.tostring(document, encoding='unicode'), facts

    def check(self, letter, facts, lang='nl_NL'):
        findings = check_letter(letter, role='fourteen_day', debtor='consumer', language=lang, facts=facts)
        return [finding for finding in findings if finding.severity == 'error']

    def test_it_may_leave(self):
        for lang in ('nl_NL', 'en_US'):
            with self.subTest(lang):
                letter, facts = self.letter_and_facts(lang)
                self.assertEqual(parse_amount(facts.costs), 150)
                self.assertEqual(self.check(letter, facts, lang), [])
                for wrong in (
                    {'costs': "€ 149,99"}, {'amount_to_pay': "€ 999,00"}, {'iban': "NL02 RABO 0123 4567 89"},
                    {'vat_sentence': True}, {'term_text': "binnen 14 dagen"},
                ):
                    self.assertTrue(self.check(letter, facts._replace(**wrong), lang), wrong)

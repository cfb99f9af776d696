from odoo.tests import tagged

from ..common import TODAY, days
from .test_letters import LetterCommon


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestShippedFourteenDayLetter(LetterCommon):
    """The 14-day letter that ships, as it leaves, against the claim of its notice."""

    def make_letter(self, lang):
        debtor = self.make_debtor("Mevr. F. van den Berg", consumer=True, lang=lang)
        moves = self.invoice(debtor, TODAY - days(40), 600.0) | self.invoice(debtor, TODAY - days(30), 400.0)
        notice = self.make_notice('consumer_fourteen_day', moves)
        for line, costs in zip(notice._recording().line_ids, (90.0, 60.0), strict=True):
            line.amount_announced = costs
        return self.prepare(notice)

    def test_it_may_leave(self):
        dispatcher = self.env['dunning.dispatcher']
        for lang in ('nl_NL', 'en_US'):
            with self.subTest(lang):
                notice = self.make_letter(lang)
                self.assertEqual(dispatcher._refuse_unlawful_letters(notice), notice, notice.error_message)

    def test_not_with_an_amount_of_another_day(self):
        """What it says was worked out once; when the claim is another one now, it is not what was worked out."""
        dispatcher = self.env['dunning.dispatcher']
        for lang in ('nl_NL', 'en_US'):
            with self.subTest(lang):
                notice = self.make_letter(lang)
                self.assertIn("150", notice.body_closing)
                notice._recording().line_ids[:1].amount_announced = 89.0
                self.assertFalse(dispatcher._refuse_unlawful_letters(notice))
                self.assertEqual(notice.state, 'error')
                self.assertIn("150", notice.error_message)

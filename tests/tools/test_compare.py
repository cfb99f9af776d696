from hypothesis import given
from hypothesis import strategies as st

from ...tools.wording.compare import compare_texts
from .case import BaseCase, tagged

LABELS = {
    'words': {'object.amount_text': "Amount"},
    'conditions': {'object.line_count == 1': "only for one invoice"},
    'otherwise': "otherwise",
}
PIECES = st.sampled_from((
    "Pay", "now,", "please.", '<t t-out="object.amount_text"/>', '<b t-out="object.other"></b>',
    '<t t-if="object.line_count == 1">the invoice</t><t t-else="">the invoices</t>', '<br/>', "<p>Thanks</p>"))
TEXTS = st.lists(PIECES, max_size=8).map(' '.join)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestCompare(BaseCase):
    """How a text differs from what ships, in words that people read."""

    def show(self, old, new, kinds):
        parts = compare_texts([old], [new], **LABELS)
        return ' '.join(' '.join(text for kind, text in parts if kind in kinds).split()).replace(' ,', ',').replace(
            ' .', '.').replace(' )', ')')

    def test_what_is_filled_in_and_conditions_are_named(self):
        text = (
            '<p>Pay <t t-out="object.amount_text"/> for <t t-if="object.line_count == 1">it</t>'
            '<t t-else="">all</t>.</p>')
        self.assertEqual(
            self.show(text, text, ('same',)),
            "Pay [Amount] for (only for one invoice: it) (otherwise: all).")

    def test_a_change_is_shown_where_it_was_made(self):
        parts = compare_texts(["<p>Pay within a week.</p>"], ["<p>Pay within ten days.</p>"], **LABELS)
        self.assertEqual(
            [(kind, text.strip()) for kind, text in parts],
            [('same', "Pay within"), ('old', "a week."), ('new', "ten days."), ('same', '')])

    @given(TEXTS, TEXTS)
    def test_both_texts_can_be_read_out_of_it(self, old, new):
        self.assertEqual(self.show(old, new, ('same', 'old')), self.show(old, old, ('same',)))
        self.assertEqual(self.show(old, new, ('same', 'new')), self.show(new, new, ('same',)))
        self.assertLessEqual({kind for kind, _text in compare_texts([old], [old], **LABELS)}, {'same'})

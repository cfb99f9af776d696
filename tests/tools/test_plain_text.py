import html

from hypothesis import given
from hypothesis import strategies as st

from ...tools.wording.plain_text import to_plain_text
from .case import BaseCase, tagged


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestPlainText(BaseCase):
    """The text part of an e-mail is written for reading."""

    def test_rows_are_lines(self):
        """What is to be paid stands beside what it is, and a list of invoices has a line for each."""
        text = to_plain_text(
            "<table><tr><td>Bedrag</td><td><b>€\N{NO-BREAK SPACE}10,00</b></td></tr>"
            "<tr><th>Factuur</th><th>Vervalt</th><th>Open</th></tr>"
            "<tr><td><b>INV/1</b><br/>1 mei</td><td>3 mei</td><td>€ 10,00</td></tr></table>")
        self.assertEqual(text, "Bedrag: € 10,00\nFactuur | Vervalt | Open\nINV/1 1 mei | 3 mei | € 10,00\n")

    def test_links_can_be_followed(self):
        """The address stands after the words that lead to it, whole, and not twice."""
        self.assertEqual(
            to_plain_text('<p>Zie <a href="https://x.example/p?a=1&amp;b=2">uw pagina</a>.</p>'),
            "Zie uw pagina\nhttps://x.example/p?a=1&b=2\n.\n")
        self.assertEqual(
            to_plain_text('<p><a href="https://x.example">https://x.example</a></p>'), "https://x.example\n")

    def test_paragraphs_and_lists(self):
        self.assertEqual(
            to_plain_text("<style>p {}</style><p>Een<br>twee</p><p>  drie\n vier </p><ul><li>a</li><li>b</li></ul>"),
            "Een\ntwee\n\ndrie vier\n\n- a\n- b\n")
        self.assertEqual(to_plain_text(" "), '')

    @given(st.lists(st.text(st.characters(categories=['L', 'N', 'P']), min_size=1), min_size=1))
    def test_no_word_is_lost(self, words):
        """Whatever stands in an e-mail stands in its text, in the same order."""
        body = ''.join(f"<div><p>{html.escape(word)}</p></div>" for word in words)
        self.assertEqual(to_plain_text(body).split(), words)

"""The guides: what they name is on the screen, what they lead to is there, and the shipped pages are made from them."""

import re
from pathlib import Path

import guide
import polib
import pytest
import screenshots
from env import paths
from lxml import etree

GUIDES = {"handleiding": "msgstr", "guide": "msgid"}
TEXTS = {name: (guide.DOCS / f"{name}.md").read_text() for name in GUIDES}
#: On the screen of Odoo itself, or no name of anything.
NAMES_OF_CORE = {
    "handleiding": {
        "Acties",
        "CRM",
        "Moederbedrijf",
        "Neutraliseren",
        "Ontgrendel/Vergrendel",
        "Verkoop",
        "sterretjes",
    },
    "guide": {"Actions", "CRM", "Sales", "italics"},
}
HELP = (paths.CHECKOUT / "static/src/kernel/dunning_help.js").read_text()


def find_anchors(name):
    return set(re.findall(r'<a id="([^"]+)"></a>', TEXTS[name]))


def find_pictures():
    text = "".join(file.read_text() for file in [*guide.DOCS.glob("*.md"), paths.CHECKOUT / "README.md"])
    return {Path(name).name for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)}


@pytest.mark.parametrize("name", GUIDES)
def test_names_are_on_the_screen(name):
    """A menu, button or field in italics is called that in the program, in the language of the guide."""
    files = [paths.CHECKOUT / "i18n/nl.po", *paths.CHECKOUT.glob("bridges/*/i18n/nl.po")]
    known = {getattr(entry, GUIDES[name]) for file in files for entry in polib.pofile(str(file))}
    text = re.sub(r"`[^`]*`|\*\*|^\* ", "", TEXTS[name], flags=re.MULTILINE)
    named = {
        part for words in re.findall(r"\*([^*]+)\*", text) for part in re.split(r"\s*‣\s*", re.sub(r"\s+", " ", words))
    }
    assert len(named) > 100
    assert not named - known - NAMES_OF_CORE[name]


def test_both_guides_have_the_same_chapters_in_the_same_order():
    dutch, english = (re.findall(r'^#+ <a id="([^"]+)"', TEXTS[name], re.MULTILINE) for name in GUIDES)
    assert dutch == english


@pytest.mark.parametrize("name", GUIDES)
def test_the_contents_are_complete(name):
    contents = TEXTS[name].partition("\n## ")[0]
    assert set(re.findall(r"\(#([^)]+)\)", contents)) == find_anchors(name)


@pytest.mark.parametrize("name", GUIDES)
def test_links_lead_somewhere(name):
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXTS[name])) <= find_anchors(name)
    for document, anchor in re.findall(r"\]\((\w+)\.md(?:#([^)]+))?\)", TEXTS[name]):
        assert document in guide.PAGES, "it has no page"
        text = (guide.DOCS / f"{document}.md").read_text()
        assert not anchor or anchor in map(guide.slug, re.findall(r"^#+ (.+)$", text, re.MULTILINE))


def test_help_leads_to_chapters():
    """Every chapter that a screen or window leads to is there, in both languages."""
    chapters = set(re.findall(r'^    "?[\w.]+"?: "([\w-]+)",$', HELP, re.MULTILINE)) | {"first-day"}
    windows = [
        widget.get("chapter")
        for file in [*paths.CHECKOUT.glob("views/**/*.xml"), *paths.CHECKOUT.glob("wizards/**/*.xml")]
        for widget in etree.parse(str(file)).iter("widget")
        if widget.get("name") == "dunning_help"
    ]
    assert len(chapters) > 10 and windows
    for name in GUIDES:
        assert chapters | set(windows) <= find_anchors(name)


@pytest.mark.parametrize("name", guide.PAGES)
def test_pages_are_fresh(name):
    page = guide.HELP / f"{guide.PAGES[name]}.html"
    assert page.read_text() == guide.render(name), "run dev/guide.py"


def test_pictures_are_taken_by_the_script_and_used():
    taken = {f"{name}.png" for name in [*screenshots.PICTURES, *screenshots.PAPERS]}
    assert taken == {file.name for file in screenshots.IMAGES.iterdir()} == find_pictures()

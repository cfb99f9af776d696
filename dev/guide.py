#!/usr/bin/env python3
"""Make the pages of static/help out of the guides in docs/: what the question mark in the program opens.

They are shipped, because an installed addon has no docs of its own on the web and must help offline too.
"""

import html
import itertools
import re
import sys

from env import paths, python, say

DOCS, HELP = paths.CHECKOUT / "docs", paths.CHECKOUT / "static" / "help"
#: The documents that the guides lead to, and the names of their pages: the guides are named by their language.
PAGES = {"handleiding": "nl", "guide": "en", "wet": "wet", "reasons": "reasons", "ladders": "ladders"}
LANGUAGES = {"handleiding": "nl", "wet": "nl"}
PACKAGES = {"markdown-it-py": "3.0.0", "mdurl": "0.1.2"}
PAGE = """\
<!DOCTYPE html>
<!-- Made from docs/{name}.md by dev/guide.py. -->
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="help.css">
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""


def slug(text):
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def render(name):
    """Return the page of docs/<name>.md."""
    sys.path.append(str(python.unpack_wheels("markdown-it-py", PACKAGES)))
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens, title = parser.parse((DOCS / f"{name}.md").read_text()), ""
    for head, inline in itertools.pairwise(tokens):
        if head.type == "heading_open":
            text = "".join(child.content for child in inline.children if child.type in ("text", "code_inline"))
            title = title or text
            head.attrSet("id", slug(text))
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace('src="../static/help/', 'loading="lazy" src="')
    body = re.sub(r'href="(\w+)\.md', lambda link: f'href="{PAGES[link[1]]}.html', body)
    return PAGE.format(name=name, lang=LANGUAGES.get(name, "en"), title=html.escape(title), body=body)


def main():
    for name, page in PAGES.items():
        (HELP / f"{page}.html").write_text(render(name))
        print(f"  static/help/{page}.html")


if __name__ == "__main__":
    with say.failures_as_sentences():
        main()

#!/usr/bin/env python3
"""Take the pictures of docs/images again: the demo company in a real browser, in Dutch.

Pictures to take can be named: `dev/screenshots.py invoice contact`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from env import bootstrap, browser, database, paths, postgres, say, session  # noqa: E402 (after the path it needs)

PORT = 8579


def main():
    with say.failures_as_sentences(), postgres.in_use():
        home, _template = bootstrap.ensure()
        chromium = browser.ensure()
        if not chromium:
            raise say.Failure("There is no Chromium to take pictures with.")
        images = paths.CHECKOUT / "docs" / "images"
        images.mkdir(parents=True, exist_ok=True)
        with database.copied("demo", database.for_demo(home)) as name:
            session.run_program("screenshots_session.py", name, PORT, chromium, images, *sys.argv[1:])


if __name__ == "__main__":
    main()

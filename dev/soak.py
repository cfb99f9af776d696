#!/usr/bin/env python3
"""Live many days with processes that are killed at random, and see that nothing is lost and nothing happens twice.

dev/soak.py                         200 days
dev/soak.py --days 20 --seed 3      other accidents
dev/soak.py --days 20 --letters     with real PDFs

Each day invoices are made and paid, two processes plan, three send, two hand e-mails to a mail server that notes what
it accepted and refuses some for a while; about a third of the processes are killed. Ends with a report, and with exit
code 1 when one notice was lost, half or double, or one e-mail left twice or never.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from env import bootstrap, database, postgres, say, session  # noqa: E402 (after the path it needs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=200, help="how many days (200)")
    parser.add_argument("--seed", type=int, default=1, help="which accidents happen (1)")
    parser.add_argument("--letters", action="store_true", help="make the PDFs with wkhtmltopdf")
    parser.add_argument("--keep", action="store_true", help="keep the database to look at it")
    words = parser.parse_args()
    with say.failures_as_sentences(), postgres.in_use():
        home, _template = bootstrap.ensure()
        with database.copied("soak", database.with_addon(home), keep=words.keep) as name:
            say.step(f"living {words.days} days")
            session.run_program("soak_session.py", name, words.days, words.seed, int(words.letters))


if __name__ == "__main__":
    main()

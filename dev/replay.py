#!/usr/bin/env python3
"""Feed years of real invoices to the addon, day by day, and compare all it did with the file.

dev/replay.py history.csv                      all of it
dev/replay.py history.csv --sample 10          ten customers
dev/replay.py history.csv --days 2012-01-01..2012-06-30
dev/replay.py history.csv --stretch 4          who paid late pays four times as late: more of the ladder
dev/replay.py history.csv --seed 1             with a random world: credit notes, holds, promises, faults, …
dev/replay.py history.csv --report report.txt --letters 20

The file has one line per invoice: countryCode, customerID, PaperlessDate, invoiceNumber, InvoiceDate, DueDate,
InvoiceAmount, Disputed, SettledDate, PaperlessBill (dates as month/day/year). Ends with a report, and with exit
code 1 when one notice was wrong, double, missing, too early or unexplained.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from env import bootstrap, database, postgres, runtime, say, session  # noqa: E402 (after the path it needs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", help="the file with the invoices")
    parser.add_argument("--sample", type=int, default=0, help="only so many customers")
    parser.add_argument("--days", default="", help="only invoices of these days, as 2012-01-01..2012-06-30")
    parser.add_argument("--stretch", type=int, default=1, help="who paid n days late pays STRETCH × n days late")
    parser.add_argument("--seed", type=int, default=0, help="of a random world around the invoices (0: none)")
    parser.add_argument("--letters", type=int, default=5, help="how many letters to make for real (5)")
    parser.add_argument("--report", default="", help="also write the report to this file")
    parser.add_argument("--keep", action="store_true", help="keep the database to look at it")
    words = parser.parse_args()
    with say.failures_as_sentences(), postgres.in_use():
        if not Path(words.csv).is_file():
            raise say.Failure(f"There is no file {words.csv}.")
        home, _template = bootstrap.ensure()
        with database.copied("replay", database.with_addon(home), keep=words.keep) as name:
            say.step(f"replaying {words.csv}")
            port = runtime.free_port() if words.letters else 0
            options = [words.sample, words.days, words.stretch, words.letters, words.report, port, words.seed]
            session.run_program("replay_session.py", name, words.csv, *options)


if __name__ == "__main__":
    main()

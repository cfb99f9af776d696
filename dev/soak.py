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
import time

from env import bootstrap, database, say, session


def _words():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=200, help="how many days (200)")
    parser.add_argument("--seed", type=int, default=1, help="which accidents happen (1)")
    parser.add_argument("--letters", action="store_true", help="make the PDFs with wkhtmltopdf")
    parser.add_argument("--keep", action="store_true", help="keep the database to look at it")
    return parser.parse_args()


def main(words):
    home, _template = bootstrap.ensure()
    with database.copied("soak", database.with_addon(home), keep=words.keep) as name:
        say.step(f"living {words.days} days")
        failures = _live(name, words)
    if failures:
        print("\n".join(f"✗ {failure}" for failure in failures[:50]))
        raise SystemExit(1)
    print("✓ nothing lost, nothing twice")


def _live(name, words):
    """Live the days in a database; return what was lost or happened twice."""
    with session.odoo_environment(name):
        # Odoo's own addons path knows the addon by its technical name only from here on.
        from odoo.addons.l10n_nl_dunning.tests import faults_engine, soak_engine
        from odoo.addons.l10n_nl_dunning.tests.kernel.test_faults import FreePortController, MailServer
    server = MailServer()
    controller = FreePortController(server, hostname="127.0.0.1", port=0)
    controller.start()
    workers = faults_engine.Workers(session.command("faults_session.py"), session.environment(), name)
    try:
        workers.do("soak_prepare", smtp_port=controller.port)
        how = {"seed": words.seed, "real_letters": words.letters}
        soak = soak_engine.Soak(workers, server, say=lambda text: print(f"  {text}", flush=True), **how)
        started = time.monotonic()
        failures = soak.run(words.days)
    finally:
        workers.close()
        controller.stop()
    print(f"\n{soak.report()}, in {time.monotonic() - started:.0f} s")
    return failures


if __name__ == "__main__":
    session.run(main, _words())

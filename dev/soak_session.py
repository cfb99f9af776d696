"""The part of the soak that knows Odoo: it starts the processes, and judges."""

import logging
import sys
import time

from env import paths, python, runtime
from env.session import odoo_environment


def main(database, days, seed, letters):
    with odoo_environment(database):
        # Odoo's own addons path knows the addon by its technical name only from here on.
        from odoo.addons.l10n_nl_dunning.tests import faults_engine, soak_engine  # noqa: PLC0415
        from odoo.addons.l10n_nl_dunning.tests.kernel.test_faults import FreePortController, MailServer  # noqa: PLC0415
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells of each word
    server = MailServer()
    controller = FreePortController(server, hostname="127.0.0.1", port=0)
    controller.start()
    environ = {**runtime.environment(), "PYTHONPATH": str(paths.CHECKOUT / "dev")}
    program = str(paths.CHECKOUT / "dev" / "faults_session.py")
    workers = faults_engine.Workers([str(python.executable()), "-m", "env.session", program], environ, database)
    try:
        workers.do("soak_prepare", smtp_port=controller.port)
        words = {"seed": int(seed), "real_letters": bool(int(letters))}
        soak = soak_engine.Soak(workers, server, say=lambda text: print(f"  {text}", flush=True), **words)
        started = time.monotonic()
        failures = soak.run(int(days))
    finally:
        workers.close()
        controller.stop()
    print(f"\n{soak.report()}, in {time.monotonic() - started:.0f} s")
    if failures:
        print("\n".join(f"✗ {failure}" for failure in failures[:50]))
        raise SystemExit(1)
    print("✓ nothing lost, nothing twice")


if __name__ == "__main__":
    main(*sys.argv[1:])

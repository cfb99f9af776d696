"""A real Odoo server with workers and the job runner of queue_job, until somebody ends it; for `test_queue_job`."""

import sys
import time

# Odoo is importable only in the venv.
# ruff: noqa: PLC0415


def main(database, port, addons_path, chunk):
    from odoo.service import server
    from odoo.tools import config

    words = [f"--database={database}", f"--db-filter=^{database}$", f"--addons-path={addons_path}", "--workers=2"]
    words += ["--load=base,web,queue_job", "--max-cron-threads=1", "--http-interface=127.0.0.1", "--log-level=info"]
    config.parse_config([*words, f"--http-port={port}", f"--gevent-port={int(port) + 1}"], setup_logging=True)
    from odoo.addons.l10n_nl_dunning.models.sending import dunning_run

    dunning_run.DISPATCH_CHUNK = int(chunk)
    server.start(preload=[database], stop=False)


if __name__ == "__main__":
    if "gevent" in sys.argv:
        # Odoo starts this program once more for its bus, which nobody listens to here.
        while True:
            time.sleep(60)
    main(*sys.argv[1:])

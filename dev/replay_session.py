"""The part of the replay that happens inside Odoo."""

import sys
from datetime import date
from pathlib import Path

from env.session import odoo_environment


def main(database, path, sample, days, stretch, letters, report, http_port, seed):
    first, _dots, last = days.partition("..")
    with odoo_environment(database, http_port=int(http_port) or None) as env:
        # Odoo's own addons path knows the addon by its technical name only from here on.
        from odoo.addons.l10n_nl_dunning.tests import (  # noqa: PLC0415 (exists only once Odoo runs)
            replay_engine,
            replay_world,
        )

        first, last = (date.fromisoformat(day) if day else None for day in (first, last))
        sample = int(sample) or None
        rows = replay_engine.read_rows(path, sample=sample, first=first, last=last, stretch=int(stretch))
        if not rows:
            raise SystemExit("✗ No invoice is left to replay: look at --sample and --days.")
        company = _make_company(env)
        env.cr.commit()
        words = {"commit": env.cr.commit, "commits": True, "real_letters": int(letters)}
        words["say"] = lambda text: print(f"  {text}", flush=True)
        if int(seed):
            replay = replay_world.WorldReplay(env, company, rows, seed=int(seed), **words)
        else:
            replay = replay_engine.Replay(env, company, rows, **words)
        failures = replay.run()
        text = replay.report()
        print(f"\n{text}")
        if report:
            Path(report).write_text(text + "\n")
        env.cr.commit()
    if failures:
        raise SystemExit(1)


def _make_company(env):
    company = env.company
    place = {"country_id": env.ref("base.nl").id, "currency_id": env.ref("base.EUR").id}
    company.write({"name": "Replay B.V.", **place})
    env.ref("base.EUR").active = True
    env["account.chart.template"].try_loading("nl", company)
    company.write({"street": "Kade 1", "zip": "1011 AA", "city": "Amsterdam", "email": "finance@replay.example"})
    return company


if __name__ == "__main__":
    main(*sys.argv[1:])

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

        rows = replay_engine.read_rows(
            path,
            sample=int(sample) or None,
            first=date.fromisoformat(first) if first else None,
            last=date.fromisoformat(last) if last else None,
            stretch=int(stretch),
        )
        if not rows:
            raise SystemExit("✗ No invoice is left to replay: look at --sample and --days.")
        company = _make_company(env)
        env.cr.commit()
        kind, words = replay_engine.Replay, {}
        if int(seed):
            kind, words = replay_world.WorldReplay, {"seed": int(seed)}
        replay = kind(
            env,
            company,
            rows,
            commit=env.cr.commit,
            commits=True,
            real_letters=int(letters),
            say=lambda text: print(f"  {text}", flush=True),
            **words,
        )
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
    company.write(
        {"name": "Replay B.V.", "country_id": env.ref("base.nl").id, "currency_id": env.ref("base.EUR").id}
    )
    env.ref("base.EUR").active = True
    env["account.chart.template"].try_loading("nl", company)
    company.write({"street": "Kade 1", "zip": "1011 AA", "city": "Amsterdam", "email": "finance@replay.example"})
    return company


if __name__ == "__main__":
    main(*sys.argv[1:])

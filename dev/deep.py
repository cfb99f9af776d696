#!/usr/bin/env python3
"""Everything that takes too long for each change: replays, soak, faults, letters, upgrades, screens, core's tests.

dev/deep.py history.csv          one part after the other, whatever became of the one before
dev/deep.py                      with the sample of the tests in place of a file of your own

Two years of invoices of a hundred customers take some two hours on four cores that nobody else uses, and many times
that on a busy machine; each part tells its minutes. It begins with when it last ran and ends with what failed, and exit
code 1 when something did.
"""

import datetime
import os
import subprocess
import sys
import time

from env import paths, say

SAMPLE = paths.CHECKOUT / "tests" / "data" / "ar_history_sample.csv"
SLOW = ("faults", "soak", "replay", "upgrade", "install", "first_day", "tours")
TESTS = [f"tests/kernel/test_{name}.py" for name in SLOW]


def main():
    file = sys.argv[1] if sys.argv[1:] else str(SAMPLE)
    parts = {
        "replay": ["replay.py", file],
        "replay, seed 1": ["replay.py", file, "--seed", "1"],
        "replay, seed 2": ["replay.py", file, "--seed", "2", "--stretch", "4"],
        "edges": ["replay.py", file, "--seed", "3", "--stretch", "4", "--edges"],
        "ledgers and faults of the edges": ["test.py", "tests/kernel/test_edge_replay.py"],
        "soak": ["soak.py"],
        "faults, upgrades, tours": ["test.py", *TESTS],
        # Hundreds of consumers in place of a few, and each fault of the program.
        "letters": ["test.py", "tests/law/test_letter_world.py", "-s"],
        "everybody can use the screens": ["access.py"],
        "core's own tests": ["core_tests.py"],
    }
    with say.failures_as_sentences():
        paths.prepare()
        record = paths.workspace() / "deep.txt"
        print(record.read_text() if record.exists() else "It never ran in this checkout.", flush=True)
        lines = [f"Last run, {datetime.datetime.now(datetime.timezone.utc):%d-%m-%Y %H:%M} UTC:"]
        for title, (program, *words) in parts.items():
            say.step(title)
            started = time.monotonic()
            command = [sys.executable, str(paths.CHECKOUT / "dev" / program), *words]
            environment = {**os.environ, "DUNNING_DEEP": "1"}
            done = subprocess.run(command, cwd=paths.CHECKOUT, env=environment, check=False)
            minutes = (time.monotonic() - started) / 60
            lines.append(f"{'✗' if done.returncode else '✓'} {title} ({minutes:.0f} minutes)")
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    sys.exit(any(line.startswith("✗") for line in lines))


if __name__ == "__main__":
    main()

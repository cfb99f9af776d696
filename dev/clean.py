#!/usr/bin/env python3
"""Remove what was made for this checkout; with `--all` also everything that was fetched."""

import shutil
import sys

from env import paths, postgres, python, say


def main():
    with say.failures_as_sentences():
        for name in ("out", "build", "dist", ".ruff_cache", ".hypothesis"):
            shutil.rmtree(paths.CHECKOUT / name, ignore_errors=True)
        if not paths.cache().exists():
            say.step("nothing was fetched or built yet")
            return
        if "--all" in sys.argv[1:]:
            if python.folder().exists():
                postgres.stop()
            shutil.rmtree(paths.cache())
            say.step(f"removed {paths.cache()}")
            return
        if python.folder().exists():
            with postgres.in_use():
                postgres.ensure()
                for name in postgres.databases():
                    if name.startswith("dunning_") and f"_{paths.checkout_key()}" in name:
                        postgres.drop(name)
        shutil.rmtree(paths.workspace(), ignore_errors=True)
        say.step("removed this checkout's databases and output; the downloads are kept (make distclean removes them)")


if __name__ == "__main__":
    main()

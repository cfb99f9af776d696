#!/usr/bin/env python3
"""Fetch and build everything this addon is developed with. Safe to repeat; a second run is instant."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from env import bootstrap, say  # noqa: E402 (after the path it needs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", action="store_true", help="also fetch the browser for browser tests")
    arguments = parser.parse_args()
    with say.failures_as_sentences():
        bootstrap.ensure(with_browser=arguments.browser)


if __name__ == "__main__":
    main()

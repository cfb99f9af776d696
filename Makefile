# Everything runs on a bare machine: what is missing is fetched into a cache folder
# (~/.cache/l10n_nl_dunning, or DUNNING_CACHE), nothing is installed on the machine itself.
PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo wheels test trace bench replay soak deep lint format clean distclean python

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## (.*)/  make \1	\2/' | expand -t 20

demo: python ## a company with customers, one real run of the scheduled actions, then Odoo in the browser
	@$(PYTHON) dev/demo.py $(ARGS)

wheels: python ## the addon and its bridges as wheels, in dist/
	@for addon in . bridges/*/; do $(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir dist $$addon || exit 1; done
	@ls dist

test: python ## all checks and tests; ARGS="tests/test_x.py -k name" for a part of them
	@$(PYTHON) dev/test.py $(ARGS)

trace: python ## how often everyday work changes file, and how often it may
	@$(PYTHON) dev/test.py tests/kernel/test_trace.py -q -s

bench: python ## how fast it is with many invoices
	@$(PYTHON) dev/bench.py $(ARGS)

replay: python ## years of real invoices, day by day; CSV=history.csv
	@$(PYTHON) dev/replay.py $(CSV) $(ARGS)

soak: python ## many days with processes killed at random; ARGS="--days 200"
	@$(PYTHON) dev/soak.py $(ARGS)

deep: python ## replays, soak, faults, the referee of letters, upgrades, tours, screens, core's own tests (hours); CSV=history.csv
	@$(PYTHON) dev/deep.py $(CSV)

lint: python ## ruff, pylint-odoo, prettier, eslint
	@$(PYTHON) dev/lint.py $(ARGS)

format: python ## repair what those can repair by themselves
	@$(PYTHON) dev/lint.py --fix

clean: python ## remove what was made for this checkout: databases, output
	@$(PYTHON) dev/clean.py

distclean: python ## also remove all that was fetched (the whole cache folder)
	@$(PYTHON) dev/clean.py --all

python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "✗ $(PYTHON) is not on this machine; install Python 3.10 to 3.13 (apt-get install python3 python3-venv)." >&2; exit 1; }

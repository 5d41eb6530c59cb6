# Everything a newcomer, CI and a developer run. `make demo` and `make test` do all set-up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ROOMS := accounts monitors rollback controlplane
# Hundreds of processes start in a run of the tests: each would compile Towpath anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: venv demo test units journeys scenarios check lint types bench judge soak docs lock format clean

venv: $(READY)

# The lock carries hashes; the build tools are locked too, so nothing is resolved at install time.
$(READY): requirements/build.lock requirements/towpath.lock pyproject.toml hatch_build.py package-lock.json
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Towpath needs Python 3.11 or newer; say make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.lock -r requirements/towpath.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: venv
	$(BIN)/towpath demo

# One after the other; `make --jobs=4 --output-sync=target check test` lets the waits of one fill with the work
# of the others, as .ci/run does. Two processes of pytest: the loop of a browser and asyncio.run do not go
# together in one.
test: units journeys

units: venv
	$(BIN)/python -m pytest --ignore tests/journeys --ignore tests/browser --numprocesses auto --maxprocesses 4 --dist worksteal

# They start and kill real processes, and a real browser, and mostly wait for them: two at a time.
journeys: venv
	$(BIN)/python -m pytest tests/journeys tests/browser --numprocesses 2 --dist worksteal

# Every story that `towpath demo --scenario` can play, one after the other; each checks its own claims.
scenarios: venv
	$(BIN)/python -m pytest -m 'scenario or not scenario' tests/journeys/test_demo.py

check: lint types

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: venv
	$(BIN)/mypy $(ROOMS) tests

bench: venv
	$(BIN)/python -m tests.bench

# False rollbacks and catches beside Kayenta and Argo: writes the tables and pictures of docs/judge.md.
judge: venv
	$(BIN)/python -m tests.bench.judge

# The book, into build/book: first the pages that are made from the code, then all of it without a warning.
docs: venv
	$(BIN)/python -m controlplane.manual
	$(BIN)/mkdocs build

# Half an hour and more: every commit a crash, 200 random kills of three replicas, then load that is watched.
SOAK ?= --kills 200 --minutes 5
soak: venv
	$(BIN)/python -m tests.bench.soak $(SOAK)

format: venv
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet . || true

# Resolve anew. The locks name no host: no index, no download address.
lock:
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/pip install --quiet pip-tools
	.lock-venv/bin/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --allow-unsafe --strip-extras --no-header --output-file requirements/build.lock requirements/build.in
	.lock-venv/bin/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --allow-unsafe --strip-extras --no-header --extra dev --output-file requirements/towpath.lock pyproject.toml
	rm -rf .lock-venv

clean:
	rm -rf $(VENV) build dist .bench

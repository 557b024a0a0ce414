# The two commands: `make lab` and `make test`. Needs Python >= 3.10, Node >= 20 and make; the rest is set up here.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
MIRROR ?=

.PHONY: help setup build lab test test-all bench lint format clean

help:
	@echo "make lab       open JupyterLab on the first notebook   (MIRROR=1: against a small IDC on this machine)"
	@echo "make test      lint, types, Python, JavaScript and browser tests"
	@echo "make test-all  the same with the long campaigns"
	@echo "make bench     the figures, as ratios against the real alternatives"
	@echo "make format    lay the code out"

# -- what is set up, once

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet -e ".[lab]" --group test
	@touch $@

js/node_modules/.installed: js/package.json js/package-lock.json
	@command -v npm >/dev/null || { echo "npm was not found: install Node 20 or newer."; exit 1; }
	cd js && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

idc_widgets/static/widget.js: js/node_modules/.installed js/build.mjs $(shell find js/src -type f)
	cd js && npm run --silent build

setup: $(VENV)/.installed js/node_modules/.installed

build: idc_widgets/static/widget.js

# -- using it

lab: $(VENV)/.installed build
	$(BIN)/python -m tests.lab $(if $(MIRROR),--mirror) -- $(ARGS)

# -- checking it

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd js && npm run --silent check

# The examples of tests/conditions.json with their cubes, for the browser's side of them.
CUBES := js/test/.fixtures/cubes.json

test: setup build lint
	$(BIN)/python -m tests.shared_cubes $(CUBES)
	cd js && npm test --silent
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest -m "not slow"

test-all: setup build lint
	$(BIN)/python -m tests.shared_cubes $(CUBES)
	cd js && npm test --silent
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest

$(VENV)/.bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

bench: setup build $(VENV)/.bench
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m benchmarks

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) js/node_modules idc_widgets/static/widget.* dist build

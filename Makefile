# Helikon. `make` lists the targets. Everything is built in .venv; nothing outside this folder is changed,
# except that tools/bootstrap installs Java, venv and Chromium from Debian where it may.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
MAP ?=
OUT ?= demo

.PHONY: help env demo test check lint docs lock clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

env:  ## make the environment in .venv
	@tools/bootstrap

demo: env  ## run the main job through every service: make demo [MAP=some.fits] [OUT=folder]
	@.venv/bin/helikon demo --out "$(OUT)" $(if $(MAP),--map "$(MAP)")

test:  ## run all tests against the real engines
	@tools/bootstrap test
	@.venv/bin/pytest

lint: env  ## format, lint, types and import rules
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

docs: env  ## build the documentation, warnings are errors
	@$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

check: lint docs test  ## the one gate: lint, types, import rules, docs, tests

lock: env  ## pin and hash all requirements again
	@.venv/bin/uv pip compile pyproject.toml --extra all --extra dev --python-version 3.11 --generate-hashes --no-header --quiet --output-file requirements.txt

clean:  ## remove what make made, the environment too
	@rm -rf .venv docs/_build demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

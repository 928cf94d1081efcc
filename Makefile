# Two commands on a fresh machine (python3 >= 3.10 and make):  make demo   make test
#
#   PYTHON=python3.12 make test          another interpreter for .venv
#   make test PYTEST_ARGS="-k dice"      part of the tests
#   make test PYTEST_ARGS="-m 'not slow'"

PYTHON ?= python3
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt
INPUTS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test fuzz docs notebooks lint format check hooks clean distclean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: $(VENV)/installed ## only the environment, in .venv

demo: $(VENV)/installed ## train the demo on scans it makes itself (minutes, no data needed)
	$(BIN)/clara-compat demo

test: $(VENV)/installed ## all tests, the slow ones too, one torch thread per process; PYTEST_ARGS="-k dice" for some
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal $(PYTEST_ARGS)

fuzz: $(VENV)/installed-fuzz ## hundreds of thousands of wrong configs, others each time, then ten minutes of atheris; what fails is kept in build/fuzz
	@seed=$${FUZZ_SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}; echo "FUZZ_SEED=$$seed"; \
	FUZZ_SEED=$$seed FUZZ_CASES=$${FUZZ_CASES:-200000} FUZZ_KEEP=$${FUZZ_KEEP:-build/fuzz} FUZZ_SECONDS=$${FUZZ_SECONDS:-600} \
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal tests/fuzz $(PYTEST_ARGS)

docs: $(VENV)/installed-docs ## write the pages of docs/ that are made from the code anew, and build the site in site/
	$(BIN)/clara-compat components --markdown docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open site/index.html"

notebooks: $(VENV)/installed ## write notebooks/*.ipynb anew from the .py beside them
	$(BIN)/jupytext --update --to ipynb notebooks/*.py

lint: $(VENV)/installed-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-dev ## lay the code out and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test ## everything a change must pass

hooks: $(VENV)/installed-dev ## run ruff and mypy before every commit
	$(BIN)/pre-commit install

clean: ## remove what tests and builds left behind; the environment stays
	rm -rf build dist site .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## remove the environment too
	rm -rf $(VENV)

# The environment. It is made anew when the interpreter is missing, and brought up to date when its inputs change.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: PYTHON=python3.11 make ...")'
	$(PYTHON) -m venv --clear $(VENV)

# torch comes first: it is the largest part, and an installation that is interrupted later need not fetch it again.
$(VENV)/installed: $(INPUTS) | $(BIN)/python
	@echo "Installing into $(VENV) (once; a few minutes) ..."
	$(INSTALL) torch
	$(INSTALL) --editable '.[test]'
	@touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(INSTALL) --editable '.[docs]'
	@touch $@

# atheris has wheels for some Pythons only: without it the rest of the fuzzing runs.
$(VENV)/installed-fuzz: $(VENV)/installed
	$(INSTALL) --editable '.[fuzz]' || echo "atheris cannot be installed here: its tests are skipped"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(INSTALL) --editable '.[dev]'
	@touch $@

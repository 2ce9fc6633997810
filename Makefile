# `make demo` and `make test` work on a fresh machine with Python 3.11 and pip; everything goes into .venv.

PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2
export OMP_NUM_THREADS ?= 1
ifneq ($(wildcard ../shared/data),)
export HEADSTART_DATA ?= $(abspath ../shared/data)
endif

.PHONY: demo test test-slow results format clean

demo: .venv/installed
	$(BIN)/headstart demo --out demo

test: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(JOBS) -m "not slow"

test-slow: .venv/installed
	$(BIN)/pytest -n $(JOBS) -m slow

# The pages of published studies again from their tables, without any training.
results: .venv/installed
	for folder in $(patsubst %/results/runs.parquet,%,$(wildcard docs/results/*/results/runs.parquet)); do \
		$(BIN)/headstart publish $$folder || exit; \
	done
	$(BIN)/headstart findings docs/results --into docs/findings.md
	$(BIN)/python benchmarks/contrary.py docs/results/* --into docs/contrary.md

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf .venv demo .mypy_cache .ruff_cache .pytest_cache

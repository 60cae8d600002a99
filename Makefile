# The doors of this project. `make demo` and `make test` need Python 3.13 and nothing else.

PYTHON ?= $(shell command -v python3.13 || command -v python3 || command -v python)
BIN := .venv/bin
STAMP := .venv/.locked

.DEFAULT_GOAL := help
.PHONY: help env demo test check check-long bench lock lint types imports infra format clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

env: $(STAMP) ## Make .venv from the lock (all that demo and test need).

$(STAMP): requirements-dev.txt tools/env.sh
	PYTHON="$(PYTHON)" sh tools/env.sh
	@touch $@

demo: env ## Show a day and a night on the simulated Azure; leaves demo-out/.
	$(BIN)/python -m vmbackup_cli demo --out demo-out

test: env ## Run all tests that need no other program.
	$(BIN)/python -m pytest -n 2 -m "not long"

check: env lint types imports infra test ## All that must hold before a change lands.

lint: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python tools/orchestrator_lint.py function_app.py

types: env
	$(BIN)/mypy

imports: env
	$(BIN)/lint-imports

infra: env
	$(BIN)/python tools/lock_check.py

check-long: env ## Real clients, Azurite, long simulations (SAMPLE=2026-01-31/3: a third of the cases).
	sh tools/long_env.sh
	$(BIN)/python -m pytest -m "long$(if $(VMBACKUP_NO_NODE), and not node)" $(if $(SAMPLE),--sample=$(SAMPLE))

bench: env ## Print the benchmarks' ratios and counts.
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.calls
	$(BIN)/python -m benchmarks.azsim_share

lock: env ## Write the locked requirements anew from pyproject.toml.
	$(BIN)/python tools/lock_check.py --write

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

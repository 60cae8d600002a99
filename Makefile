# The doors of this project. `make demo` and `make test` need Python 3.13 and nothing else.

PYTHON ?= $(shell command -v python3.13 || command -v python3 || command -v python)
BIN := .venv/bin
STAMP := .venv/.locked

.DEFAULT_GOAL := help
.PHONY: help env demo test check check-long bench lock roles lint types imports infra format clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

env: $(STAMP) ## Make .venv from the lock (all that demo and test need).

$(STAMP): requirements-dev.txt tools/env.sh
	PYTHON="$(PYTHON)" sh tools/env.sh
	@touch $@

demo: env ## Show a day, a night and a week on the simulated Azure; leaves demo-out/.
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

infra: env ## What is deployed: locks, roles, templates, workflows.
	$(BIN)/python tools/lock_check.py
	$(BIN)/python tools/infra_check.py

check-long: LONG = -m "long$(if $(VMBACKUP_NO_NODE), and not node)" $(if $(SAMPLE),--sample=$(SAMPLE))
check-long: env ## Real clients, Azurite, checkov, long simulations (SAMPLE=2026-01-31/12: one case in twelve).
	sh tools/long_env.sh
	$(BIN)/python -m pytest tests/long $(LONG)
	$(BIN)/python -m pytest -n 2 --ignore=tests/long $(LONG)

bench: env ## Print the benchmarks' ratios and counts.
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.calls
	$(BIN)/python -m benchmarks.azsim_share

lock: env ## Write the locked requirements anew from pyproject.toml.
	$(BIN)/python tools/lock_check.py --write

roles: env ## Write the custom roles anew from the adapters' actions.
	$(BIN)/python tools/roles.py --write

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Needs only make and a Python from 3.11 to 3.13. `make run` opens the office.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
PYTHONS := $(PYTHON) python3.13 python3.12 python3.11 python3 python
APPS := accounts auctions chitfund kyc notifications payments reports schemes subscriptions
# Test processes; two cores are busy with two.
N ?= auto
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run setup setup-run test lint format types imports migrations schema lock clean

help: ## Say what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: setup-run ## Open the office: database, web, tasks and clock; Ctrl-C closes it
	@exec $(BIN)/python manage.py office

setup-run: $(VENV)/installed ## Install what the office runs on

setup: $(VENV)/installed-dev ## Install that and what building and testing needs

test: setup ## Run the tests, for example `make test ARGS="payments -k payout"`
	$(BIN)/python -m pytest -n $(N) --dist worksteal $(ARGS)

lint: setup ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## Bring the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## Check types where rules and money live
	$(BIN)/mypy

imports: setup ## Check that imports go down only
	$(BIN)/lint-imports

migrations: setup ## Check that the migrations match the models
	$(BIN)/python manage.py makemigrations --check --dry-run

schema: setup ## Check the API's description
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(VENV)/schema.yaml

lock: setup ## Pin requirements.txt and requirements-dev.txt from the .in files
	$(PIP) install uv
	for name in requirements requirements-dev; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
			--no-header --no-annotate --no-emit-index-url $$name.in --output-file $$name.txt; \
	done

clean: ## Remove the environment and the caches; the data folder stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(APPS) -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: requirements.txt | $(VENV)/python-works
	$(PIP) install --requirement requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt | $(VENV)/python-works
	$(PIP) install --requirement requirements-dev.txt
	@touch $@ $(VENV)/installed

# A Python is judged by making an environment with it: a pyenv shim may be on the path and
# run nothing, and Debian ships one that lacks ensurepip.
$(VENV)/python-works:
	@for python in $(PYTHONS); do \
		"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
			>/dev/null 2>&1 || continue; \
		rm -rf $(VENV); \
		"$$python" -m venv $(VENV) >/dev/null 2>&1 \
			|| { rm -rf $(VENV); "$$python" -m venv --without-pip $(VENV) \
				&& "$$python" -m pip --python $(BIN)/python install --quiet pip; } >/dev/null 2>&1 \
			|| continue; \
		$(PIP) --version >/dev/null 2>&1 || continue; \
		echo "Using $$($(BIN)/python --version) ($$python)"; \
		touch $@; exit 0; \
	done; \
	rm -rf $(VENV); \
	echo "No usable Python 3.11, 3.12 or 3.13 with venv was found (on Debian: python3-venv)." >&2; \
	echo "Name one: make run PYTHON=/path/to/python3" >&2; exit 1

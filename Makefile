# Two commands are enough: `make run` and `make test`. Everything else is for developers.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
UV := .venv/bin/uv

.DEFAULT_GOAL := help
.PHONY: help run test check static bench format nlu tune lock clean

help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/app.stamp ## Install what is missing, then start everything with demo data; Ctrl-C stops it.
	@$(PY) -m bot run

test: .venv/dev.stamp nlu ## Install what is missing, then run the whole test suite.
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/dev.stamp ## Lint, format, strict types, import layers, flows, NLU data.
	@$(MAKE) --no-print-directory --jobs=2 static nlu
	@$(PY) nlu/validate.py

static: .venv/dev.stamp # What needs no model, beside its training.
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PY) -m bot flows check

bench: .venv/dev.stamp ## Run the benchmarks and write docs/benchmarks.md.
	@$(PY) -m tests.bench

format: .venv/dev.stamp ## Format the code and mend what ruff can mend.
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

nlu: .venv/app.stamp ## Install the NLU environment and train a model if none matches the data.
	@$(PY) -m bot train --if-needed

tune: nlu/tuning/.venv/installed.stamp ## Tune the sentence encoder on the training texts (five gigabytes, an hour).
	@nlu/tuning/.venv/bin/python nlu/tuning/tune.py

nlu/tuning/.venv/installed.stamp: nlu/tuning/requirements.lock .venv/app.stamp
	@$(UV) venv --quiet --clear --no-project --python $(PY) nlu/tuning/.venv
	@$(UV) pip install --quiet --python nlu/tuning/.venv/bin/python --no-deps --require-hashes \
	  --only-binary :all: -r nlu/tuning/requirements.lock
	@touch $@

lock: .venv/app.stamp ## Renew the pinned, hashed requirements from requirements/*.in.
	@for name in bootstrap app dev; do \
	  $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url requirements/$$name.in --output-file requirements/$$name.lock; done

clean: ## Remove what was installed and trained; records in var/ stay.
	rm -rf .venv nlu/.venv nlu/tuning/.venv nlu/models .rasa .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/uv: requirements/bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11 ...")'
	@echo "Preparing .venv (once) ..."
	@$(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@touch $@

.venv/app.stamp: .venv/bin/uv requirements/app.lock
	@echo "Installing packages ..."
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/app.lock
	@touch $@

.venv/dev.stamp: .venv/app.stamp requirements/dev.lock
	@echo "Installing packages for checks and tests ..."
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/dev.lock
	@touch $@

# The commands of the README. Everything installs itself into .venv on first use.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo test lint format bench drill screenshots clean

run: .venv/ready
	$(BIN)/honcho start

demo: .venv/ready
	$(BIN)/python -m ingest.simulation

test: .venv/ready-dev
	sh tests/services.sh
	$(BIN)/python -m pytest

lint: .venv/ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/hadolint ops/docker/*.Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.*.yml
	$(BIN)/kubernetes-validate --strict --quiet $(filter-out %kustomization.yaml,$(wildcard ops/kubernetes/*.yaml))

format: .venv/ready-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/ready-dev
	$(BIN)/python -m bench.webhooks
	$(BIN)/python -m bench.overview

drill: .venv/ready-dev
	$(BIN)/python -m bench.drill

screenshots: .venv/ready-dev
	sh tests/services.sh
	$(BIN)/python -m tests.screenshots

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts

.venv/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Error: Python 3.11 or newer is needed; set PYTHON=python3.12, say.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

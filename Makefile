# The commands of the README. Everything installs itself into .venv on first use.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo test coverage lint audit sbom format bench drill mutation screenshots clean

run: .venv/ready
	$(BIN)/honcho start

demo: .venv/ready
	$(BIN)/python -m ingest.simulation

test: .venv/ready-dev
	sh tests/services.sh
	$(BIN)/python -m pytest

# The suite with the services that it starts, slower than `make test`; the table, and an error where either part
# has less than 95 % of its branches taken.
# Without the drills, which hold memory and answers to bounds that coverage itself moves. A folder of tests at a time, so
# that what was counted stays when a later one fails.
coverage: .venv/ready-dev
	sh tests/services.sh
	rm -rf test-artifacts/coverage
	mkdir -p test-artifacts/coverage
	for folder in $(filter-out tests/drills/ tests/fixtures/ tests/__pycache__/,$(wildcard tests/*/)); do \
		$(BIN)/python -m coverage run -m pytest $$folder || exit; \
	done
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report
	$(BIN)/python -m coverage json --quiet -o test-artifacts/coverage/report.json
	$(BIN)/python -m ops.branches test-artifacts/coverage/report.json

lint: .venv/ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -W ignore -m deptry --no-ansi core ingest dashboard
	$(BIN)/python -W ignore -m deptry --no-ansi --ignore DEP002,DEP004 bench ops tests
	$(BIN)/python -m ops.licences --check
	$(BIN)/hadolint ops/docker/*.Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.*.yml
	$(BIN)/kubernetes-validate --strict --quiet $(filter-out %kustomization.yaml,$(wildcard ops/kubernetes/*.yaml))

# Known vulnerabilities of what is pinned; says so where nobody can be asked.
audit: .venv/ready-dev
	$(BIN)/python -m ops.audit

# The bill of materials, CycloneDX JSON, checked against its schema.
sbom: .venv/ready-dev
	$(BIN)/python -W ignore -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --validate --output-file sbom.cdx.json

format: .venv/ready-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/ready-dev
	sh tests/services.sh
	$(BIN)/python -m bench

drill: .venv/ready-dev
	sh tests/services.sh
	$(BIN)/python -m bench.drill

mutation: .venv/ready-dev
	$(BIN)/python -m tests.mutation

screenshots: .venv/ready-dev
	sh tests/services.sh
	$(BIN)/python -m tests.screenshots

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts sbom.cdx.json

.venv/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Error: Python 3.11 or newer is needed; set PYTHON=python3.12, say.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# tierstream. `make help` lists the targets.
#
#   PYTHON=python3.12 make env      choose the interpreter (3.11 or newer)
#   make demo ARGS="--keep"         pass options on to `tierstream demo`
#   make test ARGS="-k outbox"      pass options on to pytest

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
ARGS   ?=
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEPLOY := .cache/deploy/.installed
NODE   := tests/node/node_modules/.package-lock.json
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKS  := requirements.lock requirements-data.lock
UV     := .cache/lock/bin/uv pip compile --quiet --universal --generate-hashes --custom-compile-command "make lock"
# One run of tests for each processor, files kept together; each has servers of its own.
SPREAD := -n auto --dist loadfile

.PHONY: help env env-node env-deploy demo test search test-slow test-apache test-faults test-deploy lint \
  lint-events format generate generate-manifests bench lock clean

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(STAMP) ## build the environment in .venv (nothing to do when it is up to date)

$(STAMP): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "tierstream needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo missing)."; \
	  echo "Name another one:  make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot build virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || { \
	  echo "Building $(VENV) with $$($(PYTHON) --version) (once; about a minute)"; \
	  $(PYTHON) -m venv --clear $(VENV); }
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --require-hashes --no-deps -r requirements-data.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

env-node: $(NODE) ## what tests need of npm, in tests/node: AsyncAPI's parser, kafkajs (Node 18 or newer)

$(NODE): tests/node/package.json tests/node/package-lock.json
	@cd tests/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

env-deploy: $(DEPLOY) ## Helm's SDK and the linters of deploy/, in .cache/deploy (400 MB)

$(DEPLOY): tests/deploy/tools.lock
	@$(PYTHON) -m venv --clear .cache/deploy
	@.cache/deploy/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

demo: env ## a business through an embedded broker and Redis: tier changes live here and in the browser
	@$(BIN)/tierstream demo $(ARGS)

test: env ## everything that needs only pip
	$(BIN)/python -m pytest $(SPREAD) -m "not faults_heavy and not kafka and not bench and not slow and not deploy and not prometheus" $(ARGS)

search: env ## properties with new examples, twenty times as many: minutes to hours
	TIERSTREAM_EXAMPLES=$${TIERSTREAM_EXAMPLES:-20} $(BIN)/python -m pytest $(SPREAD) tests/properties tests/contract -m "not slow" --timeout=0 $(ARGS)

test-slow: env ## what takes minutes: every customer of CDNOW by brute force
	$(BIN)/python -m pytest -m slow --timeout=1200 $(ARGS)

test-apache: env ## the integration suite on Apache Kafka (Java 17, Maven) and redis-server on the PATH
	$(BIN)/python -m pytest $(SPREAD) tests/integration -m "not faults_heavy and not bench" \
	  --broker=apache --redis-server=debian $(ARGS)

test-faults: env ## workers, relay and Redis killed on Apache Kafka; sizes by TIERSTREAM_FAULT_*
	$(BIN)/python -m pytest tests/faults -m faults_heavy \
	  --broker=apache --redis-server=debian $(ARGS)

test-deploy: env env-deploy ## image, compose file, chart and manifests: linted, rendered, built without Docker
	$(BIN)/python -m pytest tests/deploy -m deploy $(ARGS)

lint: env ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-events: env-node ## AsyncAPI's own parser reads docs/asyncapi.yaml
	node tests/node/validate_asyncapi.mjs docs/asyncapi.yaml

generate: env ## renew what is made from the code: schemas, documents, dashboards
	@for made in schemas.catalog schemas.asyncapi schemas.reference agents.metrics_page agents.web.openapi deploy.grafana.dashboards; do \
	  $(BIN)/python -m $$made --write; done

generate-manifests: env-deploy ## renew deploy/kubernetes from the Helm chart
	.cache/deploy/bin/python tests/deploy/render.py write

format: env ## rewrite files the way `make lint` wants them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: env ## aiokafka, Faust and tierstream side by side: rates, CPU per event, memory (takes minutes)
	$(BIN)/python -m tests.bench $(ARGS)
	$(BIN)/python -m tests.bench.breadth

lock: ## resolve the lock files again, for every platform; ARGS=--upgrade for newer versions
	@mkdir -p .cache
	@test -x .cache/lock/bin/uv || { $(PYTHON) -m venv .cache/lock && .cache/lock/bin/pip --quiet install uv; }
	@$(UV) $(ARGS) --extra embedded --extra tracing --extra dev --output-file requirements.lock pyproject.toml
	@$(UV) --constraint requirements.lock --output-file requirements-runtime.lock pyproject.toml
	@$(UV) $(ARGS) --output-file tests/deploy/tools.lock tests/deploy/tools.in

clean: ## remove everything that a target here made
	rm -rf $(VENV) tests/node/node_modules .cache .data build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

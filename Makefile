.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

help: ## show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## create .venv from the hash-locked requirements

# uv is itself installed under a hash, then installs everything else.
$(INSTALLED): requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "$(PYTHON) is not Python 3.11 to 3.13: name one that is, for example make install PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
	@touch $@

demo: install ## the whole nightly job on modelled samples, from a loopback replica of the publishers, in demo-data/
	$(BIN)/justice-etl demo

refresh: install ## ask the publishers what is new, land, build and publish, in data/ (JUSTICE_CONTACT=you@example.org)
	$(BIN)/justice-etl refresh

serve: install ## serve what is published on http://127.0.0.1:8000 (JUSTICE_HOME=demo-data for the demo)
	$(BIN)/justice-etl serve

airflow: install ## Airflow on this machine over demo-data/, until Ctrl-C
	@$(BIN)/python -m etl.local_airflow

env: ## make .env for docker compose, with fresh secrets (CONTACT=you@example.org EXECUTOR=celery)
	@$(PYTHON) docker/make_env.py --executor "$(or $(EXECUTOR),local)" --contact "$(CONTACT)"

up: ## start everything with docker compose, and wait until it is healthy
	docker compose up --detach --wait

down: ## stop what docker compose started; data stays
	docker compose down

test: install ## run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-compose: ## try docker-compose.yml for real, as root on Debian (a quarter of an hour; not part of CI)
	$(PYTHON) tests/compose/run.py

lint: install ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: install ## write the JSON Schemas of what is written by hand to schemas/json/
	$(BIN)/python -m etl.json_schemas

bench: install ## measure what the README's table states (about ten minutes)
	$(BIN)/python -m benchmarks

lock: ## rewrite requirements.lock and requirements-uv.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-strip-extras --no-emit-index-url --no-header --quiet -o requirements.lock
	grep '^uv==' requirements.lock | sed 's/ .*//' | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-uv.lock

clean: ## remove the demo home, the virtual environment and caches (never data/)
	chmod -R u+w demo-data 2>/dev/null || true
	rm -rf demo-data .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help install demo refresh serve airflow env up down test test-compose lint format schemas bench lock clean

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
# Checks that read the settings need some key; commands that run keep one of their own under var/.
ANY_KEY := SECRET_KEY=not-used-for-anything

.PHONY: run test lint types audit bench clients css help
.DEFAULT_GOAL := help

run: .venv/run.stamp ## Start everything on this machine, at http://127.0.0.1:8000 or make run PORT=8123
	@exec $(BIN)/python manage.py up --port $(PORT)

test: .venv/dev.stamp clients ## Run every test, browser and published clients included
	@.ci/debian-packages chromium || echo "NO CHROMIUM: the browser tests will be skipped."
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/dev.stamp ## Check style, formatting, and that models and migrations agree
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING

types: .venv/dev.stamp ## Check the types
	$(ANY_KEY) $(BIN)/mypy .

audit: .venv/dev.stamp ## Look for known vulnerabilities of what we depend on; fails where that cannot be looked up
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock

bench: var/bench/stamp ## Measure, peers included, in an environment of its own; prints tables and JSON
	var/bench/bin/python -m benchmarks

clients: .venv/dev.stamp ## Install the published clients that tests talk to us with
	@.ci/clients

css: ## Build the style sheet and icons again (development only, needs Node)
	cd frontend && npm ci && node build.mjs

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The peers bring packages that the product may not have beside it.
var/bench/stamp: requirements-bench.lock
	"$(PYTHON)" -m venv var/bench
	var/bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

.venv/%.stamp: requirements.lock requirements-dev.lock .ci/install
	@.ci/install "$(PYTHON)" $*
	@touch $@

# Every command works from any directory: make -C /path/to/this demo
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-stop secrets test coverage test-fast test-topology lint format translations reference screenshots bench fuzz lock licences audit sbom clean

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
BIN := $(ROOT)/.venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The files name every package there is: pip need not look for others (older ones fail when an extra has a newer release).
LOCKED := --no-deps --require-hashes
# The first interpreter that runs and has the right version; PYTHON=… chooses another.
PYTHON ?= $(shell for python in python3 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$python && break; done)

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' "$(ROOT)/Makefile" | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(BIN)/.dev-installed ## Make .venv with everything pinned in requirements*.txt

demo: $(BIN)/.installed ## Run the hourly job on a real Airflow over invented history
	@"$(BIN)/python" -m amazon_support demo

demo-stop: $(BIN)/.installed ## Stop what the demo left running
	@"$(BIN)/python" -m amazon_support demo --stop

secrets: ## Make the secrets that docker-compose.yaml takes, those that are missing
	@cd "$(ROOT)" && "$(PYTHON)" deploy/make_secrets.py

# Whole files to each worker, in order: the slow tests last.
WORKERS := --numprocesses auto --dist loadfile --no-loadscope-reorder

test: lint ## Lint, then all tests
	@cd "$(ROOT)" && "$(BIN)/pytest" $(WORKERS)

coverage: $(BIN)/.dev-installed ## All tests, and which lines they run (takes nearly twice as long)
	@cd "$(ROOT)" && "$(BIN)/pytest" $(WORKERS) --cov --cov-report=term --cov-fail-under=85

test-fast: $(BIN)/.dev-installed ## The tests that take seconds
	@cd "$(ROOT)" && "$(BIN)/pytest" $(WORKERS) -m "not slow"

test-topology: $(BIN)/.dev-installed ## The hour on a cluster whose parts are killed (half an hour; not part of make test)
	@cd "$(ROOT)" && "$(BIN)/pytest" -m topology tests/topology

lint: $(BIN)/.dev-installed ## Style, types and SQL
	@cd "$(ROOT)" && "$(BIN)/ruff" check --quiet . && "$(BIN)/ruff" format --quiet --check . \
		&& { "$(BIN)/mypy" --no-error-summary & types=$$!; \
			"$(BIN)/sqlfluff" lint --nocolor --disable-progress-bar --processes 0 include/sql || { wait $$types; exit 1; }; \
			wait $$types; } && echo "lint: clean"

format: $(BIN)/.dev-installed ## Write code in the project's style
	@cd "$(ROOT)" && "$(BIN)/ruff" check --fix-only --quiet . && "$(BIN)/ruff" format .

translations: $(BIN)/.dev-installed ## Bring the catalogues up to what templates and code say
	@cd "$(ROOT)" && strings=$$(mktemp) && trap 'rm -f "$$strings"' EXIT \
		&& "$(BIN)/pybabel" --quiet extract -F include/translations/babel.cfg -k say --no-location -o "$$strings" . \
		&& for po in include/translations/*.po; do "$(BIN)/pybabel" --quiet update --no-fuzzy-matching --ignore-obsolete \
			--ignore-pot-creation-date -i "$$strings" -l "$$(basename "$$po" .po)" -o "$$po"; done

reference: $(BIN)/.dev-installed ## Write docs/settings.md and docs/data.md anew
	@cd "$(ROOT)" && "$(BIN)/python" docs/make_reference.py

screenshots: $(BIN)/.dev-installed ## Write docs/images anew, of the running demo
	@cd "$(ROOT)" && "$(BIN)/python" docs/make_screenshots.py

bench: $(BIN)/.dev-installed ## Measure speed as ratios; writes bench/results.md
	@cd "$(ROOT)" && "$(BIN)/python" bench/run.py

fuzz: $(BIN)/.dev-installed ## Read 200,000 mutated mails; none may go wrong
	@cd "$(ROOT)" && "$(BIN)/python" tests/mail/fuzz.py

# cyclonedx-bom asks for a checker of IRIs that nothing here needs, and that every start of Airflow would import for 2.5 s.
UNWANTED := --no-emit-package rfc3987-syntax --no-emit-package lark

lock: $(BIN)/python ## Resolve requirements*.in anew (needs uv: pip install uv)
	@cd "$(ROOT)" && for name in requirements requirements-dev; do \
		uv pip compile $$name.in -o $$name.txt --universal --python-version 3.11 --generate-hashes --quiet \
			--upgrade $(UNWANTED) --custom-compile-command "make lock"; done

licences: $(BIN)/.dev-installed ## Write docs/licences.md anew
	@cd "$(ROOT)" && "$(BIN)/python" tests/repository/licences.py

audit: $(BIN)/.dev-installed ## Look every package up among known vulnerabilities (no failure when offline)
	@cd "$(ROOT)" && if "$(BIN)/python" -c "import urllib.request as u; u.urlopen('https://pypi.org/pypi/pip/json', timeout=10)" \
			2>/dev/null; then "$(BIN)/pip-audit" --disable-pip --require-hashes --progress-spinner off -r requirements.txt; \
		else echo "audit: pypi.org cannot be asked from here; nothing was looked up"; fi

sbom: $(BIN)/.dev-installed ## Write sbom.cdx.json, a CycloneDX list of all that the pipeline runs on
	@cd "$(ROOT)" && "$(BIN)/cyclonedx-py" requirements --output-reproducible --pyproject pyproject.toml \
		-o sbom.cdx.json requirements.txt 2>/dev/null && echo "sbom.cdx.json"

clean: ## Remove .venv and everything the demo made
	@if [ -x "$(BIN)/python" ]; then "$(BIN)/python" -m amazon_support demo --stop >/dev/null 2>&1 || true; fi
	@rm -rf "$(ROOT)/.venv" "$(ROOT)/.data"

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "Missing: Python 3.11 or 3.12 (python3 is $$(python3 --version 2>&1 || true)). Install it, or: make PYTHON=/path/to/python"; exit 1; }
	@"$(PYTHON)" -m venv "$(ROOT)/.venv" || { rm -rf "$(ROOT)/.venv"; echo "Missing: Python's venv module (Debian, Ubuntu: the package python3-venv)"; exit 1; }

$(BIN)/.installed: $(BIN)/python $(ROOT)/requirements.txt $(ROOT)/pyproject.toml
	@echo "Installing the packages of requirements.txt (once, a few minutes)"
	@$(PIP) $(LOCKED) -r "$(ROOT)/requirements.txt"
	@$(PIP) --no-deps --no-build-isolation -e "$(ROOT)"
	@touch "$@"

$(BIN)/.dev-installed: $(BIN)/.installed $(ROOT)/requirements-dev.txt
	@$(PIP) $(LOCKED) -r "$(ROOT)/requirements-dev.txt"
	@touch "$@"

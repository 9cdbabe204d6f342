# Needs git, make and Python 3.12 or later; everything else is installed in .venv.

VENV ?= .venv
PY := $(VENV)/bin/python
RECORDS ?= 200
N ?= 20000
# A name of Python cannot be a file of it: NAME=import is bench/imports.py.
BENCH = $(firstword $(wildcard bench/$(NAME).py bench/$(NAME)s.py))
# The stamp carries the checksum of what was installed, so that a new lock, and only that, installs again.
LOCK := $(shell cksum < requirements/dev.txt | cut -d' ' -f1)
INSTALLED := $(VENV)/.installed-$(LOCK)

# Every program of every test would compile the whole project anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo demo-once test test-fast lint format bench messages lock

help: ## This text
	@echo "The portal in which Belgian mandataires declare for their clients"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	  printf '  make %-10s %s\n' "$$name" "$$text"; done
	@echo
	@echo "PostgreSQL and Valkey start by themselves, with their state in var/, unless DATABASE_URL and"
	@echo "REDIS_URL name others. ARGS=... goes to pytest; PYTHON=... names the interpreter of $(VENV)."

install: $(INSTALLED) ## Install what is locked in requirements/ in .venv

$(INSTALLED): requirements/dev.txt
	@set -e; for candidate in "$(PYTHON)" python3.13 python3.14 python3.12 python3; do \
	  if [ -n "$$candidate" ] && "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 12))' \
	    >/dev/null 2>&1; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "No Python >= 3.12 that can make environments was found." >&2; \
	  echo "Install one (Debian: python3 and python3-venv) or name it: make PYTHON=/path/to/python3.13" >&2; exit 1; \
	fi; \
	if ! $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then \
	  echo "Making $(VENV) with $$($$found --version)"; "$$found" -m venv --clear $(VENV); \
	fi
	$(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@rm -f $(VENV)/.installed-*
	@touch $@

demo: $(INSTALLED) ## Serve the portal with two mandataires, against a simulated social security
	@$(PY) manage.py demo

demo-once: $(INSTALLED) ## The same without pages: RECORDS=200 records there and back, then the end
	@$(PY) manage.py demo --once --records $(RECORDS)

test: $(INSTALLED) ## All tests: units, views, journeys; what needs a missing program says so and skips
	$(PY) -m pytest -n 2 $(ARGS)

test-fast: $(INSTALLED) ## Units and views only: no journeys, no browser, no servers killed
	$(PY) -m pytest -n 2 -m "not journey and not browser and not servers and not needs_openssh" $(ARGS)

lint: $(INSTALLED) ## Style, types, import contracts, templates, missing migrations
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-logo
	$(PY) -m djlint --quiet --lint templates
	$(PY) manage.py makemigrations --check --dry-run

format: $(INSTALLED) ## Put the code in its form
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(INSTALLED) ## Measure: NAME=seal, pages, import..., N=20000; the last line says ours beside the limit
	@test -f "$(BENCH)" || { echo "make bench NAME=... with one of:" bench/[a-z]*.py >&2; exit 2; }
	@$(PY) -m bench.$(notdir $(basename $(BENCH))) $(N)

messages: $(INSTALLED) ## Gather the texts to translate and compile the translations (needs gettext)
	$(PY) manage.py makemessages --all --no-obsolete --no-location --ignore "$(VENV)/*" --ignore "var/*"
	$(PY) manage.py compilemessages --ignore "$(VENV)/*"

lock: ## Choose versions anew within the bounds of requirements/*.in (needs uv)
	cd requirements && for name in base dev; do uv pip compile --quiet --upgrade --universal \
	  --python-version 3.12 --generate-hashes --no-header \
	  $$name.in --output-file $$name.txt; done

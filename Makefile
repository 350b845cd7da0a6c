# Everything a developer types. `make` alone lists the targets. All paths are relative: the checkout's may hold a space.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test thorough soak fuzz chaos check bench lock wheel clean FORCE
SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules --no-print-directory
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

PYTHON_OF_VENV := .venv/bin/python
UV := uv==0.13.9
UPGRADE :=
ARGS :=

# The stamp holds the path that the environment was made for: a copied or moved checkout makes its own.
USABLE := $(shell [ "$$(cat .venv/.locked 2>/dev/null)" = "$$(pwd -P)" ] && $(PYTHON_OF_VENV) -c '' 2>/dev/null && echo yes)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s  %s\n", $$1, $$2 }' Makefile

run: .venv/.ready ## start the daemon on config/, with its own SQLite database
	exec .venv/bin/sensord daemon start --config config

test: .venv/.ready ## run all tests, PostgreSQL included (ARGS="tests/store -x" for some)
	$(PYTHON_OF_VENV) -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal $(ARGS)

thorough: .venv/.ready ## over 100,000 random cases of schedules, mappings and the proof (ARGS="tests/core/check" for some)
	HYPOTHESIS_PROFILE=thorough $(PYTHON_OF_VENV) -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal \
		-m hypothesis $(or $(ARGS),tests/core)

fuzz: .venv/.ready ## whatever bytes, texts and words there are: files, schedules, templates, command lines (ARGS="tests/config")
	HYPOTHESIS_PROFILE=fuzz $(PYTHON_OF_VENV) -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal -m hypothesis \
		$(or $(ARGS),tests/config tests/core/test_fuzz_parsers.py tests/cli/test_fuzz_words.py tests/executors/test_wire.py)

chaos: .venv/.ready ## real daemons under random blows, on both databases and with workers (CHAOS_SECONDS=1200 each, CHAOS_SEED=7)
	for database in postgresql sqlite workers; do $(PYTHON_OF_VENV) -m tests.chaos --database $$database \
		--seconds $${CHAOS_SECONDS:-300} $${CHAOS_SEED:+--seed $$CHAOS_SEED} || exit 1; done

soak: .venv/.ready ## an hour of simulated crashes and failovers (SOAK_SEEDS=10000 or SOAK_MINUTES=10 for less)
	$(PYTHON_OF_VENV) -m tests.simulation.soak

check: .venv/.ready ## format, lint, types, links of the documents, freshness of the lock files
	$(PYTHON_OF_VENV) -m ruff format --check .
	$(PYTHON_OF_VENV) -m ruff check .
	$(PYTHON_OF_VENV) -m mypy
	$(PYTHON_OF_VENV) -m pytest tests/test_locks.py tests/docs

bench: .venv/.ready ## measure, beside raw floors (ARGS="ticks" for a part); bench/results.json has it too
	$(PYTHON_OF_VENV) -m bench $(ARGS)

lock: ## resolve pyproject.toml into the lock files (UPGRADE=1: take newer versions too)
	sh scripts/lock.sh "$(UV)" $(if $(UPGRADE),--upgrade)

wheel: .venv/.ready ## build the wheel into dist/
	$(PYTHON_OF_VENV) -m hatchling build --target wheel --directory dist

clean: ## remove the environment, caches and builds; state/ and warehouse/ stay
	rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps, each written last: an interrupted set-up leaves none, and is done again.
.venv/.locked: requirements-dev.lock scripts/pip.sh $(if $(USABLE),,FORCE)
	@echo "Setting up .venv from requirements-dev.lock"
	@rm -f .venv/.ready .venv/.locked
	@rm -rf .venv
	@sh scripts/pip.sh .venv install --quiet --require-hashes --only-binary :all: --requirement requirements-dev.lock
	@pwd -P > $@

.venv/.ready: .venv/.locked pyproject.toml
	@sh scripts/pip.sh .venv install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

# Every target makes the environment that it needs; only Python 3.11+ with pip, git and make are assumed.
PYTHON ?= python3
ADDRESS ?= 0.0.0.0:8080
BIN := .venv/bin
QUICK := not real and not boot and not nightly

PROPERTIES := $(shell grep -rl "from hypothesis" tests --include="test_*.py")

.PHONY: run test check test-real test-boot test-nightly bench lock

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Serve examples/talos on port 8080.
run: .venv/ready
	$(BIN)/matchboxctl serve --address $(ADDRESS) --data-path examples/talos

# Quick tests: nothing but the environment is needed.
test: .venv/ready
	$(BIN)/python -m pytest -q -m "$(QUICK)"

# What CI checks before the tests.
check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Real programs and four boots: installs what it needs.
test-real: .venv/ready
	$(BIN)/python -m pytest -q -m "(real or boot) and not nightly"

# Every boot client, from a directory and from table and bucket. Root installs what is missing, others are told.
test-boot: .venv/ready
	$(BIN)/python -m pytest -q -m boot tests/boot

# All that takes long: 10,000 cases of each property, every real program, every boot client.
test-nightly: .venv/ready
	MATCHBOX_NIGHTLY=1 $(BIN)/python -m pytest -q -m "$(QUICK)" $(PROPERTIES)
	$(BIN)/python -m pytest -q -m "real or boot or nightly"

# Ratios against a baseline of the same run.
bench: .venv/ready
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.request_cpu
	$(BIN)/python -m benchmarks.many_groups
	$(BIN)/python -m benchmarks.storm
	$(BIN)/python -m benchmarks.image_sync

# Renew the lock file from pyproject.toml.
lock:
	$(PYTHON) -m pip install --quiet uv
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -o requirements.lock

# Every target installs what it needs into its environment; only Python 3.11+ with pip, git and make are assumed.
PYTHON ?= python3
ADDRESS ?= 127.0.0.1:8080
BIN := .venv/bin
INSTALL := .venv/bin/uv pip install --quiet
SAM := .venv-sam/bin
CHECKOV := .venv-checkov/bin
MKDOCS := .venv-docs/bin/mkdocs
QUICK := not real and not boot and not nightly

# What `make run` copies, and what is in a data directory that was served.
EXAMPLE := $(addprefix examples/talos/,README.md assets groups ignition profiles sources)
LEFT_BY_SERVE := secrets releases 'state.*' 'history.*' groups.index

# Workers take whole files, in the order of collection: the tests of a file share slow fixtures. Many tests wait, so
# there is one worker more than processors, up to four.
WORKERS := $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() + 1))')
PYTEST := $(BIN)/python -m pytest -q --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# Where tests with real programs are; the longest first, so that no worker is left with one at the end.
REAL := tests/real tests/boot tests/stack tests/contract tests/conformance tests/rigs tests/seed

# The functions' processor; must equal the stack's parameter Architecture.
ARCHITECTURE ?= $(if $(findstring x86_64,$(shell grep -s Architecture= samconfig.toml)),x86_64,arm64)
BUILT ?= .aws-sam/build
export SAM_CLI_TELEMETRY := 0
# uv's own certificates lack those that an administrator has added to the system's.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)
# Tests start hundreds of processes, each of which would compile every imported module again.
unexport PYTHONDONTWRITEBYTECODE

PROPERTIES := $(shell grep -rl "from hypothesis" tests --include="test_*.py")

.PHONY: run refresh test test-fast check check-code check-stack check-workflows docs build packages artefacts test-real test-hostile test-boot test-nightly test-aws screenshots bench lock proto

# pip installs uv, and uv the rest; the lock files have versions and hashes of all packages and of the build backend.
.venv/bin/uv: requirements/uv.lock
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@

# What serving a directory needs (serving), or all extras and the development tools (ready).
.venv/serving: PACKAGES := --extra talos
.venv/ready: PACKAGES := --all-extras --group dev
.venv/serving .venv/ready: .venv/bin/uv requirements.lock pyproject.toml
	$(INSTALL) --python $(BIN)/python --require-hashes --constraint requirements.lock --requirements pyproject.toml $(PACKAGES)
	$(INSTALL) --python $(BIN)/python --build-constraint requirements.lock --no-deps --editable .
	touch $@

# aws-sam-cli and checkov pin older versions of what the functions need.
.venv-%/ready: requirements/%.lock | .venv/bin/uv
	$(PYTHON) -m venv --without-pip .venv-$*
	$(INSTALL) --python .venv-$*/bin/python --no-deps --require-hashes --requirements $<
	touch $@

# Serve a copy of examples/talos to this machine; `make run ADDRESS=0.0.0.0:8080` serves it to all that reach the machine.
# The copy keeps its secrets, its machines' states and what was edited in it.
run: .venv/serving .run/talos
	@! diff -qr examples/talos .run/talos $(addprefix -x ,$(LEFT_BY_SERVE)) | grep -v '^Only in .run/' || \
		echo 'To take the documents of examples/talos as they are now, and keep the secrets: make refresh'
	$(BIN)/matchboxctl serve --address $(ADDRESS) --data-path .run/talos

.run/talos: | .venv/serving
	rm -rf $@.new && mkdir -p $@.new && cp -R $(EXAMPLE) $@.new
	$(BIN)/matchboxctl talos secrets --cluster cozystack-demo --data-path $@.new
	mv $@.new $@

# Replace the documents of the copy by those of the example, and make the secrets that it lacks.
refresh: .run/talos
	cp -R $(EXAMPLE) $<
	$(BIN)/matchboxctl talos secrets --cluster cozystack-demo --data-path $<

# Quick tests, which need nothing but the environments.
test: .venv/ready .venv-sam/ready .venv-docs/ready
	$(PYTEST) -m "$(QUICK)" --ignore tests/real --ignore tests/boot

# Tests without processes and sockets.
test-fast: .venv/ready
	$(PYTEST) --dist worksteal --hypothesis-profile fast -m "not system and not slow and not nightly" tests/unit tests/conformance

# What CI checks before the tests.
check:
	@$(MAKE) --no-print-directory --jobs=2 check-stack check-code check-workflows docs

check-code: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The template and its translation, without calls to AWS. cfn-lint takes every condition for true and for false.
check-stack: .venv/ready .venv-sam/ready .venv-checkov/ready
	$(SAM)/sam validate --lint
	$(BIN)/python -m tools.template_translation .aws-sam
	$(SAM)/cfn-lint .aws-sam/translated-alb.json
	for file in .aws-sam/translated-*.json; do $(CHECKOV)/checkov --config-file .checkov.yaml --file $$file || exit 1; done

# GitHub's workflows, and that of the example; actionlint, which is built from Go, is one of the tests with real programs.
check-workflows: .venv-zizmor/ready
	.venv-zizmor/bin/zizmor --quiet --offline --config .github/zizmor.yml .github examples/github/*.yml

# The documentation as a site, in .run/site; a link or an anchor that leads nowhere is an error. What git ignores stays out.
PAGES := README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE docs deploy events examples
docs: .venv-docs/ready
	rm -rf .run/docs && mkdir -p .run/docs
	git -c safe.directory="$(CURDIR)" ls-files --cached --others --exclude-standard $(PAGES) | tar -cf - -T - | tar -xf - -C .run/docs
	NO_MKDOCS_2_WARNING=1 $(MKDOCS) build --strict

# The sdist and the wheel of it, as they are published, in dist/.
packages: .venv/bin/uv
	rm -rf dist
	$(BIN)/uv build --build-constraint requirements.lock --out-dir dist

# What `sam deploy` deploys, without Docker.
build: artefacts
	$(BIN)/python -m tools.artefact_report $(BUILT)

artefacts: .venv/ready .venv-sam/ready
	ARCHITECTURE=$(ARCHITECTURE) PYTHON313=$${PYTHON313:-$$($(BIN)/python -m tools.python313)} \
		$(SAM)/sam build --build-dir $(BUILT) --parameter-overrides Architecture=$(ARCHITECTURE)

# Tests with real programs, and six boots. Root gets missing Debian packages installed, other users get their names.
test-real: .venv/ready .venv-sam/ready
	$(PYTEST) -m "(real or boot) and not nightly" $(REAL)

# Idle, slow, flooding and malformed clients by the thousand, with figures; part of test-real.
test-hostile: .venv/ready
	$(BIN)/python -m pytest -q -s tests/real/test_hostile_clients.py

# Every boot client, from a directory and from table and bucket.
test-boot: .venv/ready
	$(PYTEST) -m boot tests/boot

# The long tests: 10,000 examples of each property, every real program, every boot client.
test-nightly: .venv/ready .venv-sam/ready .venv-checkov/ready
	MATCHBOX_NIGHTLY=1 $(PYTEST) -m "$(QUICK)" $(PROPERTIES)
	MATCHBOX_NIGHTLY=1 $(PYTEST) -m "real or boot or nightly"

# Read-only checks of a deployed stack with its owner's credentials (docs/deploy.md): STACK=matchbox, and where wanted
# REGION=eu-central-1, ONLY=head (names of checks, as pytest's -k takes them) and LOAD=1000 (requests at once).
test-aws: .venv/ready
	@STACK=$(STACK) REGION=$(REGION) LOAD=$(LOAD) $(BIN)/python -m pytest -q -rA -W default --tb=short --assert=plain --confcutdir tests/aws tests/aws -k "$(ONLY)"

# Pictures of every page of the console, wide and narrow, light and dark, in .run/screenshots; docs/console.md has some.
# Those of a terminal are for docs/operating.md.
screenshots: .venv/ready
	$(BIN)/python -m tests.rigs.screenshots .run/screenshots docs/images
	$(BIN)/python -m tests.rigs.terminal_pictures docs/images

# Performance, as ratios to a baseline of the same run.
bench: .venv/ready
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.command_start
	$(BIN)/python -m benchmarks.request_cpu
	$(BIN)/python -m benchmarks.boot_policies
	$(BIN)/python -m benchmarks.signatures
	$(BIN)/python -m benchmarks.many_groups
	$(BIN)/python -m benchmarks.storm
	$(BIN)/python -m benchmarks.storm_model
	$(BIN)/python -m benchmarks.storm_model.serve_storms
	$(BIN)/python -m benchmarks.history
	$(BIN)/python -m benchmarks.machine_lists
	$(BIN)/python -m benchmarks.console
	$(BIN)/python -m benchmarks.data_scale
	$(BIN)/python -m benchmarks.butane_cost
	$(BIN)/python -m benchmarks.image_sync
	$(BIN)/python -m benchmarks.unchanged_sync
	$(BIN)/python -m benchmarks.serve_throughput

# Renew the lock files after an edit of their sources; `make lock UPGRADE=--upgrade` also upgrades every package.
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header $(UPGRADE)
lock: .venv/bin/uv
	$(COMPILE) --python-version 3.11 --all-extras --group dev pyproject.toml -o requirements.lock
	for layer in boot_api signed_api asset_sync; do $(COMPILE) --python-version 3.13 --no-deps --no-annotate \
		-c requirements.lock layers/$$layer/requirements.in -o layers/$$layer/requirements.lock || exit 1; done
	for tool in uv sam sbom checkov docs ministack zizmor; do $(COMPILE) --python-version 3.11 requirements/$$tool.in -o requirements/$$tool.lock || exit 1; done
	for rig in $(basename $(wildcard tests/rigs/*-requirements.in)); do $(COMPILE) --python-version 3.11 --no-annotate \
		-c requirements.lock $$rig.in -o $$rig.txt || exit 1; done

# Generate the code of matchbox's gRPC messages, after an edit of the .proto.
proto: .venv/ready
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. matchboxctl/rpc/matchbox.proto

# Two commands: `make demo` and `make test`. Both start from nothing but Python ≥ 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SERVE ?= 1

.PHONY: help demo test test-light check prove bench reference pictures lock clean

help:
	@echo "make demo         a small archive in ./demo-archive: from transfer to reading room (SERVE=0: do not serve at the end)"
	@echo "make test         all checks and all tests, with the real services (Debian, root)"
	@echo "make test-light   the tests that need no service, on any machine"
	@echo "make check        format, lint, types, layers"
	@echo "make prove        the long proofs: 10,000 kills, 10,000 flipped bits, 9,000 mutated files, 10,000 damaged replicas, 100,000 faulted requests, 500 round trips, the E-ARK corpus"
	@echo "make bench        the measurements of bench/"
	@echo "make pictures     the pictures of docs/reading-room.md and docs/clerks.md (needs Chromium)"

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(READY)

demo: $(READY)
	SERVE=$(SERVE) $(BIN)/python -m demo

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pip check

test: check
	$(BIN)/python -m tests.run

test-light: check
	$(BIN)/python -m tests.run --light

prove: $(READY)
	$(BIN)/python -m tests.run --prove

bench: $(READY)
	$(BIN)/python -m bench

pictures: $(READY)
	$(BIN)/python -m tests.flows.pictures

reference: $(READY)
	$(BIN)/python -m tests.architecture.reference

lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --python-version 3.11 --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) demo-archive build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

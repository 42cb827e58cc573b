# `make demo` and `make test` do all the set-up on a machine that has Python (3.10 or newer), git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LABEL_VENV := .venv-label
LABEL_BIN := $(LABEL_VENV)/bin
LABEL_STAMP := $(LABEL_VENV)/.installed
PHANTOMS := runs/label_patients
STUDIES ?= $(PHANTOMS)

.PHONY: demo test lint bench docs label test-label clean

$(STAMP): setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch -c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,docs]' -c constraints.txt
	touch $@

demo: $(STAMP)
	$(BIN)/cardiacgen demo

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n 2

# About three quarters of an hour on two cores; the tables of docs/benchmarks.md are written anew.
bench: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks --out docs/benchmarks --page docs/benchmarks.md

# Runs the examples; a few minutes. Reading build/docs/index.html needs no network.
docs: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/sphinx-build -W --keep-going -q -b html docs build/docs

# MONAI Label cannot share an environment with the package; label-requirements.txt says why.
$(LABEL_STAMP): setup.cfg constraints.txt label-requirements.txt
	test -x $(LABEL_BIN)/python || $(PYTHON) -m venv $(LABEL_VENV)
	$(LABEL_BIN)/python -m pip install --quiet --disable-pip-version-check torch -c constraints.txt
	$(LABEL_BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r label-requirements.txt
	$(LABEL_BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Serves the folder STUDIES=...; by default phantom patients, which it writes.
label: $(LABEL_STAMP)
	test "$(STUDIES)" != $(PHANTOMS) || $(LABEL_BIN)/cardiacgen phantom $(PHANTOMS) --patients 5
	$(LABEL_BIN)/cardiacgen label --studies $(STUDIES)

test-label: $(LABEL_STAMP)
	OMP_NUM_THREADS=1 $(LABEL_BIN)/python -m pytest --durations=5 tests/label/app

clean:
	rm -rf $(VENV) $(LABEL_VENV) build dist *.egg-info docs/gallery

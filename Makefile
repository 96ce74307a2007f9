# Everything sets itself up: a machine needs only Python 3.11 or 3.12, make, git and gcc.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup demo test check format bench dictionary font clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/lianban demo

test: $(READY)
	$(BIN)/python -m pytest -n 2

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The simulator, as long as you like: make soak SEEDS=100000-199999 JOBS=8
SEEDS ?= 1000-10999
JOBS ?= 2
soak: $(READY)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --jobs $(JOBS)

bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m bench

dictionary: $(READY)
	$(BIN)/python -m bench.dictionary

# The font of the papers, from a copy of Noto Sans CJK: make font SOURCE=FILE.ttc
font: $(READY)
	$(BIN)/python -m bench.font $(SOURCE)

clean:
	rm -rf .venv build *.egg-info bench/out

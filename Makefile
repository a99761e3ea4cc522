# make demo: trains on real flights and prints what is missing. make test: the tests. Both make .venv first.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt

.PHONY: demo test lint paper bench clean

demo: .venv/demo.done
	$(BIN)/python examples/flights_demo.py

# In the order of the files: else those of the fewest tests come last, and among them are the longest.
test: .venv/test.done
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: .venv/test.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

# The paper's figures on Amazon, 3 seeds; needs the benchmark data (see benchmarks/paper.py --help).
paper: .venv/test.done
	$(BIN)/python benchmarks/paper.py amazon

# Speed and memory beside the peers', and beside what the machine can do: half an hour on two quiet cores. Goes on where
# it stopped; `benchmarks/speed.py --again PART` measures anew.
bench: .venv/test.done
	$(BIN)/python benchmarks/speed.py

# torch comes first and alone: named in constraints.txt it is the build for the CPU.
.venv/pip.done: constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) torch
	touch $@

.venv/demo.done: .venv/pip.done pyproject.toml
	$(PIP) -e ".[demo]"
	touch $@

.venv/test.done: .venv/pip.done pyproject.toml
	$(PIP) -e ".[test]"
	touch $@

clean:
	rm -rf .venv build demo-data demo-run

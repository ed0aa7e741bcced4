# Needs python3 (3.11 or newer, with its venv module) and make; everything else is installed
# into .venv. Another Python in a folder of its own: make PYTHON=python3.13 VENV=.venv-3.13 test

PYTHON ?= python3
VENV ?= .venv
LOWEST ?= .venv-lowest
PEERS ?= .venv-peers
CLIENTS ?= .venv-clients
FRESH := .venv-constraints

BIN := $(VENV)/bin
PIP_INSTALL := -m pip install -qq --no-input --disable-pip-version-check
# The pins hold for the tools that build the package, too.
PINNED := -c constraints.txt --build-constraint constraints.txt
PYTEST_OPTIONS ?= -q -n auto --dist worksteal

# Plots need no screen; each test worker keeps to one thread; pyright stays at its pinned version.
export MPLBACKEND := Agg
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
# Many processes load the same modules: they are compiled once, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=
# What pyright makes is short-lived: room for it saves a tenth of the time, where Node takes that.
ROOM := NODE_OPTIONS=--max-semi-space-size=64
PYRIGHT_ROOM = $(shell $(ROOM) node --version >/dev/null 2>&1 && echo $(ROOM))
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup reproduce test lint types tests lowest clients bench bench-peers docs site notebooks figures-check notes constraints clean

help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.done ## Install the project and its tools into .venv (instant when up to date)

reproduce: setup ## Check every claim and draw every figure into out/ (SLOWEST=10 lists what took long)
	$(BIN)/python -m theory $(if $(SLOWEST),--slowest $(SLOWEST))
	$(BIN)/python -m figures --out out $(if $(SLOWEST),--slowest $(SLOWEST))

test: setup ## Everything that has to pass: lint, types, tests
	@$(MAKE) --no-print-directory -j2 lint types tests

lint: setup ## Check style and formatting with ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup ## Check types with pyright
	$(PYRIGHT_ROOM) $(BIN)/pyright --pythonpath $(BIN)/python

tests: setup ## Run the tests and doctests (PYTEST_OPTIONS=... replaces -n auto and the like)
	$(ONE_THREAD) $(BIN)/pytest $(PYTEST_OPTIONS) $(if $(SLOWEST),--durations $(SLOWEST))

lowest: $(LOWEST)/.done ## Run the tests with the lowest supported versions of the dependencies
	$(ONE_THREAD) $(LOWEST)/bin/pytest $(PYTEST_OPTIONS)

# A CPU is enough: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu has the small wheels.
clients: $(CLIENTS)/.done ## Run the tests of models and samplers in torch (with the torch that is pinned)
	@$(CLIENTS)/bin/python -c "import torch"  # without it all tests would be skipped
	$(ONE_THREAD) $(CLIENTS)/bin/pytest -q tests/clients

bench: setup ## Run the benchmarks; the results also go into out/benchmarks.json
	$(BIN)/python -m benchmarks --json out/benchmarks.json

bench-peers: $(PEERS)/.done ## All benchmarks, beside other libraries; renews benchmarks/README.md
	$(PEERS)/bin/python -m benchmarks --all --readme

docs: $(VENV)/.docs ## Build the guide and the reference into out/docs
	$(BIN)/python -m sphinx -qW --keep-going -b html -d out/.doctrees docs out/docs

site: $(VENV)/.site ## Build the lessons for the browser into out/site (PYODIDE=folder or address)
	$(BIN)/python site/build.py --out out/site --wheels $(VENV)/wheels --pyodide "$(PYODIDE)"

notebooks: setup ## Write the lessons as notebooks into out/notebooks
	$(BIN)/python notebooks/make_notebooks.py

figures-check: setup ## Check that the figures still show what they claim
	$(BIN)/python -m figures --check

notes: setup ## Renew the tables of paper_notes.md
	$(BIN)/python -m figures --notes

constraints: ## Pin the newest versions in constraints.txt (with Python 3.11)
	@$(call require_python)
	@$(PYTHON) -c "import sys; sys.version_info[:2] == (3, 11) or sys.exit('make constraints \
	needs Python 3.11, the oldest supported: what it installs has to install on all newer ones.')"
	@echo "Resolving the newest versions in $(FRESH) ..."
	@$(PYTHON) -m venv --clear $(FRESH)
	@$(FRESH)/bin/python $(PIP_INSTALL) --upgrade pip hatchling
	@$(FRESH)/bin/python $(PIP_INSTALL) -e . --group dev
	@sed '/^[^#]/d' constraints.txt > $(FRESH)/constraints.txt
	@$(FRESH)/bin/python -m pip --disable-pip-version-check freeze --all --exclude-editable \
		--exclude setuptools >> $(FRESH)/constraints.txt
	@mv $(FRESH)/constraints.txt constraints.txt
	@rm -rf $(FRESH)

clean: ## Remove everything that make has made, the virtual environments too
	rm -rf $(VENV) $(LOWEST) $(PEERS) $(CLIENTS) $(FRESH) docs/made out build dist .hypothesis .pytest_cache .ruff_cache
	find theory sims figures tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is removed first and made last: a setup that was cut off starts afresh.
$(VENV)/.done: pyproject.toml constraints.txt
	@$(call require_python)
	@echo "Installing into $(VENV) (about a minute the first time) ..."
	@test -f $@ || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $@
	@$(BIN)/python $(PIP_INSTALL) --upgrade -c constraints.txt pip
	@$(BIN)/python $(PIP_INSTALL) $(PINNED) -e . --group dev
	@$(BIN)/python -c "import matplotlib.font_manager"  # lists the fonts, once for all processes
	@touch $@

$(VENV)/.docs $(VENV)/.site: $(VENV)/.%: $(VENV)/.done
	$(BIN)/python $(PIP_INSTALL) $(PINNED) --group $*
	@touch $@

$(PEERS)/.done: pyproject.toml constraints.txt
	@$(call require_python)
	@echo "Installing into $(PEERS) ..."
	@rm -f $@
	@$(PYTHON) -m venv --clear $(PEERS)
	@$(PEERS)/bin/python $(PIP_INSTALL) --upgrade -c constraints.txt pip
	@$(PEERS)/bin/python $(PIP_INSTALL) $(PINNED) -e . --group peers
	@touch $@

$(CLIENTS)/.done: pyproject.toml constraints.txt
	@$(call require_python)
	@echo "Installing torch into $(CLIENTS) ..."
	@rm -f $@
	@$(PYTHON) -m venv --clear $(CLIENTS)
	@$(CLIENTS)/bin/python $(PIP_INSTALL) --upgrade -c constraints.txt pip
	@$(CLIENTS)/bin/python $(PIP_INSTALL) $(PINNED) -e . --group clients
	@touch $@

$(LOWEST)/.done: pyproject.toml constraints.txt
	@$(call require_python)
	@echo "Installing the lowest versions into $(LOWEST) ..."
	@rm -f $@
	@$(PYTHON) -m venv --clear $(LOWEST)
	@$(PYTHON) -c "$$LOWEST_CONSTRAINTS" > $(LOWEST)/constraints.txt
	@$(LOWEST)/bin/python $(PIP_INSTALL) --upgrade -c constraints.txt pip
	@$(LOWEST)/bin/python $(PIP_INSTALL) -c $(LOWEST)/constraints.txt \
		--build-constraint constraints.txt -e . --group lowest
	@touch $@

require_python = command -v $(PYTHON) >/dev/null || \
	{ echo "$(PYTHON) is not there: install Python 3.11 or newer, or name it with PYTHON=..." >&2; \
	exit 1; }; $(PYTHON) -c "$$REQUIRE_PYTHON"

# Kept to what every Python understands, so that an old one can say that it is too old.
define REQUIRE_PYTHON
import sys
if sys.version_info < (3, 11):
    sys.exit("Python 3.11 or newer is needed and $(PYTHON) is %d.%d: name another with PYTHON=..."
             % sys.version_info[:2])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("$(PYTHON) has no venv module: install it (on Debian, the package python3-venv).")
endef
export REQUIRE_PYTHON

# The pins of constraints.txt, but for each of our own requirements its lower bound.
define LOWEST_CONSTRAINTS
import re, tomllib
config = tomllib.load(open("pyproject.toml", "rb"))
groups = config["dependency-groups"]
own = config["project"]["dependencies"] + groups["test"] + groups["lowest"]
pins = [line.strip() for line in open("constraints.txt") if re.match(r"\w", line)]
pins += [entry.replace(">=", "==") for entry in own if isinstance(entry, str)]
print(*{re.sub(r"[-_.]+", "-", pin.split("==")[0]).lower(): pin for pin in pins}.values(), sep="\n")
endef
export LOWEST_CONSTRAINTS

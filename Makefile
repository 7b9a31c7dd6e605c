# Everything needs Python 3.11 or newer, make and a package index; the rest goes into $(VENV).
#   make app PYTHON=python3.13    another interpreter
#   make test VENV=../venv        another place for the installed packages
VENV   ?= .venv
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN    := $(VENV)/bin
APP    := $(VENV)/.installed-app
DEV    := $(VENV)/.installed-dev
# A venv's packages are for one Python. Where another one is asked for, or the venv's own has changed or is gone with an
# update of the system, it is made anew.
ASKED  := $(filter-out file,$(origin PYTHON))
MADE   := $(shell sed -nE 's/^version(_info)? *= *([0-9]+\.[0-9]+).*/\2/p' $(VENV)/pyvenv.cfg 2>/dev/null)
NOW    := $(shell $(if $(ASKED),$(PYTHON),$(BIN)/python) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
ANEW   := $(if $(MADE),$(filter-out $(MADE),$(or $(NOW),none)))

.PHONY: anew help app serve test lint format chromium bench models api audit
.DEFAULT_GOAL := help

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s%s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

app: $(APP)  ## open the app on this computer: one owner, no caps
	RNN_PLAYGROUND_PUBLIC=0 $(BIN)/python -m streamlit run streamlit_app.py --server.address=localhost

serve: $(APP)  ## open the app for a class: all of the network reach it, with caps
	$(BIN)/python -m streamlit run streamlit_app.py --server.address=0.0.0.0 --server.headless=true

test: lint chromium  ## lint, then all tests: unit, app, browser
	$(BIN)/python -m pytest tests/unit tests/app -n 2 --dist worksteal
	$(BIN)/python -m pytest tests/browser -n 2 --dist worksteal

lint: $(DEV)  ## style, types and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)  ## put the code into the house style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

chromium: $(DEV)  ## find a browser for the tests, or install one
	@$(BIN)/python tests/browser/chromium.py

bench: $(APP)  ## measure, and compare with the numbers we publish
	$(BIN)/python -m benchmarks

models: $(APP)  ## train the shipped models again (assets/)
	$(BIN)/python -m assets.train
	$(BIN)/python -m assets.memory

api: $(APP)  ## write docs/api.md anew, after a public name or a docstring has changed
	$(BIN)/python -m docs.api

audit:  ## compare what the app runs on with the published advisories (needs the network)
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet pip-audit
	$(VENV)/audit/bin/pip-audit --requirement requirements.txt

# A stamp is younger than its requirements as long as nothing has to be installed: `git pull` makes those that it
# changes younger.
$(DEV): requirements-dev.txt $(APP)
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

$(APP): requirements.txt $(if $(ANEW),anew)
	@test -n "$(PYTHON)" || { echo "RNN Playground needs Python 3.11 or newer, and none was found. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "RNN Playground needs Python 3.11 or newer, and $(PYTHON) is not. Name another: make PYTHON=/path/to/python3"; exit 1; }
	@test -z "$(ANEW)" && $(BIN)/python -m pip --version >/dev/null 2>&1 || \
		$(PYTHON) -m venv $$(test ! -e $(VENV)/pyvenv.cfg || echo --clear) $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

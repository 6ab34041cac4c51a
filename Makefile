# Every target does the set-up that it needs; doing it again is quick.
.DEFAULT_GOAL := help
.PHONY: help demo dashboard test faults spark bench check format lock dictionary docs links wheel \
  samples notebooks notebook clean

PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m
INSTALL := $(RUN) pip install --quiet --disable-pip-version-check --require-hashes --no-deps

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

OURS := $(RUN) pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
CHECK_PYTHON := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ..."; exit 1; }

# The stamps are newer than the locks they were made from: a changed lock installs again.
.venv/base: requirements.lock pyproject.toml optimove_analysis/version.py
	@$(CHECK_PYTHON)
	@echo "Setting up .venv (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(INSTALL) -r requirements.lock
	@$(OURS)
	@touch $@

# What is developed with is 2 GB in 150 packages: uv, itself held to the lock's hashes, installs them
# in a quarter of pip's time, and pip does where uv cannot. Compiled at once: a test under -W error
# would else be the first to compile them, and hear their warnings.
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --compile-bytecode

.venv/dev: requirements-dev.lock requirements.lock pyproject.toml optimove_analysis/version.py
	@$(CHECK_PYTHON)
	@echo "Setting up .venv with the tools for development (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock > .venv/uv.lock
	@$(INSTALL) -r .venv/uv.lock
	@$(UV) --require-hashes -r requirements-dev.lock || $(INSTALL) -r requirements-dev.lock
	@$(OURS)
	@touch .venv/base $@

demo: .venv/base ## Fetch an audience from the sandbox, print its funnel and mix, write a report
	@$(BIN)/optimove-analysis demo

# More workers than cores: some tests wait half a minute for the quota, and need no core for that.
WORKERS ?= 4

test: check ## Run all checks and tests
	@$(RUN) pytest -n $(WORKERS) --dist worksteal

faults: .venv/dev ## Try all faults in full, kills and full disks included, and print their table
	@OPTIMOVE_FAULTS=full $(RUN) pytest -q tests/faults tests/archive

# An environment of its own: PySpark and the benchmarks want different versions of pandas.
.venv-spark/ready: requirements-spark.lock pyproject.toml optimove_analysis/version.py
	@command -v java > /dev/null || { echo "PySpark needs java 17 or newer on the PATH."; exit 1; }
	@echo "Setting up .venv-spark (once) ..."
	@test -x .venv-spark/bin/python || $(PYTHON) -m venv .venv-spark
	@.venv-spark/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-spark.lock
	@.venv-spark/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

spark: .venv-spark/ready ## Count on a real PySpark session (java 17), archive and notebook 08 too
	@.venv-spark/bin/python -m pytest -q tests/spark

BENCH ?= tests/benchmarks
bench: .venv/dev ## Measure against peers in the same run; one file: make bench BENCH=path
	@$(RUN) pytest $(BENCH) -q -o python_files='bench_*.py' --benchmark-only \
	  --benchmark-columns=min,median,rounds --benchmark-sort=name

check: .venv/dev ## Format, lint, types, walls between rooms, data dictionary
	@$(RUN) ruff format --check --quiet . && $(RUN) ruff check --quiet .
	@$(RUN) mypy
	@$(BIN)/lint-imports --no-logo > .venv/walls 2>&1 || { cat .venv/walls; exit 1; }
	@$(RUN) optimove_analysis dictionary --check data/README.md

format: .venv/dev ## Rewrite the code in the house's format
	@$(RUN) ruff format . && $(RUN) ruff check --fix .

dictionary: .venv/base ## Write data/README.md from the schema
	@$(RUN) optimove_analysis dictionary data/README.md

docs: .venv/dev ## Build the reference from the docstrings, in dist/docs
	@PYTHONPATH=tests $(RUN) docs.reference dist/docs
	@echo "dist/docs/index.html is the front page."

links: docs ## Ask for every address outside that the reference links to (needs a network)
	@PYTHONPATH=tests $(RUN) docs.links dist/docs

# Those on the PATH, or: make wheel PYTHONS="/one/bin/python /another/bin/python" WHOLE=1
wheel: PYTHONS ?= python3.11 python3.12 python3.13
wheel: .venv/dev ## Build sdist and wheel; install and test the wheel on each Python; WHOLE=1: all tests
	@PYTHONPATH=tests $(BIN)/python tests/wheel/on_each_python.py $(PYTHONS) $(if $(WHOLE),--whole)

samples: .venv/base ## Write data/samples and data/interactions.parquet from the sandbox
	@$(RUN) optimove_analysis samples data

# The eighth counts on PySpark too, so that it runs where that is: without java it stays as it is.
WITH_SPARK := notebooks/08_scale.ipynb

JAVA := $(shell command -v java)

notebooks: .venv/dev $(if $(JAVA),.venv-spark/ready) ## Run all notebooks, and write what they show into them
	@$(RUN) optimove_analysis notebooks $(filter-out $(WITH_SPARK),$(wildcard notebooks/*.ipynb))
	@$(if $(JAVA),.venv-spark/bin/python -m optimove_analysis notebooks $(WITH_SPARK),\
	  echo "$(WITH_SPARK) stays as it is: it needs java 17 or newer.")

dashboard: .venv/dev ## Serve the page for the investigation of a customer, on the sandbox
	@$(BIN)/optimove-analysis dashboard

notebook: .venv/dev ## Open the quickstart in JupyterLab
	@$(RUN) jupyterlab notebooks/01_quickstart.ipynb

LOCK := $(RUN) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate $(UPGRADE) pyproject.toml

lock: .venv/dev ## Pin all dependencies, with hashes; with UPGRADE=--upgrade: the newest
	@$(LOCK) --extra build -o requirements.lock
	@$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock
	@$(LOCK) --extra spark-test -c requirements.lock -o requirements-spark.lock

clean: ## Remove .venv and everything that was built
	@rm -rf .venv .venv-spark .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
	@rm -rf notebooks/.ipynb_checkpoints optimove-report.*
	@find optimove_analysis tests -name __pycache__ -prune -exec rm -rf {} +

# All that a newcomer needs: `make demo`, `make test`. Each target sets the machine up first (setup.sh), which is
# quick when there is nothing to do.

VENV := $(abspath $(or $(LONGHAUL_VENV),.venv))
PACKAGES := scenario longhaul controller traffic analysis
TYPED := $(PACKAGES) bench tests
PYTEST = $(VENV)/bin/python -m pytest
# One more than there are processors: some tests wait, for a guest or for what never answers.
PARALLEL := --numprocesses $(shell expr $$(nproc) + 1) --dist loadfile --no-loadscope-reorder --durations 10

.DEFAULT_GOAL := help
.PHONY: help setup python demo test test-all fuzz check format bench bundle wheel box site lock lab-pictures solutions clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## what builds the rest, .venv, the virtual-time kernel, the guests' root
	@./setup.sh all

python:
	@./setup.sh python

demo: setup ## set up, then three campuses train together; a summary and a report
	@$(VENV)/bin/longhaul run topologies/colossus.yaml

test: setup ## set up, then the tests, those in virtual time included, but for the slow ones; what is left out and skipped is listed
	@./setup.sh tests
	@$(PYTEST) -m "not alone and not slow" $(PARALLEL)
	@$(PYTEST) -m "alone and not slow" $$(grep -rl --include='*.py' 'mark\.alone' tests)

test-all: setup ## all tests, the slow ones too
	@./setup.sh tests
	@$(PYTEST) -m "not alone" $(PARALLEL)
	@$(PYTEST) -m alone $$(grep -rl --include='*.py' 'mark\.alone' tests)

fuzz: python ## mutated inputs of every kind, 10,000 of each; LONGHAUL_FUZZ=… says how many
	@LONGHAUL_FUZZ=$(or $(LONGHAUL_FUZZ),10000) $(VENV)/bin/python -m pytest -q tests/fuzz tests/run/test_run_damaged.py

fuzz-coverage: python ## inputs that reach new code, by Atheris (installed if need be), a minute for each reader; LONGHAUL_FUZZ_S=…
	@$(VENV)/bin/python -m pip install --quiet --no-deps atheris
	@for kind in yaml traces stored; do $(VENV)/bin/python -m tests.fuzz.guided $$kind .fuzz/$$kind -artifact_prefix=.fuzz/ \
	    -max_total_time=$(or $(LONGHAUL_FUZZ_S),60) || exit 1; done

check: python ## format, lint, types (of bench and tests too), layers
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy $(TYPED)
	@$(VENV)/bin/lint-imports

format: python ## let ruff rewrite what it can
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

bench: setup ## speed and exactness next to Mininet as shipped
	@$(VENV)/bin/python bench/compare.py

bundle: setup ## one archive with kernel and root file system, for any x86-64 Linux, in dist/
	@mkdir -p dist
	@$(VENV)/bin/python -m longhaul.machine.bundling dist

wheel: bundle ## the bundle as a Python package: pip install dist/longhaul-*.whl
	@$(VENV)/bin/python -m longhaul.machine.wheel dist/longhaul-*-linux-x86_64.tar.gz dist

box: ## boxes for Vagrant (libvirt, VirtualBox), in dist/, of the machine that .ci/vm proves; as root, some 30 minutes
	@vagrant/box dist

site: python ## the docs as a site, in site/; links checked
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

lock: python ## renew requirements.lock from pyproject.toml
	@$(VENV)/bin/python -m pip install --quiet uv
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --extra study --extra docs --generate-hashes \
	    --no-annotate --no-config --custom-compile-command "make lock" --upgrade \
	    --output-file requirements.lock pyproject.toml
	@echo "jupyterlab>=4.4" | $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --constraint requirements.lock \
	    --no-annotate --no-config --custom-compile-command "make lock" --upgrade --output-file vagrant/jupyter.lock -

lab-pictures: python ## the pictures of the labs, by the commands of their READMEs
	@$(VENV)/bin/python -m longhaul.labs.pictures

solutions: ## the labs' solutions as one encrypted archive for teachers, in dist/ (asks for a passphrase; or PASSPHRASE=FILE)
	@mkdir -p dist
	@tar --create --gzip --exclude=__pycache__ --directory labs solutions | openssl enc -aes-256-cbc -pbkdf2 -iter 600000 -salt $(if $(PASSPHRASE),-pass file:$(PASSPHRASE)) \
	    -out dist/solutions.tar.gz.enc
	@echo "dist/solutions.tar.gz.enc: open it with  openssl enc -d -aes-256-cbc -pbkdf2 -iter 600000 -in solutions.tar.gz.enc | tar xz"

clean: ## remove .venv and tool caches; runs/ and the cached kernel stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find $(PACKAGES) tests bench labs -name __pycache__ -type d -prune -exec rm -rf {} +

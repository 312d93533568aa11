# Thin fronts of bootstrap.py, which works without make too.
PYTHON ?= python3
ARGS ?=
# make demo PROFILE=zos: the farm's nodes run Zero-OS.
PROFILE ?=

.PHONY: demo test sim bench setup lint types contracts format lock check
demo:
	@$(PYTHON) bootstrap.py demo $(if $(PROFILE),--profile $(PROFILE)) $(ARGS)

test sim bench setup lint types contracts format:
	@$(PYTHON) bootstrap.py $@ $(ARGS)

check: test lint types contracts

# Pins every dependency anew, with hashes and without a registry's address (needs uv).
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --upgrade --extra demo --extra build -o requirements/run.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --constraint requirements/run.lock --all-extras -o requirements/dev.lock

# Thin fronts of bootstrap.py, which works without make too.
PYTHON ?= python3
ARGS ?=
# make demo PROFILE=zos: the farm's nodes run Zero-OS.
PROFILE ?=

.PHONY: help demo test unit sim bench machines deb deb-test wheel setup lint types contracts format docs check lock
help:
	@$(PYTHON) bootstrap.py --help
	@echo "    lock       pin every dependency again (only make, and needs uv)"

demo:
	@$(PYTHON) bootstrap.py demo $(if $(PROFILE),--profile $(PROFILE)) $(ARGS)

test unit sim bench machines deb deb-test wheel setup lint types contracts format docs check:
	@$(PYTHON) bootstrap.py $@ $(ARGS)

# Pins every dependency again, with hashes and without a registry's address (needs uv).
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --upgrade --extra demo --extra build -o requirements/run.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --constraint requirements/run.lock --all-extras -o requirements/dev.lock

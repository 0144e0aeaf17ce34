# demo, test, check, docs: nothing else to remember. Each sets up .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
# The SDKs are large: without byte code on disk every start would compile them again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test check docs

demo: .venv/ready  ## an estate, up on the local cloud
	@$(BIN)/python docs/demo.py

test: .venv/ready  ## every test but those that need a cloud account
	$(BIN)/pytest -n 2 --dist loadgroup -m "not live"

check: .venv/ready  ## format, lint, types, generated files current
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check

docs: .venv/ready  ## write the generated files again
	$(BIN)/python docs/generate.py

.venv/ready: pyproject.toml requirements.lock
	@echo "Setting up .venv (once; about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --no-build-isolation --editable .
	@touch $@

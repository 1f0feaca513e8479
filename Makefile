# Two commands: `make demo` shows what Foveal does, `make test` checks that it does it.
# Both make their own environment, .venv, and fill it with uv, which they fetch first: seconds instead of minutes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python
MKDOCS = NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

.PHONY: demo test docs clean

demo: $(VENV)/.installed
	@photo=$$($(BIN)/python -c "import skimage, pathlib; print(pathlib.Path(skimage.__file__).parent / 'data/coffee.png')") && \
	$(BIN)/foveal predict "$$photo" --out out && \
	echo "The photograph, with where people will look: $$(pwd)/out/coffee.overlay.png"

test: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MKDOCS)
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadfile --durations 20

docs: $(VENV)/.installed-dev
	$(MKDOCS)

$(BIN)/uv:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	(echo "Foveal needs Python 3.11 or later; name one: make PYTHON=python3.12 ..." >&2; exit 1)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv

# scikit-image carries the photograph of the demonstration.
$(VENV)/.installed: pyproject.toml $(BIN)/uv
	$(INSTALL) -e . scikit-image
	@touch $@

# The tests start many processes, each of which would compile what it imports where nothing is kept of it.
$(VENV)/.installed-dev: pyproject.toml $(BIN)/uv
	$(INSTALL) --compile-bytecode -e '.[dev,docs]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) out site .pytest_cache .mypy_cache .ruff_cache .hypothesis

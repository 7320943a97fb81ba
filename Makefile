# The commands of this project; `make help` lists them. Each can be interrupted and run again.

PYTHON ?= python3
ARGS ?=
VENV := .venv
RUN := $(VENV)/.run-$(word 1,$(shell cksum < requirements.lock))
DEV := $(VENV)/.dev-$(word 1,$(shell cksum < requirements-dev.lock))
# The launcher ends when make does, even by kill -9; `exec` leaves no shell between the two.
LAUNCH := exec $(VENV)/bin/python -m config.launcher.launch --parent $$PPID
# Two first starts at the same time must not install into one directory at once.
FLOCK := $(if $(shell command -v flock),mkdir -p var && flock var/install.lock)
# What else has a form that takes minutes: clients that hold on, reloads under load, processes that die.
HOSTILE := tests/config/launcher/test_restarts.py tests/config/recovery/test_drill.py tests/config/recovery/test_failover.py tests/payments/deliveries/test_worker.py \
	$(addprefix tests/config/test_,nginx.py web_reload.py web_worker.py)

.DEFAULT_GOAL := help
.PHONY: help run demo test quick citus faults proofs evidence lint lint-style lint-imports lint-sql lint-types lock bench bench-peers bench-pooler bench-growth bench-scale bench-settle bench-reconcile bench-callbacks bench-pages bench-audit bench-limits overload promise simulate kit client-types history manage mutate attack drill failover events fuzz german pictures release-check clean install

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{ printf "make %-14s %s\n", $$1, $$2 }'

run: $(RUN)  ## start the platform with demo data; HOST and PORT from the environment
	@$(LAUNCH) run

demo: $(RUN)  ## start the platform with two months of play by 300 players, invented at its first start
	@$(MAKE) --no-print-directory history ARGS="--once --days 60 --players 300"
	@$(LAUNCH) run

test: $(DEV)  ## run the tests; ARGS="-k name" chooses
	@$(LAUNCH) with --instance test --fast -- $(VENV)/bin/python -m pytest -n 2 $(ARGS)

quick: $(DEV)  ## run the tests that start no process and no browser, in under a minute
	@QUICK=1 $(LAUNCH) with --instance test --fast -- $(VENV)/bin/python -m pytest -n 2 $(ARGS)

citus: $(DEV)  ## divide a database over three servers with Citus, where that is installed, and check everything on it
	@LONG=1 $(LAUNCH) with --instance citus --fast -- $(VENV)/bin/python -m pytest -q tests/config/distribution/test_cluster.py $(ARGS)

faults: $(DEV)  ## kill, cut off, reload and restart everything, for a quarter of an hour; ARGS="-k postgres"
	@FAULTS=long $(LAUNCH) with --instance faults --fast -- $(VENV)/bin/python -m pytest -n 2 tests/faults $(HOSTILE) $(ARGS)

proofs: $(DEV)  ## break one thing at a time, hundreds of times, with the table of docs/reliability.md; ARGS="--only cuts"
	@$(LAUNCH) with --instance proofs --fast -- $(VENV)/bin/python -m tests.faults.proofs $(ARGS)

evidence: $(DEV)  ## run the tests that docs/regulation.md names for the rules of regulators; writes var/evidence.html
	@$(LAUNCH) with --instance evidence --fast -- $(VENV)/bin/python -m tests.evidence $(ARGS)

lint: lint-style lint-imports lint-sql lint-types  ## check style, imports, SQL, types and migrations

# Each of these is a hook of .pre-commit-config.yaml, too.
lint-style: $(DEV)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

lint-imports: $(DEV)
	$(VENV)/bin/lint-imports

lint-sql: $(DEV)
	$(VENV)/bin/sqlfluff lint --nocolor --disable-progress-bar wallet players payments demo

lint-types: $(DEV)
	@$(LAUNCH) with --instance lint --fast -- sh -c '$(VENV)/bin/mypy . && $(VENV)/bin/python manage.py makemigrations --check --dry-run'

bench: $(RUN)  ## measure speed on durable settings; writes var/bench.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.bench $(ARGS)

bench-peers: $(RUN)  ## measure others beside the platform; writes var/bench-peers.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.peers $(ARGS)

bench-pooler: $(RUN)  ## measure the platform behind PgBouncer beside it without; writes var/bench-pooler.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.pooler $(ARGS)

bench-growth: $(RUN)  ## measure operators' pages on 5 000 000 transactions; writes var/bench-growth.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.growth $(ARGS)

bench-audit: $(RUN)  ## measure how fast the ledger is audited; writes var/bench-audit.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.audit $(ARGS)

bench-scale: $(RUN)  ## measure withdrawals on 10 000 000 lines, hot rows, many connections; writes var/bench-scale.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.scale $(ARGS)

bench-limits: $(RUN)  ## measure withdrawals with six limits beside those with none; writes var/bench-limits.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.limits $(ARGS)

bench-settle: $(RUN)  ## measure how fast due transactions are settled; writes var/bench-settle.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.settle $(ARGS)

bench-reconcile: $(RUN)  ## measure how fast a file of a million rows is compared with the ledger; writes var/bench-reconcile.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.reconcile $(ARGS)

bench-callbacks: $(RUN)  ## measure how fast providers' callbacks are answered; writes var/bench-callbacks.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.callbacks $(ARGS)

bench-pages: $(RUN)  ## measure withdrawals alone and beside operators' pages; writes var/bench-pages.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.pages $(ARGS)

overload: $(RUN)  ## find what load the platform bears, and offer twice as much; writes var/overload.json
	@$(LAUNCH) with --instance bench -- $(VENV)/bin/python -m benchmarks.overload $(ARGS)

promise: $(RUN)  ## one hour at half load beside everything that operators do; ARGS="--minutes 5"; writes var/promise.json
	@$(LAUNCH) with --instance promise -- $(VENV)/bin/python -m benchmarks.promise $(ARGS)

client-types: $(DEV)  ## write the Python client's types from the platform's OpenAPI document
	@$(LAUNCH) with --instance lint --fast -- sh -ce '\
		$(VENV)/bin/python manage.py spectacular --format openapi-json --file var/openapi.json; \
		$(VENV)/bin/python clients/python/shape_generator.py < var/openapi.json > var/shapes.py; \
		$(VENV)/bin/ruff format --quiet var/shapes.py; \
		mv var/shapes.py clients/python/quantum_wallet/shapes.py'

history: $(RUN)  ## invent a history on a new platform, before it runs; ARGS="--days 60 --players 2000 --seed 7"
	@$(LAUNCH) with --instance run -- sh -ce '\
		export DEMO=1; \
		export APP=$$DATABASE_URL DATABASE_URL=$$DATABASE_OWNER_URL; \
		$(VENV)/bin/python manage.py migrate --no-input --verbosity=0; \
		$(VENV)/bin/python manage.py createsuperuser --no-input --if-missing --username=admin --email=; \
		DATABASE_URL=$$APP $(VENV)/bin/python manage.py seed_demo >/dev/null; \
		$(VENV)/bin/python manage.py make_history $(ARGS)'

pictures: $(DEV)  ## take the documents' pictures from the running demonstration; writes docs/pictures/
	@$(LAUNCH) beside -- $(VENV)/bin/python -m tests.browser.handbook_pictures

simulate: $(RUN)  ## play games against the running platform; ARGS="--players 100"
	@$(LAUNCH) beside -- $(VENV)/bin/python -m simulation $(ARGS)

kit:  ## pack the conformance kit into var/wallet-kit.pyz, which any Python from 3.11 on runs
	@$(PYTHON) -m clients.kit.archive var/wallet-kit.pyz && echo "var/wallet-kit.pyz is ready: python3 var/wallet-kit.pyz --help"

manage: $(RUN)  ## manage.py for the running platform; ARGS="audit_ledger"
	@$(LAUNCH) beside -- $(VENV)/bin/python manage.py $(ARGS)

mutate: $(DEV)  ## look for mistakes that no test notices
	@$(LAUNCH) with --instance mutate --fast -- $(VENV)/bin/python -m tests.mutation $(ARGS)

attack: $(DEV)  ## play hostile clients, requests and addresses against a server, with a table
	@$(LAUNCH) with --instance attack --fast -- $(VENV)/bin/python -m tests.attack $(ARGS)

drill: $(DEV)  ## restore a platform under load 50 times to random seconds, and after losing its server; ARGS="--restores 50"
	@$(LAUNCH) with --instance drill --fast -- $(VENV)/bin/python -m tests.config.recovery.drill $(ARGS)

failover: $(DEV)  ## let the database's primary die under load 50 times, its standby takes over; ARGS="--failovers 50"
	@$(LAUNCH) with --instance failover --fast -- $(VENV)/bin/python -m tests.config.recovery.failover $(ARGS)

events: $(DEV)  ## write a million events late and out of order, kill who follows them 100 times; ARGS="--events 1000000"
	@$(LAUNCH) with --instance events --fast -- $(VENV)/bin/python -m tests.wallet.events.proof $(ARGS)

fuzz: $(DEV)  ## change a million genuine callbacks, none of which may count; ARGS="--count 1000000 --seed 7"
	@$(LAUNCH) with --instance fuzz --fast -- $(VENV)/bin/python -m tests.payments.fuzz $(ARGS)

german: $(DEV)  ## bring the German texts up to date with the code, compile them, and tell what is missing
	@$(VENV)/bin/python -m tests.german

lock: var/uv/bin/uv  ## write down the exact versions of all dependencies, with their hashes; ARGS=--upgrade for newer ones
	var/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(ARGS) \
		pyproject.toml --group embedded -o requirements.lock
	var/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(ARGS) \
		pyproject.toml --extra telemetry --group dev -o requirements-dev.lock -c requirements.lock
	var/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		pyproject.toml -o requirements-production.lock -c requirements.lock
	var/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		pyproject.toml --extra telemetry -o requirements-telemetry.lock -c requirements-dev.lock

release-check: $(DEV)  ## look whether a release may go out: locks, licences, documents, every Python and PostgreSQL here, digests
	@.ci/release-check

clean:  ## remove everything that can be made again; data in var/ is kept
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis mutants htmlcov .coverage* var/static var/uv var/bytecode
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

var/uv/bin/uv:
	@$(PYTHON) -m venv --clear var/uv && var/uv/bin/python -m pip install -q uv

# --- The virtual environment: a stamp, written last, says which lock file it has ---

$(RUN):
	@$(FLOCK) $(MAKE) --no-print-directory install STAMP=$@ LOCK=requirements.lock

$(DEV):
	@$(FLOCK) $(MAKE) --no-print-directory install STAMP=$@ LOCK=requirements-dev.lock

install:
	@test ! -e $(STAMP) || exit 0; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not: choose another with PYTHON=python3.12." >&2; exit 1; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "'$(PYTHON)' cannot make virtual environments: install its venv package (on Debian: apt install python3-venv)." >&2; exit 1; }; \
	if test -e $(VENV)/.installing || ! $(VENV)/bin/python -m pip --version >/dev/null 2>&1; then \
		echo "Making a virtual environment in $(VENV)"; \
		$(PYTHON) -m venv --clear $(VENV) || exit 1; \
	fi; \
	echo "Installing what $(LOCK) names (once; it may take a minute)"; \
	touch $(VENV)/.installing \
		&& $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile --no-deps --require-hashes -r $(LOCK) \
		&& rm -f $(VENV)/.installing \
		&& touch $(STAMP)

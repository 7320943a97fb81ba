"""The commands in the documents, and how each is tried: by a walk, by another test, or not, and why."""

import re
from pathlib import Path
from typing import NamedTuple

from tests.documents.examples import BLOCK

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HEREDOC = re.compile(r"<<'(\w+)'")
# Their shell is run as a whole, by test_examples.py.
WHOLE = {"integrate-a-game", "web-front"}


class Step(NamedTuple):
    """A command by its beginning. The walk runs it, and a line of its output has to match `says`; or else
    `elsewhere` is the file that runs it, with a word of it, or `because` the reason why nothing can.
    """

    begins: str
    says: str = ""
    fails: bool = False
    elsewhere: str = ""
    because: str = ""


def commands(document: Path) -> list[str]:
    """Each command of its blocks of shell, with the lines that belong to it."""
    shell = [text for language, text in BLOCK.findall(document.read_text()) if language == "sh"]
    return [command for text in shell for command in split(text)]


def split(text: str) -> list[str]:
    """A block's commands: a line goes on after a backslash, and until the end of what it is given."""
    found: list[str] = []
    goes_on, until = False, ""
    for line in text.splitlines():
        if goes_on or until:
            found[-1] += f"\n{line}"
        elif line.strip() and not line.lstrip().startswith("#"):
            found.append(line.strip())
        goes_on = line.endswith("\\")
        if until:
            until = "" if line == until else until
        elif begun := HEREDOC.search(line):
            until = begun[1]
    return found


MANAGE = ".venv/bin/python manage.py"
AS_OWNER = f"DATABASE_URL=$DATABASE_OWNER_URL {MANAGE}"
NO_SYSTEMD = "there is no systemd; tests/deploy/test_systemd_run.py starts and reloads the units under one"
NO_DOCKER = "there is no Docker daemon; tests/deploy/test_compose.py checks the file that it reads"
NO_DOCKER_RUN = "there is no Docker daemon; receive_wal runs the same program with the same words"
# In the order of the page.
QUEUES = ("settle", "deliver", "refund", "check")
RUN_CELERY = ".venv/bin/python -m celery -A config.celery -q"
HEALTH = "tests/config/test_health.py::/healthz/workers"
KIT_WALLET = "tests/clients/kit/wallet/test_control.py::wallet"
LAUNCH = "tests/config/launcher/test_launch.py::--fast"
SURFACE = "tests/release/test_api_surface.py::surface"
AGAIN = "the walk has run it before"
IMAGE = "Containerfile::manage.py collectstatic --no-input"
RECEIVE = "tests/support/recovery.py::receive_wal"
VERIFY = "tests/config/recovery/test_base_backup.py::--verify"
PRUNE = "tests/config/recovery/test_old_backups.py::--yes"
RESTORE = "tests/config/recovery/test_restore.py::--yes"
LOST = "tests/config/recovery/test_restore.py::find_lost_answers"
CELERY = "tests/documents/test_commands.py::worker"
SOUND = r"\d+ wallets, \d+ entries in .*: no difference"
# Over TLS curl says in one of two ways that the connection was closed without a byte.
NOTHING = r"curl: \((52|56)\) .*"
AUDIT_PARTS = "tests/wallet/audit/test_passes.py::"
CHECKPOINTS = "tests/wallet/checkpoints/test_commands.py::"
DOWNLOADS = "it downloads everything; tests/deploy/test_container.py installs from the same file"

# In the order of the pages: a command that comes, goes or moves fails the test until it stands here, too.
STEPS: dict[str, list[Step]] = {
    "production": [
        Step('psql "$DATABASE_URL" --no-align --tuples-only --command \\', r"fsync\|on"),
        Step("export DATABASE_OWNER_URL="),
        Step(f"{AS_OWNER} migrate", r"Applying wallet\.0001_initial\.\.\. OK"),
        Step('psql "$DATABASE_URL" --no-align', r"\d{4}-.*\|\d{5,}"),
        Step("valkey-server --save", "Ready to accept connections tcp"),
        Step("python3 -m venv .venv", because=DOWNLOADS),
        Step(".venv/bin/pip install", because=DOWNLOADS),
        Step("python3 -c 'import secrets", r"[\w-]{64}"),
        Step("python3 -c 'import base64", r"[\w+/]{43}="),
        Step(f"{MANAGE} collectstatic", elsewhere=IMAGE),
        Step(f"{MANAGE} call_log_days", r"Call log: \d+ days made, \d+ dropped\."),
        Step(f"{AS_OWNER} createsuperuser", r"Superuser created successfully\."),
        Step("useradd", because="it changes the users of the machine"),
        Step("install -d -m 0700"),
        Step("cp -r deploy/systemd/."),
        Step("systemctl daemon-reload", because=NO_SYSTEMD),
        Step("systemctl start quantum-wallet-migrate", because=NO_SYSTEMD),
        Step("systemctl enable --now", because=NO_SYSTEMD),
        Step("sudo cp deploy/nginx.conf"),
        Step("sudo nginx -t", r".*test is successful"),
        Step("sudo systemctl reload nginx", because=NO_SYSTEMD),
        Step("openssl x509", "Certificate will not expire"),
        Step("curl --silent --show-error --request POST", NOTHING, fails=True),
        Step(f"{MANAGE} receive_wal", elsewhere=RECEIVE),
        Step(f"{MANAGE} backup /srv", r".*/srv/backups/2027-01-31.*"),
        Step(f"{MANAGE} backup --verify", elsewhere=VERIFY),
        Step(f"{MANAGE} prune_backups", elsewhere=PRUNE),
        Step(f"{MANAGE} prune_backups", elsewhere=PRUNE),
        Step("docker run --detach", because=NO_DOCKER_RUN),
        Step(f"{MANAGE} restore", elsewhere=RESTORE),
        Step(f"{MANAGE} restore", elsewhere=RESTORE),
        Step(f"{MANAGE} find_lost_answers", elsewhere=LOST),
        Step(f"{MANAGE} test_alert_channels", "webhook: sent"),
        Step(f"{MANAGE} check --deploy", r"System check identified no issues.*"),
        Step("curl --fail https://wallet.example.com/readyz", r'\{"status": ?"ok"\}'),
        Step(
            "curl --fail https://wallet.example.com/healthz/workers",
            elsewhere=HEALTH,
        ),
        Step(f"{MANAGE} audit_ledger", SOUND),
        Step(f"{MANAGE} make_checkpoint", r"checkpoint 1: 0 wallets, .*"),
        Step(f"{MANAGE} audit_ledger", because=AGAIN),
        Step(".venv/bin/pip install", because=DOWNLOADS),
        Step(f"{MANAGE} collectstatic", elsewhere=IMAGE),
        Step("systemctl start quantum-wallet-migrate", because=NO_SYSTEMD),
        Step("systemctl reload quantum-wallet-web", because=NO_SYSTEMD),
        Step("systemctl restart 'quantum-wallet-worker@*'", because=NO_SYSTEMD),
        Step(f"{MANAGE} audit_ledger", because=AGAIN),
    ],
    "operations": [
        Step("deploy/make-env", elsewhere="tests/deploy/test_compose.py::make-env"),
        Step("docker compose -f deploy/compose.yaml up --build", because=NO_DOCKER),
        Step("docker compose -f deploy/compose.yaml run --rm migrate manage", because=NO_DOCKER),
        Step("docker compose -f deploy/compose.yaml build", because=NO_DOCKER),
        Step("docker compose -f deploy/compose.yaml run --rm migrate", because=NO_DOCKER),
        Step("docker compose -f deploy/compose.yaml up --detach --no-deps web", because=NO_DOCKER),
        Step("docker compose -f deploy/compose.yaml up --detach --no-deps worker", because=NO_DOCKER),
        Step(".venv/bin/python -m gunicorn", elsewhere="tests/support/web_server.py::config/gunicorn.py"),
        Step(f"{MANAGE} audit_ledger --workers", elsewhere=f"{AUDIT_PARTS}--workers"),
        Step(f"{MANAGE} audit_ledger --new", elsewhere=f"{AUDIT_PARTS}--new"),
        Step(".venv/bin/python -m simulation", elsewhere="tests/simulation/test_run.py::--credentials"),
    ],
    "checkpoints": [
        Step(f"{MANAGE} make_checkpoint --accept", elsewhere=f"{CHECKPOINTS}--accept"),
        Step("manage.py verify_checkpoint FILE", elsewhere=f"{CHECKPOINTS}verify_checkpoint"),
        Step("manage.py export_journal", elsewhere=f"{CHECKPOINTS}export_journal"),
        Step("manage.py verify_checkpoint checkpoint-", elsewhere=f"{CHECKPOINTS}--previous"),
        Step("python -m wallet.proof", elsewhere="tests/players/audit_trail/test_chain.py::wallet.proof"),
    ],
    "development": [
        Step(
            ".venv/bin/python -m config.launcher.launch with",
            elsewhere=LAUNCH,
        ),
    ],
    "releases": [
        Step("make release-check", because="it takes half an hour, and runs these tests itself"),
        Step(
            ".venv/bin/python -m config.launcher.launch with",
            elsewhere=SURFACE,
        ),
    ],
    "sweeps": [
        Step(f"{MANAGE} settle_due --dry-run", elsewhere="tests/wallet/settlement/test_sweep.py::--dry-run"),
        *(Step(f"{RUN_CELERY} worker -Q {queue}", elsewhere=CELERY) for queue in QUEUES),
        Step(f"{RUN_CELERY} beat", elsewhere=CELERY),
    ],
    "testing-your-game": [
        Step("make kit", elsewhere="tests/clients/kit/test_archive.py::archive.pack"),
        Step(
            "python3 var/wallet-kit.pyz wallet",
            elsewhere=KIT_WALLET,
        ),
    ],
}

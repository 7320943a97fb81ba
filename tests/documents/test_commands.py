"""Each command in the documents is tried, and docs/production.md is walked from its first one to its last."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
import pytest
from celery.bin.base import CLIContext
from celery.bin.beat import beat
from celery.bin.worker import worker

from config.celery import app
from config.launcher.processes import start, stop, wait_until
from config.launcher.programs import valkey_program
from config.queues import QUEUES
from payments.providers.signing_secrets import new_webhook_secret
from tests.documents.commands import DOCS, ROOT, STEPS, WHOLE, commands
from tests.documents.examples import blocks
from tests.documents.production_server import ProductionServer, password, production_server
from tests.support.http_peer import peer
from tests.support.nginx import certificate, installed, running_nginx, wait_for
from tests.support.web_server import free_port, served

PAGES = [path for path in sorted(DOCS.glob("**/*.md")) if path.stem not in WHOLE]
PAGE = DOCS / "production.md"
HOST = "wallet.example.com"


def test_pages__are_those_with_steps() -> None:
    assert {path.stem for path in PAGES if commands(path)} == set(STEPS)


@pytest.mark.parametrize("page", STEPS)
def test_page__each_command_is_tried_or_says_why_not(page: str) -> None:
    told = commands(DOCS / f"{page}.md")
    begins = [step.begins for step in STEPS[page]]
    beginnings = [
        begun if command.startswith(begun) else command.partition("\n")[0]
        for command, begun in zip_longest(told, begins, fillvalue="(nothing)")
    ]
    assert beginnings == begins


@pytest.mark.parametrize("page", STEPS)
def test_page__what_is_tried_elsewhere_is_tried_there(page: str) -> None:
    for step in STEPS[page]:
        if step.elsewhere:
            file, _, word = step.elsewhere.partition("::")
            assert word in (ROOT / file).read_text(), step


def test_worker__is_begun_by_words_that_celery_takes() -> None:
    *workers, _ = commands(DOCS / "sweeps.md")[1:]
    told = [read_celery(line, worker)["queues"] for line in workers]
    assert told == [[queue] for queue in ("settle", "deliver", "refund", "check")]
    assert {queue for (queue,) in told} == set(QUEUES)


def test_beat__is_begun_by_words_that_celery_takes() -> None:
    given = read_celery(commands(DOCS / "sweeps.md")[-1], beat)
    assert given["schedule"] == "/run/quantum-wallet-beat/schedule"


def read_celery(line: str, command: click.Command) -> dict[str, Any]:
    """The options of a line, as Celery's own command reads them. Raises if it does not take the words."""
    _, _, words = line.partition(f" {command.name} ")
    with command.make_context(command.name, shlex.split(words), obj=CLIContext(app, False, None)) as context:
        return context.params


# --- The walk ------------------------------------------------------------------------------------------


@dataclass
class Walk:
    """A machine for an administrator: `/srv` and `/etc` of its own, a database server, a broker, nginx."""

    home: Path
    server: ProductionServer
    stack: ExitStack
    ports: dict[str, int]
    webhook_secret: str = field(default_factory=new_webhook_secret)

    @property
    def environment(self) -> dict[str, str]:
        """What is in the settings' file and in the shell of whoever works by the page, and nothing else."""
        return {
            "PATH": f"{self.server.programs}:{valkey_program().parent}:{os.environ['PATH']}:/usr/sbin",
            "LC_ALL": "C.UTF-8",
            "DATABASE_URL": self.server.url("wallet_app"),
            "DATABASE_OWNER_URL": self.server.url("wallet_owner"),
            "DATABASE_BACKUP_URL": self.server.url("wallet_backup", "postgres"),
            "POSTGRES_PROGRAMS": str(self.server.programs),
            "REDIS_PASSWORD": password("redis"),
            "REDIS_URL": f"redis://:{password('redis')}@127.0.0.1:{self.ports['redis']}/0",
            "SECRET_KEY": "a key for sessions that only this walk has, long enough",
            "CREDENTIAL_KEY": "a key for passwords that only this walk has, long enough",
            "ENCRYPTION_KEYS": "a key for secrets that only this walk has and that is long",
            "CHECKPOINT_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "CHECKPOINT_DIRECTORY": str(self.home / "checkpoints"),
            "STATIC_ROOT": str(self.home / "static"),
            "ALLOWED_HOSTS": HOST,
            "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
            "PUBLIC_URL": f"https://{HOST}",
            "TRUSTED_PROXIES": "127.0.0.1",
            "BEHIND_TLS_PROXY": "1",
            "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{self.ports['webhook']}/",
            "ALERT_WEBHOOK_SECRET": self.webhook_secret,
            "OUTGOING_ALLOWED_NETWORKS": "127.0.0.0/8",
            "DJANGO_SUPERUSER_PASSWORD": password("root"),
            "WEB_WORKERS": "1",
        }

    def here(self, command: str) -> str:
        """A command for this machine, which differs from the one that is shown in nothing else."""
        changes = {
            "/srv/": f"{self.server.srv}/",
            "/etc/": f"{self.home}/etc/",
            "--port 6379": f"--port {self.ports['redis']}",
            "manage.py createsuperuser": "manage.py createsuperuser --no-input --username root --email ''",
        }
        for shown, ours in changes.items():
            command = command.replace(shown, ours)
        to = f"{HOST}:443:127.0.0.1:{self.ports['tls']}"
        return (
            'sudo() { "$@"; }\n'
            f'nginx() {{ command nginx -c {self.home}/nginx.conf "$@"; }}\n'
            f'curl() {{ command curl --insecure --connect-to {to} "$@"; }}\n{command}'
        )

    def run(self, command: str) -> str:
        """What it says, and at last that it failed if it did."""
        done = subprocess.run(
            ["bash", "-c", self.here(command)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return done.stdout + (f"(status {done.returncode})" if done.returncode else "")

    # What has to be so before some of the commands.

    def begin_broker(self, command: str) -> str:
        """A server that does not end by itself: what it says until it listens."""
        log = self.home / "redis.log"
        with log.open("wb") as output:
            words = ["bash", "-c", self.here(command)]
            child = start("broker", words, environment=self.environment, log=output)
        self.stack.callback(stop, child)
        assert wait_until(lambda: "Ready to accept" in log.read_text(), 30)
        return log.read_text()

    def make_places(self) -> None:
        for name in ("etc/systemd/system", "etc/nginx/conf.d", f"etc/ssl/{HOST}"):
            (self.home / name).mkdir(parents=True)
        certificate(self.home / "etc" / "ssl" / HOST)

    def begin_site(self) -> None:
        """The web server, and nginx with the file where the page puts it, and the lists that it shows."""
        url = self.stack.enter_context(served(self.home / "web.log", **self.environment))
        file = self.home / "etc" / "nginx" / "conf.d" / "quantum-wallet.conf"
        text = re.sub(r"    listen \[::\].*\n", "", file.read_text())
        for list_shown in re.findall(r"geo \$\w+ \{\n.*?\n\}\n", block("nginx"), re.DOTALL):
            begins = list_shown.partition("\n")[0]
            text, count = re.subn(re.escape(begins) + r"\n.*?\n\}\n", list_shown, text, flags=re.DOTALL)
            assert count == 1
        for shown, ours in {
            "127.0.0.1:8000": url.removeprefix("http://"),
            "/etc/ssl": f"{self.home}/etc/ssl",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.ports['tls']} ssl;",
            "listen 80;": f"listen 127.0.0.1:{self.ports['plain']};",
        }.items():
            assert shown in text
            text = text.replace(shown, ours)
        self.stack.enter_context(running_nginx(text, self.home))
        wait_for(self.ports["tls"])


def is_failure(said: str) -> bool:
    return bool(re.search(r"\(status \d+\)$", said))


BEFORE: dict[str, Callable[[Walk], None]] = {
    "install -d": Walk.make_places,
    "sudo nginx -t": Walk.begin_site,
}


def block(language: str, number: int = 0) -> str:
    """A block of the page, of those in that language."""
    return [text for told, text in blocks(PAGE) if told == language][number]


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    ports = {name: free_port() for name in ("redis", "tls", "plain")}
    with ExitStack() as stack:
        server = stack.enter_context(production_server(block("ini")))
        webhook = stack.enter_context(peer(b"HTTP/1.1 204 No Content\r\n\r\n"))
        yield Walk(tmp_path, server, stack, ports | {"webhook": webhook.port})


@pytest.mark.skipif(installed() is None and os.environ.get("CI") != "true", reason="nginx is not installed")
def test_production__walked_from_first_command_to_last(walk: Walk) -> None:
    roles, backup_role, reindex = (block("sql", number) for number in range(3))
    walk.server.execute(re.sub(r"^--.*\n", "", roles, flags=re.MULTILINE))
    walk.server.execute(backup_role)
    wrong: list[str] = []
    for command, step in zip(commands(PAGE), STEPS["production"], strict=True):
        assert command.startswith(step.begins)
        if step.elsewhere or step.because:
            continue
        for begins, prepare in BEFORE.items():
            if command.startswith(begins):
                prepare(walk)
        runs = walk.begin_broker if command.startswith("valkey-server") else walk.run
        said = runs(command)
        if not re.search(rf"(^|\s){step.says}$", said, re.MULTILINE) or is_failure(said) != step.fails:
            wrong.append(f"{command}\n{said[-1500:]}")
        if is_failure(said) != step.fails:
            break
    assert wrong == []
    walk.server.execute(reindex, "wallet")

"""The platform on three servers, after its one database was divided (`make citus`): one way from its first
step to its last, for a cluster takes a minute to come.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.distribution.tables import BY_PLAYER
from config.launcher.supervisor import ROOT
from tests.support.citus import APP, OWNER, cluster, connect, join, programs
from tests.support.web_server import inherited, served

pytestmark = [
    pytest.mark.skipif(os.environ.get("LONG") != "1", reason="Citus takes minutes: make citus"),
    pytest.mark.skipif(programs() is None, reason="no PostgreSQL in /usr/lib/postgresql has Citus"),
]
CREDENTIALS = """
import json
from players.models import Credential, Game
from players.operations import create_credential
from wallet.models import Currency
for code in ("XAG", "EUR"):
    Currency.objects.create(code=code, name=code, decimals=2)
def login(kind, game, name):
    made, password = create_credential(kind=kind, game=game, username=name, allowed_networks=[], note="")
    return {"username": name, "password": password} | ({"slug": game.slug} if game else {})
games = [Game.objects.create(slug=name, name=name, launch_url="https://example.com/") for name in ("a", "b")]
print(json.dumps({
    "platform": login(Credential.Kind.PLATFORM, None, "front"),
    "games": [login(Credential.Kind.GAME, game, "game-" + game.slug) for game in games],
}))
"""
WHERE = """
    SELECT count(DISTINCT nodeport) FROM citus_shards
    WHERE table_name = 'wallet_entry'::regclass AND shard_size > 0
"""


class Platform:
    """Its commands, as the owner or as the application."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.is_distributed = False

    def environment(self, role: str = APP) -> dict[str, str]:
        url = f"postgres://{role}@127.0.0.1:{self.port}/wallet"
        return {
            "DATABASE_URL": url,
            "DATABASE_DISTRIBUTED": str(self.is_distributed),
            "AUTH_FAILURES_PER_MINUTE": "100000",
            "DEMO": "0",
        }

    def run(self, *words: str, role: str = APP) -> str:
        ran = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=inherited() | self.environment(role),
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert ran.returncode == 0, (words, ran.stdout[-3000:], ran.stderr[-3000:])
        return ran.stdout

    def manage(self, *words: str, role: str = APP) -> str:
        return self.run("manage.py", *words, role=role)


# As if they had come with this release.
ADDED = ("wallet_limitchange", "wallet_playerlimit")
BESIDE = """
    SELECT count(*), count(DISTINCT colocationid) FROM pg_dist_partition WHERE partmethod = 'h'
      AND logicalrelid::text NOT LIKE 'wallet_apicall_%'
"""


@pytest.fixture
def ports() -> Iterator[list[int]]:
    with cluster() as ports:
        yield ports


@pytest.mark.slow
def test_cluster__keeps_the_contract_and_its_books(ports: list[int], tmp_path: Path) -> None:
    platform = Platform(ports[0])
    platform.manage("migrate", "-v", "0", role=OWNER)
    credentials = tmp_path / "credentials.json"
    credentials.write_text(platform.manage("shell", "-v", "0", "-c", CREDENTIALS))
    play = ("-m", "simulation", "--credentials", str(credentials), "--players", "10", "--transactions", "200")
    with served(tmp_path / "one", **platform.environment()) as url:
        credentials.write_text(json.dumps(json.loads(credentials.read_text()) | {"url": url}))
        assert "Every answer and every balance" in platform.run(*play)
    before = platform.manage("audit_ledger", "--quiet")

    join(ports)
    assert "Nothing was changed" in platform.manage("distribute", role=OWNER)
    with connect(ports[0]) as owner:
        assert owner.execute("SELECT count(*) FROM citus_tables").fetchone() == (0,)
    assert "Done." in platform.manage("distribute", "--yes", role=OWNER)
    platform.is_distributed = True

    # Nothing was lost on the way: as many wallets and entries.
    assert platform.manage("audit_ledger", "--quiet").split(" in ")[0] == before.split(" in ")[0]
    with served(tmp_path / "many", **platform.environment()) as url:
        assert "Verdict: passed" in platform.manage("conformance", "--anyway", "--url", url)
        assert "Every answer and every balance" in platform.run(*play, "--url", url, "--seed", "2")
    assert "0 failed" in platform.manage("settle_due")
    assert "no difference" in platform.manage("audit_ledger", "--quiet")
    with connect(ports[0]) as owner:
        assert owner.execute(WHERE).fetchone() == (2,)
    # A later release: its tables are divided, and its functions come to all machines.
    platform.manage("migrate", "-v", "0", role=OWNER)
    with connect(ports[0]) as owner:
        owner.execute("SET citus.enable_unsafe_triggers = on")
        for table in ADDED:
            owner.execute(f"SELECT undistribute_table('{table}')")
    said = platform.manage("distribute", "--yes", role=OWNER)
    assert "Done." in said
    assert "wallet_wallet," not in said
    with connect(ports[0]) as owner:
        assert owner.execute(BESIDE).fetchone() == (len(BY_PLAYER), 1)
    assert "no difference" in platform.manage("audit_ledger", "--quiet")

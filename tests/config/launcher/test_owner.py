"""The address of the database's owner is for migrations, and for making the first superuser."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.launcher import supervisor
from config.launcher.instance import SECRETS

OWNER = "DATABASE_OWNER_URL"
ADDRESSES = {"DATABASE_URL": "postgres://app", OWNER: "postgres://owner", "REDIS_URL": "redis://r"}


class Enough(Exception):
    """Everything that is started has been."""


def test_run__gives_the_owners_address_to_two_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: dict[str, Mapping[str, str]] = {}
    instance: Any = SimpleNamespace(
        home=tmp_path, secrets=dict.fromkeys(SECRETS, "secret"), tell_ending=lambda: None
    )

    @contextmanager
    def opened(*args: object) -> Iterator[Any]:
        yield instance

    @contextmanager
    def servers(*args: object, **kwargs: object) -> Iterator[Any]:
        yield [], ADDRESSES

    def manage(instance: object, environment: Mapping[str, str], name: str, *words: str) -> str:
        given[name] = dict(environment)
        return ""

    def program(name: str, command: object, instance: object, environment: Mapping[str, str]) -> Any:
        given[name] = dict(environment)

    def healthy(*args: object) -> None:
        raise Enough

    # As it is where somebody has it in the shell or in .env.
    monkeypatch.setenv(OWNER, ADDRESSES[OWNER])
    for name, instead in {
        "opened": opened,
        "needed_servers": servers,
        "manage": manage,
        "program": program,
        "wait_for_health": healthy,
        "check_port": lambda *args: None,
        "tell_place": lambda *args: None,
        "Part": lambda *args: SimpleNamespace(stop=lambda: None, child=None),
    }.items():
        monkeypatch.setattr(supervisor, name, instead)
    with pytest.raises(Enough):
        supervisor.run_platform(tmp_path)
    assert given.keys() >= {"migrate", "seed_demo", "gunicorn", "worker", "beat"}
    for name in ("migrate", "createsuperuser", "make_history"):
        assert given.pop(name)["DATABASE_URL"] == ADDRESSES[OWNER]
    # The game is a caller of the platform, and knows no database at all.
    assert not {"DATABASE_URL", "SECRET_KEY", OWNER} & given.pop("game").keys()
    for name, environment in given.items():
        assert ADDRESSES[OWNER] not in environment.values(), name
        assert (environment["DATABASE_URL"], OWNER in environment) == (ADDRESSES["DATABASE_URL"], False), name
    # It stands in the file, and no command beside the platform gets it from there.
    file = tmp_path / "environment.json"
    assert (json.loads(file.read_text())[OWNER], file.stat().st_mode & 0o777) == (ADDRESSES[OWNER], 0o600)
    (tmp_path / "run").mkdir()
    file.rename(tmp_path / "run" / file.name)
    monkeypatch.setattr(supervisor, "is_held", lambda lock: True)
    assert ADDRESSES[OWNER] not in supervisor.running_environment(tmp_path).values()


@pytest.mark.parametrize(("shell", "known"), [({}, "None"), ({OWNER: "mine"}, "mine")])
def test_settings__take_no_owners_address_from_the_file(
    tmp_path: Path, shell: dict[str, str], known: str
) -> None:
    (tmp_path / "config").mkdir()
    shutil.copy(supervisor.ROOT / "config" / "environment.py", tmp_path / "config")
    (tmp_path / ".env").write_text(f"{OWNER}=theirs\nSECRET_KEY=read\n")
    own = {name: value for name, value in os.environ.items() if name not in (OWNER, "SECRET_KEY")}
    asked = f"import os, config.environment; print(os.environ['SECRET_KEY'], os.environ.get('{OWNER}'))"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=tmp_path,
        env=own | {"PYTHONPATH": str(tmp_path)} | shell,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["read", known]

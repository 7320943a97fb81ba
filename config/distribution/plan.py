"""What has to be done to a database, and in which order, for its tables to lie on several machines."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, transaction

from config.distribution.sequences import COUNT_ON
from config.distribution.tables import BY_PLAYER, EVERYWHERE, PLAYER, RUN_BY_PLAYER, SHARED
from config.rights import grant_rights

CITUS = "SELECT extversion FROM pg_extension WHERE extname = 'citus'"
# Where functions are nobody's by default, as in a migrated database, Citus's own are, too.
OPEN = """
    SELECT has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc
    WHERE proname = 'assign_distributed_transaction_id'
"""
REOPEN = (
    "DROP EXTENSION citus; ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON ROUTINES TO PUBLIC; "
    "CREATE EXTENSION citus; then migrate, which closes the others again"
)
MACHINES = "SELECT groupid = 0, nodename || ':' || nodeport FROM pg_dist_node WHERE isactive ORDER BY groupid"
PLACED = "SELECT logicalrelid::regclass::text FROM pg_dist_partition"
SIZES = """
    SELECT asked, pg_size_pretty(sum(pg_total_relation_size(part))) FROM unnest(%s::text[]) asked
    CROSS JOIN LATERAL (SELECT asked::regclass UNION
        SELECT relid FROM pg_partition_tree(asked::regclass) WHERE isleaf) AS parts (part)
    GROUP BY asked
"""
# Keys whose columns do not name the player, of tables that are divided by player.
KEYS = """
    SELECT held.conrelid::regclass::text, held.conname,
        array_agg(col.attname::text ORDER BY array_position(held.conkey, col.attnum))
    FROM pg_constraint held
    JOIN pg_attribute col ON col.attrelid = held.conrelid AND col.attnum = ANY (held.conkey)
    WHERE held.contype = 'p' AND held.conrelid::regclass::text = ANY (%s)
    GROUP BY held.conrelid, held.conname
    HAVING NOT bool_or(col.attname = %s)
    ORDER BY 1
"""
# References from or to tables that are placed.
LINKS = """
    SELECT link.conrelid::regclass::text, link.conname, link.confrelid::regclass::text,
        (SELECT attname::text FROM pg_attribute WHERE attrelid = link.conrelid AND attnum = link.conkey[1]),
        (SELECT attname::text FROM pg_attribute WHERE attrelid = link.confrelid AND attnum = link.confkey[1])
    FROM pg_constraint link
    WHERE link.contype = 'f' AND link.conparentid = 0
      AND (link.conrelid::regclass::text = ANY (%s) OR link.confrelid::regclass::text = ANY (%s))
    ORDER BY 1, 2
"""
# Functions that take a row of such a table: they would go on taking rows of what lies here.
OF_ROWS = """
    SELECT proc.oid::regprocedure::text, pg_get_functiondef(proc.oid) FROM pg_proc proc
    WHERE proc.pronamespace = 'public'::regnamespace
      AND EXISTS (SELECT FROM pg_class named WHERE named.reltype = ANY (proc.proargtypes)
                  AND named.oid::regclass::text = ANY (%s))
    ORDER BY 1
"""
# Those of triggers go along with their tables.
FUNCTIONS = """
    SELECT proc.oid::regprocedure::text, proc.proname FROM pg_proc proc
    WHERE proc.pronamespace = 'public'::regnamespace AND proc.prokind = 'f'
      AND proc.prorettype <> 'trigger'::regtype
      AND NOT EXISTS (SELECT FROM pg_depend
                      WHERE classid = 'pg_proc'::regclass AND objid = proc.oid AND deptype = 'e')
    ORDER BY proc.oid
"""


# As wallet/sql/guards.sql says it of a row.
SOUND = "(spendable | reserved | announced | debt) >= 0 AND spendable + reserved + announced < wallet_bound()"
NOBODY = "00000000-0000-0000-0000-000000000000"
KINDS = (BY_PLAYER, EVERYWHERE, SHARED)
# The move takes its time; triggers go along with their tables; and it is done all or nothing.
SETTINGS = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = 0",
    "SET LOCAL citus.enable_unsafe_triggers = on",
    "SET LOCAL citus.multi_shard_modify_mode = sequential",
)


class Step(NamedTuple):
    """A step in words, and the statements that do it."""

    words: str
    statements: Sequence[str]


class Plan(NamedTuple):
    """`problems` are reasons why nothing can be done."""

    machines: Sequence[str]
    steps: Sequence[Step]
    problems: Sequence[str]


def rows(question: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def plan_distribution() -> Plan:
    """What would be done to the database of this connection; reading only."""
    if settings.DEMO:
        return Plan((), (), ("DEMO is on: its clock is on one machine only.",))
    if not rows(CITUS):
        return Plan((), (), ("This database has no Citus: CREATE EXTENSION citus (docs/scaling.md).",))
    if not all(is_open for (is_open,) in rows(OPEN)):
        return Plan((), (), (f"Citus's functions are closed to the application: {REOPEN}.",))
    machines = rows(MACHINES)
    if not any(is_first for is_first, _ in machines):
        problem = "The first machine is not among Citus's: SELECT citus_set_coordinator_host('its address')."
        return Plan((), (), (problem,))
    if len(machines) < 2:
        return Plan((), (), ("There is no second machine: SELECT citus_add_node('its address', 5432).",))
    placed = {name for (name,) in rows(PLACED)}
    new = [name for name in (*BY_PLAYER, *EVERYWHERE, *SHARED) if name not in placed]
    steps = [*(placing(new) if new else ()), run_functions(), Step("ids of rows go on", [COUNT_ON])]
    return Plan([address for _, address in machines], steps, ())


def placing(new: Sequence[str]) -> Iterator[Step]:
    """The steps that are done once for each table: for all, or for those that a later release has added."""
    by_player, everywhere, shared = ([name for name in kind if name in new] for kind in KINDS)
    links = [Link(*row) for row in rows(LINKS, new, new)]
    if links:
        yield unlink(links)
    if "wallet_wallet" in new:
        yield say_soundness()
    if "players_playerevent" in new:
        yield untell_players()
    made = rows(OF_ROWS, new)
    yield Step(
        "functions that take a row are made again afterwards",
        [f"DROP FUNCTION {signature}" for signature, _ in made],
    )
    # Before a key needs it.
    if "wallet_apicall" in new:
        yield name_nobody()
    for table, name, columns in rows(KEYS, by_player, PLAYER):
        yield widen_key(table, name, columns)
    sizes = dict(rows(SIZES, new))
    for table in everywhere:
        yield Step(
            f"{table}, {sizes[table]}: a copy on every machine", [f"SELECT create_reference_table('{table}')"]
        )
    for table in shared:
        yield Step(
            f"{table}, {sizes[table]}: stays on the first machine, and all see it",
            [f"SELECT citus_add_local_table_to_metadata('{table}')"],
        )
    lying = [name for name in BY_PLAYER if name not in new]
    for table in by_player:
        yield place(table, sizes[table], lying[0] if lying else "none")
        lying.append(table)
    yield Step(
        f"{len(made)} functions that take a row are made again",
        [definition for _, definition in made],
    )
    if links:
        yield link_again(links)
    yield Step(
        "what was copied is cleared from the first machine",
        [
            "SET LOCAL session_replication_role = replica",
            *(
                f"SELECT truncate_local_data_after_distributing_table('{table}')"
                for table in (*by_player, *everywhere)
            ),
            "SET LOCAL session_replication_role = DEFAULT",
        ],
    )


class Link(NamedTuple):
    """A foreign key."""

    table: str
    name: str
    target: str
    column: str
    key: str

    @property
    def is_kept(self) -> bool:
        """Whether every machine has what it needs for checking it."""
        return self.table in BY_PLAYER + EVERYWHERE and self.target in EVERYWHERE


def unlink(links: Sequence[Link]) -> Step:
    gone = ", ".join(f"{link.table}.{link.column}" for link in links if not link.is_kept)
    return Step(
        f"without a foreign key from now on, as no machine could check it: {gone}",
        [f'ALTER TABLE {link.table} DROP CONSTRAINT "{link.name}"' for link in links],
    )


def link_again(links: Sequence[Link]) -> Step:
    kept = [link for link in links if link.is_kept]
    return Step(
        f"{len(kept)} foreign keys as before",
        [
            f'ALTER TABLE {link.table} ADD CONSTRAINT "{link.name}" FOREIGN KEY ({link.column}) '
            f"REFERENCES {link.target} ({link.key}) DEFERRABLE INITIALLY DEFERRED"
            for link in kept
        ],
    )


def widen_key(table: str, name: str, columns: Sequence[str]) -> Step:
    """A unique key has to name the player; a row is found by its id as before."""
    key = ", ".join((PLAYER, *columns))
    return Step(
        f"{table}: its key becomes ({key})",
        [
            f'ALTER TABLE {table} DROP CONSTRAINT "{name}"',
            f'ALTER TABLE {table} ADD CONSTRAINT "{name}" PRIMARY KEY ({key})',
            f"CREATE INDEX {table}_by_id ON {table} (id)",
        ],
    )


def place(table: str, size: str, beside: str) -> Step:
    return Step(
        f"{table}, {size}: divided by player",
        [f"SELECT create_distributed_table('{table}', '{PLAYER}', colocate_with => '{beside}')"],
    )


def say_soundness() -> Step:
    """The check of a wallet takes a row of its table, and a part of a divided table has rows of another
    type: it is said of the columns.
    """
    return Step(
        "wallet_wallet: what no balance may be is said of its columns",
        [
            "ALTER TABLE wallet_wallet DROP CONSTRAINT wallet_is_sound",
            f"ALTER TABLE wallet_wallet ADD CONSTRAINT wallet_is_sound CHECK ({SOUND})",
        ],
    )


def untell_players() -> Step:
    """A trigger of a part cannot write another table that is divided; and the feed is refused there."""
    return Step(
        "players_playerevent: what happens to a player's status is no event from now on",
        ["DROP TRIGGER IF EXISTS player_event_is_told ON players_playerevent"],
    )


def name_nobody() -> Step:
    """A call whose player is unknown has to lie somewhere."""
    return Step(
        "wallet_apicall: calls of unknown tokens are of a player whose id is zero",
        [
            f"UPDATE wallet_apicall SET {PLAYER} = '{NOBODY}' WHERE {PLAYER} IS NULL",
            f"ALTER TABLE wallet_apicall ALTER COLUMN {PLAYER} SET NOT NULL",
        ],
    )


def run_functions() -> Step:
    """Also done again after a migrate, for functions that are new."""
    found = rows(FUNCTIONS)
    made = [
        f"SELECT create_distributed_function('{signature}'"
        + (f", '{RUN_BY_PLAYER[name]}', colocate_with => '{BY_PLAYER[0]}')" if name in RUN_BY_PLAYER else ")")
        for signature, name in found
    ]
    told = ", ".join(name for _, name in found if name in RUN_BY_PLAYER)
    return Step(f"functions on every machine; run where the player is: {told}", made)


def carry_out(plan: Plan) -> Iterator[Step]:
    """Does it, all or nothing. Each step is given before it is done."""
    with transaction.atomic(), connection.cursor() as cursor:
        for setting in SETTINGS:
            cursor.execute(setting)
        for step in plan.steps:
            yield step
            for statement in step.statements:
                cursor.execute(statement)
        # Also of what was made anew.
        grant_rights(using=DEFAULT_DB_ALIAS)

"""Settings of PostgreSQL: the primary, a standby for what only reads, who connects, and how long is waited
(docs/operations.md).
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.environment import env

# The role that the application connects as. It cannot write money but through the ledger's functions;
# migrations run as the owner: DATABASE_URL=$DATABASE_OWNER_URL python manage.py migrate
DATABASES: dict[str, Any] = {
    "default": env.db_url("DATABASE_URL", default="postgres://wallet_app@localhost/wallet")
}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured(
        "DATABASE_URL must name a PostgreSQL database (postgres://…): the ledger's guarantees live there."
    )
# After so many seconds a statement is given up (503, safe to repeat); 0 for those that take their time.
DATABASE_STATEMENT_TIMEOUT = env.int("DATABASE_STATEMENT_TIMEOUT", default=15)
# What stands before the database and gives a connection for one transaction only: a pooler that keeps
# prepared statements ("prepares": PgBouncer since 1.21), or one that does not ("plain").
DATABASE_POOLER = env.str("DATABASE_POOLER", default="")
if DATABASE_POOLER not in ("", "prepares", "plain"):
    raise ImproperlyConfigured("DATABASE_POOLER is prepares, plain, or left out.")
# Whether `manage.py distribute` has divided the database over several machines (docs/scaling.md).
DATABASE_DISTRIBUTED = env.bool("DATABASE_DISTRIBUTED", default=False)
if DATABASE_DISTRIBUTED and DATABASE_POOLER:
    raise ImproperlyConfigured("DATABASE_DISTRIBUTED needs settings of its connections: no DATABASE_POOLER.")
# A transaction goes to each machine by one connection: it sees what it wrote, and reads that machine as it
# was at one moment.
CITUS = (
    " -c citus.multi_shard_modify_mode=sequential -c citus.max_adaptive_executor_pool_size=1"
    " -c citus.enable_unsafe_triggers=on"
    if DATABASE_DISTRIBUTED
    else ""
)
# A stuck lock or statement is given up (503, safe to repeat) before a game's own time-out.
# Migrations take their time: 0.
LIMITS = (
    {}
    if DATABASE_POOLER
    else {
        "options": f"-c statement_timeout={DATABASE_STATEMENT_TIMEOUT}s "
        f"-c lock_timeout=8s -c idle_in_transaction_session_timeout=30s{CITUS}"
    }
)
DATABASES["default"].update(
    CONN_MAX_AGE=None,
    CONN_HEALTH_CHECKS=True,
    DISABLE_SERVER_SIDE_CURSORS=bool(DATABASE_POOLER),
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 5,
        # An address that leads to a standby after a failover is none: nothing is served half. Of several
        # hosts, the one that takes writes is the primary.
        "target_session_attrs": "read-write",
        # A database machine that vanishes is noticed, instead of being waited for.
        "tcp_user_timeout": 20_000,
        "keepalives_idle": 30,
        # The ledger's statements are prepared once for each connection (without this,
        # psycopg would never prepare any).
        "prepare_threshold": None if DATABASE_POOLER == "plain" else 0,
        **LIMITS,
    },
)
# A hot standby that lists, reports, exports and audits read, as the application's role; or several.
DATABASE_REPORTS_URL = env.str("DATABASE_REPORTS_URL", default="")
if DATABASE_REPORTS_URL and DATABASE_DISTRIBUTED:
    raise ImproperlyConfigured(
        "DATABASE_REPORTS_URL is not for a distributed database: a standby of the first machine reads the "
        "others as they are, and so two moments at once (docs/scaling.md)."
    )
if DATABASE_REPORTS_URL:
    DATABASES["reports"] = env.db_url("DATABASE_REPORTS_URL")
    DATABASES["reports"].update(
        ENGINE="lib.standby_backend",
        CONN_MAX_AGE=None,
        DISABLE_SERVER_SIDE_CURSORS=bool(DATABASE_POOLER),
        OPTIONS={
            **DATABASES["reports"].get("OPTIONS", {}),
            # Of several hosts, one that is a standby now.
            "target_session_attrs": "standby",
            # The primary answers instead: nobody waits long.
            "connect_timeout": 2,
            "tcp_user_timeout": 5_000,
            "keepalives_idle": 10,
            "prepare_threshold": None,
            **LIMITS,
        },
    )
# Further behind than so many seconds, it is not read.
DATABASE_REPORTS_LAG = env.int("DATABASE_REPORTS_LAG", default=30)
if DATABASE_REPORTS_LAG < 1:
    raise ImproperlyConfigured("DATABASE_REPORTS_LAG must be at least 1 second.")
DATABASE_ROUTERS = ["lib.standby.StandbyRouter"]
# The role that migrations grant the application's rights to; left out where it does not exist.
DATABASE_APP_ROLE = env.str("DATABASE_APP_ROLE", default="wallet_app")
# As a role that may copy the whole server (REPLICATION), for `manage.py backup` and `receive_wal` alone.
DATABASE_BACKUP_URL = env.str("DATABASE_BACKUP_URL", default="")
# Where PostgreSQL's programs are, in the version of the database; otherwise they are looked for on the PATH.
POSTGRES_PROGRAMS = env.str("POSTGRES_PROGRAMS", default="")

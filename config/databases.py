"""Settings of PostgreSQL: where it is, who connects, how long the platform waits (docs/operations.md)."""

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
DATABASES["default"].update(
    CONN_MAX_AGE=None,
    CONN_HEALTH_CHECKS=True,
    DISABLE_SERVER_SIDE_CURSORS=bool(DATABASE_POOLER),
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 5,
        # An address that leads to a standby after a failover is none: nothing is served half.
        "target_session_attrs": "read-write",
        # A database machine that vanishes is noticed, instead of being waited for.
        "tcp_user_timeout": 20_000,
        "keepalives_idle": 30,
        # The ledger's statements are prepared once for each connection (without this,
        # psycopg would never prepare any).
        "prepare_threshold": None if DATABASE_POOLER == "plain" else 0,
    },
)
if not DATABASE_POOLER:
    # A stuck lock or statement is given up (503, safe to repeat) before a game's own time-out.
    # Migrations take their time: 0.
    DATABASES["default"]["OPTIONS"]["options"] = (
        f"-c statement_timeout={DATABASE_STATEMENT_TIMEOUT}s "
        "-c lock_timeout=8s -c idle_in_transaction_session_timeout=30s"
    )
# The role that migrations grant the application's rights to; left out where it does not exist.
DATABASE_APP_ROLE = env.str("DATABASE_APP_ROLE", default="wallet_app")
# As a role that may copy the whole server (REPLICATION), for `manage.py backup` and `receive_wal` alone.
DATABASE_BACKUP_URL = env.str("DATABASE_BACKUP_URL", default="")
# Where PostgreSQL's programs are, in the version of the database; otherwise they are looked for on the PATH.
POSTGRES_PROGRAMS = env.str("POSTGRES_PROGRAMS", default="")

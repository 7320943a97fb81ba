"""Whether text is still ordered as it was when the database's indexes were built.

The order of a language belongs to the C library or ICU. PostgreSQL (15 to 18) writes down their version, and
only warns if it is another one later: an index then no longer finds some of its entries.
"""

from typing import NamedTuple

from django.db import connection

# The order of bytes has no version; a database made before versions were written down cannot be compared.
CHANGED = """
    WITH used AS (
        SELECT key.coll, array_agg(DISTINCT indexrelid::regclass::text) AS indexes
        FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid
        CROSS JOIN LATERAL unnest(indcollation::oid[]) AS key (coll)
        WHERE key.coll <> 0 AND relnamespace = 'public'::regnamespace AND relkind = 'i'
        GROUP BY key.coll
    ),
    versions AS (
        SELECT CASE WHEN collprovider = 'd' THEN format('DATABASE %I', datname)
                    ELSE 'COLLATION ' || pg_collation.oid::regcollation END AS owner,
            CASE WHEN collprovider = 'd' THEN datcollversion ELSE collversion END AS recorded,
            CASE WHEN collprovider = 'd' THEN pg_database_collation_actual_version(pg_database.oid)
                 ELSE pg_collation_actual_version(pg_collation.oid) END AS actual,
            indexes
        FROM used
        JOIN pg_collation ON pg_collation.oid = used.coll
        JOIN pg_database ON datname = current_database()
    )
    SELECT owner, recorded, coalesce(actual, 'none'), indexes FROM versions
    WHERE recorded IS DISTINCT FROM actual AND recorded IS NOT NULL
    ORDER BY owner
"""


class ChangedCollation(NamedTuple):
    """An order of text that is not that of the indexes which were built by it."""

    # As it stands in a statement: DATABASE wallet, or COLLATION "de-x-icu".
    owner: str
    recorded: str
    actual: str
    indexes: list[str]

    @property
    def refresh(self) -> str:
        """The statement that writes the new version down."""
        word = "COLLATION VERSION" if self.owner.startswith("DATABASE") else "VERSION"
        return f"ALTER {self.owner} REFRESH {word};"

    def __str__(self) -> str:
        reindex = " ".join(f"REINDEX INDEX CONCURRENTLY {index};" for index in sorted(self.indexes))
        return (
            f"The order of text has changed since indexes were built by it: {self.owner} says version "
            f"{self.recorded}, and the system has {self.actual}. Rows may not be found, and unique ones be "
            f"there twice. Run as the owner: {reindex} {self.refresh} Then start again. "
            'See "After an upgrade of the operating system" in docs/production.md.'
        )


def changed_collations() -> list[ChangedCollation]:
    """Every order of text that an index of ours depends on and that has changed."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGED)
        return [ChangedCollation(*row) for row in cursor.fetchall()]

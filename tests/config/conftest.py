"""What the tests of the web server share."""

from tests.support.web_tables import pair, table

__all__ = ["pair", "table"]

"""A shop, for the tests of what is refused there as well."""

from tests.support.admin_fixtures import shop_setup

__all__ = ["shop_setup"]

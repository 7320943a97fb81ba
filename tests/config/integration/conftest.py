"""What the tests of a game's integration share."""

from tests.support.admin_fixtures import forget_providers, plain_static_files, shop_setup

__all__ = ["forget_providers", "plain_static_files", "shop_setup"]

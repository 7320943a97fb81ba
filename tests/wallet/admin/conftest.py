"""The operators' browsers, for the tests of this part of the admin."""

from tests.support.admin_fixtures import (
    boss,
    client,
    forget_providers,
    nothing_to_decide,
    plain_static_files,
    second,
    shop_setup,
    story,
    viewer,
)

__all__ = [
    "boss",
    "client",
    "forget_providers",
    "nothing_to_decide",
    "plain_static_files",
    "second",
    "shop_setup",
    "story",
    "viewer",
]

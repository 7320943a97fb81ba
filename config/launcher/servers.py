"""The servers a start needs: embedded ones, or those that the environment names."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from config.launcher.instance import Instance
from config.launcher.postgres import running_postgres
from config.launcher.restarts import Part
from config.launcher.valkey import running_valkey


@contextmanager
def needed_servers(instance: Instance, *, durable: bool) -> Iterator[tuple[list[Part], dict[str, str]]]:
    """The servers that had to be started, and DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL;
    ended with the block.

    `durable` keeps what was committed when the machine fails; without it, tests are faster.
    """
    parts: list[Part] = []
    addresses: dict[str, str] = {}
    with ExitStack() as stack:
        for name, running in (("REDIS_URL", running_valkey), ("DATABASE_URL", running_postgres)):
            if os.environ.get(name):
                addresses[name] = os.environ[name]
            else:
                part, own = stack.enter_context(running(instance, durable=durable))
                parts.append(part)
                addresses |= own
        if "DATABASE_OWNER_URL" not in addresses:
            addresses["DATABASE_OWNER_URL"] = (
                os.environ.get("DATABASE_OWNER_URL") or addresses["DATABASE_URL"]
            )
        yield parts, addresses

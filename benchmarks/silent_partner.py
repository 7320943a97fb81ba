"""A game that accepts connections and never answers, and a platform that has to ask and to tell it something.

`python -m benchmarks.silent_partner URL`: the seeded game is asked and told there.
"""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


@contextmanager
def silent_partner() -> Iterator[tuple[str, list[socket.socket]]]:
    """Its URL, and the connections that it was given."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:

        def accept() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", held
        finally:
            for connection in held:
                connection.close()


def lead_there(url: str) -> None:
    """Has the game asked about transactions, and told of orders, at that address."""
    from lib.security.tokens import new_password
    from payments.models import Shop
    from players.models import Game
    from players.operations import set_query_password

    game = Game.objects.get()
    game.query_url, game.query_username = f"{url}/state", "wallet"
    game.save(update_fields=["query_url", "query_username"])
    set_query_password(game, new_password())
    Shop.objects.filter(game=game).update(order_url=f"{url}/orders", paused_at=None)


if __name__ == "__main__":
    django.setup()
    lead_there(sys.argv[1])

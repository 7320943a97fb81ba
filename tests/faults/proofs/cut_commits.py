"""The connection to PostgreSQL is cut after a COMMIT was sent: nobody hears whether it was done."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlsplit

from tests.faults.platform_processes import SEED, Platform, eventually
from tests.faults.proofs.proof import Proof, serve, under_load
from tests.support.database_proxy import DatabaseProxy
from wallet.models import ApiCall

PLAYERS = 32
# Of the statements that carry their commit with them, as the ledger's do.
CUT_SHARE = 0.3
# A prepared statement is executed: no answer of the ledger comes of anything else.
BIND = b"B"


class CommitCutter(DatabaseProxy):
    """Cuts connections once a statement with its commit was sent on: half of them at once, half when the
    server has answered, which nobody hears.
    """

    def __init__(self, directory: Path, host: str, most: int) -> None:
        super().__init__(directory, host, "5432")
        self.dice = random.Random(SEED)
        self.most, self.count = most, 0
        self.doomed: set[socket.socket] = set()

    def is_cut(self, sock: socket.socket, data: bytes) -> bool:
        if sock in self.doomed:
            self.doomed.discard(sock)
            return self.note_cut()
        if data[:1] != BIND or sock not in self.clients or self.count >= self.most:
            return False
        chance = self.dice.random()
        if chance < CUT_SHARE / 2:
            self.peers[sock].sendall(data)
            return self.note_cut()
        if chance < CUT_SHARE:
            self.doomed.add(self.peers[sock])
        return False

    def note_cut(self) -> bool:
        self.count += 1
        return True

    def end(self, sock: socket.socket) -> None:
        self.doomed -= {sock, self.peers[sock]}
        super().end(sock)


@contextmanager
def cutting(platform: Platform, most: int) -> Iterator[tuple[CommitCutter, str]]:
    """What cuts, and the address of the database through it."""
    place, url = platform.servers.postgres_sockets, platform.environment["DATABASE_URL"]
    with TemporaryDirectory() as directory:
        cutter = CommitCutter(Path(directory), str(place), most)
        cutter.thread = threading.Thread(target=cutter.run, daemon=True)
        cutter.thread.start()
        try:
            yield cutter, urlsplit(url)._replace(query=f"host={quote(directory)}").geturl()
        finally:
            cutter.close()


def prove(platform: Platform, times: int) -> Proof:
    with cutting(platform, times) as (cutter, through):
        web, url = serve(platform, DATABASE_URL=through)
        with under_load(platform, url, "connection cut after COMMIT was sent", PLAYERS) as proof:
            eventually(lambda: cutter.count >= times or proof.is_over, "all are cut", seconds=30 + times)
            cutter.most = cutter.count
            games = {player.player_session.game.pk for player in proof.players}
            repeated = ApiCall.objects.filter(game__in=games, replayed=True).count()
        proof.times = cutter.count
        platform.end_all()
    assert repeated > 0
    assert web.ended
    proof.seen = f"{repeated} calls had been committed and got the stored answer when they were repeated"
    return proof

"""Two kinds of workers: the calls of games go to the one, pages to the other, and what else programs send,
such as callbacks, to whichever has less to do.

Calls that go to the ledger together are cheaper, so they meet in half of the processes; and a page that is
computed keeps no call from the interpreter there. A connection whose request is for the other kind is handed
over, with what has arrived of it; where no worker of that kind serves, this one answers.
Like config/gunicorn.py this imports nothing of the project but the shares.
"""

import enum
import socket
from collections.abc import Iterable

from config.web_shares import Shares

# Bytes of a request that tell its kind: the method and the beginning of the path.
TELLING = 64
# Bytes that come along with a connection; one that has more stays where it is.
MOST_RECEIVED = 64 * 1024


@enum.unique
class Kind(enum.IntEnum):
    """What a worker is for."""

    CALLS = 0
    PAGES = 1


class Kinds:
    """Made by the first process, before it forks; all workers have it."""

    def __init__(self) -> None:
        # Of the workers of each kind.
        self.shares = {kind: Shares() for kind in Kind}
        # Who hands over writes at the first end, and any worker of the kind reads at the second.
        self.ways = {kind: socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for kind in Kind}
        for end in [end for way in self.ways.values() for end in way]:
            end.setblocking(False)

    def hand_over(self, kind: Kind, sock: socket.socket, received: bytes | bytearray) -> bool:
        """Gives a connection to the workers of a kind; False if none serves, or too much is under way."""
        if not self.shares[kind].present() or len(received) > MOST_RECEIVED:
            return False
        try:
            socket.send_fds(self.ways[kind][0], [received], [sock.fileno()])
        except OSError:
            return False
        return True

    def take_over(self, kind: Kind) -> tuple[socket.socket, bytes] | None:
        """A connection that was given to this kind, and what had arrived of its request; None if there is
        none.
        """
        try:
            received, descriptors, _, _ = socket.recv_fds(self.ways[kind][1], MOST_RECEIVED, 1)
        except OSError:
            return None
        if not descriptors:
            # No file may be opened any more, and the connection is closed.
            return None
        taken = socket.socket(fileno=descriptors[0])
        taken.set_inheritable(False)
        return taken, received

    def less_busy(self) -> Kind:
        """The kind that answers what either may: that of whoever has the fewest requests under way, and pages
        before calls.
        """
        calls, pages = (self.shares[kind].least_busy() for kind in (Kind.CALLS, Kind.PAGES))
        return Kind.CALLS if calls is not None and (pages is None or calls < pages) else Kind.PAGES


def has_path(received: bytes | bytearray, paths: tuple[bytes, ...]) -> bool:
    """Whether a request's path begins with one of these, as far as it has arrived."""
    words = bytes(received[:TELLING]).split(b" ", 2)
    return len(words) > 1 and words[1].startswith(paths)


def kind_of(received: bytes | bytearray, call_paths: tuple[bytes, ...]) -> Kind | None:
    """Which kind a request is for; None as long as that cannot be seen."""
    if has_path(received, call_paths):
        return Kind.CALLS
    words = bytes(received[:TELLING]).split(b" ", 2)
    may_come = len(words) == 1 or (len(words) == 2 and any(path.startswith(words[1]) for path in call_paths))
    return None if may_come and len(received) < TELLING else Kind.PAGES


def rarer(kinds: Iterable[Kind]) -> Kind:
    """The kind that there are fewer of; calls, if there are as many."""
    present = list(kinds)
    return Kind.PAGES if present.count(Kind.PAGES) < present.count(Kind.CALLS) else Kind.CALLS

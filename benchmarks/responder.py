"""The quickest answer there is, to find out how much the load generator itself can do:
`python -m benchmarks.responder PORT`.
"""

import select
import socket
import sys

from benchmarks.traffic import NOTHING

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(NOTHING),
    NOTHING,
)


def respond(port: int) -> None:
    """Answers whatever arrives, without reading it; a request here is always one packet."""
    poll = select.poll()
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        poll.register(listener, select.POLLIN)
        peers: dict[int, socket.socket] = {}
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == listener.fileno():
                    peer, _ = listener.accept()
                    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    peers[peer.fileno()] = peer
                    poll.register(peer, select.POLLIN)
                elif peers[descriptor].recv(65536):
                    peers[descriptor].send(ANSWER)
                else:
                    poll.unregister(descriptor)
                    peers.pop(descriptor).close()


if __name__ == "__main__":
    respond(int(sys.argv[1]))

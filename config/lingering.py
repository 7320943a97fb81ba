"""gunicorn's threaded worker, whose threads stay with a kept-alive connection for a moment."""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# How long a thread waits for the next request of its connection, in seconds, before it gives it back to the poller.
LINGER_SECONDS = 0.05


class LingeringWorker(ThreadWorker):  # type: ignore[misc]
    """A game backend keeps its connections busy: handing each request through the poller to another thread cost as much as answering it.

    Only while there are threads for all connections, so that none waits for a thread that waits for nothing.
    """

    def handle(self, conn: Any) -> Any:
        keep = super().handle(conn)
        while keep is True and self.alive and self.nr_conns <= self.cfg.threads and not conn.is_http2 and conn.wait_for_data(LINGER_SECONDS):
            keep = super().handle(conn)
        return keep

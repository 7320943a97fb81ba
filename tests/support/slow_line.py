"""The line from a primary to its standby, on which everything takes its time; what is on its way is lost with
the primary.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.tcp_door import hand_on


class SlowLine:
    """A socket in a directory of its own that leads to the one at `target`."""

    def __init__(self, place: Path, seconds: float) -> None:
        self.place, self.seconds = place, seconds
        self.target: Path | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            answers, questions = await asyncio.open_unix_connection(str(self.target))
            await asyncio.gather(hand_on(reader, questions), self.hand_on_late(answers, writer))
        writer.close()

    async def hand_on_late(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sending = asyncio.create_task(self.send(under_way, writer))
        with suppress(OSError):
            while data := await reader.read(65536):
                under_way.put_nowait((asyncio.get_running_loop().time() + self.seconds, data))
        sending.cancel()
        writer.close()

    async def send(self, under_way: "asyncio.Queue[tuple[float, bytes]]", writer: Any) -> None:
        with suppress(OSError):
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(due - asyncio.get_running_loop().time())
                writer.write(data)
                await writer.drain()


@contextmanager
def slow_line(place: Path, name: str, seconds: float) -> Iterator[SlowLine]:
    """What listens in the directory until the block ends."""
    line, loop = SlowLine(place, seconds), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_unix_server(line.serve, str(place / name)))
    (place / name).chmod(0o777)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield line
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.close()

"""A process whose names are resolved, refused or kept waiting as the file NAMES says.

Python imports this by itself where this directory is on PYTHONPATH.
"""

import os
import socket
import time
from pathlib import Path
from typing import Any

TRUE_GETADDRINFO = socket.getaddrinfo
NAMES = Path(os.environ["NAMES"])
# As long as glibc waits for two servers that say nothing.
SILENT_SECONDS = 20.0


def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
    """What ends with `.test` is this machine, if the names are `there`."""
    if not str(host).endswith(".test"):
        return TRUE_GETADDRINFO(host, *arguments, **named)
    state = NAMES.read_text()
    if state == "there":
        return TRUE_GETADDRINFO("127.0.0.1", *arguments, **named)
    if state == "silent":
        time.sleep(SILENT_SECONDS)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


socket.getaddrinfo = getaddrinfo

"""Takes its time to import, as the platform does, and fails to if a file is there; answers with its pid."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

time.sleep(float(os.environ["IMPORT_SECONDS"]))
if Path(os.environ["BROKEN_IF_THERE"]).exists():
    raise RuntimeError("new code that does not work")


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

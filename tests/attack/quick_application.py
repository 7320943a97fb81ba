"""Answers 200 to everything, and is there at once: for what the web server itself does.

Under /short/ the answer's Content-Length is more than its body.
"""

from collections.abc import Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    length = "20" if environ["PATH_INFO"].startswith("/short/") else "2"
    start_response("200 OK", [("Content-Length", length)])
    return [b"ok"]

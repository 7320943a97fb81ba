"""The web server's worker, which cannot be imported or made while the file BROKEN_WORKER says so."""

import importlib
import os
from pathlib import Path
from typing import Any


def is_broken(how: str) -> bool:
    path = Path(os.environ["BROKEN_WORKER"])
    return path.exists() and path.read_text() == how


def __getattr__(name: str) -> Any:
    """The class `Worker`, made anew with each reload: one that was made broken stays so."""
    if name != "Worker":
        raise AttributeError(name)
    if is_broken("import"):
        raise RuntimeError("a worker that does not import")

    is_made_broken = is_broken("fork")

    class Breaking(importlib.import_module("config.web_worker").Worker):  # type: ignore[misc]
        def __init__(self, *args: Any) -> None:
            if is_made_broken:
                raise BlockingIOError(11, "Resource temporarily unavailable")
            super().__init__(*args)

    return Breaking

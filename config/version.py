"""The version of the platform, as `pyproject.toml` says it: it is the only place that does."""

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def read_version() -> str:
    """The `version` of the project. A deployment has the whole tree, so the file is always there."""
    version: str = tomllib.loads(PYPROJECT.read_text())["project"]["version"]
    return version

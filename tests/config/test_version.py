"""One version everywhere: that of `pyproject.toml`."""

import re
import tomllib
from pathlib import Path

from django.conf import settings

from lib.outbound.client import OUR_HEADERS
from tests.support.callers import Caller

ROOT = Path(__file__).resolve().parents[2]


def project_version() -> str:
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return version


def test_version__is_three_numbers() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", project_version())


def test_version__settings_and_user_agent_say_it() -> None:
    assert project_version() == settings.VERSION
    assert OUR_HEADERS["user-agent"] == f"QuantumWallet/{project_version()}"


def test_version__the_description_says_it() -> None:
    description = Caller(None).send("GET", "/api/schema/?format=json").raw
    assert f'"version":"{project_version()}"'.encode() in description.replace(b'": "', b'":"')

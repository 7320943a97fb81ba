import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from clients.kit import VERSION, archive
from config.version import PYPROJECT


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    target = tmp_path / "kit" / "wallet-kit.pyz"
    archive.pack(target)
    return target


def test_archive__runs_from_anywhere(packed: Path) -> None:
    command = [sys.executable, "-I", str(packed), "--version"]
    ran = subprocess.run(command, cwd=packed.parent, capture_output=True, text=True, check=True)
    assert ran.stdout == f"wallet-kit {VERSION}\n"


def test_archive__same_code_makes_the_same_bytes(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = packed.with_name("again.pyz")
    os.utime(archive.KIT / "archive.py")
    archive.pack(again)
    assert again.read_bytes() == packed.read_bytes()


def test_version__is_the_projects() -> None:
    assert tomllib.loads(PYPROJECT.read_text())["project"]["version"] == VERSION

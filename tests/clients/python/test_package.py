"""The client as others get it: a wheel of its own, typed, with generated shapes and examples that run."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import quantum_wallet
from config.version import PYPROJECT
from shape_generator import generate
from tests.support.callers import Caller

CLIENT = PYPROJECT.parent / "clients" / "python"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def run(*command: str, **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    told: str = done.stdout
    assert done.returncode == 0, told + done.stderr
    return told


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that was built from a copy, so that nothing is left in the repository."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    run(*command, cwd=CLIENT)
    return next(directory.glob("*.whl"))


def test_wheel__holds_the_package_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"quantum_wallet_client-{quantum_wallet.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"quantum_wallet", "quantum_wallet_client"}
    assert {"quantum_wallet/py.typed", "quantum_wallet/shapes.py"} <= set(names)
    assert [line for line in metadata.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: httpx<1,>=0.27"
    ]
    assert "License-Expression: Apache-2.0" in metadata


def test_version__is_the_projects() -> None:
    assert tomllib.loads(PYPROJECT.read_text())["project"]["version"] == quantum_wallet.__version__


@pytest.mark.long
def test_wheel__installs_into_a_fresh_environment(tmp_path: Path) -> None:
    python = str(tmp_path / "venv" / "bin" / "python")
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    run(python, "-m", "pip", "install", "--quiet", str(CLIENT))
    told = run(python, "-c", "import quantum_wallet; print(quantum_wallet.__version__)", cwd=tmp_path)
    assert told.strip() == quantum_wallet.__version__


def test_shapes__are_those_of_the_document() -> None:
    document = json.loads(Caller(None).send("GET", "/api/schema/?format=json").raw)
    formatted = run(
        *(sys.executable, "-m", "ruff", "format", "--stdin-filename", str(CLIENT / "shapes.py"), "-"),
        input=generate(document),
    )
    current = (CLIENT / "quantum_wallet" / "shapes.py").read_text()
    assert formatted == current, "run `make client-types`"


def readme() -> str:
    """The examples of the README, as one module."""
    return "\n\n".join(BLOCK.findall((CLIENT / "README.md").read_text()))


def test_readme__examples_please_a_strict_mypy(tmp_path: Path) -> None:
    example = tmp_path / "example.py"
    example.write_text(readme())
    options = ["--strict", "--config-file=", f"--cache-dir={tmp_path}"]
    run(
        *(sys.executable, "-m", "mypy", *options, str(example)),
        env={"MYPYPATH": str(CLIENT), "PATH": "/usr/bin:/bin"},
    )

"""Every command that measures starts, as its own process: what it imports needs no more than it sets up."""

import subprocess
import sys

import pytest

from config.launcher.supervisor import ROOT

MEASURING = ("archive", "audit", "bench", "callbacks", "growth", "pages", "peers", "scale", "settle")


@pytest.mark.parametrize("command", MEASURING)
def test_measuring_command__tells_its_options(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{command}", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout

"""What can wait takes the processor from no call (lib.background)."""

import os
import subprocess
import sys

import pytest

from config.launcher.supervisor import ROOT

TOLD = "import os; from lib.background import {0}; {0}(); print(os.sched_getscheduler(0), os.nice(0))"


@pytest.mark.parametrize(("how", "more"), [("give_way", 0), ("stand_back", 10)])
def test_process__stands_back(how: str, more: int) -> None:
    command = [sys.executable, "-c", TOLD.format(how)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(os.SCHED_BATCH), str(min(os.nice(0) + more, 19))]


@pytest.mark.parametrize("word", ["audit_ledger", "backup"])
def test_command__that_takes_long_stands_back(word: str) -> None:
    """Its help is told by a process that did."""
    code = (
        "import os, runpy, sys; sys.argv = ['manage.py', sys.argv[1], '--help']\n"
        "try: runpy.run_path('manage.py', run_name='__main__')\n"
        "except SystemExit: print(os.nice(0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, word], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == str(min(os.nice(0) + 10, 19))

"""Tries mutants in a copy of the project.

Each in a process forked from one that has imported all that is not mutated.
"""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Generator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
from hypothesis import Phase

from config.launcher.processes import end_with_parent
from tests.mutation.mutant import Mutant, Trial, Verdict
from tests.mutation.targets import ordered_tests

ROOT = Path(__file__).parent.parent.parent
PROJECT = ("config", "lib", "players", "wallet", "payments", "simulation", "clients", "tests", "benchmarks")
# What a test process imports and no mutant changes.
LIBRARIES = (
    "django.db.models",
    "django.test",
    "django.contrib.admin",
    "psycopg",
    "msgspec",
    "hypothesis",
    "drf_spectacular.utils",
)
# No plugin but Django's. Asserts are not rewritten (that hook complains about what is imported already), nor
# is garbage collected after each run.
PYTEST_OPTIONS = (
    "-x",
    "-q",
    "--tb=line",
    "--assert=plain",
    "-p",
    "django",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:unraisableexception",
)
PASSED, FAILED, NOT_INSTALLED = 0, 1, 70
# Writes nothing: its database is as the migrations leave it.
ANY_TEST = "tests/wallet/test_call_batches.py"
MIGRATION_SECONDS = 600.0


class Watch:
    """Notices that the mutant could be imported and installed: until then, a failure is not a test's.

    With the first failure all is said: what a test would still wait for ends with its process.
    """

    def __init__(self, log: int) -> None:
        self.log = log
        self.installed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self.log, f"\n{report.longreprtext}\nFAILED {report.nodeid}\n".encode())
            os._exit(FAILED if self.installed else NOT_INSTALLED)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: "pytest.FixtureDef[object]"
    ) -> Generator[None, object, object]:
        result = yield
        self.installed = self.installed or fixturedef.argname == "django_db_setup"
        return result


class Worker:
    """A copy of the project and a database of its own name."""

    def __init__(self, number: int, *, python_too: bool, quick: bool, options: Iterable[str] = ()) -> None:
        self.name = f"mutant{number}"
        self.place = ROOT / "var" / "mutants" / str(number)
        self.quick = quick
        self.options = list(options)
        copy_project(self.place)
        self.log = self.place / "pytest.log"
        self.enter(python_too=python_too)
        self.tests = sorted(path.as_posix() for path in Path("tests").rglob("test_*.py"))
        if python_too:
            self.migrate()

    def migrate(self) -> None:
        """Makes the database that the tests copy from now on: no mutant in Python changes what a migration
        does.
        """
        os.environ["PYTEST_XDIST_WORKER"] = f"{self.name}_migrated"
        code, _ = self.run([ANY_TEST], MIGRATION_SECONDS)
        assert code == PASSED, self.log.read_text()
        os.environ |= {"PYTEST_XDIST_WORKER": self.name, "MIGRATED_DATABASE": f"test_{self.name}_migrated"}

    def tests_for(self, *paths: str) -> list[str]:
        """Test files, each once, in the order in which they are likely to notice."""
        return list(
            dict.fromkeys(
                test for path in paths for test in ordered_tests(path, self.tests, quick=self.quick)
            )
        )

    def enter(self, *, python_too: bool) -> None:
        """From now on this process belongs to the copy."""
        for name in [
            name
            for name in sys.modules
            if name.partition(".")[0] in PROJECT and not name.startswith("tests.mutation")
        ]:
            del sys.modules[name]
        os.chdir(self.place)
        sys.path[:] = [str(self.place), *(entry for entry in sys.path if entry not in ("", str(ROOT)))]
        os.environ |= {"PYTEST_XDIST_WORKER": self.name, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        os.environ.pop("MIGRATED_DATABASE", None)
        for name in LIBRARIES:
            importlib.import_module(name)
        # A failing example is enough; making it short may take minutes.
        phases = [Phase.explicit, Phase.reuse, Phase.generate]
        hypothesis.settings.register_profile("mutation", phases=phases)
        hypothesis.settings.load_profile("mutation")
        if not python_too:
            # All of the project's Python as well; a migration reads the .sql files, and is imported by each
            # test process itself.
            for name in ("tests.conftest", "config.urls", "tests.support.invariants"):
                importlib.import_module(name)

    def tried(self, mutant: Mutant, bound_seconds: float) -> Trial:
        path = self.place / mutant.path
        text = path.read_text()
        try:
            rewrite(path, mutant.applied(text))
            code, seconds = self.run(self.tests_for(mutant.path), bound_seconds)
        finally:
            rewrite(path, text)
        verdict, killer = self.judged(code)
        return Trial(mutant, verdict, seconds, killer)

    def judged(self, code: int | None) -> tuple[Verdict, str]:
        """What an exit code of pytest means, and which test failed."""
        if code is None:
            return Verdict.TIMED_OUT, ""
        if code == PASSED:
            return Verdict.SURVIVED, ""
        said = self.log.read_text(errors="replace").splitlines()
        failed = [line.split()[1] for line in said if line.startswith(("FAILED tests", "ERROR tests"))]
        return (Verdict.STILLBORN if code == NOT_INSTALLED else Verdict.KILLED), "".join(failed[:1])

    def run(self, tests: list[str], bound_seconds: float) -> tuple[int | None, float]:
        """pytest's exit code, None where it took too long; and the seconds that it took."""
        began = time.monotonic()
        worker = os.getpid()
        child = os.fork()
        if child == 0:
            end_with_parent(worker, signal.SIGKILL)
            self.become_pytest(tests)
        while (waited := os.waitpid(child, os.WNOHANG))[0] == 0:
            if time.monotonic() - began > bound_seconds:
                with suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return None, bound_seconds
            time.sleep(0.02)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(waited[1]), time.monotonic() - began

    def become_pytest(self, tests: list[str]) -> NoReturn:
        os.setsid()
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        for number in (1, 2):
            os.dup2(log, number)
        code, watch = int(NOT_INSTALLED), Watch(log)
        try:
            options = [*PYTEST_OPTIONS, *self.options]
            code = int(pytest.main([*options, *tests], plugins=[watch]))
            code = code if watch.installed else NOT_INSTALLED
        finally:
            if sys.exc_info()[0]:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def copy_project(place: Path) -> None:
    """The files that git knows or would add: nothing that was made from them, no data."""
    shutil.rmtree(place, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)


def rewrite(path: Path, text: str) -> None:
    """Writes a source, and forgets what Python compiled of it.

    Two texts of one second and one length look the same to it.
    """
    path.write_text(text)
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()

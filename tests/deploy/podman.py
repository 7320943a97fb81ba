"""Podman, on a Debian made here in place of the base image that a registry would give."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config.launcher.supervisor import ROOT

HOME = ROOT / "var" / "container"
STORAGE = ("--root", str(HOME / "storage"), "--runroot", str(HOME / "run"))
IMAGE = "quantum-wallet-trial"
# As deploy/compose.yaml has it. The rest is for machines that are containers themselves.
HARDENED = (
    *("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"),
    *("--network=host", "--cgroups=disabled", "--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096"),
    "--no-healthcheck",
)
# crun wants control groups of one version.
ONE_VERSION = ("unshare", "--mount", "sh", "-c", 'umount /sys/fs/cgroup/unified; exec "$@"', "sh")


def missing() -> str | None:
    """Why there can be no container here."""
    for program in ("podman", "crun", "debootstrap", "unshare"):
        if shutil.which(program) is None and shutil.which(program, path="/usr/sbin") is None:
            return f"{program} is not installed"
    return None if os.geteuid() == 0 else "making a Debian needs root"


def podman(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    hidden = ONE_VERSION if Path("/sys/fs/cgroup/unified").exists() else ()
    done = subprocess.run(
        [*hidden, "podman", *STORAGE, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, f"{words}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done


def build() -> None:
    """The image of the Containerfile, each step of it as it stands there."""
    HOME.mkdir(parents=True, exist_ok=True)
    (base,) = re.findall(r"^FROM (docker\.io/\S+)", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    if podman("image", "exists", base, check=False).returncode:
        make_debian(base)
    options = ("--isolation=chroot", "--pull=never", "--network=host", "--format=docker")
    podman("build", *options, *own_registry(), "--file=Containerfile", f"--tag={IMAGE}", ".")


def make_debian(name: str) -> None:
    """As small as the base image; its version is that of the name."""
    root = HOME / "debian"
    shutil.rmtree(root, ignore_errors=True)
    path = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", str(root)],
        env=os.environ | path,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    tar = HOME / "debian.tar"
    subprocess.run(["tar", "-C", str(root), "-cf", str(tar), "."], check=True)
    podman("import", str(tar), name)
    shutil.rmtree(root)
    tar.unlink()


def own_registry() -> Sequence[str]:
    """Where this machine's pip finds packages, for the build's."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    known = dict(re.findall(r"^\S+?\.(cert|index-url)='(.*)'$", listed.stdout, re.MULTILINE))
    if certificates := known.get("cert"):
        shutil.copy(certificates, HOME / "certificates")
        known["cert"] = "/certificates"
    lines = "".join(f"{name} = {value}\n" for name, value in known.items())
    (HOME / "pip.conf").write_text(f"[global]\n{lines}")
    (HOME / "certificates").touch()
    return (
        f"--volume={HOME / 'pip.conf'}:/etc/pip.conf:ro",
        f"--volume={HOME / 'certificates'}:/certificates:ro",
    )


def run(name: str, *words: str, options: Sequence[str] = ()) -> str:
    """Starts a container and lets it run; returns its name."""
    podman("run", "--detach", f"--name={name}", *HARDENED, *options, IMAGE, *words)
    return name


def exit_code(name: str) -> int:
    """Waits until it has ended."""
    return int(podman("wait", name).stdout)


def log(name: str) -> str:
    """The end of what a container said."""
    return podman("logs", name).stderr[-2000:]


def image_settings() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(podman("image", "inspect", IMAGE).stdout)[0]
    return found

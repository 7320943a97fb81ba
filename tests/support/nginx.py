"""deploy/nginx.conf as it is shipped, without TLS, on a free port in front of a server."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from config.launcher.processes import start, stop
from config.launcher.supervisor import ROOT
from tests.support.web_server import free_port

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def installed() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def site_for(upstream: str, port: int) -> str:
    """The shipped site for HTTPS, listening without TLS."""
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    site = site[: site.index("server {\n    listen 80;")].replace("127.0.0.1:8000", upstream)
    site = re.sub(r"    ssl_.*\n|    listen \[::\].*\n", "", site)
    return site.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};").replace("wallet.example.com", "_")


@contextmanager
def nginx_before(url: str, home: Path) -> Iterator[str]:
    """The URL of an nginx with the shipped site before the server at `url`; it ends with the block."""
    program = installed()
    assert program
    port = free_port()
    temporary = "".join(f"{name}_temp_path {home}/{name}; " for name in TEMPORARY)
    (home / "nginx.conf").write_text(
        f"daemon off; pid {home}/pid; error_log {home}/errors; worker_rlimit_nofile 20000;\n"
        f"events {{ worker_connections 8192; }}\n"
        f"http {{ access_log off; {temporary}\n{site_for(url.removeprefix('http://'), port)}\n}}\n"
    )
    checked = subprocess.run(
        [program, "-t", "-c", str(home / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    with (home / "output").open("wb") as output:
        child = start("nginx", [program, "-c", str(home / "nginx.conf")], environment={}, log=output)
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            stop(child)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")

"""deploy/nginx.conf as it is shipped, on free ports in front of a server."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from config.launcher.processes import start, stop
from config.launcher.supervisor import ROOT
from tests.support.web_server import free_port

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CERTIFICATE = (
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "30",
    "-subj",
    "/CN=localhost",
)


class Site(NamedTuple):
    """Where the shipped site listens: the ports for HTTPS and for plain HTTP."""

    tls: int
    plain: int


def installed() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def shipped() -> str:
    """The file, for any host name, on IPv4 alone."""
    text = (
        (ROOT / "deploy" / "nginx.conf")
        .read_text()
        .replace("server_name wallet.example.com", "server_name _")
    )
    return re.sub(r"    listen \[::\].*\n", "", text)


def site_for(upstream: str, port: int) -> str:
    """The shipped site for HTTPS, listening without TLS."""
    site = shipped()
    site = site[: site.index("server {\n    listen 80;")].replace("127.0.0.1:8000", upstream)
    site = re.sub(r"    ssl_.*\n", "", site)
    return site.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")


@contextmanager
def nginx_before(url: str, home: Path) -> Iterator[str]:
    """The URL of an nginx with the shipped site, without TLS, before the server at `url`;
    it ends with the block.
    """
    port = free_port()
    with running_nginx(site_for(url.removeprefix("http://"), port), home):
        wait_for(port)
        yield f"http://127.0.0.1:{port}"


def certificate(home: Path) -> None:
    """One of our own, in the files that the site names."""
    files = ("-keyout", str(home / "privkey.pem"), "-out", str(home / "fullchain.pem"))
    subprocess.run([*CERTIFICATE, *files], capture_output=True, check=True)


@contextmanager
def whole_nginx_before(url: str, home: Path, changes: dict[str, str] | None = None) -> Iterator[Site]:
    """An nginx with all of the shipped file, TLS included, before the server at `url`, but for `changes`."""
    certificate(home)
    site = Site(free_port(), free_port())
    text = shipped()
    for old, new in {
        "127.0.0.1:8000": url.removeprefix("http://"),
        "/etc/ssl/wallet.example.com": str(home),
        "listen 443 ssl;": f"listen 127.0.0.1:{site.tls} ssl;",
        "listen 80;": f"listen 127.0.0.1:{site.plain};",
        **(changes or {}),
    }.items():
        assert old in text
        text = text.replace(old, new)
    with running_nginx(text, home):
        wait_for(site.tls)
        yield site


@contextmanager
def running_nginx(site: str, home: Path) -> Iterator[None]:
    """An nginx with this site; its own test of the file must find nothing."""
    program = installed()
    assert program
    temporary = "".join(f"{name}_temp_path {home}/{name}; " for name in TEMPORARY)
    (home / "nginx.conf").write_text(
        f"daemon off; pid {home}/pid; error_log {home}/errors; worker_rlimit_nofile 20000;\n"
        f"events {{ worker_connections 8192; }}\n"
        f"http {{ access_log off; {temporary}\n{site}\n}}\n"
    )
    checked = subprocess.run(
        [program, "-t", "-c", str(home / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr, checked.stderr
    with (home / "output").open("wb") as output:
        child = start("nginx", [program, "-c", str(home / "nginx.conf")], environment={}, log=output)
        try:
            yield
        finally:
            stop(child)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")

"""The command line of the kit."""

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from urllib.parse import urlsplit

from clients.kit import VERSION
from clients.kit.check import Check
from clients.kit.checks import CATEGORIES, CHECKS
from clients.kit.expectations import Unusable
from clients.kit.logins import FORMS, GAME, OTHER_GAME, PLATFORM, option_name, read_logins, variable_name
from clients.kit.parties import Login, Target
from clients.kit.reports import WRITERS
from clients.kit.runner import Run
from clients.kit.server import look_at
from clients.kit.terminal import Stream, Terminal, list_checks
from clients.kit.wallet import command as scripted_wallet

PASSED, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
DESCRIPTION = "Proves over HTTP, as a black box, that a wallet keeps the contract with its games."
EPILOG = f"""\
credentials:
  Command lines can be seen by other users of a machine. Passwords may stand in the environment instead
  ({", ".join(map(variable_name, FORMS))}, or the same with _PASSWORD behind it for
  the password alone), or in a file: --credentials FILE reads the form of var/demo.json.

exit status:
  0 all checks passed (some may have been skipped), 1 one failed, 2 nothing could be checked.

the other direction:
  wallet-kit wallet serves a wallet that misbehaves by script, to test a game against
  (wallet-kit wallet --help).
"""
OTHER_DIRECTION = "wallet"


def main(arguments: Sequence[str]) -> int:
    """Runs what the command line asks for. Returns the exit status."""
    if arguments[:1] == [OTHER_DIRECTION]:
        return scripted_wallet.main(arguments[1:], sys.stdout)
    options = make_parser().parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal may not know every script that answers hold.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return run_command(options, sys.stdout)
    except Unusable as problem:
        sys.stderr.write(f"wallet-kit: {problem}\n")
        return UNUSABLE
    except KeyboardInterrupt:
        return INTERRUPTED


def make_parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="wallet-kit", description=DESCRIPTION, epilog=EPILOG, formatter_class=RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--version", action="version", version=f"wallet-kit {VERSION}")
    option("--url", help="where the server is, such as https://wallet.example")
    for name, form in FORMS.items():
        option(option_name(name), metavar=form, help=f"a credential ({variable_name(name)})")
    option("--credentials", type=Path, metavar="FILE", help="a JSON file with the credentials")
    add_choices(parser)
    return parser


def add_choices(parser: ArgumentParser) -> None:
    """What `manage.py conformance` offers as well: which checks, against what, and which reports."""
    option = parser.add_argument
    option("--currency", default="XAG", metavar="CODE", help="a currency of two decimals (default: XAG)")
    option(
        "--other-currency",
        default="EUR",
        metavar="CODE",
        help="one that the first one's sessions refuse (default: EUR)",
    )
    option(
        "--unauthorized-status",
        type=int,
        choices=(401, 400),
        default=401,
        help="what a wrong Authorization is answered with (default: 401)",
    )
    option(
        "--clock",
        action="store_true",
        help="the server's clock can be moved (POST /demo/clock); checks then move it by 72 hours",
    )
    option(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="run a category, or a check by its id; may be repeated",
    )
    option("--list", action="store_true", help="list the checks, and run none")
    for name, writer in WRITERS.items():
        option(f"--{name}", type=Path, metavar="FILE", help=f"write {writer.what}")


def run_command(options: Namespace, stream: Stream) -> int:
    """Lists or runs the checks that were chosen. Raises `Unusable`."""
    checks = chosen(options.only)
    if options.list:
        list_checks(checks, stream)
        return PASSED
    return run_checks(make_target(options), checks, options, stream)


def chosen(names: Sequence[str]) -> list[Check]:
    """The checks of these categories and ids; all, if none is named. Raises `Unusable`."""
    known = {category.name for category in CATEGORIES} | {check.id for check in CHECKS}
    for name in names:
        if name not in known:
            raise Unusable(f"There is neither a category nor a check {name!r}: --list shows them.")
    return [check for check in CHECKS if not names or check.id in names or check.category in names]


def make_target(options: Namespace) -> Target:
    """The server and its callers as the command line and the environment say. Raises `Unusable`."""
    if not options.url:
        raise Unusable("Where is the server? Give --url.")
    logins = read_logins(options, os.environ)
    return target_of(options, options.url, logins)


def target_of(options: Namespace, url: str, logins: Mapping[str, Login]) -> Target:
    """The server at `url`, with the choices of the command line. Raises `Unusable`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise Unusable(f"--url must be an address such as https://wallet.example, not {url!r}.")
    if options.currency == options.other_currency:
        raise Unusable("--currency and --other-currency must be two currencies.")
    return Target(
        url.rstrip("/"),
        logins[GAME],
        logins[OTHER_GAME],
        logins[PLATFORM],
        currency=options.currency,
        other_currency=options.other_currency,
        unauthorized_status=options.unauthorized_status,
        has_clock=options.clock,
    )


def run_checks(target: Target, checks: Sequence[Check], options: Namespace, stream: Stream) -> int:
    """Runs the checks, tells as they go, and writes the reports. Returns the exit status.

    Raises `Unusable`.
    """
    run = Run(target, target.redactor())
    run.schema_hash = look_at(target, run.redactor)
    terminal = Terminal(stream)
    terminal.begin(run, len(checks))
    try:
        for result in run.run(checks):
            terminal.tell(result)
    finally:
        write_reports(run, options)
    terminal.end(run)
    return PASSED if run.is_passed else FAILED


def write_reports(run: Run, options: Namespace) -> None:
    """The reports that were asked for, also of a run that was interrupted. Raises `Unusable`."""
    for name, writer in WRITERS.items():
        path = getattr(options, name)
        if path is not None:
            try:
                path.write_text(writer.write(run), encoding="utf-8")
            except OSError as problem:
                raise Unusable(f"{path} cannot be written: {problem.strerror}.") from problem

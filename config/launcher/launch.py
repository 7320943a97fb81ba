"""Starts the platform on one machine (`run`), or the servers that one command needs (`with -- COMMAND`)."""

import argparse
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import environ

from config.launcher.instance import opened
from config.launcher.processes import (
    CannotStart,
    Child,
    Stopped,
    end_with_parent,
    say,
    start,
    stop,
    stop_request,
)
from config.launcher.servers import needed_servers
from config.launcher.supervisor import (
    ROOT,
    platform_environment,
    run_platform,
    running_environment,
    step,
    tell_place,
)


def main() -> int:
    options = arguments()
    keep_bytecode()
    stop_request.listen()
    if options.parent:
        end_with_parent(options.parent, signal.SIGTERM)
    try:
        if options.action == "run":
            return run(options.var)
        if options.action == "beside":
            return run_beside(options.var, options.command)
        return run_with(options.var, options.instance, options.command, durable=not options.fast)
    except Stopped:
        return 128 + (stop_request.signal or 0)
    except CannotStart as problem:
        say(str(problem))
    except PermissionError as problem:
        say(
            f"This user may not use {problem.filename or 'what the start needs'}: {problem.strerror}. "
            "Was it made by another user?"
        )
    return 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m config.launcher.launch", description=__doc__)
    parser.add_argument(
        "--var", type=Path, default=ROOT / "var", help="where data is kept (default: var/ of this directory)"
    )
    parser.add_argument("--parent", type=int, help="end when this process, our parent, ends")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("run", help="migrate, seed demo data and serve, until Ctrl-C")
    beside = actions.add_parser(
        "beside", help="run a command with the settings of the platform that is running"
    )
    beside.add_argument("command", nargs="+", help="the command, after --")
    command = actions.add_parser(
        "with", help="run a command with DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL set"
    )
    command.add_argument("--instance", default="test", help="which data to use (default: test)")
    command.add_argument(
        "--fast",
        action="store_true",
        help="do not wait for the disk: for tests, data may be lost with the machine",
    )
    command.add_argument("command", nargs="+", help="the command, after --")
    return parser.parse_args()


def keep_bytecode() -> None:
    """Whatever is started from here on compiles our code and that of libraries once, and not at each start.

    That is so where the environment wants no bytecode beside the sources, too: it has a place of its own.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = os.environ.get("PYTHONPYCACHEPREFIX") or str(
        ROOT / "var" / "bytecode"
    )


def run(var: Path) -> int:
    """The whole platform until it is asked to end, which is no failure."""
    if (ROOT / ".env").exists():  # a DATABASE_URL there means no embedded server either
        environ.Env.read_env(ROOT / ".env")
    try:
        run_platform(var)
    except Stopped:
        say("Everything has ended.")
    return 0


def run_with(var: Path, name: str, command: list[str], *, durable: bool) -> int:
    """The command's own exit code, as a shell would give it."""
    with opened(var, name) as instance, ExitStack() as stack:
        with step("Starting PostgreSQL and Valkey"):
            _, addresses = stack.enter_context(needed_servers(instance, durable=durable))
        tell_place(var, instance)
        stack.callback(instance.tell_ending)
        try:
            child = start(
                "command", command, environment=platform_environment(instance, addresses), own_group=False
            )
        except FileNotFoundError:
            say(f"There is no command {command[0]!r}.")
            return 127
        stack.callback(stop, child)
        instance.register.add(child)
        stop_request.pass_on(lambda number: forward(number, child))
        code = child.process.wait()
    return code if code >= 0 else 128 - code


def run_beside(var: Path, command: list[str]) -> int:
    """Become the command."""
    environment = {**os.environ, **running_environment(var)}
    try:
        os.execvpe(command[0], command, environment)
    except FileNotFoundError:
        say(f"There is no command {command[0]!r}.")
        return 127


def forward(number: int, child: Child) -> None:
    """Give a signal to the command, unless the terminal has done so."""
    if number != signal.SIGINT or not terminal_is_ours():
        child.process.send_signal(number)


def terminal_is_ours() -> bool:
    """Whether Ctrl-C at the terminal reaches our whole process group, the command included."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


if __name__ == "__main__":
    sys.exit(main())

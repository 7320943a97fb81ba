"""`make mutate`: plants each mistake, runs the tests until one fails, and tells what survived."""

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from multiprocessing.queues import Queue

from config.launcher.processes import end_with_parent
from tests.mutation import python, sql
from tests.mutation.mutant import Mutant, Trial, Verdict
from tests.mutation.targets import mutated_files
from tests.mutation.worker import ROOT, Worker

# Long enough for a machine that does other work as well: the bound is for mutants that hang.
PATIENCE = 3.0
MARGIN_SECONDS = 30.0
LONGEST_BASELINE_SECONDS = 3600.0
FORK = multiprocessing.get_context("fork")


class BaselineFailed(Exception):
    """The tests fail without any mistake planted."""


def main() -> int:
    options = arguments()
    if "DATABASE_OWNER_URL" not in os.environ:
        print("The tests need servers: run `make mutate`.", file=sys.stderr)
        return 1
    texts = {
        path: (ROOT / path).read_text()
        for path in mutated_files(ROOT)
        if not options.files or any(part in path for part in options.files)
    }
    mutants = chosen(texts, options.sample, options.seed)
    print(f"{len(mutants)} mutants of {len(texts)} files", flush=True)
    if options.list:
        print(*(mutant.told(texts[mutant.path]) for mutant in mutants), sep="\n")
        return 0
    trials: list[Trial] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        bounds = bounds_seconds(list(texts), options)
        print("The tests pass without a mutant; with one they may take so many seconds:", flush=True)
        print(*(f"  {path} {bound:.0f}" for path, bound in bounds.items()), sep="\n", flush=True)
        for python_too in (False, True):
            batch = [mutant for mutant in mutants if mutant.path.endswith(".py") == python_too]
            for trial in tried(batch, bounds, python_too, options):
                trials.append(trial)
                show_progress(trials, len(mutants), texts, tell_all=options.tell_all)
    except BaselineFailed as problem:
        print(f"The tests fail without a mutant:\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nInterrupted: {len(trials)} of {len(mutants)} mutants were tried")
    finally:
        shutil.rmtree(ROOT / "var" / "mutants", ignore_errors=True)
    report(trials, texts)
    return int(options.strict and any(trial.verdict == Verdict.SURVIVED for trial in trials))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--files", nargs="+", metavar="PART", help="only files whose path contains one of these"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, chosen by --seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--quick", action="store_true", help="only the tests that are likely to notice, instead of all"
    )
    parser.add_argument(
        "--tell-all", action="store_true", help="tell of each mutant which test noticed it, after how long"
    )
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a mutant survives")
    parser.add_argument("pytest", nargs="*", metavar="-- OPTION", help="options for pytest, after --")
    return parser.parse_args()


def chosen(texts: dict[str, str], sample: int | None, seed: int) -> list[Mutant]:
    """The mutants in the order of files and text; always the same ones for a seed."""
    everything = [
        mutant
        for path, text in texts.items()
        for mutant in (sql if path.endswith(".sql") else python).mutants(path, text)
    ]
    if sample is None or sample >= len(everything):
        return everything
    places = sorted(random.Random(seed).sample(range(len(everything)), sample))
    return [everything[place] for place in places]


def tried(
    mutants: list[Mutant], bounds: dict[str, float], python_too: bool, options: argparse.Namespace
) -> Iterator[Trial]:
    """What became of each mutant, as the workers tell it."""
    tasks: Queue[Mutant | None] = FORK.Queue()
    results: Queue[Trial] = FORK.Queue()
    # Who is interrupted does not wait until somebody has taken the tasks that are left.
    tasks.cancel_join_thread()
    workers = min(options.workers, len(mutants))
    for task in [*mutants, *[None] * workers]:
        tasks.put(task)
    processes = [
        FORK.Process(target=work, args=(number, python_too, bounds, options, tasks, results))
        for number in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        for _ in mutants:
            yield results.get()
    finally:
        for process in processes:
            process.terminate()
            process.join()


def work(
    number: int,
    python_too: bool,
    bounds: dict[str, float],
    options: argparse.Namespace,
    tasks: "Queue[Mutant | None]",
    results: "Queue[Trial]",
) -> None:
    follow_parent()
    worker = Worker(number, python_too=python_too, quick=options.quick, options=options.pytest)
    while mutant := tasks.get():
        results.put(worker.tried(mutant, bounds[mutant.path]))


def follow_parent() -> None:
    """Ctrl-C is the parent's to answer; and whatever happens to it, nothing of ours stays behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent and parent.pid:
        end_with_parent(parent.pid, signal.SIGKILL)


def bounds_seconds(paths: list[str], options: argparse.Namespace) -> dict[str, float]:
    """How long the tests of each file may take with a mutant, by how long they take without; all together
    where they are all tests. Raises BaselineFailed.
    """
    groups = [[path] for path in paths] if options.quick else [paths]
    results: Queue[float | str] = FORK.Queue()
    process = FORK.Process(target=run_baselines, args=(groups, options, results))
    process.start()
    bounds: dict[str, float] = {}
    for group in groups:
        result = results.get()
        if isinstance(result, str):
            raise BaselineFailed(result)
        bounds |= dict.fromkeys(group, PATIENCE * result + MARGIN_SECONDS)
    process.join()
    return bounds


def run_baselines(
    groups: list[list[str]], options: argparse.Namespace, results: "Queue[float | str]"
) -> None:
    follow_parent()
    try:
        worker = Worker(0, python_too=True, quick=options.quick, options=options.pytest)
        for group in groups:
            code, seconds = worker.run(worker.tests_for(*group), LONGEST_BASELINE_SECONDS)
            results.put(seconds if code == 0 else worker.log.read_text()[-3000:])
    except Exception as problem:  # noqa: BLE001 (the parent waits for a result)
        results.put(str(problem))


def show_progress(trials: list[Trial], total: int, texts: dict[str, str], *, tell_all: bool) -> None:
    """One line that is written over on a terminal; survivors are told at once."""
    last = trials[-1]
    if tell_all:
        print(f"{last.seconds:6.1f} s  {last.killer or '-'}")
    if tell_all or last.verdict in (Verdict.SURVIVED, Verdict.TIMED_OUT):
        print(f"\r{last.verdict}: {last.mutant.told(texts[last.mutant.path])}", flush=True)
    counts = Counter(trial.verdict for trial in trials)
    line = f"{len(trials)} of {total}: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
    if sys.stdout.isatty() or len(trials) % 25 == 0:
        print(f"\r{line}", end="" if sys.stdout.isatty() else f" {time.strftime('%H:%M:%S')}\n", flush=True)


def report(trials: list[Trial], texts: dict[str, str]) -> None:
    """A table by file, then everything that no test noticed."""
    by_file: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for trial in trials:
        by_file[trial.mutant.path][trial.verdict] += 1
    print(f"\n{'file':<26}" + "".join(f"{verdict:>11}" for verdict in Verdict))
    for path, counts in [*by_file.items(), ("all", sum(by_file.values(), Counter()))]:
        print(f"{path:<26}" + "".join(f"{counts[verdict]:>11}" for verdict in Verdict))
    for verdict in (Verdict.STILLBORN, Verdict.TIMED_OUT, Verdict.SURVIVED):
        told = [
            trial.mutant.told(texts[trial.mutant.path])
            for trial in sorted(trials, key=lambda trial: trial.mutant)
            if trial.verdict == verdict
        ]
        if told:
            print(f"\n{verdict} ({len(told)}):", *told, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())

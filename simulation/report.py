"""The table at the end of a run."""

from collections import Counter

from simulation.tally import Tally, milliseconds

# So many differences are told in full.
MOST_DIFFERENCES = 20


def report(tally: Tally, *, seconds: float) -> list[str]:
    """The lines of the table: calls by endpoint and outcome, stories, differences.

    `seconds` is how long was played.
    """
    return [*calls(tally), "", *stories(tally), "", *verdict(tally, seconds), *differences(tally)]


def calls(tally: Tally) -> list[str]:
    head = f"{'call':<20}{'calls':>10}{'ok':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}  other outcomes"
    rows = [row(call, tally.outcomes[call], sorted(tally.latencies[call])) for call in sorted(tally.outcomes)]
    return [head, *rows, row("all", sum(tally.outcomes.values(), Counter()), tally.all_latencies())]


def row(call: str, outcomes: Counter[str], latencies: list[float]) -> str:
    p50, p95, p99 = milliseconds(latencies)
    others = ", ".join(
        f"{outcome}: {count:,}" for outcome, count in sorted(outcomes.items()) if outcome != "ok"
    )
    return (
        f"{call:<20}{outcomes.total():>10,}{outcomes['ok']:>10,}{p50:>9.1f}{p95:>9.1f}{p99:>9.1f}  {others}"
    ).rstrip()


def stories(tally: Tally) -> list[str]:
    return [
        f"{'story':<50}{'played':>10}",
        *(f"{story:<50}{played:>10,}" for story, played in sorted(tally.stories.items())),
    ]


def verdict(tally: Tally, seconds: float) -> list[str]:
    per_second = f"{tally.done / seconds:,.0f} a second" if seconds > 0 else "none"
    return [
        f"{'Transactions':<16}{tally.done:>12,}   in {seconds:,.1f} s: {per_second}",
        f"{'Answers checked':<16}{tally.checks:>12,}",
        f"{'Balances compared':<18}{tally.balances:>10,}",
        f"{'Differences':<16}{len(tally.wrong):>12,}",
    ]


def differences(tally: Tally) -> list[str]:
    lines = [f"  {text}" for text in tally.wrong[:MOST_DIFFERENCES]]
    left = len(tally.wrong) - len(lines)
    return [*lines, f"  … and {left:,} more"] if left > 0 else lines

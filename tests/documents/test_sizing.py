"""docs/production.md: figures to plan with exceed what was measured, and the example is made of them."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "production.md").read_text()
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| (\d[\d .]*)", re.MULTILINE)
NUMBER = re.compile(r"\d+(?: \d{3})*(?:\.\d+)?")


def number(text: str) -> float:
    return float(text.replace(" ", ""))


def planned() -> dict[str, tuple[list[float], float]]:
    """Of each figure what was measured, and what to plan with."""
    _, _, table = PAGE.partition("### What was measured\n")
    table, _, _ = table.partition("\n### ")
    return {
        name: ([number(one) for one in NUMBER.findall(measured)], number(plan))
        for name, measured, plan in ROW.findall(table)
    }


def plan(begins: str) -> float:
    """The figure to plan with whose name begins so."""
    (found,) = (figures[1] for name, figures in planned().items() if name.startswith(begins))
    return found


def example() -> str:
    _, _, section = PAGE.partition("### An example\n")
    return " ".join(section.partition("\n## ")[0].split())


def test_figures__to_plan_with_leave_room() -> None:
    for name in ("CPU of the web server", "memory of a web process", "memory of a worker", "memory of Redis"):
        ((measured, to_plan),) = (figures for each, figures in planned().items() if each.startswith(name))
        assert to_plan > max(measured), name
    # And what was measured stands in performance.md.
    performance = (DOCS / "performance.md").read_text()
    for figure in ("| 91 |", "114 to 107", "| 104 |", "| 132 |", "228 µs", "5 912", "8 574", "3 806"):
        assert figure in performance, figure


def test_example__is_what_the_formulas_make_of_it() -> None:
    calls = 100 * 2 * (1 + 1 / 3)
    web, postgresql = (calls * plan(f"CPU of {part}") / 1e6 / 0.5 for part in ("the web", "PostgreSQL"))
    transactions = calls / 2 * 86_400 / 4
    kept, days = plan("disk for ever"), plan("disk for `CALL_LOG_DAYS`")
    disk = transactions * (365 * kept + 90 * days) * 1e3
    # By four processes.
    audit = 2 * 365 * transactions / (plan("the nightly audit") * 4)
    until = 4 * 3600 * plan("the nightly audit") / (2 * transactions)
    for shown in (
        f"= {calls:.0f} |",
        f"= {web:.2f}; ",
        f"= {postgresql:.2f}; ",
        f"= {transactions / 1e6:.1f} million",
        f"= {disk / 1e12:.1f} TB",
        f"| {transactions * plan('write-ahead log') * 1e3 / 1e9:.0f} GB |",
        f"= {audit / 3600:.1f} hours",
        f"after {until:.0f} days",
    ):
        assert shown in example(), shown

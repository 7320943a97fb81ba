"""The evidence for people: one HTML page that needs nothing else, the counts and what failed at the top."""

import re
from collections import Counter
from datetime import datetime, timedelta
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import NamedTuple

from tests.evidence.rules import LACKS, STATES, UNREAD, Rule
from tests.evidence.run import Result

OUTCOMES = ("passed", "failed", "skipped", "not run")
CODE = re.compile(r"`([^`]+)`")
EMPHASIS = re.compile(r"\*([^*]+)\*")
LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{content}
</main>
</body>
</html>
"""


class Evidence(NamedTuple):
    """A run: the rules, what became of each test that one of them names, and what is wrong with the rows."""

    version: str
    began_at: datetime
    took: timedelta
    rules: list[Rule]
    results: dict[str, Result]
    wrong: list[str]

    def count(self, outcome: str) -> int:
        """How many of the named tests ended so."""
        return sum(result.outcome == outcome for result in self.results.values())

    @property
    def is_whole(self) -> bool:
        """Whether every named test is there and ran, none failed, and every row is right."""
        return not (self.wrong or self.count("failed") or self.count("not run"))

    @property
    def verdict(self) -> str:
        if not self.is_whole:
            return "The evidence is not whole."
        return "Every named test passed." if not self.count("skipped") else "No named test failed."


def write_page(evidence: Evidence) -> str:
    """The run as an HTML page."""
    parts = (
        head(evidence),
        list_of("Wrong in the table", evidence.wrong),
        list_of("Failed", told(evidence, "failed")),
        list_of("Not run", told(evidence, "not run")),
        list_of("Skipped", told(evidence, "skipped")),
        *(law(name, list(rules), evidence) for name, rules in groupby(evidence.rules, lambda one: one.law)),
    )
    style = files("tests.evidence").joinpath("page.css").read_text(encoding="utf-8")
    title = f"Evidence for docs/regulation.md, Quantum Wallet {evidence.version}"
    return PAGE.format(title=escape(title), style=style, content="\n".join(part for part in parts if part))


def head(evidence: Evidence) -> str:
    """The verdict, the counts, and when it was."""
    states = Counter(rule.state for rule in evidence.rules)
    unread = sum(rule.is_unread for rule in evidence.rules)
    parameters = sum(result.passed for result in evidence.results.values())
    rules = [(states[state], state) for state in STATES] + [(unread, "of them not seen in their own words")]
    tests = [(evidence.count(outcome), outcome) for outcome in OUTCOMES]
    kind = "passed" if evidence.is_whole else "failed"
    facts = {
        "Version": f"Quantum Wallet {escape(evidence.version)}",
        "Began": f"{evidence.began_at:%Y-%m-%d %H:%M:%S} UTC, took {evidence.took.total_seconds():.0f} s",
        "Tests": f"{len(evidence.results)} are named; with their parameters {parameters:,} passed",
    }
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    return (
        f'<header>\n<h1>Rules and their evidence</h1>\n<p class="verdict {kind}">{evidence.verdict}</p>\n'
        f'<div class="counts">{counts("Rules", len(evidence.rules), rules)}'
        f"{counts('Tests', len(evidence.results), tests)}</div>\n"
        f'<dl class="facts">{listed}</dl>\n'
        '<p class="note">The project\'s own reading of the rules (docs/regulation.md). No laboratory and no '
        "regulator has looked at it. A rule that is met partly says what lacks.</p>\n</header>"
    )


def counts(title: str, total: int, told: list[tuple[int, str]]) -> str:
    shown = "".join(
        f'<li class="{kind_of(word)}"><b>{number}</b> {word}</li>' for number, word in told if number
    )
    return f"<section><h2>{title} <small>{total}</small></h2><ul>{shown}</ul></section>"


def kind_of(word: str) -> str:
    """The class of a state or an outcome."""
    return word.replace(" ", "-")


def told(evidence: Evidence, outcome: str) -> list[str]:
    """The tests that ended so, each with what was said of it."""
    return [
        f"{test}: {said}" if (said := "; ".join([*result.failures, *result.skipped])) else test
        for test, result in evidence.results.items()
        if result.outcome == outcome
    ]


def list_of(title: str, lines: list[str]) -> str:
    """A heading and its lines; nothing if there are none."""
    if not lines:
        return ""
    shown = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<section class="list"><h2>{title} <small>{len(lines)}</small></h2><ul>{shown}</ul></section>'


def law(name: str, rules: list[Rule], evidence: Evidence) -> str:
    """One law, with its rules."""
    states = Counter(rule.state for rule in rules)
    summed = ", ".join(f"{states[state]} {state}" for state in STATES if states[state])
    shown = "\n".join(row(rule, evidence) for rule in rules)
    return (
        f'<h2 class="law">{inline(name)} <small>{summed}</small></h2>\n<div class="rules">\n{shown}\n</div>'
    )


def row(rule: Rule, evidence: Evidence) -> str:
    """A rule, its state, and what its tests showed."""
    tests = "".join(test(name, evidence.results[name]) for name in rule.tests)
    listed = f"<ul>{tests}</ul>" if tests else ""
    asks = rule.asks.removeprefix(UNREAD).strip()
    mark = '<span class="badge unread">text not seen</span> ' if rule.is_unread else ""
    badge = f'<span class="badge {kind_of(rule.state)}">{rule.state}</span>'
    return (
        f'<article><h3>{inline(rule.section)}</h3>{badge}<div class="asks">{mark}{inline(asks)}</div>'
        f'<div class="where">{inline(rule.where)}{listed}</div></article>'
    )


def test(name: str, result: Result) -> str:
    """A test by its function, with the file below it."""
    file, _, function = name.partition("::")
    many = f" {result.passed} times" if result.passed > 1 else ""
    said = "; ".join([*result.failures, *result.skipped])
    reason = f"<em>{escape(said)}</em>" if said else ""
    return (
        f'<li class="{kind_of(result.outcome)}"><span class="outcome">{result.outcome}{many}</span>'
        f"<code>{breakable(function)}</code><small>{breakable(file)}</small>{reason}</li>"
    )


def breakable(name: str) -> str:
    """A name that a line may break between its words."""
    return re.sub(r"([_/]+)", r"\1<wbr>", escape(name))


def inline(text: str) -> str:
    """The little Markdown of a cell; where a link leads is the document's affair."""
    text = LINK.sub(r"\1", escape(text, quote=False))
    text = text.replace(LACKS, f"<strong>{LACKS}</strong>")
    return EMPHASIS.sub(r"<em>\1</em>", CODE.sub(r"<code>\1</code>", text))

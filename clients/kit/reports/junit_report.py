"""The report for build servers: JUnit XML."""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from clients.kit import VERSION
from clients.kit.checks import CATEGORIES
from clients.kit.contract import PARAGRAPHS
from clients.kit.runner import Outcome, Result, Run

# What XML 1.0 cannot hold.
UNWRITABLE = re.compile("[^\t\n\r -\ufffd\U00010000-\U0010ffff]")


def write_junit(run: Run) -> str:
    """The run as JUnit XML, a suite for each category."""
    root = Element("testsuites", {"name": "wallet-kit", **counts(run, "", run.seconds)})
    for category in CATEGORIES:
        results = [result for result in run.results if result.check.category == category.name]
        if results:
            seconds = sum(result.seconds for result in results)
            sums = counts(run, category.name, seconds)
            suite = SubElement(root, "testsuite", {"name": category.name, **sums})
            suite.set("timestamp", run.began_at.isoformat(timespec="seconds"))
            add_properties(suite, run)
            for result in results:
                add_case(suite, result)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def counts(run: Run, category: str, seconds: float) -> dict[str, str]:
    """The sums that JUnit wants, of a category or of all."""
    told = {
        "failures": run.count(Outcome.FAILED, category),
        "skipped": run.count(Outcome.SKIPPED, category),
        "errors": 0,
    }
    tests = sum(run.count(outcome, category) for outcome in Outcome)
    return {"tests": str(tests), **{name: str(n) for name, n in told.items()}, "time": f"{seconds:.3f}"}


def add_properties(suite: Element, run: Run) -> None:
    properties = SubElement(suite, "properties")
    for name, value in (("kit", VERSION), ("url", run.target.url), ("schema", run.schema_hash)):
        SubElement(properties, "property", name=name, value=value)


def add_case(suite: Element, result: Result) -> None:
    """A check, and what it has to say if it did not pass."""
    check = result.check
    case = SubElement(
        suite, "testcase", name=f"{check.id}: {check.title}", classname=f"wallet-kit.{check.category}"
    )
    case.set("time", f"{result.seconds:.3f}")
    if result.outcome is Outcome.SKIPPED:
        SubElement(case, "skipped", message=writable(result.reason))
    if result.failure:
        failure = result.failure
        element = SubElement(
            case, "failure", message=writable(failure.what), type=f"contract {failure.paragraph}"
        )
        element.text = writable(
            f"expected: {failure.expected}\ngot: {failure.got}\n"
            f"contract {failure.paragraph} {PARAGRAPHS[failure.paragraph]}\n\n{wire_text(result)}"
        )


def wire_text(result: Result) -> str:
    """The exchanges, one below the other."""
    return "\n\n".join(f"{exchange.request}\n\n{exchange.answer}" for exchange in result.exchanges)


def writable(text: str) -> str:
    return UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)

"""The rules of `docs/regulation.md`, as its tables have them: there is no second list."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "regulation.md"
HEAD = ["rule", "what it asks", "state", "where, what lacks, or why not", "tests"]
STATES = ("met", "partly", "not ours")
# What begins the account of a rule whose words nobody here has read.
UNREAD = "*Text not seen.*"
LACKS = "Lacks:"
HEADING = re.compile(r"## (.+)")
DIVIDER = re.compile(r"\|[-|]+\|")
TEST = re.compile(r"`([^`]+)`")


class Rule(NamedTuple):
    """A row. `where` is a page or module; for *partly* also what lacks, for *not ours* the reason.
    `tests` are pytest's node ids of functions, `tests/FILE.py::NAME`, with all their parameters.
    """

    law: str
    section: str
    asks: str
    state: str
    where: str
    tests: tuple[str, ...]

    @property
    def is_unread(self) -> bool:
        return self.asks.startswith(UNREAD)


def read_rules(text: str) -> list[Rule]:
    """All rows of the tables that have this head, in order, each with the heading above it. Raises ValueError
    for a row that has not as many cells as the head.
    """
    found, law, is_table = [], "", False
    for line in text.splitlines():
        if heading := HEADING.fullmatch(line):
            law = heading[1]
        if not line.startswith("|"):
            is_table = False
        elif cells(line) == HEAD:
            is_table = True
        elif is_table and not DIVIDER.fullmatch(line):
            found.append(rule(law, line))
    return found


def rule(law: str, line: str) -> Rule:
    row = cells(line)
    if len(row) != len(HEAD):
        raise ValueError(f"{len(row)} cells instead of {len(HEAD)}: {line}")
    section, asks, state, where, tests = row
    return Rule(law, section, asks, state, where, tuple(TEST.findall(tests)))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def faults(rules: Iterable[Rule]) -> Iterator[str]:
    """What is wrong with the rows, in words."""
    seen = set()
    for one in rules:
        name = f"{one.law}, {one.section}"
        if (one.law, one.section) in seen:
            yield f"{name}: twice"
        seen.add((one.law, one.section))
        yield from (f"{name}: {fault}" for fault in faults_of(one))


def faults_of(one: Rule) -> Iterator[str]:
    if one.state not in STATES:
        yield f"{one.state!r} is no state"
    if not one.asks:
        yield "nothing says what it asks"
    if not one.where:
        yield "nothing says where, what lacks, or why not"
    if one.state == "met" and not one.tests:
        yield "met, and no test shows it"
    if one.state == "met" and one.is_unread:
        yield "met, though nobody has read it"
    if (one.state == "partly") != (LACKS in one.where):
        yield f"“{LACKS}” belongs to what is met partly, and to nothing else"
    yield from (f"there is no test {test} that always runs" for test in one.tests if not exists(test))


def exists(test: str) -> bool:
    """Whether a file has a test function of that name that always runs; nothing is imported."""
    file, _, name = test.partition("::")
    return name in functions_of(file)


@cache
def functions_of(file: str) -> frozenset[str]:
    """The tests of a file, without those that run only with `LONG=1`."""
    path = ROOT / file
    if not (file.startswith("tests/") and path.is_file()):
        return frozenset()
    functions = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_") and not is_long(node))


def is_long(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "pytest.mark.long" for decorator in function.decorator_list)


def named_tests(rules: Iterable[Rule]) -> list[str]:
    """Every test that a rule names, once, in order."""
    return list(dict.fromkeys(test for one in rules for test in one.tests))

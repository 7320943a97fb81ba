"""The tables of rules name tests that are there, and every row says what it must."""

import pytest

from tests.evidence.rules import DOCUMENT, HEAD, STATES, Rule, faults, named_tests, read_rules

RULES = read_rules(DOCUMENT.read_text())
LONG = "tests/config/recovery/test_drill.py::test_drill__loses_nothing_that_the_log_has"
TRUE = "tests/config/test_version.py::test_version__is_three_numbers"
MET = Rule("Law", "1", "that it works", "met", "a page", (TRUE,))
LACKING = MET._replace(state="partly", where="a page. Lacks: much", tests=())
OTHERS = MET._replace(state="not ours", where="others do it", tests=())


def test_rules__are_right() -> None:
    assert list(faults(RULES)) == []


def test_rules__are_of_every_law_and_state() -> None:
    laws = {rule.law.partition(":")[0].partition(",")[0] for rule in RULES}
    assert laws == {"GLI-19 v3.0", "UK", "Pennsylvania", "New Jersey", "Germany", "Ontario"}
    assert {rule.state for rule in RULES} == set(STATES)
    assert len(named_tests(RULES)) > 100


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (MET._replace(state="mostly"), "'mostly' is no state"),
        (MET._replace(tests=()), "met, and no test shows it"),
        (MET._replace(asks="*Text not seen.* Something"), "met, though nobody has read it"),
        (MET._replace(tests=("tests/no_such.py::test_x",)), "there is no test tests/no_such.py::test_x"),
        (MET._replace(tests=(f"{TRUE}_indeed",)), f"there is no test {TRUE}_indeed"),
        (MET._replace(tests=("tests/config/test_version.py::project_version",)), "there is no test"),
        (MET._replace(tests=("tests/config/test_version.py",)), "there is no test"),
        (MET._replace(tests=(LONG,)), f"there is no test {LONG} that always runs"),
        (MET._replace(asks=""), "nothing says what it asks"),
        (LACKING._replace(where="a page"), "“Lacks:” belongs to"),
        (MET._replace(where="a page. Lacks: a bit"), "“Lacks:” belongs to"),
        (OTHERS._replace(where=""), "nothing says where, what lacks, or why not"),
    ],
)
def test_fault__is_found(rule: Rule, fault: str) -> None:
    found = list(faults([rule]))
    assert len(found) == 1
    assert found[0].startswith("Law, 1: ")
    assert fault in found[0]


def test_row__is_not_there_twice() -> None:
    assert list(faults([MET, LACKING, OTHERS])) == ["Law, 1: twice"] * 2


def table(*rows: str) -> str:
    return "\n".join([f"| {' | '.join(HEAD)} |", "|---|---|---|---|---|", *rows])


def test_tables__are_read_with_their_headings() -> None:
    other = "| state | means |\n|---|---|\n| met | so |"
    one, two = table("| 1 | a | met | b | `t::x` `t::y` |"), table("| 2 | c | partly | d | |")
    assert read_rules(f"{other}\n\n## One\n\n{one}\n\n## Two\n\n{two}") == [
        Rule("One", "1", "a", "met", "b", ("t::x", "t::y")),
        Rule("Two", "2", "c", "partly", "d", ()),
    ]


def test_row__with_another_number_of_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="4 cells instead of 5"):
        read_rules(table("| 1 | a | met | b |"))

"""The mistakes that `make mutate` plants."""

import ast

import pytest

from tests.mutation import python, sql
from tests.mutation.targets import mutated_files, ordered_tests
from tests.mutation.worker import ROOT


def changed(mutator: object, text: str) -> list[str]:
    return [mutant.applied(text) for mutant in mutator.mutants("a file", text)]  # type: ignore[attr-defined]


def test_sql_mutant__moves_a_comparison_by_one_or_makes_it_true() -> None:
    assert set(changed(sql, "    IF a > 0 THEN")) == {
        "    IF a >= 0 THEN",
        "    IF a > 1 THEN",
        "    IF true THEN",
    }


def test_sql_mutant__rejoins_conditions_or_drops_them_one_by_one() -> None:
    assert {"WHERE true AND b = c", "WHERE a = 'x' AND true", "WHERE a = 'x' OR b = c"} <= set(
        changed(sql, "WHERE a = 'x' AND b = c")
    )


def test_sql_mutant__drops_statements_locks_and_triggers() -> None:
    assert "    NULL;\n" in changed(sql, "    EXIT decide WHEN NOT FOUND;\n")
    assert "    SELECT * INTO w FROM wallet ;" in changed(
        sql, "    SELECT * INTO w FROM wallet FOR NO KEY UPDATE;"
    )
    assert "\n" in changed(sql, "CREATE TRIGGER t BEFORE DELETE ON a\nFOR EACH ROW EXECUTE FUNCTION f();\n")


def test_sql_mutant__swaps_names_for_others() -> None:
    assert {"f('reserved')", "f('expired')"} == {
        *changed(sql, "f('spendable')"),
        *changed(sql, "f('rolled_back')"),
    }


def test_sql_mutant__leaves_comments_and_strings_alone() -> None:
    assert changed(sql, "-- a > 0 AND 'spendable'\nx || 'a > 0 AND b'") == []


@pytest.mark.parametrize(
    ("source", "mistakes"),
    [
        ("x = a <= 2", {"x = a < 2", "x = a <= 3"}),
        ("x = a and not b", {"x = a or not b", "x = a and b"}),
        ("if a not in b:\n    raise E", {"if a in b:\n    raise E", "if a not in b:\n    pass"}),
        (
            "def f() -> int:\n    return -a",
            {"def f() -> int:\n    return None", "def f() -> int:\n    return a"},
        ),
        ("ä, x = 'ü', True", {"ä, x = 'ü', False"}),
        ("x = 'spendable'", {"x = 'spendable_x'"}),
        ("x = not (y := z)", {"x = (y := z)"}),
        ('"""The docs."""\nx: "int"\ny = "A sentence."', set()),
    ],
)
def test_python_mutant__makes_the_expected_mistakes(source: str, mistakes: set[str]) -> None:
    assert set(changed(python, source)) == mistakes


@pytest.mark.parametrize("path", mutated_files(ROOT))
def test_mutants__differ_from_their_target_and_its_tests_exist(path: str) -> None:
    text = (ROOT / path).read_text()
    mutants = (sql if path.endswith(".sql") else python).mutants(path, text)
    assert mutants
    assert len({mutant.applied(text) for mutant in mutants} - {text}) == len(mutants)
    if path.endswith(".py"):
        for mutant in mutants:
            ast.parse(mutant.applied(text))
    known = [test.relative_to(ROOT).as_posix() for test in (ROOT / "tests").rglob("test_*.py")]
    assert ordered_tests(path, known, quick=True), "no test stands where it would be looked for"

"""The operators' style sheet can be read to its end: a rule that is not closed swallows all that follow."""

from pathlib import Path

import players

SHEET = Path(players.__file__).parent / "static" / "players" / "admin.css"


def test_style_sheet__closes_each_rule_that_it_opens() -> None:
    depth = 0
    for number, line in enumerate(SHEET.read_text().splitlines(), 1):
        depth += line.count("{") - line.count("}")
        # A rule, or one for a kind of screen.
        assert 0 <= depth <= 2, f"line {number}: {line}"
        assert depth == 0 or not line.startswith("/*"), f"line {number}: the rule before is not closed"
    assert depth == 0

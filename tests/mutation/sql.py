"""The mistakes that can be made in a `.sql` file, by its text; comments are left alone."""

import re
from collections.abc import Iterator

from tests.mutation.mutant import Mutant

# What stands in comments and strings is not SQL: both are blanked before operators are looked for.
COMMENT = re.compile(r"--[^\n]*")
STRING = re.compile(r"'[^'\n]*'")

SWAPS: tuple[tuple[str, str], ...] = (
    (r"(?<![<>:=])>=", ">"),
    (r"<=", "<"),
    (r"<>", "="),
    (r"(?<![<>:=-])>(?![=>])", ">="),
    (r"(?<![<>:])<(?![=<>])", "<="),
    (r"(?<![<>:=])=(?![=>])(?! public)", "<>"),
    (r"\bAND\b", "OR"),
    (r"(?<!CREATE )\bOR\b", "AND"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bIS DISTINCT FROM\b", "IS NOT DISTINCT FROM"),
    (r"\bNOT IN\b", "IN"),
    (r"(?<!NOT )\bIN \(", "NOT IN ("),
    (r"\b(?<!IS )(?<!DO )NOT (?!NULL|IN\b|DISTINCT)", ""),
    (r"(?<!NOT )\bFOUND\b", "NOT FOUND"),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r"(?<=[(, ])-(?=[a-z])", ""),
    (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"),
    (r"\bgreatest\b", "least"),
    (r"\bleast\b", "greatest"),
    (r"\bFOR NO KEY UPDATE( OF \w+)?", ""),
    (r"\bUPDATE OR DELETE\b", "UPDATE"),
    (r"\bUPDATE OR DELETE\b", "DELETE"),
    (r"(?<=UPDATE )OF code, decimals", "OF code"),
    (r"(?<=UPDATE )OF code, decimals", "OF decimals"),
    (r"\bON CONFLICT \([\w, ]+\) DO NOTHING", ""),
    (r"\bSECURITY DEFINER", ""),
)
NUMBER = re.compile(r"(?<![\w.(])\d+\b(?!\))|(?<=[(])\d+(?=::)")
# A word of one of these is mistaken for the next.
WORDS: tuple[tuple[str, ...], ...] = (
    ("spendable", "reserved", "debt"),
    ("game_revenue", "game_payout", "adjustments"),
    ("provider_clearing", "issuance"),
    ("payment", "sale", "payment_return", "sale_return", "top_up", "clawback"),
    ("withdrawal", "deposit"),
    ("credit", "debit"),
    ("confirmed", "rolled_back", "expired", "declined", "pending"),
    ("opened", "tombstone", "adjusted", "debt_repaid", "rollback_noted"),
    ("frozen", "unfrozen", "limit_set"),
    ("insufficient_funds", "limit_reached", "other_content", "not_found"),
    ("session_ended", "foreign_currency", "player_inactive", "wallet_frozen", "unknown_token"),
    ("already_confirmed", "already_rolled_back", "already_expired"),
    ("confirm_of_returned", "rollback_of_confirmed", "tombstone_elsewhere"),
)
NEXT = {word: group[(place + 1) % len(group)] for group in WORDS for place, word in enumerate(group)}
STATEMENT = re.compile(
    r"^ {4,}(?:(?:EXIT|PERFORM|RAISE|EXECUTE|LOCK|INSERT INTO|UPDATE|SELECT|RETURN)\b|\w+(?:\.\w+)? "
    r":=)[^;]*;",
    re.MULTILINE,
)
OBJECT = re.compile(r"^(?:CREATE TRIGGER|CREATE INDEX|ALTER TABLE \w+ ADD CONSTRAINT)[^;]*;", re.MULTILINE)
# Where conditions stand; what ends them.
CONDITIONS = re.compile(
    r"\b(?:WHERE|ON|AND|WHEN|IF|ELSIF)\b ((?:(?!\b(?:THEN|FOR|WHERE|LOOP|RETURNING|EXECUTE|CASE)\b)[^;\n])*)"
)


def mutants(path: str, text: str) -> list[Mutant]:
    """Every mistake, in the order of the text."""
    bare = COMMENT.sub(blank, text)
    code = STRING.sub(blank, bare)
    taken_for_granted = set(without_conditions(path, code))
    found = {
        *swapped(path, code),
        *other_numbers(path, code),
        *other_words(path, bare),
        *dropped(path, bare),
        *taken_for_granted,
    }
    return sorted(
        mutant
        for mutant in found
        if mutant.applied(text) != text and not (mutant.new == "<>" and lies_in(mutant, taken_for_granted))
    )


def lies_in(mutant: Mutant, others: set[Mutant]) -> bool:
    """An equation taken for granted is the same mistake as one turned round, and harder to notice."""
    return any(other.start <= mutant.start and mutant.end <= other.end for other in others)


def blank(found: re.Match[str]) -> str:
    return (
        found[0][0] + "·" * (len(found[0]) - 2) + found[0][-1]
        if found[0].startswith("'")
        else " " * len(found[0])
    )


def swapped(path: str, code: str) -> Iterator[Mutant]:
    for pattern, new in SWAPS:
        for found in re.finditer(pattern, code):
            yield Mutant(path, found.start(), found.end(), new)


def other_numbers(path: str, code: str) -> Iterator[Mutant]:
    for found in NUMBER.finditer(code):
        yield Mutant(path, found.start(), found.end(), str(int(found[0]) + 1))


def other_words(path: str, bare: str) -> Iterator[Mutant]:
    for found in STRING.finditer(bare):
        word = found[0][1:-1]
        if word.isidentifier() or not word:
            yield Mutant(path, found.start(), found.end(), f"'{NEXT.get(word, word + 'x')}'")


def dropped(path: str, bare: str) -> Iterator[Mutant]:
    """Without a statement; in the body of a function something must stand in its place."""
    for found in STATEMENT.finditer(bare):
        yield Mutant(path, found.start(), found.end(), "    NULL;")
    for found in OBJECT.finditer(bare):
        yield Mutant(path, found.start(), found.end(), "")


def without_conditions(path: str, code: str) -> Iterator[Mutant]:
    """Each one of several conditions on a line is taken for granted."""
    for line in CONDITIONS.finditer(code):
        start = line.start(1)
        for part in re.split(r"( AND )", line[1]):
            if (
                part != " AND "
                and balanced(part)
                and ("=" in part or "<" in part or ">" in part or " IS " in part)
            ):
                yield Mutant(path, start, start + len(part.rstrip()), "true")
            start += len(part)


def balanced(part: str) -> bool:
    return part.count("(") == part.count(")")

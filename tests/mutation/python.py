"""The mistakes that can be made in a Python module, by its syntax tree.

Docstrings, annotations and messages are left alone.
"""

import ast
import re
from collections.abc import Iterator

from tests.mutation.mutant import Mutant

COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
SUMS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.FloorDiv: ("//", "*"),
}
# A text that is a name, of an outcome, a column or an account; longer ones are sentences for people.
NAME = re.compile(r"[a-z][a-z_]*\Z")
# What describes the API to readers, and how a module logs.
PROSE = frozenset({"Meta", "info", "Annotated", "getLogger"})


def mutants(path: str, text: str) -> list[Mutant]:
    """Every mistake, in the order of the text."""
    tree = ast.parse(text)
    return sorted({mutant for mutant in Finder(path, text).visit_all(tree) if mutant.applied(text) != text})


class Finder:
    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.encoded = [line.encode() for line in text.splitlines(keepends=True)]
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        """The place of a node's line and (in bytes) column in the text."""
        return self.starts[line - 1] + len(self.encoded[line - 1][:column].decode())

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        return self.at(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def replaced(self, node: ast.expr | ast.stmt, new: str) -> Mutant:
        return Mutant(self.path, self.start(node), self.end(node), new)

    def between(self, left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[Mutant]:
        """The operator that stands between two expressions."""
        start = self.end(left)
        found = re.search(r"\s+".join(map(re.escape, old.split())), self.text[start : self.start(right)])
        if found:
            yield Mutant(self.path, start + found.start(), start + found.end(), new)

    def visit_all(self, node: ast.AST) -> Iterator[Mutant]:
        """The mistakes in a node and in what it consists of."""
        yield from self.mistakes(node)
        for child in children(node):
            yield from self.visit_all(child)

    def mistakes(self, node: ast.AST) -> Iterator[Mutant]:
        if isinstance(node, ast.Compare):
            for left, operator, right in zip(
                [node.left, *node.comparators], node.ops, node.comparators, strict=False
            ):
                yield from self.between(left, right, *COMPARISONS[type(operator)])
        elif isinstance(node, ast.BoolOp):
            words = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from self.between(left, right, *words)
        elif isinstance(node, ast.BinOp) and type(node.op) in SUMS:
            yield from self.between(node.left, node.right, *SUMS[type(node.op)])
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
            # Not up to the operand: that may begin with a bracket, which is none of its own.
            word = "not " if isinstance(node.op, ast.Not) else "-"
            yield Mutant(self.path, self.start(node), self.start(node) + len(word), "")
        elif isinstance(node, ast.Constant):
            yield from self.constants(node)
        elif isinstance(node, ast.stmt):
            yield from self.statements(node)

    def constants(self, node: ast.Constant) -> Iterator[Mutant]:
        if isinstance(node.value, bool):
            yield self.replaced(node, str(not node.value))
        elif isinstance(node.value, int):
            yield self.replaced(node, str(node.value + 1))
        elif isinstance(node.value, str) and NAME.match(node.value):
            yield self.replaced(node, repr(node.value + "_x"))

    def statements(self, node: ast.stmt) -> Iterator[Mutant]:
        if isinstance(node, ast.Return) and node.value and not is_none_or_flipped(node.value):
            yield self.replaced(node, "return None")
        elif has_effect(node):
            yield self.replaced(node, "pass")


def has_effect(node: ast.stmt) -> bool:
    """Whether a statement can be left out and the names that follow still exist."""
    calls = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    sets = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
    return calls or sets or isinstance(node, ast.Raise | ast.AugAssign)


def is_none_or_flipped(node: ast.expr) -> bool:
    """None instead of a bool is the same mistake as the other bool, or none at all."""
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def children(node: ast.AST) -> Iterator[ast.AST]:
    """What a node consists of, but annotations and prose.

    Nor the parts of f-strings, which have no places of their own.
    """
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.Call | ast.Subscript):
        called = node.func if isinstance(node, ast.Call) else node.value
        if getattr(called, "id", getattr(called, "attr", "")) in PROSE:
            return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child

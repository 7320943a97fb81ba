"""The report for people: one HTML page that needs nothing else, what failed at the top."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from clients.kit import VERSION
from clients.kit.check import Category
from clients.kit.checks import CATEGORIES
from clients.kit.contract import PARAGRAPHS
from clients.kit.runner import Failure, Outcome, Result, Run
from clients.kit.wire import Exchange

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
<footer>wallet-kit {version}. Passwords are left out, and tokens are numbered.</footer>
</main>
</body>
</html>
"""


def write_page(run: Run) -> str:
    """The run as an HTML page."""
    failed = [result for result in run.results if result.outcome is Outcome.FAILED]
    skipped = [result for result in run.results if result.outcome is Outcome.SKIPPED]
    parts = (
        head(run),
        tiles(run),
        section("Failed", "failed", failed, is_open=True),
        section("Skipped", "skipped", skipped),
        *(passed_of(run, category) for category in CATEGORIES),
    )
    style = files("clients.kit.reports").joinpath("page.css").read_text(encoding="utf-8")
    title = f"{run.verdict.capitalize()}: conformance of {run.target.url}"
    content = "\n".join(part for part in parts if part)
    return PAGE.format(title=escape(title), style=style, content=content, version=VERSION)


def head(run: Run) -> str:
    """The verdict, and what it is about."""
    state = "passed" if run.is_passed else "failed"
    counted = (f"{run.count(outcome)} {outcome}" for outcome in Outcome if run.count(outcome))
    facts = {
        "Server": escape(run.target.url),
        "Began": f"{run.began_at:%Y-%m-%d %H:%M:%S} UTC, took {run.seconds:.1f} s",
        "Calls": f"{sum(result.calls for result in run.results):,}",
        "Kit": f"wallet-kit {VERSION}",
        "Schema": f"<code>{escape(run.schema_hash)}</code>",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    return (
        "<header>\n<h1>Conformance report</h1>\n"
        f'<div class="verdict {state}"><p>{escape(run.verdict)}</p>'
        f'<div class="counts">{", ".join(counted)}</div></div>\n'
        f'<dl class="facts">{rows}</dl>\n</header>'
    )


def tiles(run: Run) -> str:
    """A tile for each category, with its sums."""
    return f'<ul class="tiles">{"".join(tile(run, category) for category in CATEGORIES)}</ul>'


def tile(run: Run, category: Category) -> str:
    counts = {outcome: run.count(outcome, category.name) for outcome in Outcome}
    if not any(counts.values()):
        return ""
    failed = counts[Outcome.FAILED]
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    goal = category.name if counts[Outcome.PASSED] else ("failed" if failed else "skipped")
    kind = ' class="has-failed"' if failed else ""
    return f'<li><a{kind} href="#{goal}"><b>{escape(category.title)}</b><span>{told}</span></a></li>'


def passed_of(run: Run, category: Category) -> str:
    """The checks of a category that passed."""
    passed = [
        result
        for result in run.results
        if result.outcome is Outcome.PASSED and result.check.category == category.name
    ]
    return section(category.title, category.name, passed)


def section(title: str, name: str, results: Sequence[Result], *, is_open: bool = False) -> str:
    """A heading and its checks; nothing if there are none."""
    if not results:
        return ""
    checks = "\n".join(check(result, is_open=is_open) for result in results)
    count = f"{len(results)} passed" if name not in ("failed", "skipped") else str(len(results))
    return (
        f'<h2 id="{name}">{escape(title)} <small>{count}</small></h2>\n<div class="checks">\n{checks}\n</div>'
    )


def check(result: Result, *, is_open: bool) -> str:
    """One check, which opens to what differed and to the wire."""
    told = result.check
    paragraph = result.failure.paragraph if result.failure else told.paragraph
    summary = (
        f'<span class="badge {result.outcome}">{result.outcome}</span>'
        f'<span class="title">{escape(told.title)}<code>{escape(told.id)}</code></span>'
        f'<span class="paragraph" title="{escape(PARAGRAPHS[paragraph])}">contract {escape(paragraph)}</span>'
    )
    content = "".join((difference(result.failure), note(result.reason), wire(result)))
    opened = " open" if is_open else ""
    return (
        f'<details id="{escape(told.id)}"{opened}><summary>{summary}</summary>'
        f'<div class="body">{content}</div></details>'
    )


def note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>' if text else ""


def difference(failure: Failure | None) -> str:
    """What was expected, and what came."""
    if failure is None:
        return ""
    paragraph = f"{failure.paragraph} {PARAGRAPHS[failure.paragraph]}"
    rows = (
        ("What", "what", failure.what),
        ("Expected", "expected", failure.expected),
        ("Got", "got", failure.got),
        ("Contract", "contract", paragraph),
    )
    listed = "".join(f'<dt>{name}</dt><dd class="{kind}">{escape(text)}</dd>' for name, kind, text in rows)
    return f'<dl class="difference">{listed}</dl>'


def wire(result: Result) -> str:
    """The exchanges, folded."""
    if not result.exchanges:
        return ""
    shown = len(result.exchanges)
    count = f"{shown} exchanges" if shown == result.calls else f"the last {shown} of {result.calls} exchanges"
    return (
        f'<details class="wire"><summary>{count} in {result.seconds * 1000:.0f} ms</summary>'
        f"{''.join(exchanges(result.exchanges))}</details>"
    )


def exchanges(given: Iterable[Exchange]) -> Iterable[str]:
    for one in given:
        yield (
            f'<div class="exchange"><pre>{escape(one.request)}</pre>'
            f"<pre>{escape(one.answer)}\n({one.took_ms} ms)</pre></div>"
        )

"""The verdict of a run, as data."""

from dataclasses import asdict, dataclass
from typing import Any

from clients.kit.wallet import rules
from clients.kit.wallet.record import Seen
from clients.kit.wallet.rules import Finding
from clients.kit.wallet.run import Run

PASSED, FAILED, UNFINISHED = "passed", "failed", "unfinished"
SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a game did in one scenario. `missing` is what has not been seen; `wire` the requests, as text."""

    name: str
    paragraph: str
    game: str
    status: str
    findings: list[Finding]
    missing: list[str]
    wire: list[str]

    @property
    def problems(self) -> list[str]:
        """What speaks against the game, each with the paragraph that it is held to."""
        broken = [
            f"{one.rule} (contract {one.paragraph}): {one.problem}" for one in self.findings if one.problem
        ]
        return [*broken, *(f"not seen: {text}" for text in self.missing)]

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "problems": self.problems}


def judge(run: Run) -> Verdict:
    """The verdict by what has been seen until now."""
    run.record.wait_for_rest()
    findings, missing = rules.check(run), rules.missing(run)
    has_failed = any(one.problem for one in findings if one.rule != rules.ENDS or not missing)
    status = FAILED if has_failed else UNFINISHED if missing else PASSED
    with run.record.reading() as record:
        began = record.seen[0].began_at if record.seen else 0.0
        wire = [line(run, one, began) for one in record.seen]
        wire += [f"{one.what}: {one.status or 'no answer'} {one.text[:200]}".rstrip() for one in record.heard]
    about = run.scenario
    return Verdict(about.name, about.paragraph, about.game, status, findings, missing, wire)


def line(run: Run, one: Seen, began: float) -> str:
    """A request and its end, without the token."""
    what = run.act(one).value
    code = f", errorCode {one.code}" if one.code else ""
    text = one.text[:SHOWN].replace(run.book.token, "[token]")
    return f"{one.began_at - began:.3f} s  {one.call} {text}  →  {one.status or '-'}{code} ({what})"

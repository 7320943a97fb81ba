"""How files are uploaded and compared in a browser, and how their differences are decided."""

import json
from functools import partial
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from benchmarks.seeded_file import COLUMNS, HEADER, Known, written
from payments.models import Difference, ReconciliationFile, ReconciliationSource
from payments.reconciliation.decisions import accept
from payments.reconciliation.files import add_part, begin_file
from tests.support.admin_pages import address, page, sent
from tests.support.callers import PlayerSession, make_party, open_session, unique
from tests.support.doings import Arranged, Doing, Stage, action, added, changed, request
from tests.support.reconciled import arrived, compared, game_source, text_of

LOST = text_of([HEADER, "lost-1,BET,,5.00,XAG,OK,2026-11-01T12:00:00Z"])
DECIDED = ("state", "note", "decided_by", "decided_at")


# --- Rows to act on -------------------------------------------------------------------------------------


def source(stage: Stage) -> ReconciliationSource:
    return game_source(make_party().game)


def source_without_columns(stage: Stage) -> ReconciliationSource:
    """A file of it waits for them."""
    row = game_source(make_party().game, columns={}, words={})
    arrived(row, LOST)
    return row


def compared_file(stage: Stage) -> ReconciliationFile:
    return compared(source(stage), LOST)


def sent_file(stage: Stage) -> ReconciliationFile:
    """All its bytes are here, and nobody has said so."""
    content = LOST.encode()
    file = begin_file(source(stage), name="day.csv", size=len(content), actor="operator:test")
    add_part(file, 1, content)
    return ReconciliationFile.objects.get(pk=file.pk)


def elsewhere(stage: Stage) -> PlayerSession:
    """With a game that nobody else plays, and that can be asked."""
    party = make_party(query_url="https://127.0.0.1:9/state")
    return open_session(party, stage.player_session.player)


def differing(session: PlayerSession, mm: str, amount: int) -> Difference:
    """The one difference of a file that has a withdrawal as confirmed, with this amount."""
    at = session.transaction(mm).opened_at
    row = written(Known(mm, "withdrawal", session.player.uid, amount, session.currency, at))
    return Difference.objects.get(file=compared(game_source(session.game), text_of([HEADER, row])))


def pending_here(stage: Stage) -> Difference:
    session = elsewhere(stage)
    return differing(session, session.opened("withdraw", "1.00"), 1_00)


def other_amount(stage: Stage) -> Difference:
    session = elsewhere(stage)
    mm = session.opened("withdraw", "1.00")
    session.done("confirmWithdrawal", mm)
    return differing(session, mm, 1_50)


def missing(stage: Stage) -> Difference:
    return Difference.objects.get(file=compared_file(stage))


def accepted(stage: Stage) -> Difference:
    row = missing(stage)
    accept(row.pk, actor="operator:test", reason="test")
    return row


# --- Acts that need more than a row ------------------------------------------------------------------


def choosing(stage: Stage) -> Doing:
    given: Any = COLUMNS | {"types": "BET = withdrawal"}
    changes = ("columns", "words")
    act = action("choose_columns", "choose_columns", source_without_columns, *changes, **given)
    return act(stage)


def beginning(stage: Stage) -> Doing:
    wanted = {"source": source(stage).name, "name": "day.csv", "size": len(LOST)}
    place = address(ReconciliationFile, "upload")
    send = partial(stage.client.post, place, json.dumps(wanted), content_type="application/json")
    return Doing(send, "upload", "upload")


def ending(stage: Stage) -> Doing:
    row = sent_file(stage)
    changes = frozenset({"state", "digest", "arrived_at", "compared_since"})
    send = partial(stage.client.post, page(ReconciliationFile, row, "end"))
    return Doing(send, "upload_file", "upload_file", row, changes)


def exporting(stage: Stage) -> Doing:
    row = compared_file(stage)
    send = partial(stage.client.post, page(ReconciliationFile, row, "differences"))
    return Doing(send, "export_differences", "export_differences", row)


def deciding(stage: Stage) -> Doing:
    """An act on no row: each line of its file names one."""
    row, place = missing(stage), address(Difference, "upload_decisions")
    content = f"difference,decision,reason\n{row.pk},accept,known\n".encode()

    def send() -> Any:
        given: Any = {"file": SimpleUploadedFile("decided.csv", content)}
        return sent(stage.client, place, **given)[0]

    return Doing(send, "upload_decisions", "upload_decisions")


def assigning(stage: Stage) -> Doing:
    act = action("assign", "assign_difference", missing, "owner_id", owner=str(stage.boss.pk))
    return act(stage)


# --- The acts -------------------------------------------------------------------------------------------

RECONCILIATION_ACTS: dict[str, Arranged] = {
    "payments.reconciliationsource.add": added(
        ReconciliationSource,
        "add_reconciliationsource",
        name=lambda stage: unique("s"),
        game=lambda stage: str(make_party().game.pk),
    ),
    "payments.reconciliationsource.change": changed(
        "change_reconciliationsource", source, "tolerance_seconds", tolerance_seconds="600"
    ),
    "payments.reconciliationsource.choose_columns": choosing,
    "payments.reconciliationfile.upload": beginning,
    "payments.reconciliationfile.end": ending,
    "payments.reconciliationfile.again": action(
        "again",
        "compare_again",
        compared_file,
        *("state", "ended_at", "compared_since", "lines_read", "bytes_read", "rows", "found"),
        *("first_at", "last_at"),
    ),
    "payments.reconciliationfile.differences": exporting,
    "payments.difference.upload_decisions": deciding,
    "payments.difference.settle": request("settle", "settle_transaction", pending_here),
    "payments.difference.correct": request("correct", "adjust_balance", other_amount),
    "payments.difference.ask": action("ask", "ask_again", pending_here),
    "payments.difference.explain": action("explain", "explain", missing, *DECIDED),
    "payments.difference.accept": action("accept", "accept", missing, *DECIDED),
    "payments.difference.resolve": action("resolve", "resolve", missing, *DECIDED),
    "payments.difference.reopen": action("reopen", "reopen", accepted, *DECIDED),
    "payments.difference.assign": assigning,
}

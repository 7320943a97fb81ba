"""Files and differences at the operators' pages: sent in parts, mapped, compared, decided."""

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from benchmarks.seeded_file import COLUMNS, HEADER, written
from payments.models import Difference, ReconciliationFile, ReconciliationSource
from payments.reconciliation.run import compare_file
from players.models import AuditEvent
from tests.payments.reconciliation.test_run import play
from tests.support.admin_pages import operator, page, signed_in
from tests.support.callers import PlayerSession
from tests.support.reconciled import compared, game_source, text_of

UPLOAD = reverse("admin:payments_reconciliationfile_upload")


def sent(client: Client, source: ReconciliationSource, content: bytes) -> dict[str, Any]:
    """What the page's script does."""
    wanted = {"source": source.name, "name": "day.csv", "size": len(content), "from": "", "until": ""}
    begun = client.post(UPLOAD, json.dumps(wanted), content_type="application/json").json()
    size = begun["partSize"]
    for number, first in enumerate(range(0, len(content), size), 1):
        part = content[first : first + size]
        told = client.post(
            f"{begun['place']}part/?number={number}", part, content_type="application/octet-stream"
        )
        assert told.json() == {"arrived": first + len(part)}
    ended: dict[str, Any] = client.post(f"{begun['place']}end/").json()
    return ended


def test_upload__leads_to_the_columns_and_then_to_the_file(player_session: PlayerSession) -> None:
    known = play(player_session, 3)
    client = signed_in(operator(is_superuser=True))
    source = game_source(player_session.game, columns={}, words={})
    content = text_of([HEADER, *map(written, known)]).encode()
    place = sent(client, source, content)["place"]
    assert place == page(ReconciliationSource, source, "choose_columns")
    assert known[0].key in client.get(place).content.decode()
    given = {**COLUMNS, "types": "BET = withdrawal\nWIN = deposit", "states": "", "type_without": ""}
    assert client.post(place, given).status_code == 302
    file = ReconciliationFile.objects.get(source=source)
    assert file.state == "reading"
    progress = client.get(f"{page(ReconciliationFile, file).removesuffix('change/')}progress/")
    assert progress.json()["isOver"] is False
    compare_file(file.pk, float("inf"))
    file.refresh_from_db()
    assert (file.state, file.matched, file.found) == ("done", 3, 0)
    assert AuditEvent.objects.filter(action="upload_file", subject_id=str(file.pk)).count() == 1
    assert (
        "uploaded before"
        in ReconciliationFile.objects.get(pk=sent(client, source, content)["place"].split("/")[-3]).problem
    )


def test_upload__is_refused_with_its_reason(player_session: PlayerSession) -> None:
    client = signed_in(operator(is_superuser=True))
    for wanted in ({}, {"source": game_source(player_session.game).name, "size": 0}, [1]):
        answer = client.post(UPLOAD, json.dumps(wanted), content_type="application/json")
        assert answer.json()["problem"]


def test_decisions__are_uploaded_with_a_result_for_each(player_session: PlayerSession) -> None:
    rows = [f"lost-{number},BET,,5.00,XAG,OK,2026-11-01T12:00:00Z" for number in range(3)]
    file = compared(game_source(player_session.game), text_of([HEADER, *rows]))
    client = signed_in(operator(is_superuser=True))
    place = reverse("admin:payments_reconciliationfile_differences", args=[file.pk])
    exported = b"".join(client.post(place).streaming_content).decode()  # type: ignore[attr-defined]
    assert exported.count("missing_here") == 3
    first, second, third = Difference.objects.filter(file=file).order_by("line")
    Difference.objects.filter(pk=second.pk).update(state="accepted")
    lines = [
        "difference,decision,reason",
        f"{first.pk},accept,known",
        f"{second.pk},explain,x",
        f"{third.pk},,",
    ]
    upload = SimpleUploadedFile("decided.csv", text_of(lines).encode())
    answer: Any = client.post(
        reverse("admin:payments_difference_upload_decisions"), {"file": upload}, follow=True
    )
    text = answer.content.decode()
    assert "1 difference is decided." in text
    assert "It is decided already, or waits for an approval." in text
    states = dict(Difference.objects.filter(file=file).values_list("key", "state"))
    assert states == {"lost-0": "accepted", "lost-1": "accepted", "lost-2": "open"}


def test_difference__is_corrected_through_an_approval(player_session: PlayerSession) -> None:
    known = play(player_session, 3)
    rows = [written(known[0]._replace(amount=known[0].amount + 100)), *map(written, known[1:])]
    file = compared(game_source(player_session.game), text_of([HEADER, *rows]))
    row = Difference.objects.get(file=file)
    finance = operator("wallet.adjust_balance", "payments.view_difference", "payments.decide_difference")
    client, place = signed_in(finance), page(Difference, row, "correct")
    asked: Any = client.get(place)
    form = asked.context["form"]
    given = {name: form[name].value() for name in form.fields} | {"reason": "as the file says"}
    assert client.post(place, {name: value or "" for name, value in given.items()}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.approval is not None) == ("resolving", True)

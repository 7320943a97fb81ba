"""Files against a real ledger: what was put in is found, and nothing else."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from benchmarks.seeded_file import HEADER, KINDS, Known, lines, seed, written
from lib.clock import now
from payments.models import Difference, ReconciliationFile, ReconciliationRow
from payments.reconciliation import first_pass, leftovers, staged
from payments.reconciliation.decisions import accept
from payments.reconciliation.files import NotTaken, add_part, begin_file, compare_again, end_file, parts_of
from payments.reconciliation.run import compare_file
from payments.reconciliation.samples import sample_of
from tests.support.callers import PlayerSession, unique
from tests.support.reconciled import arrived, compared, confirmed_of, found, game_source, text_of

Kind = Difference.Kind
State = ReconciliationFile.State


def play(session: PlayerSession, number: int) -> list[Known]:
    """So many confirmed transactions of one player, withdrawals and deposits."""
    for turn in range(number):
        endpoint, name = ("deposit", "d") if turn % 2 == 0 else ("withdraw", "w")
        confirm = "confirmDeposit" if turn % 2 == 0 else "confirmWithdrawal"
        id = unique(name)
        assert session.call(endpoint, id, f"{turn % 7 + 1}.25").error is None
        assert session.call(confirm, id).error is None
    return confirmed_of(session)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (first_pass, leftovers, staged):
        monkeypatch.setattr(module, "BATCH", 7)


@pytest.mark.parametrize("number", range(3))
def test_comparison__finds_the_eight_kinds_and_no_more(
    player_session: PlayerSession, small_batches: None, number: int
) -> None:
    known = play(player_session, 60)
    seeded = seed(len(known), 2, number)
    content = text_of(lines(known, seeded))
    file = compared(game_source(player_session.game), content)
    assert (file.state, file.problem) == (State.DONE, "")
    assert found(file) == seeded.expected
    assert {kind for kind, _ in seeded.expected} == set(KINDS)
    assert file.found == len(seeded.expected)
    assert not ReconciliationRow.objects.filter(file=file).exists()


def test_comparison__of_the_same_ledger_finds_nothing(player_session: PlayerSession) -> None:
    known = play(player_session, 12)
    file = compared(game_source(player_session.game), text_of([HEADER, *map(written, known)]))
    assert (found(file), file.rows, file.matched, file.at_edges) == (set(), 12, 12, 0)


def test_comparison__goes_on_where_a_lost_worker_ended(
    player_session: PlayerSession, small_batches: None
) -> None:
    known = play(player_session, 40)
    seeded = seed(len(known), 1, 5)
    file = arrived(game_source(player_session.game), text_of(lines(known, seeded)))
    for _ in range(200):
        # Time for one batch, and then a worker that knows nothing of it.
        if compare_file(file.pk, 0.0):
            break
    file.refresh_from_db()
    assert file.state == State.DONE
    assert found(file) == seeded.expected
    assert file.found == len(seeded.expected)
    assert set(Difference.objects.filter(file=file).values_list("times_seen", flat=True)) == {1}


def test_comparison__leaves_nothing_of_a_batch_that_failed(
    player_session: PlayerSession, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = play(player_session, 20)
    file = arrived(game_source(player_session.game), text_of([HEADER, *map(written, known)]))
    stage, calls = staged.stage, iter(range(99))

    def fail_at_the_second(*words: Any) -> None:
        stage(*words)
        if next(calls) == 1:
            raise ConnectionError

    monkeypatch.setattr(staged, "stage", fail_at_the_second)
    with pytest.raises(ConnectionError):
        compare_file(file.pk, float("inf"))
    file.refresh_from_db()
    assert (file.lines_read, ReconciliationRow.objects.filter(file=file).count()) == (8, 7)
    compare_file(file.pk, float("inf"))
    file.refresh_from_db()
    assert (file.state, file.rows, file.matched, found(file)) == (State.DONE, 20, 20, set())


def test_comparison__unpacks_gzip_and_reads_json_lines(player_session: PlayerSession) -> None:
    known = play(player_session, 4)
    rows = [
        {"tx": {"id": one.key}, "t": one.type, "money": {"v": one.amount, "c": one.currency}, "s": "done"}
        for one in known
    ]
    columns = {"id": "tx.id", "type": "t", "amount": "money.v", "currency": "money.c", "state": "s"}
    source = game_source(player_session.game, format="jsonl", columns=columns, units="minor")
    content = gzip.compress("\n".join(map(json.dumps, rows)).encode())
    file = compared(source, content)
    assert (file.state, file.rows, file.matched, found(file)) == (State.DONE, 4, 4, set())


def test_comparison__matches_rows_without_ids_by_amount_and_time(player_session: PlayerSession) -> None:
    known = play(player_session, 6)
    rows = [written(one._replace(key="")) for one in known]
    rows.append(written(known[0]._replace(key="", amount=999)))
    file = compared(game_source(player_session.game), text_of([HEADER, *rows]))
    assert (file.matched, file.matched_by_amount) == (6, 6)
    assert found(file) == {(Kind.MISSING_HERE, "8")}


def test_comparison__names_the_likely_row_of_another_id(player_session: PlayerSession) -> None:
    known = play(player_session, 4)
    rows = [written(known[0]), written(known[1]._replace(key="other")), *map(written, known[2:])]
    file = compared(game_source(player_session.game), text_of([HEADER, *rows]))
    assert found(file) == {(Kind.MISSING_HERE, "other"), (Kind.MISSING_THERE, known[1].key)}
    assert Difference.objects.get(file=file, kind=Kind.MISSING_THERE).ours["line"] == 3


def test_difference__that_was_accepted_stays_accepted(player_session: PlayerSession) -> None:
    known = play(player_session, 4)
    source = game_source(player_session.game)
    rows = [HEADER, *map(written, [known[0]._replace(amount=1), *known[1:]])]
    first = compared(source, text_of(rows))
    row = Difference.objects.get(file=first)
    accept(row.pk, actor="operator:test", reason="rounding")
    second = compared(source, text_of([*rows, ""]))
    row.refresh_from_db()
    assert (second.found, second.decided_before) == (1, 1)
    assert (row.state, row.times_seen, row.file_id) == ("accepted", 2, second.pk)


def test_difference__that_a_later_file_has_no_more_is_closed(player_session: PlayerSession) -> None:
    known = play(player_session, 6)
    source = game_source(player_session.game)
    bad = [known[0]._replace(amount=1), known[1]._replace(key="mistyped"), *known[2:5], known[5], known[5]]
    first = compared(source, text_of([HEADER, *map(written, bad)]))
    assert len(found(first)) == 4
    compared(source, text_of([HEADER, *map(written, known)]))
    states = dict(Difference.objects.filter(source=source).values_list("kind", "state"))
    # Nobody can say what the mistyped row is now.
    assert states == {
        "amount": "resolved",
        "missing_here": "open",
        "missing_there": "resolved",
        "duplicate": "resolved",
    }
    assert set(Difference.objects.filter(source=source, state="resolved").values_list("decided_by")) == {
        ("",)
    }


def test_file__of_the_same_bytes_is_told_and_not_compared(player_session: PlayerSession) -> None:
    known = play(player_session, 2)
    source, content = game_source(player_session.game), text_of([HEADER, *map(written, known)])
    compared(source, content, name="monday.csv")
    again = arrived(source, content, name="tuesday.csv")
    assert again.state == State.FAILED
    assert again.problem.startswith("The same file was uploaded before, on ")
    assert again.problem.endswith(": monday.csv.")
    assert not again.parts.exists()


def test_file__is_compared_again_as_the_ledger_is_now(player_session: PlayerSession) -> None:
    known = play(player_session, 3)
    id = unique("late")
    source = game_source(player_session.game)
    late = known[2]._replace(key=id, amount=5_00, type="deposit")
    file = compared(source, text_of([HEADER, *map(written, [*known, late])]))
    assert found(file) == {("missing_here", id)}
    player_session.call("deposit", id, "5.00")
    player_session.call("confirmDeposit", id)
    compare_again(file)
    compare_file(file.pk, float("inf"))
    file.refresh_from_db()
    assert (file.state, file.found) == (State.DONE, 0)
    assert Difference.objects.get(file=file).state == "resolved"


def test_file__with_the_wrong_columns_fails_and_says_why(player_session: PlayerSession) -> None:
    file = compared(game_source(player_session.game), "a,b\n1,2\n")
    assert (file.state, file.rows) == (State.FAILED, 0)
    assert file.problem == "The first line has no column “time”: choose the columns again."


def test_file__cut_off_in_its_gzip_fails(player_session: PlayerSession) -> None:
    known = play(player_session, 2)
    content = gzip.compress(text_of([HEADER, *map(written, known)]).encode())[:-9]
    file = compared(game_source(player_session.game), content)
    assert (file.state, file.problem) == (State.FAILED, "The file is cut off: its gzip data ends too early.")
    assert not ReconciliationRow.objects.filter(file=file).exists()


def test_part__is_taken_once_and_in_order(player_session: PlayerSession) -> None:
    file = begin_file(game_source(player_session.game), name="x.csv", size=6, actor="test")
    assert add_part(file, 1, b"abc") == 3
    assert add_part(file, 1, b"abc") == 3
    for number, data in ((1, b"abd"), (3, b"def"), (2, b"defg"), (2, b"")):
        with pytest.raises(NotTaken):
            add_part(file, number, data)
    with pytest.raises(NotTaken):
        end_file(file)
    assert add_part(file, 2, b"def") == 6
    with pytest.raises(NotTaken):
        end_file(file, digest="0" * 64)
    end_file(file)
    assert b"".join(parts_of(file)) == b"abcdef"


def test_file__is_refused_if_it_is_too_long(player_session: PlayerSession) -> None:
    with pytest.raises(NotTaken):
        begin_file(
            game_source(player_session.game),
            name="x",
            size=settings.RECONCILIATION_MEGABYTES * 1_000_000 + 1,
            actor="test",
        )


def test_transaction__at_the_edge_of_the_time_is_not_called_missing(player_session: PlayerSession) -> None:
    known = play(player_session, 4)
    rows = text_of([HEADER, *map(written, known[:1])])
    began = now() - timedelta(hours=1)
    file = compared(game_source(player_session.game), rows, covers_from=began, covers_until=known[1].at)
    assert (found(file), file.at_edges) == (set(), 1)


def test_transaction__that_was_not_confirmed_has_to_be_there_only_if_all_are(
    player_session: PlayerSession,
) -> None:
    known, id = play(player_session, 2), unique("w")
    player_session.call("withdraw", id, "1.00")
    player_session.call("rollbackWithdrawal", id)
    content = text_of([HEADER, *map(written, known)])
    times = {"covers_from": now() - timedelta(hours=1), "covers_until": now() + timedelta(hours=1)}
    assert found(compared(game_source(player_session.game), content, **times)) == set()
    everything = game_source(player_session.game, lists_all=True)
    assert found(compared(everything, content, **times)) == {("missing_there", id)}


def test_sample__shows_good_rows_beside_bad_ones(player_session: PlayerSession) -> None:
    source = game_source(player_session.game, columns={}, words={})
    sample = sample_of(arrived(source, text_of(["id,amount", "a,1.00", "x", "b,2.00"])))
    assert sample.names == ["id", "amount"]
    assert [row["id"] for row in sample.rows] == ["a", "b"]
    assert sample.problem == "the line has 1 cells, and the first line 2 names"

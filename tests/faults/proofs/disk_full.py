"""The disk is full: that of the data, or that of the write-ahead log; then somebody makes room."""

import time
from contextlib import suppress

import psycopg
from django.db import connection

from tests.faults.platform_processes import Platform, eventually
from tests.faults.proofs.proof import FUNDS, Proof, serve, under_load
from tests.faults.small_disk import SmallDisk, small_disk
from tests.support.callers import Answer, PlayerSession

# So many megabytes hold what there is, and little more.
DATA, LOG = 192, 96
FULL_SECONDS = 1.0
# Of PostgreSQL's log.
PANIC = "PANIC:"


def refused(proof: Proof) -> int:
    return sum(player.statuses[503] for player in proof.players)


def reads(platform: Platform, url: str, session: PlayerSession, mm: str) -> dict[str, Answer]:
    """What changes nothing, as a game and the web front ask it."""
    front, asked = platform.callers.front.at(url), {"uid": session.player.uid, "currencyCode": "XAG"}
    return {
        "verifySession": session.call("verifySession"),
        "getBalance": session.call("getBalance"),
        "queryTransaction": session.call("queryTransaction", mm, type="withdrawal"),
        "balance": front.post("/entry/balance", asked),
        "statement": front.post("/entry/statement", asked),
    }


def prove_data(platform: Platform, times: int) -> Proof:
    """Where the tables lie nothing is written any more: openings are refused, and everything is read."""
    with small_disk(platform, "base", DATA) as disk:
        web, url = serve(platform)
        reader, count = platform.callers.player_session(FUNDS, url=url), 0
        mm = reader.opened("withdraw", "1.00")
        with under_load(platform, url, "disk of the data full") as proof:
            for _ in proof.rounds(times):
                before = refused(proof)
                disk.fill()
                eventually(lambda: refused(proof) > before + 20, "calls are refused")  # noqa: B023
                ends = time.monotonic() + FULL_SECONDS
                while time.monotonic() < ends:
                    answers = reads(platform, url, reader, mm)
                    assert {name: each.status for name, each in answers.items()} == dict.fromkeys(
                        answers, 200
                    )
                    count += len(answers)
                disk.empty()
                proof.note_return(time.time())
                proof.play_some()
            reader.done("confirmWithdrawal", mm)
        assert not web.ended
        platform.end_all()
    proof.seen = f"{count} reads while it was full, all answered"
    return proof


def prove_log(platform: Platform, times: int) -> Proof:
    """PostgreSQL itself gives up where its log cannot grow, and comes back from what it has."""
    with small_disk(platform, "pg_wal", LOG) as disk:
        (web, url), begun = serve(platform), 0
        with under_load(platform, url, "disk of the write-ahead log full") as proof:
            for _ in proof.rounds(times):
                before = refused(proof)
                fill_log(platform, disk)
                eventually(lambda: refused(proof) > before + 20, "calls are refused")  # noqa: B023
                time.sleep(FULL_SECONDS)
                disk.empty()
                begun += begin_if_ended(platform)
                proof.note_return(time.time())
                proof.play_some()
        assert not web.ended
        platform.end_all()
    gave_up = platform.servers.postgres_log().count(PANIC)
    proof.seen = f"PostgreSQL gave up {gave_up} times; {begun} times its process ended and was begun anew"
    return proof


def fill_log(platform: Platform, disk: SmallDisk) -> None:
    """Until a new file of the log cannot be made."""
    deadline = time.monotonic() + 30
    so_far = platform.servers.postgres_log().count(PANIC)
    while platform.servers.postgres_log().count(PANIC) == so_far:
        disk.fill()
        with suppress(psycopg.Error), platform.owner() as owner:
            owner.execute("SELECT pg_switch_wal()")
        assert time.monotonic() < deadline, "the log never becomes full"


def begin_if_ended(platform: Platform) -> bool:
    """As whoever keeps PostgreSQL running does (`make run`, systemd, Kubernetes)."""
    has_ended = platform.servers.postgres.ended
    if has_ended:
        platform.begin_postgres()
    connection.close()
    return has_ended

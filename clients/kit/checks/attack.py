"""Requests that are wrong, odd, or meant to do harm."""

import time
from collections.abc import Iterable
from contextlib import ExitStack
from decimal import Decimal

from clients.kit import exact_json
from clients.kit.calls import new_id
from clients.kit.check import Category
from clients.kit.expectations import Unmet, expect, expect_one_of, expect_that
from clients.kit.session import Session
from clients.kit.trial import Trial
from clients.kit.wire import Answer, shown

ATTACK = Category("attack", "Attack")
READING = "1 Reading a request"
LIMIT_BYTES = 64 * 1024
HALF_SENT = 20
SOON_SECONDS = 5.0
# What stands in stack traces, and in the messages of databases.
TRACES = (b"Traceback", b'File "', b"psycopg", b"SELECT ", b"INSERT INTO", b"Exception:", b"at java.")
ODD_IDS = (
    "'; DROP TABLE wallet;--",
    "1' OR '1'='1",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "${jndi:ldap://127.0.0.1/x}",
    "%00%0d%0a",
    "{{7*7}}",
    '"quoted"\\',
    "!" * 64,
)
WRONG_IDS: tuple[object, ...] = (
    "",
    " ",
    "a b",
    "x" * 65,
    "tab\there",
    "nul\x00",
    "ü",
    "line\n",
    " x",
    5,
    True,
    [],
    {},
)
WRONG_BODIES = (
    b"",
    b" ",
    b"{",
    b"}",
    b'{"token"',
    b'{"token": }',
    b"{'token': 'x'}",
    b'{"token": "x",}',
    b"{}{}",
    b"<xml/>",
    b"token=x",
)


def refuse_bodies(trial: Trial, bodies: Iterable[bytes]) -> None:
    """Each is refused with 101."""
    for body in bodies:
        trial.refused(f"The body {shown(body)[:40]}", 101, trial.post("/wallet/withdraw", body))


@ATTACK.check("malformed-json", "Malformed JSON is 101", READING)
def malformed_json(trial: Trial) -> None:
    refuse_bodies(trial, WRONG_BODIES)


@ATTACK.check("no-object", "JSON that is no object is 101", READING)
def no_object(trial: Trial) -> None:
    refuse_bodies(trial, (b"[]", b"null", b"1", b'"x"', b"true", b'[{"token": "x"}]'))


@ATTACK.check("invalid-utf-8", "Invalid UTF-8, and UTF-16, are 101", READING)
def invalid_utf_8(trial: Trial) -> None:
    text = '{"token": "x"}'
    refuse_bodies(
        trial, (b"\xff\xfe", b'{"token": "\xc3\x28"}', text.encode("utf-16"), text.encode("utf-32"))
    )


@ATTACK.check("deep-nesting", "Nesting ten thousand deep is 101, and takes no time", READING)
def deep_nesting(trial: Trial) -> None:
    began = time.monotonic()
    for opened in (b"[", b'{"a":'):
        refuse_bodies(trial, (opened * 10_000, b'{"token": ' + opened * 10_000))
    seconds = time.monotonic() - began
    expect_that("The time that it took", "at once", f"{seconds:.1f} s", holds=seconds < SOON_SECONDS)


@ATTACK.check("wrong-types", "A required field that is missing or of the wrong type is 101", READING)
def wrong_types(trial: Trial) -> None:
    refuse_bodies(trial, (b"{}", b'{"token": 1}', b'{"token": null}', b'{"token": ["x"]}', b'{"Token": "x"}'))


@ATTACK.check("duplicate-keys", "Of duplicate keys the last counts", READING)
def duplicate_keys(trial: Trial) -> None:
    session = trial.session()
    amount = f'{{"amount": 99.00, "amount": 1.00, "currencyCode": "{session.currency}"}}'
    body = (
        f'{{"token": "x", "token": "{session.token}", "mmTransactionId": "{new_id()}", "amount": {amount}}}'
    )
    trial.accepted("withdraw with duplicate keys", trial.post("/wallet/withdraw", body.encode()))
    session.expect_spendable("99.00")


@ATTACK.check("content-type", "Another content type than application/json is 101", READING)
def content_type(trial: Trial) -> None:
    session = trial.session("0")
    for given in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "text/json", "json"):
        answer = trial.post("/wallet/getBalance", {"token": session.token}, headers={"Content-Type": given})
        trial.refused(f"Content-Type: {given}", 101, answer)
    utf_8 = {"Content-Type": "application/json; charset=utf-8"}
    told = trial.post("/wallet/getBalance", {"token": session.token}, headers=utf_8)
    trial.accepted("Content-Type with charset=utf-8", told)


@ATTACK.check("body-limit", "A body of 64 KiB is read, one above it is 413", "1.1")
def body_limit(trial: Trial) -> None:
    session = trial.session("0")
    empty = exact_json.write({"token": session.token, "x": ""}).encode()
    for size, status in ((LIMIT_BYTES, 200), (LIMIT_BYTES + 1, 413), (3 * LIMIT_BYTES, 413)):
        body = empty[:-2] + b"x" * (size - len(empty)) + b'"}'
        answer = trial.post("/wallet/getBalance", body)
        expect(f"The status for a body of {size:,} bytes", status, answer.status)


@ATTACK.check("methods", "Another method than POST is 405", "1.6")
def methods(trial: Trial) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        for path in ("/wallet/getBalance", "/wallet/withdraw"):
            answer = trial.send(trial.target.game, method, path)
            expect(f"The status of {method} {path}", 405, answer.status)


@ATTACK.check("unknown-paths", "An unknown path is 404", "1.6")
def unknown_paths(trial: Trial) -> None:
    for path in ("noSuchCall", "withdraw/x", "WITHDRAW", "..%2fwithdraw", "getBalance%00"):
        answer = trial.post(f"/wallet/{path}", {})
        expect_one_of(f"The status of /wallet/{path}", (400, 404), answer.status)


@ATTACK.check("odd-ids", "Ids that look like code are ids, and nothing else", "2")
def odd_ids(trial: Trial) -> None:
    session = trial.session()
    for odd in ODD_IDS:
        mm = odd.replace(" ", "_")
        expect("The balance after it", Decimal(99), session.accept("withdraw", mm, "1.00").money())
        session.accept("rollbackWithdrawal", mm)
    session.expect_spendable("100.00")


@ATTACK.check("wrong-ids", "What is no transaction id is 101", "2")
def wrong_ids(trial: Trial) -> None:
    session = trial.session()
    for mm in WRONG_IDS:
        for endpoint in ("withdraw", "deposit"):
            session.refuse(101, endpoint, None, "1.00", mmTransactionId=mm)
        session.refuse(101, "rollbackWithdrawal", None, mmTransactionId=mm)
    session.expect_holding("100.00", "0")


@ATTACK.check("wrong-uids", "What is no uid is 101", "3")
def wrong_uids(trial: Trial) -> None:
    game, currency = trial.target.game.slug, trial.target.currency
    for uid in ("", "a b", "x" * 65, "ü", "a/b", "' OR 1=1", 5, None):
        asked = {"uid": uid, "game": game, "currencyCode": currency}
        trial.refused_by_entry(f"launch of {uid!r}", 101, trial.front("/entry/launch", asked))


@ATTACK.check("other-players-transaction", "A player's token settles and shows only the player's own", "2.3")
def other_players_transaction(trial: Trial) -> None:
    owner, stranger = trial.session(), trial.session()
    paid, won = owner.opened("withdraw", "10.00"), owner.opened("deposit", "5.00")
    stranger.refuse(106, "confirmWithdrawal", paid, "10.00")
    stranger.refuse(106, "confirmDeposit", won, "5.00")
    stranger.refuse(106, "queryTransaction", paid, type="withdrawal")
    # A tombstone at the stranger, which is none of the owner's.
    stranger.accept("rollbackWithdrawal", paid)
    owner.expect_holding("90.00", "10.00")
    owner.accept("confirmWithdrawal", paid, "10.00")
    stranger.expect_holding("100.00", "0")


@ATTACK.check("no-traces", "No answer holds a stack trace, SQL or a secret", "1.6")
def no_traces(trial: Trial) -> None:
    session = trial.session()
    answers = [
        *(trial.post("/wallet/withdraw", body) for body in (b"{", b"\xff", b"[" * 10_000, b"null")),
        *(session.call("withdraw", f"{new_id()}'\"", amount) for amount in ("0.001", "1e30", "-1")),
        session.call("withdraw", new_id(), "1.00", currency="'; SELECT 1"),
        session.call("withdraw", "\x00", "1.00"),
        session.call("queryTransaction", new_id(), type="'"),
        trial.front(
            "/entry/statement", {"uid": session.uid, "currencyCode": session.currency, "before": "'"}
        ),
        trial.post("/wallet/noSuchCall", {}),
        trial.send(trial.target.game, "TRACE", "/wallet/getBalance"),
    ]
    for answer in answers:
        expect_no_trace(trial, answer)


def expect_no_trace(trial: Trial, answer: Answer) -> None:
    """The answer has neither failed nor told what is nobody's business."""
    expect_that("The status", "below 500", answer.status, holds=answer.status < 500 or answer.status == 501)
    secrets = (trial.target.game.password.encode(), trial.target.platform.password.encode())
    for trace in (*TRACES, *secrets):
        shows = "an answer without stack trace, SQL or secret"
        expect_that("The answer", shows, shown(answer.raw), holds=trace not in answer.raw)


# --- Below HTTP ------------------------------------------------------------------------------------------


def head(trial: Trial, *fields: str, path: str = "/wallet/getBalance") -> bytes:
    """The head of a right call, with further fields, on a connection that shall end with it."""
    lines = (
        f"POST {trial.wire.prefix}{path} HTTP/1.1",
        f"Host: {trial.wire.host_header}",
        f"Authorization: {trial.target.game.authorization}",
        "Content-Type: application/json",
        "Connection: close",
        *fields,
    )
    return "\r\n".join((*lines, "", "")).encode()


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]


def expect_refused_once(trial: Trial, what: str, data: bytes) -> None:
    """At most one answer, and no success: what two servers could read differently is no request."""
    told = statuses(trial.wire.send_raw(data, trial.record))
    is_refused = len(told) <= 1 and all(400 <= status < 600 for status in told)
    expect_that(what, "one refusal, or a closed connection", told, holds=is_refused)


def withdrawal_of_ten(session: Session, mm: str) -> bytes:
    """The body of a withdrawal that a client of its own could send."""
    amount = {"amount": 10, "currencyCode": session.currency}
    return exact_json.write({"token": session.token, "mmTransactionId": mm, "amount": amount}).encode()


@ATTACK.check("smuggling", "Content-Length beside Transfer-Encoding never makes two requests", "1.6")
def smuggling(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    payload = withdrawal_of_ten(session, mm)
    inner = head(trial, f"Content-Length: {len(payload)}", path="/wallet/withdraw") + payload
    both = head(trial, "Content-Length: 4", "Transfer-Encoding: chunked")
    expect_refused_once(trial, "Both lengths", both + b"0\r\n\r\n" + inner)
    twice = head(trial, "Content-Length: 2", f"Content-Length: {2 + len(inner)}")
    expect_refused_once(trial, "Two Content-Lengths", twice + b"{}" + inner)
    spaced = head(trial, "Transfer-Encoding : chunked", "Content-Length: 2")
    expect_refused_once(trial, "A space before the colon", spaced + b"{}" + inner)
    session.expect_holding("100.00", "0")


@ATTACK.check("odd-lengths", "A Content-Length that is no length is refused", "1.6")
def odd_lengths(trial: Trial) -> None:
    for length in ("-1", "+2", "0x2", "2, 2", "two"):
        data = head(trial, f"Content-Length: {length}") + b"{}"
        expect_refused_once(trial, f"Content-Length: {length}", data)


@ATTACK.check("huge-head", "A head of 200 KiB is refused", "1.6")
def huge_head(trial: Trial) -> None:
    expect_refused_once(trial, "A huge field", head(trial, "X-Long: " + "a" * 200_000, "Content-Length: 0"))
    many = [f"X-Field-{number}: a" for number in range(5000)]
    expect_refused_once(trial, "Many fields", head(trial, *many, "Content-Length: 0"))


@ATTACK.check("half-sent", "Requests that are sent by half hold nobody up", "1.7")
def half_sent(trial: Trial) -> None:
    session = trial.session()
    with ExitStack() as stack:
        for _ in range(HALF_SENT):
            connection = stack.enter_context(trial.wire.raw_socket())
            connection.sendall(head(trial, "Content-Length: 1000") + b'{"token": "')
        began = time.monotonic()
        session.accept("withdraw", new_id(), "1.00")
        session.expect_spendable("99.00")
        seconds = time.monotonic() - began
    if seconds > SOON_SECONDS:
        raise Unmet(
            f"A withdrawal beside {HALF_SENT} half-sent requests", "an answer soon", f"{seconds:.1f} s"
        )


@ATTACK.check("cut-off", "A request that is cut off by half does nothing", "1.7")
def cut_off(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    payload = withdrawal_of_ten(session, mm)
    with trial.wire.raw_socket() as connection:
        connection.sendall(
            head(trial, f"Content-Length: {len(payload) + 1}", path="/wallet/withdraw") + payload
        )
    session.refuse(106, "confirmWithdrawal", mm, "10.00")
    session.expect_holding("100.00", "0")

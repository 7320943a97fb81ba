"""Who may speak: HTTP Basic, and tokens that are one game's."""

import uuid
from collections.abc import Mapping

from clients.kit import exact_json
from clients.kit.calls import NOWHERE, new_id
from clients.kit.check import Category
from clients.kit.contract import CALLS, NAMES_TRANSACTION
from clients.kit.expectations import Skipped, Unmet, expect, expect_that
from clients.kit.parties import Login, basic
from clients.kit.session import Session
from clients.kit.trial import Trial
from clients.kit.wire import Answer

AUTHENTICATION = Category("authentication", "Authentication")


def expect_unauthorized(trial: Trial, what: str, answer: Answer) -> None:
    """The answer to a missing, malformed or wrong Authorization.

    Raises `Skipped` if this address had too many of them just now.
    """
    if answer.status == 429:
        seconds = answer.headers.get("retry-after", "")
        expect_that(f"{what}: Retry-After", "seconds", seconds, holds=seconds.isdigit(), paragraph="1.2")
        raise Skipped(f"the server throttles failed authentications of this address for {seconds} s")
    expect(f"{what}: status", trial.target.unauthorized_status, answer.status)
    challenge = answer.headers.get("www-authenticate", "")
    is_basic = challenge.lower().startswith("basic")
    expect_that(f"{what}: WWW-Authenticate", "Basic …", challenge or "no such header", holds=is_basic)
    if answer.code != 100:
        raise Unmet(f"{what}: errorCode", 100, answer.code)


def with_header(
    trial: Trial, value: str | None, path: str = "/wallet/getBalance", body: bytes = b""
) -> Answer:
    """A call with that Authorization, or with none."""
    headers: Mapping[str, str] = {} if value is None else {"Authorization": value}
    return trial.send(None, "POST", path, body or exact_json.write({"token": NOWHERE}).encode(), headers)


@AUTHENTICATION.check("missing", "No Authorization is 401 with WWW-Authenticate, for each call", "1.4")
def missing(trial: Trial) -> None:
    for path in (*(f"/wallet/{call}" for call in CALLS), "/entry/launch", "/entry/balance"):
        expect_unauthorized(trial, path, with_header(trial, None, path))


@AUTHENTICATION.check("wrong-password", "A wrong password, and another user's, are 401", "1.4")
def wrong_password(trial: Trial) -> None:
    game, other = trial.target.game, trial.target.other_game
    for password in ("wrong", "", other.password, game.password + " ", game.password[:-1]):
        answer = with_header(trial, basic(game.username, password))
        expect_unauthorized(trial, "A wrong password", answer)


@AUTHENTICATION.check("unknown-user", "An unknown user is 401", "1.4")
def unknown_user(trial: Trial) -> None:
    for username in ("kit-nobody", "", trial.target.game.username.upper() + "X"):
        answer = with_header(trial, basic(username, trial.target.game.password))
        expect_unauthorized(trial, "An unknown user", answer)


@AUTHENTICATION.check("malformed", "A malformed Authorization is 401", "1.4")
def malformed(trial: Trial) -> None:
    no_colon = "Basic Zm9v"
    for value in ("Basic", "Basic ", "Basic !!!", no_colon, "Basic " + "A" * 3000, "Basic /////w==", "x"):
        expect_unauthorized(trial, f"Authorization: {value[:20]}", with_header(trial, value))


@AUTHENTICATION.check("other-schemes", "Another scheme than Basic is 401", "1.4")
def other_schemes(trial: Trial) -> None:
    right = trial.target.game.authorization.removeprefix("Basic ")
    for value in (f"Bearer {right}", f"Digest {right}", right):
        expect_unauthorized(trial, "Another scheme", with_header(trial, value))


@AUTHENTICATION.check("platform-is-no-game", "A credential of the platform is no game's", "1.4")
def platform_is_no_game(trial: Trial) -> None:
    session = trial.session()
    for endpoint in ("getBalance", "withdraw"):
        answer = session.call(endpoint, new_id(), "1.00", caller=trial.target.platform)
        expect_unauthorized(trial, f"{endpoint} by the platform", answer)
    session.expect_spendable("100.00")


@AUTHENTICATION.check("game-is-no-platform", "A game's credential cannot use the entry API", "1.4")
def game_is_no_platform(trial: Trial) -> None:
    session, game = trial.session(), trial.target.game
    asked = {"uid": session.uid, "game": game.slug, "currencyCode": session.currency}
    for path in ("/entry/launch", "/entry/balance", "/entry/statement"):
        expect_unauthorized(trial, f"{path} by a game", trial.post(path, asked))
    closing = exact_json.write({"status": "closed"}).encode()
    answer = trial.send(game, "PUT", f"/entry/players/{session.uid}", closing)
    expect_unauthorized(trial, "PUT /entry/players by a game", answer)
    session.accept("withdraw", new_id(), "1.00")


@AUTHENTICATION.check("nothing-moves", "What is refused with 401 moves nothing and is not remembered", "1.7")
def nothing_moves(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    wrong = Login(trial.target.game.username, "wrong")
    expect_unauthorized(trial, "withdraw", session.call("withdraw", mm, "10.00", caller=wrong))
    session.expect_holding("100.00", "0")
    session.refuse(106, "confirmWithdrawal", mm, "10.00")


@AUTHENTICATION.check("comes-first", "401 comes before all other refusals", "1 Reading a request")
def comes_first(trial: Trial) -> None:
    huge = b'{"token": "' + b"x" * 70_000 + b'"}'
    expect_unauthorized(trial, "Malformed JSON", with_header(trial, None, body=b"{"))
    expect_unauthorized(trial, "An unknown call", with_header(trial, None, "/wallet/noSuchCall"))
    expect_unauthorized(trial, "Another method", trial.send(None, "GET", "/wallet/getBalance"))
    expect_unauthorized(trial, "A huge body", with_header(trial, None, body=huge))


@AUTHENTICATION.check("unknown-token", "A token that never was is 102, for each call", "1 Error codes")
def unknown_token(trial: Trial) -> None:
    session = trial.session("0")
    for token in (NOWHERE, "0fabcdc4-fe07-44f2-b968-93da3b324898", str(uuid.uuid4())):
        refuse_each_call(session, 102, token=token)


def refuse_each_call(session: Session, code: int, **extra: object) -> None:
    """Each of the game's calls is refused with `code`."""
    for endpoint in CALLS:
        mm = new_id() if endpoint in NAMES_TRANSACTION else None
        amount = (
            "1.00" if endpoint in ("withdraw", "deposit", "confirmWithdrawal", "confirmDeposit") else None
        )
        session.refuse(code, endpoint, mm, amount, **{"type": "withdrawal", **extra})


@AUTHENTICATION.check("other-games-token", "A token of one game is unknown (102) to every other", "2.2")
def other_games_token(trial: Trial) -> None:
    session = trial.session()
    mm = session.opened("withdraw", "10.00")
    refuse_each_call(session, 102, caller=trial.target.other_game)
    for endpoint in ("confirmWithdrawal", "rollbackWithdrawal"):
        session.refuse(102, endpoint, mm, caller=trial.target.other_game)
    expect("The state", "pending", session.accept("queryTransaction", mm, type="withdrawal").body["state"])
    session.expect_holding("90.00", "10.00")


@AUTHENTICATION.check("tokens", "Tokens are random UUIDs of version 4, a new one for each launch", "2.2")
def tokens(trial: Trial) -> None:
    uid = trial.new_player()
    given = [trial.launch(uid).token for _ in range(8)]
    expect("How many different tokens 8 launches give", 8, len(set(given)))
    for token in given:
        expect("The version of a token", 4, uuid.UUID(token).version)


@AUTHENTICATION.check("token-forms", "What is no UUID is 101, not 102", "1 Reading a request")
def token_forms(trial: Trial) -> None:
    session = trial.session()
    session.expect_spendable("100.00")
    texts = ("", "x", "0" * 32, NOWHERE[:-1], "{" + NOWHERE + "}", f" {NOWHERE}")
    others: tuple[object, ...] = (5, True, [], {})
    for token in (*texts, *others):
        session.refuse(101, "getBalance", token=token)

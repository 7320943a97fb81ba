"""What the platform asks the game, and tells it to deliver."""

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from typing import Any

import pytest

from demo.game import mischief
from demo.game.inbound import answer_final_state, take_delivery
from demo.game.moves import State
from demo.game.play import Game
from demo.game.store import Visit
from quantum_wallet import FinalState
from quantum_wallet.deliveries import SIGNED
from tests.demo.game.fake_platform import GAME, QUERY, SECRET, FakePlatform

HEADERS = {"authorization": QUERY.header}


def question(id: str) -> bytes:
    about = {"mmTransactionId": id, "qwTransactionId": "qw", "playerId": "anna", "type": "withdrawal"}
    return json.dumps(about | {"amount": {"amount": 45, "currencyCode": "XAG"}}).encode()


def delivery(
    id: str = "msg-1", *, secret: str = SECRET, at: int | None = None, **changed: str
) -> tuple[dict[str, str], bytes]:
    """A delivery as the platform signs it, of which something was `changed` afterwards."""
    at = int(time.time()) if at is None else at
    fields = {
        "uid": "anna",
        "serverId": "1",
        "cpOrderId": "order-1",
        "productId": "wm.spin.1",
        "productPrice": "4.99",
        "extParams": "",
        "ts": f"{at}000",
    }
    text = "".join(fields[name] for name in SIGNED) + secret
    fields["sign"] = hashlib.md5(text.encode()).hexdigest().upper()
    raw = json.dumps(fields).encode()
    digest = hmac.digest(b64decode(secret.removeprefix("whsec_")), f"{id}.{at}.".encode() + raw, "sha256")
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1,c2hvcnQ= v1," + b64encode(digest).decode(),
    }
    return headers, json.dumps(fields | changed).encode() if changed else raw


@pytest.mark.parametrize("headers", [{}, {"authorization": GAME.header}, {"authorization": "Basic ä"}])
def test_final_state__is_told_to_the_platform_alone(
    game: Game, visit: Visit, headers: dict[str, str]
) -> None:
    assert answer_final_state(game, headers, question("any"))[0] == 401
    assert game.platform.wire.after("anna", 0) == []


def test_final_state__of_an_unknown_id_is_unknown(game: Game) -> None:
    assert answer_final_state(game, HEADERS, question("never-was")) == (200, {"state": "UNKNOWN"})


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b'{"mmTransactionId": {"a": 1}}'])
def test_final_state__nonsense_is_no_question(game: Game, raw: bytes) -> None:
    assert answer_final_state(game, HEADERS, raw)[0] == 400


@pytest.mark.parametrize("told", [FinalState.CONFIRMED, FinalState.ROLLED_BACK])
def test_final_state__is_what_the_player_chose(
    game: Game, platform: FakePlatform, visit: Visit, told: FinalState
) -> None:
    mischief.leave_pending(game, visit)
    [left] = game.store.open_moves("anna")
    mischief.choose_answer(game, visit, left.id, told)
    said = {"state": told, "qwTransactionId": f"qw-{left.id}"}
    assert [answer_final_state(game, HEADERS, question(left.id)) for _ in range(2)] == [(200, said)] * 2
    # The game stands by it, and says so itself.
    after = game.store.find_move(left.id)
    assert after is not None
    assert after.state == (State.CONFIRMING if told == FinalState.CONFIRMED else State.ROLLING_BACK)
    [first, _] = [one for one in game.platform.wire.after("anna", 0) if not one.is_ours]
    assert (first.path, first.status, json.loads(first.answer)["state"]) == ("/platform/state", 200, told)


def test_delivery__is_handed_out_once(game: Game) -> None:
    before = game.free_rounds("anna")
    assert [take_delivery(game, *delivery())[0] for _ in range(3)] == [200, 200, 200]
    assert game.free_rounds("anna") == before + 10
    first, second, _ = game.platform.wire.after("anna", 0)
    assert "hands it out" in first.why
    assert "handed out before" in second.why


OTHER = "whsec_" + b64encode(b"somebody else's own secret").decode()


@pytest.mark.parametrize(
    "given",
    [
        {"secret": OTHER},
        {"uid": "ben"},
        {"productId": "starter-pack"},
        {"sign": "0" * 32},
        {"at": 1_000_000_000},
        {"at": 99_999_999_999},
    ],
)
def test_delivery__that_is_not_genuine_is_refused(game: Game, given: dict[str, Any]) -> None:
    headers, raw = delivery(**given)
    assert take_delivery(game, headers, raw)[0] == 401
    assert (game.store.delivered("anna"), game.store.delivered("ben")) == ({}, {})


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_delivery__needs_each_header(game: Game, name: str) -> None:
    headers, raw = delivery()
    assert take_delivery(game, {**headers, name: ""}, raw)[0] == 401


def test_delivery__is_fresh_by_the_demonstrations_clock(game: Game, platform: FakePlatform) -> None:
    later = int(time.time()) + 72 * 3600
    assert take_delivery(game, *delivery(at=later))[0] == 401
    platform.ahead = 72 * 3600
    assert take_delivery(game, *delivery(at=later))[0] == 200
    assert take_delivery(game, *delivery("msg-2"))[0] == 401

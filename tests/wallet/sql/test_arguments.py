"""What no operation of the platform asks of the ledger is refused, whoever asks."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.utils import DataError

from lib.ids import new_id
from lib.security.tokens import token_hash
from tests.support.callers import Callers, PlayerSession, act
from tests.support.invariants import problems_of

CALLER = """p_actor => 'test', p_credential => gen_random_uuid(), p_endpoint => 'test',
    p_address => '10.0.0.1', p_elapsed_us => 1"""
OPEN = f"""SELECT ledger_open(p_type => %(type)s, p_game => %(game)s, p_token_hash => %(token)s, p_mm => 'mm',
    p_amount => %(amount)s, p_currency => 'XAG', p_description => '', p_pending => %(pending)s, {CALLER})"""
SETTLE = f"""SELECT ledger_settle(p_event => %(event)s, p_type => %(type)s, p_game => %(game)s,
    p_token_hash => %(token)s, p_mm => %(mm)s, p_amount => NULL, p_currency => NULL, p_reason => '',
    {CALLER})"""
QUERY = f"""SELECT ledger_query(p_type => %(type)s, p_game => %(game)s, p_token_hash => %(token)s,
    p_mm => %(mm)s, {CALLER.partition(",")[2]})"""
RESOLVE = """SELECT ledger_resolve(p_transaction => %(id)s, p_event => %(event)s, p_source => %(source)s,
    p_actor => 'test', p_reason => '')"""
ADJUST = """SELECT ledger_adjust(p_id => %(act)s, p_player => %(player)s, p_currency => 'XAG',
    p_type => %(type)s, p_amount => %(amount)s, p_into_debt => false,
    p_source => %(source)s, p_actor => 'operator:test',
    p_reason => 'test')"""
GATE = """SELECT ledger_gate(p_player => %(player)s, p_currency => 'XAG', p_event => %(event)s,
    p_limit => %(limit)s, p_actor => 'test', p_note => '')"""
LIMIT = """SELECT ledger_change_limit(p_player => %(player)s, p_currency => 'XAG', p_game => NULL,
    p_kind => %(kind)s, p_period => '', p_set_by => %(by)s, p_act => %(act)s, p_amount => %(amount)s,
    p_profile => %(profile)s, p_actor => 'test', p_reason => '')"""
POST = """SELECT ledger_post(p_player => %(player)s, p_game => %(game)s, p_ids => %(ids)s,
    p_currencies => %(currencies)s, p_types => %(types)s, p_amounts => %(amounts)s, p_reverses => '{NULL}',
    p_reference => NULL, p_description => '', p_source => 'provider', p_actor => 'test', p_reason => '')"""
SET_ASIDE = """SELECT ledger_set_aside(p_id => %(id)s, p_player => %(player)s, p_game => %(game)s,
    p_currency => 'XAG', p_most => %(amount)s, p_reverses => NULL, p_reference => NULL, p_description => '',
    p_source => 'operator', p_actor => 'test')"""
REFUSED = f"""SELECT call_log_refused(p_outcome => %(outcome)s, p_game => %(game)s, p_mm => 'mm',
    {CALLER.partition(",")[2]})"""
PREPARE = "SELECT call_log_prepare_day(%(day)s)"
DROP = "SELECT call_log_drop_before(%(day)s)"
RIGHT: dict[str, dict[str, Any]] = {
    OPEN: {"type": "deposit", "amount": 1, "pending": "72 hours"},
    SETTLE: {"event": "confirmed", "type": "withdrawal"},
    QUERY: {"type": "withdrawal"},
    RESOLVE: {"event": "confirmed", "source": "sweep"},
    ADJUST: {"type": "credit", "amount": 1, "source": "operator"},
    GATE: {"event": "limit_set", "limit": 1},
    LIMIT: {"kind": "single", "by": "player", "act": "set", "amount": 1, "profile": "24h"},
    POST: {"types": ["top_up"], "amounts": [1], "currencies": ["XAG"]},
    SET_ASIDE: {"amount": 1},
    REFUSED: {"outcome": "malformed"},
    PREPARE: {"day": "today"},
    DROP: {"day": "2020-01-01"},
}
NO_TYPES = ["set_aside", "top_up", "credit", "debit", "wallet", "nonsense", "", None]
WRONG: list[tuple[str, str, list[Any]]] = [
    (OPEN, "type", NO_TYPES),
    (OPEN, "amount", [0, -1, 10**17, 2**63 - 1, None]),
    (OPEN, "pending", ["-1 second", None]),
    (SETTLE, "type", NO_TYPES),
    (SETTLE, "event", ["expired", "declined", "opened", "adjusted", "nonsense", None]),
    (QUERY, "type", NO_TYPES),
    (RESOLVE, "event", ["declined", "opened", "posted", "pending", "tombstone", "nonsense", None]),
    (RESOLVE, "source", ["game", "nobody", None]),
    (ADJUST, "type", ["withdrawal", "top_up", "debit", "nonsense", None]),
    (ADJUST, "amount", [0, -1, 2, None]),
    (ADJUST, "source", ["system", "game", "provider", None]),
    (GATE, "event", ["wallet_opened", "debt_repaid", "nonsense", None]),
    (GATE, "limit", [0, -1]),
    (LIMIT, "act", ["remove", "confirm", "freeze", None]),
    (LIMIT, "amount", [0, -1, 10**17, None]),
    (LIMIT, "by", ["operator", "game", None]),
    (LIMIT, "profile", ["1h", None]),
    (POST, "types", [["withdrawal"], ["credit"], ["set_aside"], ["nonsense"], [None], []]),
    (POST, "amounts", [[-1], [0], [None], [], [1, 1]]),
    (POST, "currencies", [[None], [], ["XAG", "XAG"]]),
    (SET_ASIDE, "amount", [-1, None]),
    (REFUSED, "outcome", ["opened", "confirmed", "nonsense", None]),
    (PREPARE, "day", ["2020-01-01", "9999-01-01", None]),
    (DROP, "day", ["9999-01-01", "tomorrow", "today", None]),
]
CASES = [(statement, name, value) for statement, name, values in WRONG for value in values]


def call(statement: str, parameters: dict[str, Any]) -> None:
    """As the application's role; nothing of it stays."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def held(callers: Callers) -> PlayerSession:
    return callers.player_session()


@pytest.fixture(scope="module")
def given(held: PlayerSession) -> dict[str, Any]:
    """What every call is given besides."""
    mm = held.opened("withdraw", "1.00")
    return {
        "player": held.player.pk,
        "game": held.game.pk,
        "token": token_hash(UUID(held.token)),
        "mm": mm,
        "id": held.transaction(mm).pk,
        "ids": [new_id()],
        "act": act(new_id(), held.player, "credit", 1),
    }


@pytest.mark.parametrize("statement", RIGHT)
def test_functions__take_what_operations_ask(given: dict[str, Any], statement: str) -> None:
    own = {"id": new_id()} if statement == SET_ASIDE else {}
    call(statement, given | RIGHT[statement] | own)


@pytest.mark.parametrize(("statement", "name", "value"), CASES)
def test_functions__refuse_what_no_operation_asks(
    given: dict[str, Any], held: PlayerSession, statement: str, name: str, value: object
) -> None:
    before = held.holding()
    with pytest.raises(DataError, match=" takes no "):
        call(statement, given | RIGHT[statement] | {name: value})
    assert (held.holding(), problems_of(held.player)) == (before, [])


@pytest.mark.parametrize("event", ["frozen", "unfrozen"])
def test_gate__takes_a_limit_only_to_set_it(given: dict[str, Any], event: str) -> None:
    with pytest.raises(DataError, match="takes no limit"):
        call(GATE, given | {"event": event, "limit": 5})


def test_call_log__recent_days_cannot_be_dropped(given: dict[str, Any], settings: Any) -> None:
    """The setting counts as it was at the last migrate: whoever has the application cannot shorten it."""
    settings.CALL_LOG_DAYS = 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT (wallet_now() AT TIME ZONE 'UTC')::date - 89")
        [day] = cursor.fetchone()
    with pytest.raises(DataError, match="90 days are kept"):
        call(DROP, given | {"day": day})

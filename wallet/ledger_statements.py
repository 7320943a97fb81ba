"""The statements by which `wallet/ledger.py` calls the functions of `wallet/sql`, with named arguments."""

import re
from functools import cache

from django.conf import settings

CALLED = re.compile(r"(?:SELECT|FROM) +(\w+)\(")
ANSWER = "SELECT outcome, transaction_id::text, balance, currency_code FROM "
# Who called, for the call log.
CALLER = """
    p_game => %(game)s, p_credential => %(credential)s, p_endpoint => %(endpoint)s,
    p_address => %(address)s::inet, p_elapsed_us => %(elapsed_us)s
"""
# By this Citus sends the call to the machine that has the player (docs/scaling.md).
PLACE = ", p_player => %(player)s" if settings.DATABASE_DISTRIBUTED else ""
AND_PLACE = "AND session.player_id = %(player)s" if settings.DATABASE_DISTRIBUTED else ""

OPEN = f"""{ANSWER} ledger_open(
    p_type => %(type)s, p_token_hash => %(token_hash)s, p_mm => %(mm)s, p_amount => %(amount)s,
    p_currency => %(currency)s, p_description => %(description)s, p_pending => %(pending)s,
    p_actor => %(actor)s, {CALLER}{PLACE}
)"""
SETTLE = f"""{ANSWER} ledger_settle(
    p_event => %(event)s, p_type => %(type)s, p_token_hash => %(token_hash)s, p_mm => %(mm)s,
    p_amount => %(amount)s, p_currency => %(currency)s, p_reason => %(reason)s, p_actor => %(actor)s,
    {CALLER}{PLACE}
)"""
ANSWERS = "SELECT place, outcome, transaction_id::text, balance, currency_code FROM "
# Openings before settlements; parameters by wallet/call_batches.py.
MANY = f"""
    {ANSWERS} ledger_open_many(%(openings)s::jsonb, %(waits)s)
    UNION ALL
    {ANSWERS} ledger_settle_many(%(settlings)s::jsonb, %(waits)s)
"""
VIEW = "SELECT outcome, transaction_id::text, state, amount, currency_code, opened_at, settled_at FROM "
QUERY = f"""{VIEW} ledger_query(
    p_type => %(type)s, p_token_hash => %(token_hash)s, p_mm => %(mm)s, {CALLER}{PLACE}
)"""
LOG_REFUSED = f"SELECT call_log_refused(p_outcome => %(outcome)s, p_mm => %(mm)s, {CALLER})"
RESOLVE = f"""{ANSWER} ledger_resolve(
    p_transaction => %(transaction)s, p_event => %(event)s, p_source => %(source)s, p_actor => %(actor)s,
    p_reason => %(reason)s
)"""
EXPIRE = """SELECT ledger_expire(
    p_transactions => %(transactions)s, p_actor => %(actor)s, p_reason => %(reason)s
)"""
OPEN_WALLET = """SELECT ledger_open_wallet(
    p_player => %(player)s, p_currency => %(currency)s, p_actor => %(actor)s
)"""
LOCK_WALLET = "SELECT ledger_lock_wallet(p_player => %(player)s, p_currency => %(currency)s)"
ADJUST = f"""{ANSWER} ledger_adjust(
    p_id => %(id)s, p_player => %(player)s, p_currency => %(currency)s, p_type => %(type)s,
    p_amount => %(amount)s, p_into_debt => %(into_debt)s, p_source => %(source)s,
    p_actor => %(actor)s, p_reason => %(reason)s
)"""
CORRECT = f"""{ANSWER} ledger_correct(
    p_id => %(id)s, p_discrepancy => %(discrepancy)s, p_actor => %(actor)s, p_reason => %(reason)s
)"""
GATE = f"""{ANSWER} ledger_gate(
    p_player => %(player)s, p_currency => %(currency)s, p_event => %(event)s, p_limit => %(limit)s,
    p_actor => %(actor)s, p_note => %(note)s, p_is_approved => %(is_approved)s
)"""
CHANGE_LIMIT = """SELECT ledger_change_limit(
    p_player => %(player)s, p_currency => %(currency)s, p_game => %(game)s, p_kind => %(kind)s,
    p_period => %(period)s, p_set_by => %(set_by)s, p_act => %(act)s, p_amount => %(amount)s,
    p_profile => %(profile)s, p_actor => %(actor)s, p_reason => %(reason)s, p_is_approved => %(is_approved)s
)"""
LIMITS = "SELECT * FROM ledger_limits(p_player => %(player)s, p_currency => %(currency)s)"
POST = """SELECT ledger_post(
    p_player => %(player)s, p_game => %(game)s, p_ids => %(ids)s, p_currencies => %(currencies)s,
    p_types => %(types)s, p_amounts => %(amounts)s, p_reverses => %(reverses)s, p_reference => %(reference)s,
    p_description => %(description)s, p_source => %(source)s, p_actor => %(actor)s, p_reason => %(reason)s
)"""
SET_ASIDE = """SELECT ledger_set_aside(
    p_id => %(id)s, p_player => %(player)s, p_game => %(game)s, p_currency => %(currency)s,
    p_most => %(most)s, p_reverses => %(reverses)s, p_reference => %(reference)s,
    p_description => %(description)s, p_source => %(source)s, p_actor => %(actor)s
)"""
SESSION = f"""
    SELECT session.ended_at IS NULL AND session.expires_at > wallet_now(),
        player.uid, player.nickname, player.country, session.language, wallet.spendable, wallet.currency_id
    FROM players_gamesession session
    JOIN players_player player ON player.id = session.player_id
    JOIN wallet_wallet wallet
        ON wallet.player_id = session.player_id AND wallet.currency_id = session.currency_code
    WHERE session.token_hash = %(token_hash)s AND session.game_id = %(game)s
        {AND_PLACE}
"""  # noqa: S608 (our own constants)
PLAYER = "SELECT player_id FROM players_gamesession WHERE token_hash = %(token_hash)s"


@cache
def name_of(statement: str) -> str:
    """What a statement is called in traces: the function that it calls; SESSION calls none."""
    found = CALLED.search(statement)
    return found[1] if found else "session"

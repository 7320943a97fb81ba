"""Ways to falsify a ledger: statements of a superuser, and histories whose hashes all fit."""

from uuid import uuid4

from tests.support.history_forger import Step

SETTLED = "settled_at = opened_at, settled_source = 'game', settled_actor = actor"
UNSETTLED = "settled_at = NULL, settled_seq = NULL"
FORGERIES = {
    "a pending one is settled by its own opening entry": f"""
        UPDATE wallet_transaction SET state = 'confirmed', settled_seq = opened_seq, {SETTLED}
            WHERE state = 'pending'""",
    "a pending one is settled by the entry of another": f"""
        UPDATE wallet_transaction t SET state = 'confirmed', {SETTLED},
            settled_seq = (SELECT min(settled_seq) FROM wallet_transaction o
                WHERE o.wallet_id = t.wallet_id AND o.state = 'confirmed')
        WHERE state = 'pending'""",
    "a pending one is settled by no entry": (
        f"UPDATE wallet_transaction SET state = 'rolled_back', {SETTLED} WHERE state = 'pending'"
    ),
    "a pending one is declined": """
        UPDATE wallet_transaction SET state = 'declined', refusal = 'limit_reached', due_at = NULL,
            settled_at = opened_at WHERE state = 'pending'""",
    "a confirmed one is pending again": f"""
        UPDATE wallet_transaction SET state = 'pending', {UNSETTLED}, settled_source = '', settled_actor = '',
            reason = ''
        WHERE state = 'confirmed' AND type IN ('withdrawal', 'deposit')""",
    "a confirmed one was rolled back": (
        "UPDATE wallet_transaction SET state = 'rolled_back' WHERE state = 'confirmed' AND type = "
        "'withdrawal'"
    ),
    "an expired one was rolled back": (
        "UPDATE wallet_transaction SET state = 'rolled_back' WHERE state = 'expired'"
    ),
    "a refusal is withdrawn": """
        UPDATE wallet_transaction SET state = 'pending', refusal = '', settled_at = NULL,
            due_at = opened_at WHERE state = 'declined'""",
    "a refusal has another cause": (
        "UPDATE wallet_transaction SET refusal = 'limit_reached' WHERE refusal = 'insufficient_funds'"
    ),
    "a tombstone is an opening": (
        f"UPDATE wallet_transaction SET state = 'pending', amount = 1, {UNSETTLED}, due_at = opened_at "
        "WHERE amount IS NULL"
    ),
    "a tombstone is of another deposit": """
        UPDATE wallet_transaction SET mm_transaction_id = 'forged', type = 'deposit' WHERE amount IS NULL
            AND type = 'withdrawal'""",
    "a sweep's settlement was the game's": (
        "UPDATE wallet_transaction SET settled_source = 'game' WHERE settled_source = 'sweep'"
    ),
    "an operator's settlement has another reason": """
        UPDATE wallet_transaction SET reason = 'forged' WHERE settled_source = 'operator'
            AND type = 'withdrawal'""",
    "a transaction has another id, here and there": """
        WITH t AS (UPDATE wallet_transaction SET id = gen_random_uuid() WHERE state = 'expired' RETURNING id,
            wallet_id, opened_seq, settled_seq)
        UPDATE wallet_entry e SET transaction_id = t.id FROM t WHERE e.wallet_id = t.wallet_id
            AND e.seq IN (t.opened_seq, t.settled_seq)""",
    "the balance is more, in the row and in the last entry": """
        WITH w AS (UPDATE wallet_wallet SET spendable = spendable + 100 RETURNING id, entry_count)
        UPDATE wallet_entry e SET spendable = spendable + 100 FROM w WHERE e.wallet_id = w.id
            AND e.seq = w.entry_count""",
    "the first credit is more, everywhere": """
        WITH t AS (UPDATE wallet_transaction SET amount = amount + 1 WHERE type = 'credit'
            AND opened_seq = 2 RETURNING id),
            w AS (UPDATE wallet_wallet SET spendable = spendable + 1)
        UPDATE wallet_entry e
        SET amount = amount + (seq = 2)::int, spendable = spendable + 1 WHERE seq > 1""",
    "every entry is of another format": "UPDATE wallet_entry SET version = 3 - version",
    "every hash is nothing": "UPDATE wallet_entry SET hash = decode(repeat('00', 32), 'hex')",
    "nothing ever happened": "DELETE FROM wallet_entry",
}


def transaction_of(steps: list[Step], state: str, type: str = "withdrawal") -> str:
    """The first transaction that ended so."""
    return next(t.id for e, t in steps if t and (t.state, t.type, e.event) == (state, type, "opened"))


def richer(steps: list[Step]) -> list[Step]:
    """The first credit was larger."""
    (e, t), first = steps[1], steps[0]
    assert t
    return [
        first,
        (e._replace(amount=(e.amount or 0) + 7), t._replace(amount=(t.amount or 0) + 7)),
        *steps[2:],
    ]


def never_withdrawn(steps: list[Step]) -> list[Step]:
    """A confirmed withdrawal never was."""
    gone = transaction_of(steps, "confirmed")
    return [step for step in steps if not (step[1] and step[1].id == gone)]


def another_description(steps: list[Step]) -> list[Step]:
    changed = transaction_of(steps, "pending")
    return [(e, t._replace(description="another pack") if t and t.id == changed else t) for e, t in steps]


def later(steps: list[Step]) -> list[Step]:
    """The last entry was written a moment later."""
    (e, t) = steps[-1]
    return [*steps[:-1], (e._replace(at=e.at + 1), t)]


def in_another_order(steps: list[Step]) -> list[Step]:
    """A tombstone and the refusal before it change places."""
    place = next(place for place, (e, _) in enumerate(steps) if e.event == "tombstone")
    return [*steps[:place], steps[place + 1], steps[place], *steps[place + 2 :]]


def without_the_last(steps: list[Step]) -> list[Step]:
    """The last freeze never was: the tail is cut, and all else fits."""
    return steps[:-1]


def one_more_credit(steps: list[Step]) -> list[Step]:
    """A credit is put in, right after the first one."""
    e, t = steps[1]
    assert t
    fresh = str(uuid4())
    return [*steps[:2], (e._replace(transaction_id=fresh), t._replace(id=fresh)), *steps[2:]]


def with_another_actor(steps: list[Step]) -> list[Step]:
    """Somebody else opened the wallet."""
    e, t = steps[0]
    return [(e._replace(actor="nobody"), t), *steps[1:]]


REWRITES = [
    richer,
    never_withdrawn,
    another_description,
    later,
    in_another_order,
    without_the_last,
    one_more_credit,
    with_another_actor,
]

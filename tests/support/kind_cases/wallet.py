"""Acts on wallets, limits, due transactions, alerts, payout limits and approval rules."""

from functools import partial
from typing import Any

from lib.clock import in_words
from players.approvals.kinds import KINDS
from players.models import ApprovalRule
from tests.support.admin_pages import alert, doubted
from tests.support.callers import PlayerSession, make_party
from tests.support.kind_cases.case import Case, Draw, Others, Words, configured
from tests.support.limits import change, limit
from tests.support.owned import owned
from wallet.alerts import resolve_alert
from wallet.approvals.adjustment import AdjustmentPayload
from wallet.approvals.alerts import DifferencePayload
from wallet.approvals.approval_rules import RULE_CHANGE, RULE_REMOVAL, RemovalPayload
from wallet.approvals.discrepancies import CorrectionPayload
from wallet.approvals.gates import UnfreezingPayload
from wallet.approvals.limits import LooseningPayload, find_limit, named
from wallet.approvals.payout_limits import PAYOUT_LIMIT_CHANGE
from wallet.approvals.settlement import SettlementPayload
from wallet.approvals.write_off import WriteOffPayload
from wallet.currencies import show_amount
from wallet.discrepancies import close_discrepancy
from wallet.limit_words import bound
from wallet.models import Alert, Discrepancy, PayoutLimit, Wallet
from wallet.operations import freeze_wallet, unfreeze_wallet

CURRENCY = "XAG"


def session_in_some_state(draw: Draw) -> PlayerSession:
    """A new player's wallet as calls can leave it."""
    player_session = draw.callers.player_session(0)
    held, owed, reserved = draw.number(0, 300_00), draw.number(0, 300_00), draw.number(0, 100_00)
    if held + reserved:
        player_session.adjust("credit", held + reserved)
    if reserved:
        player_session.opened("withdraw", major(reserved))
    if owed:
        player_session.adjust("debit", held + owed, into_debt=True)
    return player_session


def major(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def figures(player_session: PlayerSession, *names: str) -> Words:
    holds = player_session.holding()
    return {name.capitalize(): show_amount(getattr(holds, name), CURRENCY) for name in names}


def adjustment(draw: Draw) -> Case:
    player_session = session_in_some_state(draw)
    payload = AdjustmentPayload(
        player_session.player.pk, CURRENCY, draw.one("credit", "debit"), draw.number(1, 500_00)
    )
    others: Others = [
        partial(player_session.adjust, "credit", draw.number(1, 50_00)),
        partial(player_session.adjust, "debit", draw.number(1, 400_00), into_debt=True),
    ]
    return Case(payload, partial(figures, player_session, "spendable", "reserved", "debt"), others)


def write_off(draw: Draw) -> Case:
    player_session = session_in_some_state(draw)
    payload = WriteOffPayload(player_session.player.pk, CURRENCY, draw.number(1, 320_00))
    others: Others = [
        partial(player_session.adjust, "credit", draw.number(1, 50_00)),
        partial(player_session.adjust, "debit", 400_00, into_debt=True),
    ]
    return Case(payload, partial(figures, player_session, "spendable", "reserved", "debt"), others)


def settlement(draw: Draw) -> Case:
    player_session = session_in_some_state(draw)
    type, amount = draw.one("withdrawal", "deposit"), draw.number(1, 100_00)
    if type == "withdrawal":
        player_session.adjust("credit", 500_00)
    mm = player_session.opened("withdraw" if type == "withdrawal" else "deposit", major(amount))
    event = draw.one("confirmed", "rolled_back")
    payload = (
        SettlementPayload(doubted(player_session, mm, type).pk, event)
        if draw.one(True, False)
        else SettlementPayload(None, event, player_session.transaction(mm, type).pk)
    )
    others: Others = [
        partial(player_session.adjust, "credit", draw.number(1, 50_00)),
        partial(player_session.resolve, mm, "expired", type),
    ]
    names = ("spendable", "reserved", "announced", "debt")
    return Case(payload, partial(figures, player_session, *names), others)


def correction(draw: Draw) -> Case:
    player_session = session_in_some_state(draw)
    type, amount = draw.one("withdrawal", "deposit"), draw.number(1, 300_00)
    if type == "withdrawal":
        player_session.adjust("credit", 500_00)
    mm = player_session.opened("withdraw" if type == "withdrawal" else "deposit", major(amount))
    ended = draw.one("confirmed", "rolled_back", "expired")
    player_session.resolve(mm, ended, type)
    spent = draw.number(0, player_session.holding().spendable)
    if spent:
        player_session.adjust("debit", spent)
    word = "rollback" if ended == "confirmed" else "confirm"
    player_session.call(f"{word}{'Withdrawal' if type == 'withdrawal' else 'Deposit'}", mm)
    row = Discrepancy.objects.get(player=player_session.player)

    def shows() -> Words:
        is_open = Discrepancy.objects.get(pk=row.pk).closed_at is None
        words = {"Discrepancy": "open" if is_open else "closed"}
        return figures(player_session, "spendable", "reserved", "debt") | words

    others: Others = [
        partial(player_session.adjust, "credit", draw.number(1, 50_00)),
        partial(player_session.adjust, "debit", draw.number(1, 400_00), into_debt=True),
        partial(close_discrepancy, row, actor="operator:other", reason="r"),
    ]
    return Case(CorrectionPayload(row.pk), shows, others)


def unfreezing(draw: Draw) -> Case:
    player_session = session_in_some_state(draw)
    player_session.adjust("credit", 1)
    wallet = player_session.wallet()
    freeze_wallet(wallet, actor="test", reason="test")

    def shows() -> Words:
        at = Wallet.objects.get(pk=wallet.pk).frozen_at
        return {"Withdrawals": f"frozen since {in_words(at)}" if at else "allowed"}

    others: Others = [
        partial(unfreeze_wallet, wallet, actor="other", reason="r"),
        # More than is owed.
        partial(player_session.adjust, "credit", 500_00),
    ]
    return Case(UnfreezingPayload(player_session.player.pk, CURRENCY), shows, others)


def acceptance(draw: Draw) -> Case:
    row = alert(draw.one(*Alert.CRITICAL), text=draw.text(200))

    def shows() -> Words:
        return {"Alert": "resolved" if Alert.objects.get(pk=row.pk).resolved_at else "open"}

    others: Others = [
        partial(resolve_alert, row, actor="other", reason="r"),
        # The audit looks again and finds more.
        partial(Alert.objects.filter(pk=row.pk).update, text="It is worse by now."),
    ]
    return Case(DifferencePayload(row.pk), shows, others)


def limit_loosening(draw: Draw) -> Case:
    player_session = draw.callers.player_session(0)
    kind, period = draw.one(("spend", "day"), ("loss", "rolling"), ("single", ""), ("time", "day"))
    game = draw.one(None, player_session.game)
    amount = draw.number(2, 400)
    set_by_operator = partial(change, player_session, kind, period, "set", game=game, set_by="operator")
    assert set_by_operator(amount) == "set"
    if draw.one(True, False):
        limit(player_session, kind, period, 300, game=game)
    payload = LooseningPayload(
        player_session.player.pk,
        CURRENCY,
        kind,
        period,
        game.pk if game else None,
        draw.one(None, draw.number(1, 1440)),
    )

    def shows() -> Words:
        standing = find_limit(player_session.wallet(), payload, "operator")
        return {str(named(payload)): str(bound(standing.amount if standing else None, kind, CURRENCY))}

    by_two: Any = {"game": game, "set_by": "operator", "is_approved": True}
    others: Others = [
        partial(set_by_operator, draw.number(1, amount - 1)),
        partial(change, player_session, kind, period, "set", 299, game=game),
        partial(change, player_session, kind, period, "remove", **by_two),
    ]
    return Case(payload, shows, others)


def payout_limit(draw: Draw) -> Case:
    is_new, game = draw.one(True, False), make_party().game
    amounts = [draw.one(None, 1, 5_00, 10**9) for _ in range(4)]
    row = PayoutLimit(game=game, currency_id=CURRENCY, largest_deposit=amounts[0], daily_payout=amounts[1])
    if not is_new:
        row.save()
    after = {
        **PAYOUT_LIMIT_CHANGE.values(row),
        "largest_deposit": amounts[2] and [amounts[2], CURRENCY],
        "daily_payout": amounts[3] and [amounts[3], CURRENCY],
    }
    others: Others = (
        [partial(PayoutLimit.objects.create, game=game, currency_id=CURRENCY)]
        if is_new
        else [partial(PayoutLimit.objects.filter(pk=row.pk).update, largest_deposit=77, daily_payout=77)]
    )
    return configured(PAYOUT_LIMIT_CHANGE, row, after, *others, is_new=is_new)


def some_rule(draw: Draw, kind: str) -> ApprovalRule:
    """A rule that is not saved, of a kind that moves money and a currency that nobody uses here."""
    owned(ApprovalRule).filter(kind=kind).delete()
    up_to = draw.number(0, 500)
    return ApprovalRule(
        kind=kind,
        currency_code="BHD",
        alone_up_to=up_to,
        alone_per_day=up_to + draw.number(0, 500) if up_to else 0,
        hours=draw.number(1, 720),
    )


def rule_change(draw: Draw) -> Case:
    is_new, kind = draw.one(True, False), draw.one(*(k.name for k in KINDS.values() if k.moves_money))
    row = some_rule(draw, kind)
    if not is_new:
        row.save()
    wanted = some_values(draw, kind)
    if is_new:
        others: Others = [partial(ApprovalRule.objects.create, kind=kind, currency_code="BHD", hours=9)]
    else:
        rows = ApprovalRule.objects.filter(pk=row.pk)
        others = [
            partial(rows.update, alone_up_to=777, alone_per_day=778, hours=719),
            rows.delete,
        ]
    return configured(RULE_CHANGE, row, wanted, *others, is_new=is_new)


def some_values(draw: Draw, kind: str) -> dict[str, Any]:
    up_to = draw.number(0, 500)
    return RULE_CHANGE.values(
        ApprovalRule(
            kind=kind,
            currency_code="BHD",
            alone_up_to=up_to,
            alone_per_day=up_to and up_to + draw.number(0, 200),
            hours=draw.number(1, 700),
        )
    )


def rule_removal(draw: Draw) -> Case:
    row = some_rule(draw, draw.one("adjust_balance", "refund_order"))
    row.save()
    if draw.one(True, False):
        ApprovalRule.objects.create(kind=row.kind, hours=draw.number(1, 720))
    labels = {RULE_CHANGE.label(name): name for name in ("alone_up_to", "alone_per_day", "hours")}

    def shows() -> Words:
        found = ApprovalRule.objects.filter(pk=row.pk).first() or RULE_REMOVAL.without(row)
        values = RULE_CHANGE.values(found)
        return {label: RULE_CHANGE.words(name, values) for label, name in labels.items()}

    rows = ApprovalRule.objects.filter(pk=row.pk)
    hours = row.hours % 720 + 1
    others: Others = [rows.delete, partial(rows.update, hours=hours, alone_up_to=501, alone_per_day=5_000)]
    return Case(RemovalPayload(row.pk, row.kind, row.currency_code), shows, others)


CASES = {
    "adjust_balance": adjustment,
    "write_off_debt": write_off,
    "settle_transaction": settlement,
    "settle_discrepancy": correction,
    "unfreeze_wallet": unfreezing,
    "accept_difference": acceptance,
    "change_payout_limit": payout_limit,
    "loosen_limit": limit_loosening,
    "change_approval_rule": rule_change,
    "remove_approval_rule": rule_removal,
}

"""An operator writes off what a player owes."""

from uuid import UUID

import msgspec

from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from players.models import Player
from wallet.approvals.adjustment import IRREVERSIBLE, locked_wallet, unchanged
from wallet.currencies import show_amount
from wallet.operations import adjust_wallet
from wallet.outcomes import LedgerRefused

TOO_MUCH = "The player does not owe as much as that."
GIVEN_AGAIN = (
    "If the player's payment is kept after all, such as by a chargeback that is reversed, "
    "its credit is given again in full."
)


class WriteOffPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` in minor units."""

    player_id: UUID
    currency: str
    amount: int


class WriteOff(Kind[WriteOffPayload]):
    """Takes debt away, whole or in part; the transaction has the id of the request."""

    name, title, permission = "write_off_debt", "write-off of debt", "wallet.adjust_balance"
    about, payload = "wallet.wallet", WriteOffPayload
    moves_money = True

    def describe(self, payload: WriteOffPayload) -> str:
        uid = Player.objects.values_list("uid", flat=True).get(pk=payload.player_id)
        return f"Write off {show_amount(payload.amount, payload.currency)} of the debt of {uid}"

    def preview(self, payload: WriteOffPayload) -> Preview:
        wallet, code = locked_wallet(payload.player_id, payload.currency), payload.currency
        if payload.amount > wallet.debt:
            raise NotExecutable(TOO_MUCH)
        left = wallet.debt - payload.amount
        changes = [
            unchanged("Spendable", wallet.spendable, code),
            unchanged("Reserved", wallet.reserved, code),
            Change("Debt", show_amount(wallet.debt, code), show_amount(left, code)),
        ]
        uid, amount = wallet.player.uid, payload.amount
        says = [f"{uid} owes {show_amount(amount, code)} less. What is spendable stays."]
        subject = subject_of(wallet, f"{code} wallet of {uid}")
        return Preview(subject, changes, [*says, GIVEN_AGAIN, IRREVERSIBLE], amount, code)

    def execute(self, payload: WriteOffPayload, execution: Execution) -> str:
        try:
            adjust_wallet(
                Player.objects.get(pk=payload.player_id),
                payload.currency,
                type="write_off",
                amount=payload.amount,
                transaction_id=execution.id,
                operator=execution.requester,
                reason=execution.reason,
            )
        except LedgerRefused as refused:
            raise NotExecutable(
                TOO_MUCH if refused.outcome == "more_than_debt" else refused.outcome
            ) from refused
        left = locked_wallet(payload.player_id, payload.currency).debt
        code = payload.currency
        return f"{show_amount(payload.amount, code)} written off; debt after it: {show_amount(left, code)}."


WRITE_OFF = WriteOff()

"""An operator writes off what a player owes."""

from uuid import UUID

import msgspec

from lib.backoffice.languages import _, format_lazy
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from players.models import Player
from wallet.approvals.adjustment import IRREVERSIBLE, locked_wallet, unchanged
from wallet.currencies import show_amount
from wallet.operations import adjust_wallet
from wallet.outcomes import LedgerRefused

TOO_MUCH = _("The player does not owe as much as that.")
GIVEN_AGAIN = _(
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

    name, title, permission = "write_off_debt", _("write-off of debt"), "wallet.adjust_balance"
    about, payload = "wallet.wallet", WriteOffPayload
    moves_money = True

    def describe(self, payload: WriteOffPayload) -> str:
        uid = Player.objects.values_list("uid", flat=True).get(pk=payload.player_id)
        amount = show_amount(payload.amount, payload.currency)
        return format_lazy(_("Write off {amount} of the debt of {uid}"), amount=amount, uid=uid)

    def preview(self, payload: WriteOffPayload) -> Preview:
        wallet, code = locked_wallet(payload.player_id, payload.currency), payload.currency
        if payload.amount > wallet.debt:
            raise NotExecutable(TOO_MUCH)
        left = wallet.debt - payload.amount
        changes = [
            unchanged(_("Spendable"), wallet.spendable, code),
            unchanged(_("Reserved"), wallet.reserved, code),
            Change(_("Debt"), show_amount(wallet.debt, code), show_amount(left, code)),
        ]
        uid, amount = wallet.player.uid, payload.amount
        words = _("{uid} owes {amount} less. What is spendable stays.")
        says = [format_lazy(words, uid=uid, amount=show_amount(amount, code))]
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
        words = _("{amount} written off; debt after it: {left}.")
        return format_lazy(words, amount=show_amount(payload.amount, code), left=show_amount(left, code))


WRITE_OFF = WriteOff()

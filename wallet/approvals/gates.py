"""Withdrawals from a frozen wallet are allowed again."""

from uuid import UUID

import msgspec

from lib.backoffice.languages import _, format_lazy
from lib.clock import in_words
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from wallet.approvals.adjustment import locked_wallet
from wallet.currencies import show_amount
from wallet.models import Wallet
from wallet.operations import unfreeze_wallet


class UnfreezingPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    player_id: UUID
    currency: str


class Unfreezing(Kind[UnfreezingPayload]):
    """Freezing stays one person's act; lifting it is not."""

    name, title, permission = "unfreeze_wallet", _("lifting of a freeze"), "wallet.freeze_wallet"
    about, payload = "wallet.wallet", UnfreezingPayload

    def describe(self, payload: UnfreezingPayload) -> str:
        rows = Wallet.objects.select_related("player")
        wallet = rows.get(player=payload.player_id, currency=payload.currency)
        words = _("Unfreeze the {code} wallet of {uid}")
        return format_lazy(words, code=wallet.currency_id, uid=wallet.player.uid)

    def preview(self, payload: UnfreezingPayload) -> Preview:
        wallet = locked_wallet(payload.player_id, payload.currency)
        if wallet.frozen_at is None:
            raise NotExecutable(_("Withdrawals are not frozen."))
        says = [
            _("New withdrawals from this wallet are allowed again."),
            format_lazy(_("Spendable: {amount}."), amount=show_amount(wallet.spendable, wallet.currency_id)),
        ]
        frozen = format_lazy(_("frozen since {moment}"), moment=in_words(wallet.frozen_at))
        change = Change(_("Withdrawals"), frozen, _("allowed"))
        name = f"{wallet.currency_id} wallet of {wallet.player.uid}"
        return Preview(subject_of(wallet, name), [change], says)

    def execute(self, payload: UnfreezingPayload, execution: Execution) -> str:
        wallet = locked_wallet(payload.player_id, payload.currency)
        unfreeze_wallet(wallet, actor=execution.actor, reason=execution.reason)
        return _("Withdrawals are allowed again.")


UNFREEZING = Unfreezing()

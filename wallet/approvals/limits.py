"""A limit of the operators is raised or removed."""

from uuid import UUID

import msgspec

from lib.backoffice.languages import _, format_lazy
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from players.models import Game, Player
from wallet.approvals.adjustment import locked_wallet
from wallet.limit_words import bound, bounded
from wallet.limits import Limit, LimitName, SetBy, change_limit, is_looser, limits_of
from wallet.models import Wallet

GONE = _("There is no such limit any more.")
NOT_LOOSER = _("It is {bound} now: what is not looser takes one person, and is set at once.")


class LooseningPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which limit of the operators, of all games if it has no `game_id`, and what it is to be.

    `amount` is in minor units, or in minutes of time; None removes it.
    """

    player_id: UUID
    currency: str
    kind: str
    period: str
    game_id: UUID | None
    amount: int | None


class LimitLoosening(Kind[LooseningPayload]):
    """To limit a player is one person's act; to loosen that again is not."""

    name, title, permission = "loosen_limit", _("loosening of a limit"), "wallet.limit_wallet"
    about, payload = "wallet.wallet", LooseningPayload

    def describe(self, payload: LooseningPayload) -> str:
        uid = Player.objects.values_list("uid", flat=True).get(pk=payload.player_id)
        words = _("Raise a limit of {uid} in {code} to {after}: {what}")
        if payload.amount is None:
            words = _("Remove a limit of {uid} in {code}: {what}")
        after = bound(payload.amount, payload.kind, payload.currency)
        return format_lazy(words, uid=uid, code=payload.currency, after=after, what=named(payload))

    def preview(self, payload: LooseningPayload) -> Preview:
        wallet, code = locked_wallet(payload.player_id, payload.currency), payload.currency
        limit = find_limit(wallet, payload, SetBy.OPERATOR)
        if limit is None or limit.amount is None:
            raise NotExecutable(GONE)
        before = bound(limit.amount, limit.kind, code)
        if not is_looser(limit.amount, payload.amount):
            raise NotExecutable(format_lazy(NOT_LOOSER, bound=before))
        change = Change(named(payload), before, bound(payload.amount, limit.kind, code))
        subject = subject_of(wallet, f"{code} wallet of {wallet.player.uid}")
        return Preview(subject, [change], [_("It counts at once."), *self.beside(wallet, payload)])

    def beside(self, wallet: Wallet, payload: LooseningPayload) -> list[str]:
        """What the player's own limit of the same kind is, which stays."""
        own = find_limit(wallet, payload, SetBy.PLAYER)
        if own is None:
            return []
        words = _("The player's own limit stays: {bound}.")
        return [format_lazy(words, bound=bound(own.amount, own.kind, payload.currency))]

    def execute(self, payload: LooseningPayload, execution: Execution) -> str:
        game = Game.objects.get(pk=payload.game_id) if payload.game_id else None
        change_limit(
            Player.objects.get(pk=payload.player_id),
            payload.currency,
            LimitName(payload.kind, payload.period, game, SetBy.OPERATOR),
            act="remove" if payload.amount is None else "set",
            amount=payload.amount,
            actor=execution.actor,
            reason=execution.reason,
            is_approved=True,
        )
        after = bound(payload.amount, payload.kind, payload.currency)
        return format_lazy(_("From now on: {after} ({what})."), after=after, what=named(payload))


LOOSENING = LimitLoosening()


def named(payload: LooseningPayload) -> str:
    """What the limit bounds."""
    slug = Game.objects.values_list("slug", flat=True).get(pk=payload.game_id) if payload.game_id else None
    return bounded(payload.kind, payload.period, slug)


def find_limit(wallet: Wallet, payload: LooseningPayload, set_by: str) -> Limit | None:
    """A wallet's limit of that name as it stands; None if there is none."""
    wanted = (payload.kind, payload.period, payload.game_id, set_by)
    for limit in limits_of(wallet):
        if (limit.kind, limit.period, limit.game_id, limit.set_by) == wanted:
            return limit
    return None

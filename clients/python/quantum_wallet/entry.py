"""The client for the platform's web front, for code that waits in threads."""

from quantum_wallet import operations, shapes
from quantum_wallet.caller import Caller


class EntryClient(Caller):
    """The entry API, with a credential of the platform; raises as `WalletClient` does."""

    def put_player(self, uid: str, about: shapes.PutPlayerRequest) -> shapes.PlayerAnswer:
        """Makes or changes a player; what is None stays as it is."""
        return self.make(operations.player(uid, about), self.settings.asking)

    def launch(self, asked: shapes.LaunchRequest) -> shapes.LaunchAnswer:
        """Starts a session of a player in a game. A repetition starts another one, which ends by itself."""
        return self.make(operations.launch(asked), self.settings.asking)

    def end_session(self, token: str) -> shapes.EmptyAnswer:
        """Ends a session."""
        return self.make(operations.session_end(token), self.settings.asking)

    def balance(self, uid: str, currency: str) -> shapes.HoldingsAnswer:
        """What a player has in one currency."""
        return self.make(operations.holdings(uid, currency), self.settings.asking)

    def statement(self, asked: shapes.StatementRequest) -> shapes.StatementAnswer:
        """What changed a player's spendable balance, newest first."""
        return self.make(operations.statement(asked), self.settings.asking)

    def events(self, after: str | None = None, limit: int = 1000) -> shapes.EventsAnswer:
        """What happened after the `next` of an earlier answer; without it, all that is kept.

        Store `next` in one transaction with what the events change: each then counts once.
        """
        return self.make(operations.events(after, limit), self.settings.asking)

    def limits(self, asked: shapes.LimitsRequest) -> shapes.LimitsAnswer:
        """A player's limits in one currency, after the change that is asked for, if any."""
        return self.make(operations.limits(asked), self.settings.asking)

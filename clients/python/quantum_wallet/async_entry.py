"""The client for the platform's web front, for code that runs in an event loop."""

from quantum_wallet import operations, shapes
from quantum_wallet.async_caller import AsyncCaller


class AsyncEntryClient(AsyncCaller):
    """The entry API, with a credential of the platform; raises as `AsyncWalletClient` does."""

    async def put_player(self, uid: str, about: shapes.PutPlayerRequest) -> shapes.PlayerAnswer:
        """Makes or changes a player; what is None stays as it is."""
        return await self.make(operations.player(uid, about), self.settings.asking)

    async def launch(self, asked: shapes.LaunchRequest) -> shapes.LaunchAnswer:
        """Starts a session of a player in a game. A repetition starts another one, which ends by itself."""
        return await self.make(operations.launch(asked), self.settings.asking)

    async def end_session(self, token: str) -> shapes.EmptyAnswer:
        """Ends a session."""
        return await self.make(operations.session_end(token), self.settings.asking)

    async def balance(self, uid: str, currency: str) -> shapes.HoldingsAnswer:
        """What a player has in one currency."""
        return await self.make(operations.holdings(uid, currency), self.settings.asking)

    async def statement(self, asked: shapes.StatementRequest) -> shapes.StatementAnswer:
        """What changed a player's spendable balance, newest first."""
        return await self.make(operations.statement(asked), self.settings.asking)

    async def events(self, after: str | None = None, limit: int = 1000) -> shapes.EventsAnswer:
        """What happened after the `next` of an earlier answer; without it, all that is kept.

        Store `next` in one transaction with what the events change: each then counts once.
        """
        return await self.make(operations.events(after, limit), self.settings.asking)

    async def limits(self, asked: shapes.LimitsRequest) -> shapes.LimitsAnswer:
        """A player's limits in one currency, after the change that is asked for, if any."""
        return await self.make(operations.limits(asked), self.settings.asking)

"""The client for a game's backend, for code that runs in an event loop."""

from collections.abc import Awaitable, Callable

from quantum_wallet import operations, shapes
from quantum_wallet.async_caller import AsyncCaller
from quantum_wallet.errors import NotAccepted, Unanswered
from quantum_wallet.transactions import NOT_GIVEN, NOT_OPENED, Deposit, Transaction, Withdrawal

Save = Callable[[Transaction], Awaitable[object]]


class AsyncWalletClient(AsyncCaller):
    """The wallet API and the payments API. Tasks of one event loop may share one.

    Each method raises Refused (no, for good), NotAccepted (credential or address are wrong) or Unanswered.
    """

    # --- Sessions ---

    async def verify_session(self, token: str) -> shapes.SessionAnswer:
        """Whose session it is, and what they can spend."""
        return await self.make(operations.session_check(token), self.settings.asking)

    async def get_balance(self, token: str) -> shapes.BalanceAnswer:
        """What the player can spend."""
        return await self.make(operations.balance(token), self.settings.asking)

    # --- Transactions ---

    async def open(self, one: Transaction) -> shapes.TransactionAnswer:
        """Withdraws, or announces a deposit; store it before.

        After Unanswered or NotAccepted nobody knows whether it is open: settle it as `rolling_back()`.
        """
        return await self.make(operations.opening(one), self.settings.opening)

    async def settle(self, one: Transaction) -> shapes.TransactionAnswer:
        """Confirms or rolls back, as its step says; store it before.

        Repeated for up to 48 h 48 min from when the step was decided; Unanswered then: the platform will ask.
        Raises ValueError for a transaction with neither step.
        """
        gone = (self.clock() - one.since).total_seconds()
        return await self.make(operations.settlement(one), self.settings.settling.left_after(gone))

    async def query_transaction(self, one: Transaction) -> shapes.QueryAnswer:
        """How the platform has it."""
        return await self.make(operations.state_query(one), self.settings.asking)

    async def purchase(
        self, withdrawal: Withdrawal, hand_out: Callable[[], Awaitable[object]], save: Save
    ) -> shapes.TransactionAnswer:
        """Withdraws, hands out, confirms; rolls back if the opening is in doubt, or `hand_out` raises.

        `save` is called before each call that it has to survive. Raises what was raised. AlreadyRolledBack
        and Expired come from the confirmation: what was handed out has to be taken back.
        """
        await self.begin(withdrawal, save)
        try:
            await hand_out()
        except Exception:
            await self.end(withdrawal.rolling_back(NOT_GIVEN, at=self.clock()), save)
            raise
        return await self.end(withdrawal.confirming(at=self.clock()), save)

    async def pay_out(self, deposit: Deposit, save: Save) -> shapes.TransactionAnswer:
        """Announces a deposit, and confirms it. `save`, and what is raised, as in `purchase`."""
        await self.begin(deposit, save)
        return await self.end(deposit.confirming(at=self.clock()), save)

    async def begin(self, one: Transaction, save: Save) -> shapes.TransactionAnswer:
        """Stores, and opens; what is in doubt is rolled back, and raised."""
        await save(one)
        try:
            return await self.open(one)
        except (Unanswered, NotAccepted):
            await self.end(one.rolling_back(NOT_OPENED, at=self.clock()), save)
            raise

    async def end(self, one: Transaction, save: Save) -> shapes.TransactionAnswer:
        """Stores the decision, then settles."""
        await save(one)
        return await self.settle(one)

    # --- Payments ---

    async def initiate_order(self, asked: shapes.InitiateRequest) -> shapes.InitiateAnswer:
        """Starts an order, or gives it again; the player pays at its `payment_url`."""
        return await self.make(operations.order(asked), self.settings.opening)

    async def query_order(self, cp_order_id: str) -> shapes.OrderQueryAnswer:
        """How an order stands."""
        return await self.make(operations.order_query(cp_order_id), self.settings.asking)

"""The client for a game's backend, for code that waits in threads."""

from collections.abc import Callable

from quantum_wallet import operations, shapes
from quantum_wallet.caller import Caller
from quantum_wallet.errors import NotAccepted, Unanswered
from quantum_wallet.transactions import NOT_GIVEN, NOT_OPENED, Deposit, Transaction, Withdrawal

Save = Callable[[Transaction], object]


class WalletClient(Caller):
    """The wallet API and the payments API. Threads may share one.

    Each method raises Refused (no, for good), NotAccepted (credential or address are wrong) or Unanswered.
    """

    # --- Sessions ---

    def verify_session(self, token: str) -> shapes.SessionAnswer:
        """Whose session it is, and what they can spend."""
        return self.make(operations.session_check(token), self.settings.asking)

    def get_balance(self, token: str) -> shapes.BalanceAnswer:
        """What the player can spend."""
        return self.make(operations.balance(token), self.settings.asking)

    # --- Transactions ---

    def open(self, one: Transaction) -> shapes.TransactionAnswer:
        """Withdraws, or announces a deposit; store it before.

        After Unanswered or NotAccepted nobody knows whether it is open: settle it as `rolling_back()`.
        """
        return self.make(operations.opening(one), self.settings.opening)

    def settle(self, one: Transaction) -> shapes.TransactionAnswer:
        """Confirms or rolls back, as its step says; store it before.

        Repeated for up to 48 h 48 min from when the step was decided; Unanswered then: the platform will ask.
        Raises ValueError for a transaction with neither step.
        """
        gone = (self.clock() - one.since).total_seconds()
        return self.make(operations.settlement(one), self.settings.settling.left_after(gone))

    def query_transaction(self, one: Transaction) -> shapes.QueryAnswer:
        """How the platform has it."""
        return self.make(operations.state_query(one), self.settings.asking)

    def purchase(
        self, withdrawal: Withdrawal, hand_out: Callable[[], object], save: Save
    ) -> shapes.TransactionAnswer:
        """Withdraws, hands out, confirms; rolls back if the opening is in doubt, or `hand_out` raises.

        `save` is called before each call that it has to survive. Raises what was raised. AlreadyRolledBack
        and Expired come from the confirmation: what was handed out has to be taken back.
        """
        self.begin(withdrawal, save)
        try:
            hand_out()
        except Exception:
            self.end(withdrawal.rolling_back(NOT_GIVEN, at=self.clock()), save)
            raise
        return self.end(withdrawal.confirming(at=self.clock()), save)

    def pay_out(self, deposit: Deposit, save: Save) -> shapes.TransactionAnswer:
        """Announces a deposit, and confirms it. `save`, and what is raised, as in `purchase`."""
        self.begin(deposit, save)
        return self.end(deposit.confirming(at=self.clock()), save)

    def begin(self, one: Transaction, save: Save) -> shapes.TransactionAnswer:
        """Stores, and opens; what is in doubt is rolled back, and raised."""
        save(one)
        try:
            return self.open(one)
        except (Unanswered, NotAccepted):
            self.end(one.rolling_back(NOT_OPENED, at=self.clock()), save)
            raise

    def end(self, one: Transaction, save: Save) -> shapes.TransactionAnswer:
        """Stores the decision, then settles."""
        save(one)
        return self.settle(one)

    # --- Payments ---

    def initiate_order(self, asked: shapes.InitiateRequest) -> shapes.InitiateAnswer:
        """Starts an order, or gives it again; the player pays at its `payment_url`."""
        return self.make(operations.order(asked), self.settings.opening)

    def query_order(self, cp_order_id: str) -> shapes.OrderQueryAnswer:
        """How an order stands."""
        return self.make(operations.order_query(cp_order_id), self.settings.asking)

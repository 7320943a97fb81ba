"""What can come instead of a success."""

from quantum_wallet.money import Money


class WalletError(Exception):
    """Whatever this package raises about a call."""


class Unanswered(WalletError):
    """Nobody knows what became of the call: it had no answer for as long as it was repeated.

    Repeat it later with the same id; or, of an opening, roll it back.
    """

    def __init__(self, call: str, id: str, attempts: int, reason: str) -> None:
        super().__init__(
            f"{call} {id}: no answer to {attempts} attempts, the last: {reason}".replace(" :", ":")
        )
        self.call, self.id, self.attempts, self.reason = call, id, attempts, reason


class NotAccepted(WalletError):
    """The platform did not look at the call: credential, address or path are wrong. Nothing has happened."""

    def __init__(self, call: str, status: int, description: str) -> None:
        super().__init__(f"{call}: HTTP {status}: {description}")
        self.call, self.status, self.description = call, status, description


class Refused(WalletError):
    """The platform's answer is no, for good. `balance`: what the player can spend, if the answer says it."""

    code = 0

    def __init__(self, call: str, code: int, description: str, balance: Money | None = None) -> None:
        super().__init__(f"{call}: {code} {description}")
        self.call, self.code, self.description, self.balance = call, code, description, balance


class InvalidRequest(Refused):
    """101: the request is invalid; the description says what."""

    code = 101


class UnknownSession(Refused):
    """102: the session token is unknown, ended or expired."""

    code = 102


class PlayerBarred(Refused):
    """103: the player is blocked, self-excluded or closed, or the wallet is frozen."""

    code = 103


class InsufficientFunds(Refused):
    """104: not enough money. Remembered under the id: a new try needs a new one."""

    code = 104


class ForeignCurrency(Refused):
    """105: the currency is unknown, or not the session's."""

    code = 105


class TransactionNotFound(Refused):
    """106: there is no such transaction."""

    code = 106


class AlreadyConfirmed(Refused):
    """107: it is confirmed already, and cannot be rolled back."""

    code = 107


class AlreadyRolledBack(Refused):
    """108: it is rolled back already: what was given for it has to be taken back."""

    code = 108


class Expired(Refused):
    """109: the platform ended it as rolled back: what was given for it has to be taken back."""

    code = 109


class OtherContent(Refused):
    """110: the id was used before with other content."""

    code = 110


class LimitReached(Refused):
    """111: a limit is reached. Remembered under the id: a new try needs a new one."""

    code = 111


REFUSALS: dict[int, type[Refused]] = {kind.code: kind for kind in Refused.__subclasses__()}


def refusal(call: str, code: int, description: str, balance: Money | None) -> Refused:
    """The exception for a code; one that is new is a plain Refused."""
    return REFUSALS.get(code, Refused)(call, code, description, balance)

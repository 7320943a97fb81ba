"""The paragraphs of the contract that the checks cite, and its error codes."""

PARAGRAPHS = {
    "1.1": "Transport: POST, JSON in UTF-8, at most 64 KiB",
    "1.2": "Transport: HTTP Basic",
    "1.4": "Transport: missing, malformed or wrong Authorization",
    "1.5": "Transport: an answer is HTTP 200, a refusal too",
    "1.6": "Transport: other statuses, and no traces in answers",
    "1.7": "Transport: refused before anything changes, or done completely",
    "1 Reading a request": "What a request may hold, and which refusal comes first",
    "1 Amounts": "Exact decimals, never binary floats",
    "1 Error codes": "What each code means, and which refusals carry the balance",
    "2": "Wallet API: the calls, what they ask and answer",
    "2.1": "What moves",
    "2.2": "Sessions",
    "2.3": "Once and only once",
    "2.4": "The end of an unfinished transaction",
    "3": "Entry API",
    "4.1": "Payments: a game starts an order",
    "4.2": "Payments: two signature schemes",
    "4.3": "Payments: the game is told to deliver",
}

CODES = {
    100: "other error",
    101: "invalid request",
    102: "unknown, ended or expired session token",
    103: "player or wallet barred",
    104: "insufficient funds",
    105: "currency unknown, or not the session's",
    106: "transaction not found",
    107: "transaction is already confirmed",
    108: "transaction is already rolled back",
    109: "transaction has expired",
    110: "transaction id was used before with other content",
    111: "a limit is reached",
}
# From this code on, a refusal of a wallet call carries the balance.
FIRST_WITH_BALANCE = 103
# The six calls that open and settle.
OPENINGS = {"withdrawal": "withdraw", "deposit": "deposit"}
CONFIRMATIONS = {"withdrawal": "confirmWithdrawal", "deposit": "confirmDeposit"}
ROLLBACKS = {"withdrawal": "rollbackWithdrawal", "deposit": "rollbackDeposit"}
# All calls of a game, each with what it asks besides the token.
NAMES_TRANSACTION = (*OPENINGS.values(), *CONFIRMATIONS.values(), *ROLLBACKS.values(), "queryTransaction")
CALLS = ("verifySession", "getBalance", *NAMES_TRANSACTION)
TYPES = ("withdrawal", "deposit")


def code_text(code: int | None) -> str:
    """A code with its meaning, for whoever reads a report."""
    if code is None:
        return "success"
    return f"errorCode {code} ({CODES.get(code, 'no code of the contract')})"

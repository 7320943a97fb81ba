"""What the entries of a journal say, in sentences for whoever does not know the ledger's words."""

from lib.backoffice.languages import _
from wallet.currencies import show_amount
from wallet.models import Entry, Transaction

# By type of the transaction and event.
WORDS: dict[tuple[str, str], str] = {
    ("withdrawal", "opened"): _("{game} took {amount}. It is reserved until the game confirms it."),
    ("withdrawal", "confirmed"): _("The {amount} that {game} took are spent."),
    (
        "withdrawal",
        "rolled_back",
    ): _("The {amount} that {game} took came back: {by} rolled it back."),
    ("withdrawal", "expired"): _("The {amount} that {game} took came back: nobody confirmed the withdrawal."),
    ("withdrawal", "declined"): _("{game} asked for {amount} and was refused: {refusal}."),
    (
        "withdrawal",
        "tombstone",
    ): _("{game} rolled back a withdrawal that is not there. It is refused if it comes."),
    (
        "withdrawal",
        "rollback_noted",
    ): _("{game} rolled back a withdrawal that was refused. Nothing changed."),
    ("deposit", "opened"): _("{game} announced {amount}. It is paid out when the game confirms it."),
    ("deposit", "confirmed"): _("{game} paid out {amount}."),
    (
        "deposit",
        "rolled_back",
    ): _("The {amount} that {game} announced are not paid out: {by} rolled it back."),
    ("deposit", "expired"): _("The {amount} that {game} announced are not paid out: nobody confirmed it."),
    ("deposit", "declined"): _("{game} announced {amount} and was refused: {refusal}."),
    ("deposit", "tombstone"): _("{game} rolled back a deposit that is not there. It is refused if it comes."),
    ("deposit", "rollback_noted"): _("{game} rolled back a deposit that was refused. Nothing changed."),
    ("credit", "adjusted"): _("{by} credited {amount}: {reason}"),
    ("debit", "adjusted"): _("{by} took {amount}: {reason}"),
    ("write_off", "adjusted"): _("{by} wrote off {amount} of debt: {reason}"),
    ("late_withdrawal", "adjusted"): _("{by} booked {amount} that the game had taken after all: {reason}"),
    ("late_deposit", "adjusted"): _("{by} booked {amount} that the game had paid out after all: {reason}"),
    ("withdrawal_back", "adjusted"): _("{by} gave back {amount} that the game had rolled back: {reason}"),
    ("deposit_back", "adjusted"): _("{by} took back {amount} that the game had rolled back: {reason}"),
    ("payment", "posted"): _("A payment of {amount} for credit came in."),
    ("sale", "posted"): _("A payment of {amount} for an item came in."),
    ("payment_return", "posted"): _("{amount} that were paid for credit went back to the payer."),
    ("sale_return", "posted"): _("{amount} that were paid for an item went back to the payer."),
    ("top_up", "posted"): _("{amount} were credited for a payment."),
    ("clawback", "posted"): _("{amount} of credit were taken back: the payment for it was returned."),
    ("set_aside", "opened"): _("{amount} of credit were set aside for a refund."),
    ("set_aside", "confirmed"): _("The {amount} that were set aside are taken: the refund was made."),
    ("set_aside", "rolled_back"): _("The {amount} that were set aside are back: the refund was not made."),
    ("wallet", "debt_repaid"): _("{amount} paid off debt."),
    ("wallet", "wallet_opened"): _("The {code} wallet was opened."),
    ("wallet", "frozen"): _("{by} froze withdrawals: {reason}"),
    ("wallet", "unfrozen"): _("{by} allowed withdrawals again: {reason}"),
    ("wallet", "limit_set"): _("{by} set the largest single withdrawal to {limit}: {reason}"),
}
# The rest of what was taken from a wallet that did not hold it.
INTO_DEBT = _("The player owes {amount} more: there was not enough to take.")
REFUSALS = {
    "insufficient_funds": _("there is not enough money"),
    "limit_reached": _("it is above a limit"),
}
Source = Transaction.Source
PLUS, MINUS = "+", "\N{MINUS SIGN}"


def tell(entry: Entry, code: str) -> str:
    """What an entry of a wallet in this currency says."""
    transaction = entry.transaction
    amount = show_amount(entry.amount, code)
    is_rest = entry.debit == Entry.Account.DEBT
    words = INTO_DEBT if is_rest else WORDS[words_key(entry)]
    said = words.format(
        game=transaction.game.name if transaction and transaction.game else _("A game"),
        amount=amount,
        limit=amount if entry.amount else _("none"),
        code=code,
        by=by(entry),
        refusal=REFUSALS.get(transaction.refusal, "") if transaction else "",
        reason=reason(entry),
    )
    return said[:1].upper() + said[1:]


def words_key(entry: Entry) -> tuple[str, str]:
    """Which sentence an entry has: a repaid debt has its own, whatever the transaction."""
    is_own = entry.transaction is None or entry.event == "debt_repaid"
    return ("wallet", entry.event) if is_own else (str(entry.transaction.type), entry.event)  # type: ignore[union-attr]


def by(entry: Entry) -> str:
    """Who acted, as a sentence names them."""
    transaction = entry.transaction
    if transaction and entry.event == transaction.state and transaction.settled_source == Source.GAME:
        return _("the game")
    kind, _colon, name = entry.actor.partition(":")
    is_operator = kind == "operator" and name
    return _("operator {name}").format(name=name) if is_operator else _("the platform")


def reason(entry: Entry) -> str:
    """Why an operator acted, as they wrote it, as the end of a sentence."""
    written = entry.note or (entry.transaction.reason if entry.transaction else "")
    said = written or str(_("no reason given"))
    return said if said.endswith((".", "!", "?")) else f"{said}."


def change(entry: Entry) -> int:
    """By how much the entry changed what the player can spend, in minor units."""
    if entry.amount is None or Entry.Account.SPENDABLE not in (entry.debit, entry.credit):
        return 0
    return entry.amount if entry.credit == Entry.Account.SPENDABLE else -entry.amount


def show_change(entry: Entry, code: str) -> str:
    """The change with its sign, in major units with the currency's code; nothing if there is none."""
    moved = change(entry)
    return f"{PLUS if moved > 0 else MINUS}{show_amount(abs(moved), code)}" if moved else ""

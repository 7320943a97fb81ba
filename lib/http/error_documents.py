"""What each refusal means, why it comes, and what to do: told to games' engineers and to operators.

The one source of these texts: the API's description, `/api/docs/errors/<code>` and the operators' pages show
them. The public pages are in English; the operators' translate.
"""

from typing import NamedTuple

from django.utils.translation import gettext_noop as _

from lib.http.errors import INTERNAL_ERROR, ErrorCode

# No answer at all: it is counted under this number, which no caller ever sees.
NO_ANSWER = 403


class ErrorDocument(NamedTuple):
    """An error code of the contract, or an HTTP status that is no answer of it (contract 1.6).

    `description` is an example of `errorDescription`; empty if no body is sent. `is_fault` says that
    something is wrong with the game or the platform; other refusals belong to play.
    """

    code: int
    name: str
    meaning: str
    description: str
    causes: tuple[str, ...]
    remedy: str
    repeating: str
    is_fault: bool = True

    @property
    def is_status(self) -> bool:
        """Whether `code` is an HTTP status: codes of the contract come with 200."""
        return self.code > max(ErrorCode)

    @property
    def address(self) -> str:
        return f"{ERRORS}{self.code}"


# Where the pages are.
ERRORS = "/api/docs/errors/"
FINAL = _("No. The same call gets the same answer.")
CORRECTED = _("No. Correct the request, and send it as a new one.")
REMEMBERED = _(
    "No. The refusal is remembered under its mmTransactionId, so that a retry cannot "
    "succeed after the player "
    "was told no. A new attempt needs a new id."
)
RETRIED = _(
    "Yes, unchanged and with the same ids: whatever happened already happens only once, and the first answer "
    "is given again."
)

DOCUMENTS = {
    document.code: document
    for document in (
        ErrorDocument(
            ErrorCode.OTHER,
            _("Other error"),
            _("Another error; repeat the call."),
            INTERNAL_ERROR,
            (
                _("Something failed on the platform's side (HTTP 500 or 503)."),
                _("The credential is missing or wrong (HTTP 401)."),
                _("Too many failed authentications came from this address (HTTP 429)."),
            ),
            _("Look at the HTTP status, which says more. If it is 500 or 503, send the same call again."),
            RETRIED,
        ),
        ErrorDocument(
            ErrorCode.INVALID_REQUEST,
            _("Invalid request"),
            _("The request is invalid."),
            "The request does not fit: Object missing required field `mmTransactionId`.",
            (
                _("A field is missing, misspelt, or of another type: an amount sent as a text, for example."),
                _("The amount is zero, negative, too large, or has more decimals than the currency."),
                _("The body is not a JSON object in UTF-8, or the Content-Type is not application/json."),
                _("An id is longer than 64 characters, or holds a space or a character outside ASCII."),
            ),
            _("Read errorDescription: it names the field. Correct the code that builds the request."),
            CORRECTED,
        ),
        ErrorDocument(
            ErrorCode.UNKNOWN_SESSION,
            _("Unknown session"),
            _("The session token is unknown, ended or expired."),
            "The session has ended or expired.",
            (
                _("The player's session has ended, or has expired after SESSION_TTL."),
                _("The token belongs to another game: tokens are known only to the game they were made for."),
                _("The token was cut off or changed on its way from the launch URL."),
            ),
            _(
                "Have the player launch the game again. Settle what is open with the old token: deposits, "
                "confirmations, rollbacks and queries take it although the session has ended."
            ),
            FINAL,
            is_fault=False,
        ),
        ErrorDocument(
            ErrorCode.PLAYER_BARRED,
            _("Player barred"),
            _("The player is blocked, self-excluded or closed, or the wallet is frozen."),
            "The player is blocked, self-excluded or closed.",
            (
                _("An operator or the web front has blocked or closed the player."),
                _("The player has excluded himself."),
                _("The wallet is frozen while somebody looks at it."),
            ),
            _("Sell nothing, and tell the player to ask support. Settle what is open: that is accepted."),
            FINAL,
            is_fault=False,
        ),
        ErrorDocument(
            ErrorCode.INSUFFICIENT_FUNDS,
            _("Insufficient funds"),
            _("The player has insufficient funds."),
            "The player has insufficient funds.",
            (
                _("The player can spend less than the amount. The balance says how much there is."),
                _("Other withdrawals are pending, and have reserved a part of the money."),
            ),
            _(
                "Show the balance, and do not hand out anything. A rollback is not needed, and does no harm. "
                "Never confirm after this answer."
            ),
            REMEMBERED,
            is_fault=False,
        ),
        ErrorDocument(
            ErrorCode.FOREIGN_CURRENCY,
            _("Other currency"),
            _("The currency is unknown, or not the session's."),
            "The currency is unknown, or not the session's.",
            (
                _("currencyCode is not the currency that the session was launched with."),
                _("currencyCode is misspelt, or in small letters."),
            ),
            _("Use the currency of the launch URL (currency), or of the balance that verifySession answers."),
            CORRECTED,
        ),
        ErrorDocument(
            ErrorCode.TRANSACTION_NOT_FOUND,
            _("Transaction not found"),
            _("There is no such transaction."),
            "There is no such transaction.",
            (
                _("The opening never arrived, or was refused: nothing was reserved."),
                _("The withdrawal was declined (104, 111), and is confirmed all the same."),
                _("The id was opened as the other type (a deposit, a withdrawal), or for another player."),
                _("The query names an order (cpOrderId) that this game never started."),
            ),
            _(
                "Find out what the opening was answered with. Without a success, hand out "
                "nothing: open with a "
                "new id, or give up."
            ),
            FINAL,
        ),
        ErrorDocument(
            ErrorCode.ALREADY_CONFIRMED,
            _("Already confirmed"),
            _("The transaction is already confirmed."),
            "The transaction is already confirmed.",
            (
                _("The game has confirmed it before, and rolls it back now."),
                _("An operator or a status query has confirmed it for the game."),
            ),
            _(
                "The money has moved. Treat the transaction as confirmed; if the goods cannot be handed out, "
                "give the money back with a deposit."
            ),
            FINAL,
        ),
        ErrorDocument(
            ErrorCode.ALREADY_ROLLED_BACK,
            _("Already rolled back"),
            _("The transaction is already rolled back."),
            "The transaction is already rolled back.",
            (
                _("The game has rolled it back before, perhaps after a time-out, and confirms it now."),
                _("A rollback has overtaken its opening: the opening that comes later is refused."),
                _("An operator or a status query has rolled it back for the game."),
            ),
            _("No money has moved. Hand out nothing, or take it back; a new attempt needs a new id."),
            FINAL,
        ),
        ErrorDocument(
            ErrorCode.EXPIRED,
            _("Expired"),
            _("The transaction has expired and was settled as rolled back."),
            "The transaction has expired and was settled as rolled back.",
            (
                _("It was neither confirmed nor rolled back in time (72 hours, or the game's own time)."),
                _("Confirmations were given up, or wait in a queue that nobody works off."),
            ),
            _(
                "Hand out nothing, or take it back. If it was handed out, ask the platform's "
                "operators: they see "
                "the contradiction, and can book it. Repeat confirmations on the schedule of the "
                "API's document."
            ),
            FINAL,
        ),
        ErrorDocument(
            ErrorCode.OTHER_CONTENT,
            _("Other content"),
            _("The transaction id was used before with other content."),
            "The transaction id was used before with other content.",
            (
                _("An id is used twice: it is made from a counter or a clock that has begun anew."),
                _("A retry was built anew with another amount or currency, instead of being sent unchanged."),
                _("A confirmation names another amount than the opening."),
            ),
            _("Make ids at random (a UUID), store the request before it is sent, and repeat exactly that."),
            FINAL,
        ),
        ErrorDocument(
            ErrorCode.LIMIT_REACHED,
            _("Limit reached"),
            _("A limit is reached."),
            "A limit of the wallet is reached.",
            (
                _("The withdrawal is larger than the wallet's limit allows."),
                _("The deposit is larger than the game may announce, or than it may still pay out today."),
            ),
            _(
                "Tell the player that a limit is reached. Ask the operators which one, if it was "
                "not expected."
            ),
            REMEMBERED,
            is_fault=False,
        ),
        ErrorDocument(
            401,
            _("Unauthorized"),
            _("No or wrong authorization (400 where the platform is set so)."),
            "Authorization is missing or wrong.",
            (
                _("The password is wrong, or the credential was revoked or rotated."),
                _("The header is missing or malformed: Basic, and base64 of USERNAME:PASSWORD in UTF-8."),
                _("The credential is of another kind of caller: a game's for /entry/, or the web front's."),
            ),
            _("Compare the credential with what the operators handed over. Nothing is ever locked."),
            _("Not before the credential is corrected."),
        ),
        ErrorDocument(
            NO_ANSWER,
            _("No answer"),
            _("The connection is closed without an answer: the address is not on the allow-list."),
            "",
            (
                _("The game calls from an address that is not on the credential's allow-list."),
                _("It calls through a proxy or a NAT whose address has changed."),
            ),
            _("Ask the operators which addresses are allowed, and tell them the one you call from."),
            _("Not before the address is allowed. A connection that broke for another reason: yes."),
        ),
        ErrorDocument(
            404,
            _("No such call"),
            _("There is no call at this address."),
            "There is no such call.",
            (_("The path is misspelt: capital letters matter, and there is no slash at the end."),),
            _("Compare the path with the API's description."),
            CORRECTED,
        ),
        ErrorDocument(
            405,
            _("Other method"),
            _("The call is answered to another method; see Allow."),
            'Method "GET" not allowed.',
            (
                _("The call was sent with GET instead of POST."),
                _("A redirect from http to https was followed, and turned POST into GET."),
            ),
            _("Send it with the method that Allow names, to the https address itself."),
            CORRECTED,
        ),
        ErrorDocument(
            413,
            _("Body too long"),
            _("The body is longer than 64 KiB."),
            "The body is longer than 64 KiB.",
            (_("Something was put into the request that does not belong there."),),
            _("Send only the fields of the API's description."),
            CORRECTED,
        ),
        ErrorDocument(
            429,
            _("Too many failures"),
            _("Too many failed authentications from this address; see Retry-After."),
            "Too many failed authentications from this address.",
            (_("More than 100 calls of the last minute had a wrong credential."),),
            _("Correct the credential. A right one passes at once, without waiting."),
            _("After as many seconds as Retry-After says."),
        ),
        ErrorDocument(
            500,
            _("Failure"),
            _("An unhandled failure; repeat the call."),
            INTERNAL_ERROR,
            (_("Something failed on the platform's side; it is in its log."),),
            _("Repeat the call on the schedule of the API's document. If it goes on, tell the operators."),
            RETRIED,
        ),
        ErrorDocument(
            503,
            _("Unavailable"),
            _(
                "The database is unavailable, or nothing new may begin at the moment; repeat the call after "
                "Retry-After seconds."
            ),
            INTERNAL_ERROR,
            (
                _("The database is being restarted, or does not answer in time."),
                _(
                    "The operators have stopped new transactions for a while: openings, launches and orders "
                    "are refused, and what has begun is still settled."
                ),
            ),
            _("Repeat the call after as many seconds as Retry-After says."),
            RETRIED,
        ),
    )
}
# What a refusal's header says, by its code.
HELP = {document.code: ("Link", f'<{document.address}>; rel="help"') for document in DOCUMENTS.values()}

"""`/api/docs/errors/`: what each refusal means, why it comes, an example, and what to do."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from lib.http.error_documents import DOCUMENTS, HELP, NO_ANSWER, ErrorDocument
from lib.http.errors import ErrorCode
from lib.http.responses import ENCODER
from payments.checkout.pages import not_found, page, show
from wallet.api.errors import WITHOUT_BALANCE

# What an answer of that status has besides.
FIELDS = {
    401: 'WWW-Authenticate: Basic realm="Quantum Wallet", charset="UTF-8"',
    405: "Allow: POST",
    429: "Retry-After: 41",
    503: "Retry-After: 5",
}
BALANCE = {"amount": Decimal("10.00"), "currencyCode": "XAG"}
# Those that come with a code of their own in the body; the others have 100.
INVALID = (404, 405, 413)


@page
def index(request: HttpRequest) -> HttpResponse:
    """All codes of the contract, then the statuses that are no answer."""
    documents = DOCUMENTS.values()
    context = {
        "codes": [document for document in documents if not document.is_status],
        "statuses": [document for document in documents if document.is_status],
        "no_answer": NO_ANSWER,
    }
    return show(request, "error_documents.html", context, language="en")


@page
def document(request: HttpRequest, code: int) -> HttpResponse:
    """One of them."""
    found = DOCUMENTS.get(code)
    if found is None:
        return not_found(request)
    context = {"document": found, "example": example(found), "is_answered": found.code != NO_ANSWER}
    return show(request, "error_document.html", context, language="en")


def example(document: ErrorDocument) -> str:
    """An answer as it is sent; nothing if none is."""
    if document.code == NO_ANSWER:
        return ""
    status = HTTPStatus(document.code) if document.is_status else HTTPStatus.OK
    lines = [
        f"HTTP/1.1 {status} {status.phrase}",
        "Content-Type: application/json",
        *([FIELDS[document.code]] if document.code in FIELDS else []),
        ": ".join(HELP[document.code]),
        "",
        msgspec.json.format(ENCODER.encode(body(document)), indent=2).decode(),
    ]
    return "\n".join(lines)


def body(document: ErrorDocument) -> dict[str, Any]:
    """What stands in the answer."""
    if document.is_status:
        code = ErrorCode.INVALID_REQUEST if document.code in INVALID else ErrorCode.OTHER
        return {"errorCode": int(code), "errorDescription": document.description}
    code = ErrorCode(document.code)
    members = {} if code in WITHOUT_BALANCE else {"balance": BALANCE}
    return {"errorCode": int(code), "errorDescription": document.description, **members}

"""Bugs in what is answered."""

import json
import re
from typing import Any

from players.access.credentials import CREDENTIALS, parse_basic, password_fits
from tests.clients.kit.planted.fault import Fault, Reply

Environ = dict[str, Any]
AMOUNT = re.compile(rb'"amount":(-?[0-9.]+)')
TRACE = b'Traceback (most recent call last):\n  File "wallet/api/views.py", line 1, in handle\n'


def unauthorized_as_200(reply: Reply, environ: Environ) -> Reply:
    return reply._replace(status="200 OK") if reply.code == 401 else reply


def without_challenge(reply: Reply, environ: Environ) -> Reply:
    return reply.without("WWW-Authenticate")


def any_kind_of_caller(reply: Reply, environ: Environ) -> Reply:
    """A right credential counts for every part of the API."""
    given = parse_basic(environ.get("HTTP_AUTHORIZATION", ""))
    is_right = given is not None and password_fits(CREDENTIALS.find(given[0]), given[1])
    return reply.saying(b'{"balance":{"amount":0.00}}', "200 OK") if reply.code == 401 and is_right else reply


def trace_of_failure(reply: Reply, environ: Environ) -> Reply:
    is_malformed = b"is not JSON" in reply.body
    return reply.saying(TRACE, "500 Internal Server Error") if is_malformed else reply


def trace_in_refusal(reply: Reply, environ: Environ) -> Reply:
    """The text for debugging says too much."""
    return reply.saying(reply.body.replace(b"is not JSON", b"is not JSON: psycopg.errors"))


def no_body_limit(reply: Reply, environ: Environ) -> Reply:
    return reply.saying(b'{"balance":{"amount":0.00}}', "200 OK") if reply.code == 413 else reply


def any_method(reply: Reply, environ: Environ) -> Reply:
    return reply._replace(status="200 OK") if reply.code == 405 else reply


def refusals_as_400(reply: Reply, environ: Environ) -> Reply:
    return reply._replace(status="400 Bad Request") if b'"errorCode":104' in reply.body else reply


def without_balance(reply: Reply, environ: Environ) -> Reply:
    if b'"errorCode":104' not in reply.body:
        return reply
    body = json.loads(reply.body)
    return reply.saying(json.dumps({name: body[name] for name in ("errorCode", "errorDescription")}).encode())


def binary_floats(reply: Reply, environ: Environ) -> Reply:
    return reply.saying(AMOUNT.sub(lambda found: b'"amount":%r' % float(found.group(1)), reply.body))


def texts_for_numbers(reply: Reply, environ: Environ) -> Reply:
    return reply.saying(AMOUNT.sub(rb'"amount":"\1"', reply.body))


def without_zeros(reply: Reply, environ: Environ) -> Reply:
    """As many decimals as are needed, not as the currency has."""
    return reply.saying(
        AMOUNT.sub(lambda found: b'"amount":' + found.group(1).rstrip(b"0").rstrip(b"."), reply.body)
    )


def html_answers(reply: Reply, environ: Environ) -> Reply:
    return reply.without("Content-Type")._replace(
        headers=[*reply.without("Content-Type").headers, ("Content-Type", "text/html")]
    )


ANSWER_FAULTS = (
    Fault("401-is-200", "1.4", ("authentication.missing",), answer=unauthorized_as_200),
    Fault("no-challenge", "1.4", ("authentication.missing",), answer=without_challenge),
    Fault(
        "any-kind-of-caller",
        "1.4",
        ("authentication.platform-is-no-game", "authentication.game-is-no-platform"),
        answer=any_kind_of_caller,
    ),
    Fault("a-trace-in-500", "1.6", ("attack.no-traces",), answer=trace_of_failure),
    Fault("a-trace-in-a-refusal", "1.6", ("attack.no-traces",), answer=trace_in_refusal),
    Fault("no-body-limit", "1.1", ("attack.body-limit",), answer=no_body_limit),
    Fault("html-answers", "1.1", ("happy.get-balance",), answer=html_answers),
    Fault("any-method", "1.6", ("attack.methods",), answer=any_method),
    Fault("refusals-are-400", "1.5", ("happy.insufficient-funds",), answer=refusals_as_400),
    Fault("no-balance-in-104", "1 Error codes", ("happy.insufficient-funds",), answer=without_balance),
    Fault("binary-floats", "1 Amounts", ("money.large", "money.sum"), answer=binary_floats),
    Fault("texts-for-numbers", "1 Amounts", ("money.numbers",), answer=texts_for_numbers),
    Fault("no-zeros", "1 Amounts", ("money.own-decimals",), answer=without_zeros),
)

"""Calls to Stripe's API by its own library, and what their failures mean."""

import logging
import re
from collections.abc import Callable
from typing import TypeVar

from stripe import (
    APIConnectionError,
    IdempotencyError,
    RateLimitError,
    RequestsClient,
    StripeClient,
    StripeError,
)

from lib.backoffice.languages import stored
from payments.providers.protocol import ProviderConfig

T = TypeVar("T")
KEY = re.compile(r"(?:sk|rk)_(test|live)_[A-Za-z0-9]{8,240}")
SECRETS = re.compile(r"\b(?:sk|rk|pk|whsec)_\S+")
MODES = {True: "live", False: "test"}
# Of these nothing was done. Not 409 and 429: the same call may be at work, or may be made later.
REFUSING = frozenset({400, 401, 402, 403, 404})
REFUSAL_TYPES = frozenset({"card_error", "invalid_request_error"})
# What the library raises of an answer that is not of the shape it expects, besides its own errors.
NO_KEY = stored("The provider is in {mode} mode and has no key for that: sk_{mode}_… or rk_…")
UNREADABLE = stored("status {status}, and no answer that can be read")
NONSENSE = (ValueError, TypeError, AttributeError, LookupError)
PROBLEM_LENGTH = 200

# Below that it writes addresses of sessions, and whole answers.
logging.getLogger("stripe").setLevel(logging.WARNING)


class Failed(Exception):
    """A call that came to no good; its text is for operators, without secrets.

    `is_refusal` where Stripe certainly did nothing.
    """

    def __init__(self, text: str, *, is_refusal: bool = False) -> None:
        super().__init__(text)
        self.is_refusal = is_refusal


def call(config: ProviderConfig, api: str, ask: Callable[[StripeClient], T]) -> T:
    """Asks Stripe once, at the address `api` with a provider's key. Raises `Failed`."""
    key = KEY.fullmatch(config.api_secret)
    if key is None or key[1] != MODES[config.is_live]:
        raise Failed(
            NO_KEY.format(mode=MODES[config.is_live]),
            is_refusal=True,
        )
    http = RequestsClient(timeout=config.timeout_seconds)
    try:
        return ask(
            StripeClient(
                config.api_secret, base_addresses={"api": api}, http_client=http, max_network_retries=0
            )
        )
    except StripeError as error:
        failure = Failed(told(error, config), is_refusal=is_refusal(error))
    except NONSENSE as problem:
        failure = Failed(stored("an answer that cannot be read ({type})").format(type=type(problem).__name__))
    finally:
        http.close()  # type: ignore[no-untyped-call]  # the library's own gap
    # Out here, so that nothing is chained to it: the library's errors quote whole answers.
    raise failure


def is_refusal(error: StripeError) -> bool:
    """Whether Stripe said no, so that it is certain that nothing was done."""
    if isinstance(error, (RateLimitError, IdempotencyError)) or error.http_status not in REFUSING:
        return False
    return error_field(error, "type") in REFUSAL_TYPES


def told(error: StripeError, config: ProviderConfig) -> str:
    """An error in one short line, without secrets and without the answer's body."""
    if isinstance(error, APIConnectionError):
        return stored("no answer: the connection failed or the time-out was reached")
    message = error_field(error, "message")
    if not message:
        return UNREADABLE.format(status=error.http_status)
    said = f"status {error.http_status}: {message.replace(config.api_secret, '(key)')}"
    plain = "".join(character if character.isprintable() else " " for character in SECRETS.sub("(key)", said))
    return plain[:PROBLEM_LENGTH]


def error_field(error: StripeError, field: str) -> str:
    """A text of the error that Stripe's answer describes, or nothing."""
    described = error.json_body.get("error") if isinstance(error.json_body, dict) else None
    value = described.get(field) if isinstance(described, dict) else None
    return value if isinstance(value, str) else ""

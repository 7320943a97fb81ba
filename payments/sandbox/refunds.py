"""The sandbox's own API: the platform asks it for refunds, and what became of them."""

import json
import time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from lib.http.responses import json_answer
from payments.models import Provider
from payments.providers.protocol import ProviderConfig, RefundStatus
from payments.sandbox import memory
from payments.sandbox.actions import Impossible, refund
from payments.sandbox.bills import Bill, find_provider
from payments.sandbox.memory import RefundMood
from wallet.currencies import decimals_of

# After the platform has asked what became of it.
LATE_CALLBACK_SECONDS = 45


@csrf_exempt
@require_POST
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """`POST /sandbox/<provider>/refunds`: a refund; the same id again is the same refund."""
    config, told = find_provider(slug), read(request)
    bill = bill_of(config, told) if config and told else None
    id = id_of(told)
    if bill is None or told is None or not id:
        return nonsense()
    known = memory.get(None, "refund", slug, id)
    if known is not None:
        return json_answer(known)
    mood = RefundMood(memory.get(RefundMood.ACCEPT, "mood", slug))
    memory.put(RefundMood.ACCEPT, "mood", slug)
    memory.add_line(slug, bill.order, f"asked for a refund: {mood}", "")
    return answer(mood, slug, id, bill, str(told.get("payment")), int(told["amount"]))


def answer(mood: RefundMood, slug: str, id: str, bill: Bill, payment: str, amount: int) -> HttpResponse:
    """What is answered, and done, in each mood."""
    if mood == RefundMood.NOT_FOUND:
        return HttpResponse("It got lost on its way.", status=502, content_type="text/plain")
    done = (
        refuse("The sandbox was told to refuse it.")
        if mood == RefundMood.REFUSE
        else give(bill, payment, amount, is_secret=mood != RefundMood.ACCEPT)
    )
    memory.put(done, "refund", slug, id)
    if mood == RefundMood.LATE:
        # Longer than the platform waits.
        time.sleep(settings.OUTGOING_TOTAL_SECONDS + 2)
    if mood == RefundMood.LOST:
        return HttpResponse("The answer got lost.", status=500, content_type="text/plain")
    return json_answer(done)


def give(bill: Bill, payment: str, amount: int, *, is_secret: bool) -> dict[str, str]:
    """Does it; where the answer does not arrive, its callback comes later too."""
    try:
        reference = refund(bill, payment, amount, seconds=LATE_CALLBACK_SECONDS if is_secret else 0)
    except Impossible:
        return refuse("There is no such payment, or not so much of it is left.")
    return {"state": RefundStatus.DONE, "reference": reference, "problem": ""}


def refuse(problem: str) -> dict[str, str]:
    return {"state": RefundStatus.REFUSED, "reference": "", "problem": problem}


@csrf_exempt
@require_POST
def status(request: HttpRequest, slug: str) -> HttpResponse:
    """`POST /sandbox/<provider>/refunds/status`: what became of a refund."""
    id = id_of(read(request))
    if find_provider(slug) is None or not id:
        return nonsense()
    return json_answer(
        memory.get({"state": RefundStatus.NOT_FOUND, "reference": "", "problem": ""}, "refund", slug, id)
    )


def nonsense() -> HttpResponse:
    return json_answer({"problem": "There is no such call, or it makes no sense."}, 404)


def id_of(told: dict[str, Any] | None) -> str:
    """The id of a refund; an empty text where there is none."""
    try:
        return str(UUID(str((told or {}).get("id"))))
    except ValueError:
        return ""


def read(request: HttpRequest) -> dict[str, Any] | None:
    """The JSON object that was sent."""
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def bill_of(config: ProviderConfig, told: dict[str, Any]) -> Bill | None:
    """The order that a refund is of, as far as the sandbox must know it."""
    amount, currency = told.get("amount"), told.get("currencyCode")
    if (
        config.scheme != Provider.Scheme.SANDBOX
        or not isinstance(amount, int)
        or not isinstance(currency, str)
        or decimals_of(currency) is None
    ):
        return None
    try:
        return Bill(config, UUID(str(told.get("orderId"))), amount, currency, "", "")
    except ValueError:
        return None

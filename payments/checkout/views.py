"""The checkout: what an order is, a choice of providers, and what has come of it.

Whoever knows the address can pay; there are no sessions here.
"""

import re
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from lib.clock import now
from payments.checkout.pages import SeeOther, asked_language, language_of, not_found, page, show
from payments.checkout.payments import (
    NotPayable,
    checkout_url,
    is_payable,
    offered,
    product_name,
    start_payment,
)
from payments.checkout.status import PAUSES, Outcome, last_payment, outcome_of
from payments.models import Order, Payment
from payments.providers.adapters import adapter_for
from payments.providers.protocol import ProviderBusy, ProviderConfig, ProviderUnavailable

KEY = re.compile(r"[A-Za-z0-9_-]{1,32}")
# The result page's own words in its address: the number of its look, or that it shall not look by itself.
CHECK, OFF = "check", "off"


@page
def order_page(request: HttpRequest, key: str) -> HttpResponse:
    """`/checkout/<key>`: the order and the choice.

    A form sends `provider`, the provider's slug, and is answered with where to pay.
    """
    order = find_order(key)
    if order is None:
        return not_found(request)
    if not is_payable(order):
        return SeeOther(result_address(request, order))
    return choose(request, order) if request.method == "POST" else choice(request, order)


@page
def result_page(request: HttpRequest, key: str) -> HttpResponse:
    """`/checkout/<key>/result`: where players come back to.

    It looks again by itself while something is to come.
    """
    # Before the order: whatever happens in between, the order is the newer of the two,
    # and the page waits rather than denies a payment.
    payment = last_payment(key) if KEY.fullmatch(key) else None
    order = find_order(key)
    if order is None:
        return not_found(request)
    outcome = outcome_of(order, payment, now())
    if outcome is None:
        return SeeOther(order_address(request, order))
    return result(request, order, outcome, can_pay=is_payable(order))


def find_order(key: str) -> Order | None:
    """The order whose page that is."""
    if not KEY.fullmatch(key):
        return None
    return (
        Order.objects.select_related("game", "product", "player", "credit_currency")
        .filter(page_key=key)
        .first()
    )


def choose(request: HttpRequest, order: Order) -> HttpResponse:
    """Starts the payment, and sends the player to where it is paid."""
    slug = request.POST.get("provider", "")
    if slug not in {config.slug for config in offered(order)}:
        return choice(request, order, problem="unknown", status=422)
    try:
        started = start_payment(
            order, slug, request.build_absolute_uri("/"), language=asked_language(request)
        )
    except ProviderUnavailable as problem:
        answer = choice(
            request, order, problem="busy" if isinstance(problem, ProviderBusy) else "unreachable", status=503
        )
        answer["Retry-After"] = "5"
        return answer
    except NotPayable:
        # Paid or expired in this very instant, or begun too often.
        return (
            choice(request, order, problem="too_often", status=409)
            if is_payable(fresh(order))
            else SeeOther(result_address(request, order))
        )
    return SeeOther(started.url)


def fresh(order: Order) -> Order:
    """The order as it is now."""
    return Order.objects.get(pk=order.pk)


def choice(request: HttpRequest, order: Order, *, problem: str = "", status: int = 200) -> HttpResponse:
    """The page that asks how to pay."""
    ways = offered(order)
    language = language_of(request, order.language)
    last = last_payment(order.page_key)
    is_begun = last is not None and last.state == Payment.State.STARTED
    context = told(order, language) | {
        "ways": ways,
        "problem": problem,
        "minutes": max(1, round((order.expires_at - now()).total_seconds() / 60)),
        "result_url": result_address(request, order) if is_begun else "",
    }
    return show(
        request,
        "payments/checkout.html",
        context,
        language=language,
        status=status,
        targets=targets(request, order, ways),
    )


def targets(request: HttpRequest, order: Order, ways: list[ProviderConfig]) -> list[str]:
    """Where the form may lead by redirects: to the providers, and to ourselves by our public name.

    That name need not be the one in this address.
    """
    ours = checkout_url(order, request.build_absolute_uri("/")).partition("/checkout/")[0]
    return [ours, *(origin for config in ways for origin in adapter_for(config.scheme).origins(config))]


def result(request: HttpRequest, order: Order, outcome: Outcome, *, can_pay: bool) -> HttpResponse:
    """The page that tells how it stands."""
    look = request.GET.get(CHECK, "")
    number = min(int(look), len(PAUSES)) if re.fullmatch("[0-9]{1,4}", look) else 0
    looks_again = outcome.waits and look != OFF and number < len(PAUSES)
    language = language_of(request, order.language)
    context = told(order, language) | {
        "outcome": outcome,
        "looks_again": looks_again,
        "look_url": address(request),
        "off_url": address(request, {CHECK: OFF}),
        "pay_url": order_address(request, order) if can_pay else "",
    }
    refresh = f"{PAUSES[number]}; url={address(request, {CHECK: str(number + 1)})}" if looks_again else ""
    return show(request, "payments/result.html", context, language=language, refresh=refresh)


def told(order: Order, language: str) -> dict[str, object]:
    """What both pages show of an order."""
    return {"order": order, "game": order.game.name, "product": product_name(order, language)}


def address(request: HttpRequest, words: dict[str, str] | None = None, path: str = "") -> str:
    """An address relative to this one, in the language that this one asks for."""
    language = asked_language(request)
    query = (words or {}) | ({"lang": language} if language else {})
    return f"{path or request.path}{'?' if query else ''}{urlencode(query)}"


def order_address(request: HttpRequest, order: Order) -> str:
    return address(request, path=f"/checkout/{order.page_key}")


def result_address(request: HttpRequest, order: Order) -> str:
    return address(request, path=f"/checkout/{order.page_key}/result")

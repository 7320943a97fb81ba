"""The sandbox's hosted page.

Players of the demonstration are sent there to pay, and it shows what a provider can do afterwards.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from payments.checkout.pages import SeeOther, demo_page, language_of, not_found, show
from payments.models import Provider, Shop
from payments.providers.registry import PROVIDERS
from payments.sandbox import memory
from payments.sandbox.actions import (
    ACTS,
    LEAVING,
    Act,
    Impossible,
    charge_back,
    left_of,
    possible,
    refund,
    reverse,
)
from payments.sandbox.bills import Bill, find_provider, read_bill
from payments.sandbox.memory import RefundMood
from wallet.currencies import decimals_of
from wallet.money import InvalidAmount, to_major, to_minor

# While the answer to a callback is not there.
LOOKS_AGAIN_SECONDS = "1"


@demo_page
def index(request: HttpRequest) -> HttpResponse:
    """`/sandbox/`: what was to be paid lately, and the demo games' mailboxes."""
    language = language_of(request)
    providers = [config for slug in PROVIDERS.all() if (config := find_provider(slug))]
    games = [shop.game for shop in Shop.objects.select_related("game")]
    return show(
        request,
        "payments/sandbox/index.html",
        {"recent": memory.newest("recent"), "providers": providers, "games": games},
        language=language,
    )


@demo_page
def pay_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/sandbox/<provider>/pay`: the bill, and one button for everything that can come of it.

    A form sends `act`.
    """
    config = find_provider(slug)
    bill = read_bill(config, request.GET.dict()) if config else None
    if bill is None:
        return not_found(request)
    if request.method == "POST":
        return perform(request, bill)
    remember(request, bill)
    return bill_page(request, bill)


def remember(request: HttpRequest, bill: Bill) -> None:
    """For the list of what was to be paid lately."""
    one = {
        "order": bill.order,
        "slug": bill.config.slug,
        "what": bill.description,
        "amount": bill.amount,
        "currency": bill.currency,
    }
    about = one | {"provider": bill.config.name, "url": request.get_full_path()}
    if not any(one.items() <= known.items() for known in memory.newest("recent")):
        memory.add(about, "recent")


def perform(request: HttpRequest, bill: Bill) -> HttpResponse:
    """Does what a button says."""
    act = request.POST.get("act", "")
    if act == "mood":
        set_mood(request, bill)
    elif act not in possible(bill):
        return bill_page(request, bill, problem=True)
    elif act in ACTS:
        ACTS[Act(act)](bill)
        if act in LEAVING and is_ours(request, bill.return_url):
            return SeeOther(bill.return_url)
    else:
        try:
            afterwards(Act(act), request, bill)
        except Impossible:
            return bill_page(request, bill, problem=True)
    # Shown by GET, so that a reload repeats nothing.
    return SeeOther(request.get_full_path())


def afterwards(act: Act, request: HttpRequest, bill: Bill) -> None:
    """Gives a payment back. Raises `Impossible`."""
    reference = request.POST.get("payment", "")
    if act == Act.REFUND:
        refund(bill, reference, read_amount(request.POST.get("amount", ""), bill))
    else:
        returning: Callable[[Bill, str], None] = charge_back if act == Act.CHARGE_BACK else reverse
        returning(bill, reference)


def read_amount(text: str, bill: Bill) -> int:
    """An amount as a person writes it, in minor units. Raises `Impossible`."""
    try:
        return to_minor(Decimal(text.strip().replace(",", ".")), decimals_of(bill.currency) or 0)
    except (InvalidOperation, InvalidAmount):
        raise Impossible from None


def set_mood(request: HttpRequest, bill: Bill) -> None:
    """How the next refund that the platform asks for is answered."""
    mood = request.POST.get("mood", "")
    if mood in list(RefundMood):
        memory.put(mood, "mood", bill.config.slug)


def is_ours(request: HttpRequest, url: str) -> bool:
    """Whether an address lies on this platform: this is no way to send anybody elsewhere."""
    parts = urlsplit(url)
    ours = {settings.PUBLIC_URL, f"{request.scheme}://{request.get_host()}"}
    return f"{parts.scheme}://{parts.netloc}" in ours and "\\" not in url


def bill_page(request: HttpRequest, bill: Bill, *, problem: bool = False) -> HttpResponse:
    """The page of a bill."""
    slug, decimals = bill.config.slug, decimals_of(bill.currency) or 0
    is_expected = memory.is_line_expected(slug, bill.order)
    payments = [shown_payment(payment, decimals) for payment in memory.payments_of(slug, bill.order).values()]
    context = {
        "bill": bill,
        "possible": possible(bill),
        "payments": payments,
        "lines": memory.lines_of(slug, bill.order),
        "is_line_expected": is_expected,
        "problem": problem,
        "return_url": bill.return_url if is_ours(request, bill.return_url) else "",
        "mood": memory.get(RefundMood.ACCEPT, "mood", slug)
        if bill.config.scheme == Provider.Scheme.SANDBOX
        else "",
        "moods": list(RefundMood),
    }
    targets = [settings.PUBLIC_URL] if settings.PUBLIC_URL else []
    return show(
        request,
        "payments/sandbox/pay.html",
        context,
        language=language_of(request),
        status=422 if problem else 200,
        targets=targets,
        refresh=LOOKS_AGAIN_SECONDS if is_expected and not problem else "",
    )


def shown_payment(payment: memory.Payment, decimals: int) -> dict[str, Any]:
    """A payment with what is left of it, in minor units and as it is written into the form."""
    return {**payment, "left": left_of(payment), "left_major": str(to_major(left_of(payment), decimals))}

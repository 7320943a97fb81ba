"""The sandbox's own API: the platform asks it what became of a payment."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from lib.http.responses import json_answer
from payments.models import Provider
from payments.sandbox import memory
from payments.sandbox.bills import find_provider
from payments.sandbox.refunds import nonsense, read


@csrf_exempt
@require_POST
def status(request: HttpRequest, slug: str) -> HttpResponse:
    """`POST /sandbox/<provider>/payments/status`: how a payment stands, by what starting it gave.

    Of one that is paid, `callback` is the body of the callback that tells of it.
    """
    config, told = find_provider(slug), read(request)
    if config is None or config.scheme != Provider.Scheme.SANDBOX or told is None:
        return nonsense()
    order, start = str(told.get("orderId")), str(told.get("startReference"))
    asked = {"orderId": order, "startReference": start}
    for payment in memory.payments_of(slug, order).values():
        if payment.get("start") == start:
            return json_answer({**asked, "state": "paid", "callback": payment["told"]})
    return json_answer({**asked, "state": "open"})

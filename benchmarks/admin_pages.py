"""How long the operators' pages take at the server, and how many queries: `python -m benchmarks.admin_pages`.

Home, the first page of each list, each of its filters, a search of each kind in each list that searches, and
a page of a row of each kind. Each is opened several times, and the slowest counts. Prints JSON.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["SECOND_FACTOR_REQUIRED"] = "0"
django.setup()

from django.contrib import admin  # noqa: E402 (models need the setup)
from django.contrib.auth.models import Group  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from payments.models import Order, Payment  # noqa: E402
from players.models import Operator, Player  # noqa: E402
from wallet.models import Transaction  # noqa: E402

TRIES = 3
OPERATOR = "bench"
MOST_REDIRECTS = 2
# Small tables: their pages are opened first, so that templates and modules are there, and nothing else is.
WARMING = ("players.game", "wallet.currency")


class Page(NamedTuple):
    """A page by its name, and its address; `asked` is what is sent to it in a form, if anything is."""

    name: str
    path: str
    asked: str = ""


class Seen(NamedTuple):
    """The slowest of some tries in milliseconds, and the most queries."""

    name: str
    ms: float
    queries: int


class Counter:
    """Counts the queries of Django's connection."""

    def __init__(self) -> None:
        self.queries = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.queries += 1
        return execute(sql, params, many, context)


def main() -> None:
    browser = Client(headers={"host": "localhost"})
    operator = Operator.objects.get(username=OPERATOR)
    operator.groups.set(Group.objects.all())
    browser.force_login(operator)
    lists = dict(sorted(listed()))
    for label in WARMING:
        list(pages_of_list(browser, label, lists[label]))
    seen = [see(browser, Page("home", reverse("admin:index")))]
    for what, text in searched().items():
        seen.append(see(browser, Page(f"search {what}", reverse("admin:find"), text)))
    for label, model in lists.items():
        seen += [see(browser, page) for page in pages_of_list(browser, label, model)]
    print(json.dumps([one._asdict() for one in seen]))


def listed() -> Iterator[tuple[str, type[Model]]]:
    for model in admin.site._registry:  # noqa: SLF001 (its only way)
        yield model._meta.label_lower, model  # noqa: SLF001 (documented)


def pages_of_list(browser: Client, label: str, model: type[Model]) -> Iterator[Page]:
    """The list, what its filters and searches lead to, and the page of its first row."""
    name = label.replace(".", "_")
    path = reverse(f"admin:{name}_changelist")
    yield Page(f"{label}: list", path)
    changelist = opened(browser, Page("", path)).context_data["cl"]  # type: ignore[attr-defined]
    for spec in changelist.filter_specs:
        for choice in spec.choices(changelist):
            if not choice.get("selected") and "query_string" in choice:
                yield Page(f"{label}: {spec.title} {choice['display']}", path + choice["query_string"])
    if admin.site._registry[model].search_fields:  # noqa: SLF001
        for what, text in searched().items():
            yield Page(f"{label}: search {what}", f"{path}?{urlencode({'q': text})}")
    if changelist.result_list:
        row = changelist.result_list[len(changelist.result_list) // 2]
        yield Page(f"{label}: page", reverse(f"admin:{name}_change", args=[row.pk]))


def searched() -> dict[str, str]:
    """What operators search for, of the middle of what is there, and of what is not there."""
    played = Transaction.objects.exclude(mm_transaction_id=None).order_by("pk")[1000:].first()
    order, player = Order.objects.order_by("pk")[100:].first(), Player.objects.order_by("pk")[100:].first()
    payment = Payment.objects.exclude(start_reference="").first()
    found = {
        "of a transaction": played and str(played.pk),
        "of an mmTransactionId": played and played.mm_transaction_id,
        "of a beginning of an id": played and str(played.pk)[:13],
        "of an end of an id": played and str(played.pk)[-8:],
        "of an order": order and str(order.pk),
        "of a cpOrderId": order and order.cp_order_id,
        "of a provider's reference": payment and payment.start_reference,
        "of a uid": player and player.uid,
        "of a nickname": player and player.nickname,
        "of a beginning of a nickname": player and player.nickname[:6],
        "of nothing that is there": "nobody-has-this-name",
    }
    return {what: text for what, text in found.items() if text}


def see(browser: Client, page: Page) -> Seen:
    """Opens a page several times. What it shows is not looked at, but that it is shown."""
    tries = [timed(browser, page) for _ in range(TRIES)]
    print(f"{max(ms for ms, _ in tries):7.0f} ms {page.name}", file=sys.stderr, flush=True)
    return Seen(page.name, max(ms for ms, _ in tries), max(queries for _, queries in tries))


def timed(browser: Client, page: Page) -> tuple[float, int]:
    counter, began = Counter(), time.perf_counter()
    with connection.execute_wrapper(counter):
        opened(browser, page)
    return (time.perf_counter() - began) * 1000, counter.queries


def opened(browser: Client, page: Page) -> HttpResponse:
    """The page, after what a search with one result leads to."""
    response: Any = browser.post(page.path, {"q": page.asked}) if page.asked else browser.get(page.path)
    for _ in range(MOST_REDIRECTS):
        if response.status_code in (301, 302):
            response = browser.get(response.headers["Location"])
    if response.status_code != 200:
        raise SystemExit(f"{page} was answered {response.status_code}")
    return response  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()

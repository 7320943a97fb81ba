"""A demo game's order URL: takes deliveries, verifies both of their signatures, and shows what came."""

import json
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from lib.clock import now
from lib.http.responses import json_answer
from lib.security.encryption import Unreadable
from payments.checkout.pages import SeeOther, demo_page, language_of, not_found, show
from payments.providers.signatures import order_notify, standard_webhooks
from payments.providers.signatures.refused import Refused
from payments.providers.signing_secrets import delivery_secrets
from payments.sandbox import memory
from payments.sandbox.memory import DeliveryMood
from players.models import Game

SHOWN = ("cpOrderId", "uid", "serverId", "productId", "productPrice", "extParams")


@demo_page
def mailbox(request: HttpRequest, slug: str) -> HttpResponse:
    """`/sandbox/deliveries/<game>`: a POST is a delivery; a GET shows the last ones."""
    game = Game.objects.filter(slug=slug).first()
    if game is None:
        return not_found(request)
    if request.method == "POST":
        return take(request, game)
    context = {
        "game": game,
        "letters": memory.newest("mail", slug),
        "mood": mood_of(slug),
        "moods": list(DeliveryMood),
    }
    return show(request, "payments/sandbox/mailbox.html", context, language=language_of(request))


@demo_page
def choose_answer(request: HttpRequest, slug: str) -> HttpResponse:
    """`POST /sandbox/deliveries/<game>/answer`: how the game answers from now on."""
    mood = request.POST.get("mood", "")
    if request.method == "POST" and mood in list(DeliveryMood):
        memory.put(mood, "delivery-mood", slug)
    return SeeOther(request.path.removesuffix("/answer"))


def mood_of(slug: str) -> DeliveryMood:
    return DeliveryMood(memory.get(DeliveryMood.OK, "delivery-mood", slug))


def take(request: HttpRequest, game: Game) -> HttpResponse:
    """A delivery, answered in the game's mood where it is genuine."""
    mood, problem = mood_of(game.slug), problem_of(request, game)
    answer = "401" if problem else str(mood)
    memory.add(letter(request, answer, problem), "mail", game.slug)
    if problem:
        return json_answer({"problem": problem}, 401)
    if mood == DeliveryMood.HANG:
        # Longer than the platform waits.
        time.sleep(settings.OUTGOING_TOTAL_SECONDS + 2)
    return json_answer(
        {"status": "ok" if mood == DeliveryMood.OK else "no"}, int(mood) if mood != DeliveryMood.HANG else 200
    )


def problem_of(request: HttpRequest, game: Game) -> str:
    """Why a delivery is not genuine; an empty text where it is.

    A real game has to look at one of the two signatures, this one looks at both.
    """
    try:
        secrets = delivery_secrets(game)
        envelope = standard_webhooks.read({name.lower(): value for name, value in request.headers.items()})
        standard_webhooks.verify(envelope, request.body, secrets, int(now().timestamp()))
        said = order_notify.read(request.body, request.headers.get("content-type", ""))
    except (Refused, Unreadable) as problem:
        return str(problem)
    return "" if order_notify.is_genuine(said, secrets) else "sign is not of a live secret."


def letter(request: HttpRequest, answer: str, problem: str) -> dict[str, Any]:
    """What the page shows of a delivery."""
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        said = {}
    told = {name: str(said.get(name, ""))[:100] for name in SHOWN} if isinstance(said, dict) else {}
    return {
        "at": f"{now():%H:%M:%S}",
        "id": request.headers.get("webhook-id", "")[:64],
        "told": told,
        "answer": answer,
        "problem": problem,
    }

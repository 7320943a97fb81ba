"""An act of the admin as a browser does it, and what has to be recorded of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Model
from django.forms import MultiWidget
from django.test import Client

from players.models import Operator
from tests.support.admin_pages import address, page, sent, with_reason
from tests.support.callers import PlayerSession
from tests.support.shop import ShopSetup


@dataclass(frozen=True)
class Stage:
    """Whose browser it is, and what is there to act on."""

    boss: Operator
    client: Client
    player_session: PlayerSession
    shop_setup: ShopSetup


@dataclass(frozen=True)
class Doing:
    """An act that can be done: what the browser sends, and what is recorded of it.

    `row` is the subject; None if there is none, or it is made by the act. `changes` are the columns that
    differ afterwards. A request (`is_request`) changes none, a removal leaves none. `missed` is what it is
    called if it is not done.
    """

    send: Callable[[], Any]
    action: str
    missed: str
    row: Model | None = None
    changes: frozenset[str] = frozenset()
    is_request: bool = False
    is_removal: bool = False


Arranged = Callable[[Stage], Doing]


# --- What a browser sends -------------------------------------------------------------------------------


def filled(client: Client, place: str, **changes: str) -> dict[str, str]:
    """What a browser sends of a form as it opens, but for `changes`."""
    context: Any = client.get(place).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    values = {
        name: value for form in forms for bound in form for name, value in browser_values(bound).items()
    }
    return values | with_reason(changes)


def browser_values(bound: Any) -> dict[str, str]:
    """What a field sends as it opens."""
    value, widget = bound.value(), bound.field.widget
    if isinstance(widget, MultiWidget):
        parts = widget.decompress(value) or []
        return {f"{bound.html_name}_{number}": str(part or "") for number, part in enumerate(parts)}
    if isinstance(value, bool):
        return {bound.html_name: "on"} if value else {}
    return {} if value in (None, []) else {bound.html_name: str(value)}


def action(
    name: str,
    action: str,
    row_of: Callable[[Stage], Any],
    *changes: str,
    is_request: bool = False,
    is_typed: bool = False,
    **given: str,
) -> Arranged:
    """An action of a row's page: `name` in the address, `action` in the record.

    The row's name has to be typed if it `is_typed`.
    """

    def arranged(stage: Stage) -> Doing:
        row = row_of(stage)

        form = {"reason": "Ticket 7", **({"typed_name": str(row)} if is_typed else {}), **given}

        def send() -> Any:
            return sent(stage.client, page(type(row), row, name), **form)[0]

        return Doing(send, action, action, row, frozenset(changes), is_request)

    return arranged


def request(name: str, kind: str, row_of: Callable[[Stage], Any], **given: Any) -> Arranged:
    """An action that requests an act of a kind."""
    return action(name, f"request_{kind}", row_of, is_request=True, **given)


def added(model: type[Model], action: str, *, is_request: bool = False, **given: Any) -> Arranged:
    """The form of a new row; values that are functions are asked for at the time."""

    def arranged(stage: Stage) -> Doing:
        known = {name: value(stage) if callable(value) else value for name, value in given.items()}
        place = address(model, "add")
        form = filled(stage.client, place, **known)
        missed = f"add_{model._meta.model_name}"
        return Doing(lambda: stage.client.post(place, form), action, missed, is_request=is_request)

    return arranged


def changed(
    action: str, row_of: Callable[[Stage], Any], *changes: str, is_request: bool = False, **given: str
) -> Arranged:
    """The form of a row that is there."""

    def arranged(stage: Stage) -> Doing:
        row = row_of(stage)
        place = page(type(row), row)
        form = filled(stage.client, place, **given)
        missed = f"change_{row._meta.model_name}"
        send = partial(stage.client.post, place, form)
        return Doing(send, action, missed, row, frozenset(changes), is_request)

    return arranged

"""Every address of the admin, asked for by every role and by none: open is only what a line here names.

What a line asks for, `config/roles.py` gives to roles. A new page or action without a line fails.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from config.roles import ROLES
from tests.support.admin_pages import alert, operator, rows_of, signed_in
from tests.support.admin_urls import pages_of, patterns
from tests.support.callers import PlayerSession

STOP = "players.stop_platform"
ENDPOINTS, OPERATORS = "players.change_endpoints", "players.manage_operators"
CREDENTIALS, SECRETS = "players.manage_credentials", "payments.manage_secrets"
LIMIT = "wallet.limit_wallet"
RULES = "players.manage_approval_rules"
FILES, UPLOAD = "payments.manage_reconciliation", "payments.upload_reconciliation"
DECIDE = "payments.decide_difference"
CATALOGUE, SETTLE = "payments.change_catalogue", "wallet.settle_transaction"


class Line(NamedTuple):
    """What a model's pages ask for, beside the permission to see them; None: nobody, not even a superuser.

    `view` is the model's own, if it is empty.
    """

    view: str = ""
    add: str | None = None
    change: str | None = None
    actions: Mapping[str, str | None] = {}


LINES = {
    "auth.group": Line(),
    # To decide needs what the request needs; to withdraw, to have made it.
    "players.approval": Line(
        actions={"approve": "wallet.adjust_balance", "decline": "wallet.adjust_balance", "withdraw": None}
    ),
    "players.approvalrule": Line(add=RULES, change=RULES, actions={"remove": RULES}),
    "players.auditevent": Line(view="players.read_audit"),
    "players.operator": Line(
        add=OPERATORS,
        change=OPERATORS,
        actions={
            "change_roles": "players.manage_roles",
            "reset_login": OPERATORS,
            "deactivate": OPERATORS,
            "reactivate": OPERATORS,
        },
    ),
    "players.game": Line(
        add=ENDPOINTS, change=ENDPOINTS, actions={"deactivate": ENDPOINTS, "reactivate": ENDPOINTS}
    ),
    "players.credential": Line(
        add=CREDENTIALS,
        change=CREDENTIALS,
        actions={"rotate": CREDENTIALS, "revoke": "players.revoke_credential"},
    ),
    "players.player": Line(
        change="players.mark_test_player",
        actions={
            "add_note": "players.add_note",
            "end_sessions": "players.end_session",
            "block": "players.change_player_status",
            "unblock": "players.change_player_status",
            "time_out": "players.change_player_status",
            "self_exclude": "players.change_player_status",
            "change_status": "players.change_player_status",
            "export_statement": "players.export_player",
            "launch_test_session": "players.launch_test_session",
            "set_limit": LIMIT,
            "loosen_limit": LIMIT,
            "cancel_limit_change": LIMIT,
        },
    ),
    "players.platformswitch": Line(actions={"stop": STOP, "restart": STOP}),
    "players.gamesession": Line(actions={"end": "players.end_session"}),
    "wallet.currency": Line(add="wallet.manage_currencies", change="wallet.manage_currencies"),
    "wallet.payoutlimit": Line(add="wallet.change_game_limits", change="wallet.change_game_limits"),
    "wallet.wallet": Line(
        actions={
            "adjust": "wallet.adjust_balance",
            "write_off": "wallet.adjust_balance",
            "set_limit": LIMIT,
            "freeze": "wallet.freeze_wallet",
            "unfreeze": "wallet.freeze_wallet",
        }
    ),
    "wallet.transaction": Line(actions={"ask_now": SETTLE, "confirm": SETTLE, "roll_back": SETTLE}),
    "wallet.apicall": Line(),
    "wallet.discrepancy": Line(
        actions={"settle": SETTLE, "close": "wallet.resolve_alert", "assign": "wallet.resolve_alert"}
    ),
    "wallet.inquiry": Line(actions={"confirm": SETTLE, "roll_back": SETTLE, "requery": SETTLE}),
    "wallet.alert": Line(
        actions={
            "resolve": "wallet.resolve_alert",
            "accept": "wallet.resolve_ledger_difference",
            "assign": "wallet.resolve_alert",
        }
    ),
    "wallet.jobrun": Line(),
    "wallet.checkpoint": Line(),
    "wallet.closedday": Line(),
    "payments.order": Line(
        actions={
            "ask_provider": "payments.query_payment",
            "verify_refused": "payments.verify_callback",
            "accept": "payments.accept_callback",
            "deliver_again": "payments.retry_delivery",
            "refund": "payments.refund_order",
        }
    ),
    "payments.refund": Line(actions={"requery": "payments.refund_order"}),
    "payments.callback": Line(actions={"resolve": "payments.resolve_callback"}),
    "payments.refusedcallback": Line(actions={"verify": "payments.verify_callback"}),
    "payments.delivery": Line(
        actions={"send_again": "payments.retry_delivery", "send_range": "payments.retry_delivery"}
    ),
    "payments.reconciliationsource": Line(add=FILES, change=FILES, actions={"choose_columns": FILES}),
    "payments.reconciliationfile": Line(
        actions={
            "upload": UPLOAD,
            "part": UPLOAD,
            "end": UPLOAD,
            "again": UPLOAD,
            "progress": "payments.view_reconciliationfile",
            "differences": DECIDE,
        }
    ),
    "payments.difference": Line(
        actions={
            "settle": SETTLE,
            "correct": "wallet.adjust_balance",
            "ask": SETTLE,
            "explain": DECIDE,
            "accept": DECIDE,
            "resolve": DECIDE,
            "reopen": DECIDE,
            "assign": DECIDE,
            "upload_decisions": DECIDE,
        }
    ),
    "payments.product": Line(add=CATALOGUE, change=CATALOGUE),
    "payments.shop": Line(
        add=ENDPOINTS,
        change=ENDPOINTS,
        actions={
            "make_secret": SECRETS,
            "retire": SECRETS,
            "pause": "payments.pause_deliveries",
            "resume": "payments.pause_deliveries",
        },
    ),
    "payments.eventreceiver": Line(
        add=ENDPOINTS,
        change=ENDPOINTS,
        actions={
            "make_secret": SECRETS,
            "retire": SECRETS,
            "pause": "payments.pause_deliveries",
            "resume": "payments.pause_deliveries",
        },
    ),
    "payments.provider": Line(
        add=ENDPOINTS,
        change=ENDPOINTS,
        actions={
            "verify_refused": "payments.verify_callback",
            "enter_secret": SECRETS,
            "make_secret": SECRETS,
            "enter_api_key": SECRETS,
            "retire": SECRETS,
            "deactivate": ENDPOINTS,
            "reactivate": ENDPOINTS,
        },
    ),
}
# Of the site itself: for whoever is logged in, and for everybody.
FOR_OPERATORS = {
    *("index", "app_list", "search", "autocomplete", "view_on_site", "jsi18n"),
    *("find", "error_codes", "password_change", "password_change_done"),
    *("integration_games", "integration", "all_reports", "report"),
    *("export_report", "bulk_report", "choose_columns", "save_view", "rename_view", "remove_view"),
    # Of one's own account.
    *("factor", "factors", "factor_app", "recovery_codes", "remove_factor", "own_sessions", "end_sessions"),
    *("add_passkey", "begin_passkey", "complete_passkey", "begin_show_passkey", "show_passkey"),
}
ARGUMENTS: dict[str, list[Any]] = {
    "app_list": ["wallet"],
    "view_on_site": [1, 1],
    "remove_factor": ["app", 1],
    "bulk_report": [uuid4()],
    "integration": ["no-such-game"],
    "report": ["account-summary"],
    "export_report": ["account-summary"],
    "choose_columns": ["wallet.wallet"],
    "save_view": ["wallet.wallet"],
    "rename_view": [uuid4()],
    "remove_view": [uuid4()],
}
FOR_EVERYBODY = {"login", "logout", "language"}
PAGES = ("changelist", "add", "history", "delete", "change", "find", "raw", "export")
NOBODY, STRANGER = "no role", "a stranger"
WHO = [*ROLES, NOBODY, STRANGER]


def asked_for(model: str, page: str, method: str) -> set[str | None]:
    """The permissions that a page asks for, all of them; None is nobody's."""
    app, name = model.split(".")
    line = LINES[model]
    view = line.view or f"{app}.view_{name}"
    if page == "export":
        return {view, "players.export"}
    if page in line.actions:
        return {view, line.actions[page]}
    if page == "add":
        return {line.add}
    if page == "change" and method == "post":
        return {view, line.change}
    return {None} if page == "delete" else {view}


def came_of(client: Client, method: str, place: str) -> str:
    """How a request ended: open, denied, sent to the log-in; of whatever it did nothing stays."""
    with transaction.atomic():
        response: Any = getattr(client, method)(place)
        transaction.set_rollback(True)
    if response.status_code == 302 and response["Location"].startswith("/admin/login/"):
        return "log-in"
    # A row that an operator may not see is not there for them, which Django says on the first page.
    if response.status_code == 302 and response["Location"] == "/admin/":
        return "denied"
    words = {200: "open", 302: "open", 403: "denied", 404: "denied"}
    return words.get(response.status_code, str(response.status_code))


def browser_of(who: str) -> Client:
    if who == STRANGER:
        return Client()
    made = operator()
    made.groups.set(Group.objects.filter(name=who))
    return signed_in(made)


def expected(who: str, wanted: set[str | None]) -> str:
    if who == STRANGER:
        return "log-in"
    return "open" if wanted <= ROLES.get(who, frozenset()) else "denied"


def is_opened_before(who: str, wanted: set[str | None]) -> bool:
    """Whether a role that stands further up in the table has tried the same with success."""
    earlier = WHO[: WHO.index(who)]
    return any(expected(other, wanted) == "open" for other in earlier)


def asked(who: str) -> Iterator[tuple[str, str, str, set[str | None]]]:
    """What is tried: every refusal, and every page that is open once; with LONG=1 by all to whom it is."""
    for model in LINES:
        for page in pages_of(model):
            for method in ("get", "post"):
                wanted = asked_for(model, page, method)
                is_open = expected(who, wanted) == "open"
                if not is_open or os.environ.get("LONG") or not is_opened_before(who, wanted):
                    yield model, page, method, wanted


def place_of(model: str, page: str, row: Any) -> str:
    name = f"admin:{model.replace('.', '_')}_{page}"
    try:
        return reverse(name)
    except NoReverseMatch:
        return reverse(name, args=[row.pk])


def row_of_each(story: PlayerSession) -> dict[str, Any]:
    """A row of each model that everybody may act on who may act at all."""
    rows = {model._meta.label_lower: found[0] for model, found in rows_of(story).items()}
    return rows | {"players.operator": operator(), "wallet.alert": alert()}


def test_matrix__has_a_line_for_every_page_and_action() -> None:
    assert set(patterns()) == {"", *LINES}
    for model, line in LINES.items():
        assert set(pages_of(model)) - set(PAGES) == set(line.actions), model
    names = {pattern.name for pattern in patterns()[""]} - {None}
    assert names == FOR_OPERATORS | FOR_EVERYBODY


def test_matrix__no_page_acts_on_rows_that_are_ticked(story: PlayerSession, rf: Any) -> None:
    request = rf.get("/admin/")
    request.user = operator(is_superuser=True)
    for model, page in admin.site._registry.items():
        assert not page.get_actions(request), model


@pytest.mark.parametrize("who", WHO)
def test_matrix__open_is_only_what_a_line_names(story: PlayerSession, who: str) -> None:
    client, rows = browser_of(who), row_of_each(story)
    for model, page, method, wanted in asked(who):
        answer = came_of(client, method, place_of(model, page, rows[model]))
        assert answer == expected(who, wanted), f"{who}: {method} {model} {page}"


@pytest.mark.parametrize("who", [NOBODY, STRANGER])
def test_matrix__the_site_itself_tells_nothing_without_a_role(story: PlayerSession, who: str) -> None:
    client = browser_of(who)
    for name in FOR_OPERATORS:
        args = ARGUMENTS.get(name, [])
        response: Any = client.get(reverse(f"admin:{name}", args=args), {"s": "wallet"})
        if who == STRANGER:
            assert response.status_code == 302, name
            assert response["Location"].startswith("/admin/login/"), name
        else:
            # The choice of the language leads back to the address that was asked for.
            asked = f'name="next" value="{response.wsgi_request.get_full_path()}"'
            assert "/admin/wallet/" not in response.content.decode().replace(asked, ""), name

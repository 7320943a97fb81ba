"""Acts on players, games, credentials and operators."""

from functools import partial
from typing import Any

from django.contrib.auth.models import Group

from config.roles import ROLES
from lib.ids import new_id
from lib.security.tokens import new_password
from players.approvals.configuration import ANY
from players.approvals.credentials import CREDENTIAL_CHANGE, CredentialPayload
from players.approvals.games import GAME_CHANGE, PASSWORD, fingerprint_of_password
from players.approvals.operators import AccountPayload, RolesPayload, listed, roles_of
from players.approvals.players import LiftingPayload
from players.approvals.switches import PLATFORM_RESTART
from players.models import Credential, Game, LoginLink, Operator, PlatformSwitch, Player
from players.operations import add_credential, revoke_credential, set_player_status, set_query_password
from players.operators import new_login_key
from players.switches import stop
from tests.support.admin_pages import operator
from tests.support.callers import make_party, unique
from tests.support.kind_cases.case import Case, Draw, Others, Words, configured

NAMES = sorted(ROLES)


def new_credential(draw: Draw) -> Case:
    game = make_party().game if draw.one(True, False) else None
    payload = CredentialPayload(
        new_id(),
        "game" if game else "platform",
        game.pk if game else None,
        unique("c"),
        draw.networks(),
        draw.one("", "a note"),
    )

    def add(username: str) -> Credential:
        return add_credential(
            id=new_id(),
            kind=payload.kind,
            game_id=payload.game_id,
            username=username,
            password=new_password(),
            allowed_networks=[],
            note="",
        )

    first = add(unique("d"))
    for _ in range(draw.number(0, 2)):
        add(unique("d"))

    def shows() -> Words:
        made = Credential.objects.filter(pk=payload.credential_id, revoked_at=None).first()
        live = Credential.objects.filter(kind=payload.kind, game=game, revoked_at=None)
        return {
            "Live credentials of this caller": ", ".join(sorted(row.username for row in live)) or "none",
            "Calls allowed from": (", ".join(made.allowed_networks) or ANY) if made else "nothing yet",
        }

    others: Others = [
        partial(add, unique("e")),
        partial(add, payload.username),
        partial(revoke_credential, first),
    ]
    return Case(payload, shows, others, new_password())


def credential_change(draw: Draw) -> Case:
    row = make_party(tuple(draw.networks())).credential
    after = {"allowed_networks": draw.networks(), "note": draw.text()}
    rows = Credential.objects.filter(pk=row.pk)
    others: Others = [
        partial(rows.update, allowed_networks=["198.51.100.1"], note="otherwise"),
        partial(revoke_credential, row),
    ]
    return configured(CREDENTIAL_CHANGE, row, after, *others)


def game_change(draw: Draw) -> Case:
    is_new = draw.one(True, False)
    row = Game(slug=unique("g"), name="G", launch_url="https://g.example/")
    if not is_new:
        row.save()
        if draw.one(True, False):
            set_query_password(row, new_password())
        row.refresh_from_db()
    password = draw.one("", new_password())
    after: dict[str, Any] = {
        **GAME_CHANGE.values(row),
        "name": draw.text(),
        "launch_url": draw.url(may_be_empty=False),
        "is_active": draw.one(True, False),
        "pending_hours": draw.one(None, 50, 168),
        "unanswered_policy": draw.one("expire", "hold"),
        "query_url": draw.url(),
        "query_username": draw.one("", "us"),
    }
    if password or draw.one(True, False):
        after[PASSWORD] = fingerprint_of_password(password) if password else ""
    changed_by_others = {name: value for name, value in UNLIKE_GAME.items() if after[name] != value}
    others: Others = (
        [partial(Game.objects.create, slug=row.slug, name="G", launch_url="https://g.example/")]
        if is_new
        else [partial(Game.objects.filter(pk=row.pk).update, **changed_by_others)]
    )
    return configured(GAME_CHANGE, row, after, *others, is_new=is_new, secret=password)


# Values that no case draws.
UNLIKE_GAME = {
    "name": "otherwise, by another",
    "launch_url": "https://other.example/",
    "pending_hours": 999,
    "query_url": "https://other.example/q",
    "query_username": "other",
}


def platform_restart(draw: Draw) -> Case:
    row = PlatformSwitch.objects.get(name=draw.one(*PlatformSwitch.Name.values))
    stop(row, actor="test", reason="test")
    row.refresh_from_db()
    on = partial(PlatformSwitch.objects.filter(pk=row.pk).update, is_active=True)
    return configured(PLATFORM_RESTART, row, {"is_active": True}, on)


def role_grant(draw: Draw) -> Case:
    who, had = operator(), draw.some(*NAMES)
    who.groups.set(Group.objects.filter(name__in=had))
    after = sorted({*draw.some(*NAMES), draw.one(*NAMES)})
    third = [name for name in NAMES if name not in had][:1] if len(had) < len(NAMES) else []
    others: Others = [
        partial(who.groups.set, Group.objects.filter(name__in=[*had, *third] if third else [])),
    ]
    payload = RolesPayload(who.username, sorted(had), after)
    return Case(payload, lambda: {"Roles": listed(roles_of(who))}, others)


def account_opening(draw: Draw) -> Case:
    act, key = draw.one("make", "reactivate", "reset"), new_login_key()
    roles = sorted(draw.some(*NAMES))
    link_hash = key.hash
    if act == "make":
        who = Operator(username=unique("op"))
        payload = AccountPayload(act, who.username, link_hash.hex(), roles=roles)
        others: Others = [partial(Operator.objects.create, username=who.username)]
    else:
        who = operator(is_active=act == "reset")
        who.groups.set(Group.objects.filter(name__in=roles))
        payload = AccountPayload(act, who.username, link_hash.hex())
        rows = Operator.objects.filter(pk=who.pk)
        more = Group.objects.filter(name__in=[name for name in NAMES if name not in roles][:1])
        others = [partial(rows.update, is_active=act != "reset"), partial(who.groups.add, *more)]

    def shows() -> Words:
        found = Operator.objects.filter(username=who.username).first()
        if found is None:
            return {"Account": "none", "Roles": "none"}
        link = LoginLink.objects.filter(operator=found, token_hash=link_hash, ended_at=None).exists()
        state = "active" if found.is_active else "deactivated"
        with_link = ", with a one-time log-in link" if link else ""
        return {"Account": state + with_link, "Roles": listed(roles_of(found))}

    return Case(payload, shows, others, key.code)


def lifting(draw: Draw) -> Case:
    states = [state for state in Player.Status if state != Player.Status.ACTIVE]
    before, after = draw.one(*states), draw.one(*Player.Status)
    player = draw.callers.player()
    for _ in range(draw.number(1, 2)):
        set_player_status(player.pk, status=before, actor="test", reason=draw.text())
    # Closed, an excluded one would have been closed while excluded.
    other = Player.Status.BLOCKED if before == Player.Status.CLOSED else Player.Status.CLOSED

    def shows() -> Words:
        row = Player.objects.get(pk=player.pk)
        lifted = Player.Status.BLOCKED if row.block_beneath else Player.Status.ACTIVE
        return {
            "Status": str(row.get_status_display()),
            "Status, once the player confirms it": str(
                lifted.label if row.liftable_at else row.get_status_display()
            ),
        }

    others: Others = [
        partial(set_player_status, player.pk, status=other, actor="o", reason="r", is_approved=True)
    ]
    return Case(LiftingPayload(player.pk, before, after), shows, others)


CASES = {
    "make_credential": new_credential,
    "change_credential": credential_change,
    "change_game": game_change,
    "restart_platform": platform_restart,
    "change_roles": role_grant,
    "open_account": account_opening,
    "change_player_status": lifting,
}

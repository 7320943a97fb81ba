"""Secrets of providers, games and receivers of events are entered, made or retired."""

from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from lib.backoffice.languages import _, format_lazy
from payments.models import EventReceiver, Provider, Secret, Shop
from payments.providers.registry import PROVIDERS
from payments.providers.signing_secrets import (
    SecretRefused,
    add_callback_secret,
    add_delivery_secret,
    add_event_secret,
    replace_api_secret,
    retire_secret,
    shown_fingerprint,
)
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of

Purpose = Secret.Purpose
Owner: TypeAlias = Provider | Shop | EventReceiver
# What a secret gives whoever has it.
MEANINGS = {
    Purpose.CALLBACK: _("Whoever has the secret can tell us that orders of any player are paid."),
    Purpose.API: _("The platform calls the provider with it; the present one is retired."),
    Purpose.DELIVERY: _("The game accepts deliveries that are signed with it."),
    Purpose.EVENTS: _("The receiver accepts events that are signed with it."),
}
LABELS = {
    Purpose.CALLBACK: _("Secrets that sign callbacks"),
    Purpose.API: _("API key"),
    Purpose.DELIVERY: _("Secrets that sign deliveries"),
    Purpose.EVENTS: _("Secrets that sign events"),
}
ADDITIONS = {
    Purpose.CALLBACK: _("Add the secret {secret} for callbacks of {owner}"),
    Purpose.API: _("Add the secret {secret} for API calls of {owner}"),
    Purpose.DELIVERY: _("Add the secret {secret} for deliveries of {owner}"),
    Purpose.EVENTS: _("Add the secret {secret} for events to {owner}"),
}
# The column that names the owner; all others are providers'.
OWNED_BY = {Purpose.DELIVERY: "game_id", Purpose.EVENTS: "receiver_id"}
NEW = _("a new one")
KNOWN = _("Who requests it knows the secret.")


class NewSecretPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`owner_id` is a provider's, of a delivery secret its game's, or a receiver's of events.

    `fingerprint` tells the secret apart; it is empty as long as the secret is not entered or made.
    """

    owner_id: UUID
    purpose: Literal["callback", "api", "delivery", "events"]
    fingerprint: str = ""


class RetirementPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    secret_id: UUID


class AddSecret(Kind[NewSecretPayload]):
    """A secret counts from the approval on. Until then it is sealed in the request."""

    name, title, permission = "add_secret", _("new secret"), "payments.manage_secrets"
    about, payload = "payments.provider", NewSecretPayload

    def describe(self, payload: NewSecretPayload) -> str:
        owner = owner_of(payload.purpose, payload.owner_id)
        words = ADDITIONS[Purpose(payload.purpose)]
        return format_lazy(words, secret=payload.fingerprint or NEW, owner=owner)

    def preview(self, payload: NewSecretPayload) -> Preview:
        owner = locked_owner(payload.purpose, payload.owner_id)
        before = fingerprints(live_secrets(payload.purpose, payload.owner_id))
        kept = [] if Purpose(payload.purpose) is Purpose.API else before
        change = changed(payload.purpose, before, [payload.fingerprint or NEW, *kept])
        return Preview(subject_of(owner), [change], [MEANINGS[Purpose(payload.purpose)], KNOWN])

    def execute(self, payload: NewSecretPayload, execution: Execution) -> str:
        owner, actor = owner_of(payload.purpose, payload.owner_id), execution.actor
        try:
            if isinstance(owner, Shop):
                add_delivery_secret(owner.game, execution.secret, actor=actor)
            elif isinstance(owner, EventReceiver):
                add_event_secret(owner, execution.secret, actor=actor)
            elif Purpose(payload.purpose) is Purpose.API:
                replace_api_secret(owner, execution.secret, actor=actor)
            else:
                add_callback_secret(owner, execution.secret, actor=actor)
        except SecretRefused as problem:
            raise NotExecutable(*problem.args) from problem
        transaction.on_commit(PROVIDERS.forget)
        words = _("The secret {secret} of {owner} counts from now on, within a few seconds.")
        return format_lazy(words, secret=payload.fingerprint, owner=owner)


class RetireSecret(Kind[RetirementPayload]):
    """A secret ends. Without any, callbacks or deliveries end too."""

    name, title, permission = "retire_secret", _("retirement of a secret"), "payments.manage_secrets"
    about, payload = "payments.provider", RetirementPayload

    def describe(self, payload: RetirementPayload) -> str:
        secret = Secret.objects.get(pk=payload.secret_id)
        owner = owner_of(secret.purpose, owner_id_of(secret))
        fingerprint = shown_fingerprint(secret.fingerprint)
        return format_lazy(_("Retire the secret {secret} of {owner}"), secret=fingerprint, owner=owner)

    def preview(self, payload: RetirementPayload) -> Preview:
        secret = Secret.objects.get(pk=payload.secret_id)
        owner = locked_owner(secret.purpose, owner_id_of(secret))
        live = live_secrets(secret.purpose, owner_id_of(secret))
        if secret not in live:
            raise NotExecutable(_("The secret is retired already."))
        left = fingerprints(live.exclude(pk=secret.pk))
        says = [_("What is signed with a retired secret is refused within a few seconds.")]
        says += [] if left else [_("It is the only live one: nothing can be signed, or accepted, any more.")]
        return Preview(subject_of(owner), [changed(secret.purpose, fingerprints(live), left)], says)

    def execute(self, payload: RetirementPayload, execution: Execution) -> str:
        secret = Secret.objects.get(pk=payload.secret_id)
        retire_secret(secret, actor=execution.actor)
        transaction.on_commit(PROVIDERS.forget)
        words = _("The secret {secret} is retired.")
        return format_lazy(words, secret=shown_fingerprint(secret.fingerprint))


ADD_SECRET, RETIRE_SECRET = AddSecret(), RetireSecret()


def owner_of(purpose: str, owner_id: UUID) -> Owner:
    """Whose secret it is: a provider, of delivery secrets the game's shop, or a receiver of events."""
    owner: Owner = owners(purpose, owner_id).get()
    return owner


def locked_owner(purpose: str, owner_id: UUID) -> Owner:
    """The same, locked: secrets of one owner are added and retired one after another."""
    owner: Owner = owners(purpose, owner_id).select_for_update(of=("self",)).get()
    return owner


def owners(purpose: str, owner_id: UUID) -> QuerySet[Any]:
    if purpose == Purpose.DELIVERY:
        return Shop.objects.select_related("game").filter(game_id=owner_id)
    model = EventReceiver if purpose == Purpose.EVENTS else Provider
    return model._default_manager.filter(pk=owner_id)  # noqa: SLF001 (documented)


def owner_id_of(secret: Secret) -> UUID:
    """The provider's id, the game's, or the receiver's."""
    owner: UUID | None = secret.provider_id or secret.game_id or secret.receiver_id
    assert owner is not None
    return owner


def live_secrets(purpose: str, owner_id: UUID) -> QuerySet[Secret]:
    """The secrets of one owner and purpose that count, newest first."""
    owner = {OWNED_BY.get(Purpose(purpose), "provider_id"): owner_id}
    live = Secret.objects.filter(purpose=purpose, retired_at=None, **owner)
    return live.defer("sealed").order_by("-created_at", "-pk")


def fingerprints(secrets: QuerySet[Secret]) -> list[str]:
    return [shown_fingerprint(secret.fingerprint) for secret in secrets]


def changed(purpose: str, before: list[str], after: list[str]) -> Change:
    return Change(LABELS[Purpose(purpose)], listed(before), listed(after))


def listed(secrets: list[str]) -> str:
    """Secrets by their fingerprints; a new one may have none yet."""
    return format_lazy(", ".join(["{}"] * len(secrets)), *secrets) if secrets else _("none")

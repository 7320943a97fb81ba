"""Secrets shared with providers, games and receivers of events (contract 4.2, rule 2).

Each has one owner and one direction, is entered once, and shown never again.
"""

import secrets
from base64 import b64encode

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from lib.backoffice.languages import _
from lib.clock import now
from lib.ids import new_id
from lib.security.encryption import open_sealed, seal
from lib.security.tokens import password_hash
from payments.models import EventReceiver, Provider, Secret
from payments.providers.adapters import adapter_for
from payments.providers.signatures import order_notify, standard_webhooks
from players.models import Credential, Game
from players.query_passwords import query_passwords

PUBLISHED = frozenset({order_notify.PUBLISHED_SECRET, standard_webhooks.PUBLISHED_SECRET})
# Random ones of the least length have more different characters than this, but for one in millions.
LEAST_DIFFERENT = 8
USED = _(
    "This secret is or was in use already, for another owner or direction or for this one. "
    "Every secret is used once: take a new one."
)


class SecretRefused(Exception):
    """Why a secret cannot be used, in an operator's words; it never repeats the secret."""


def new_webhook_secret() -> str:
    """A fresh secret in the form of Standard Webhooks, of 256 random bits."""
    return standard_webhooks.PREFIX + b64encode(secrets.token_bytes(32)).decode()


def require_callback_secret(provider: Provider, text: str) -> None:
    """Raises `SecretRefused` if a text cannot sign a provider's callbacks."""
    try:
        adapter_for(provider.scheme).check_secret(text)
    except ValueError as problem:
        raise SecretRefused(*problem.args) from problem
    require_unused(text)


def require_api_secret(provider: Provider, text: str) -> None:
    """Raises `SecretRefused` if a provider cannot be called with a text."""
    if not adapter_for(provider.scheme).has_api_secret:
        raise SecretRefused(_("A provider of this scheme is never called with a secret."))
    if not 16 <= len(text) <= 255 or not text.isascii() or not text.isprintable():
        raise SecretRefused(_("This is no secret key: 16 to 255 printable characters."))
    require_unused(text)


def add_callback_secret(provider: Provider, text: str, *, actor: str) -> Secret:
    """One more live secret that signs a provider's callbacks. Raises `SecretRefused`."""
    require_callback_secret(provider, text)
    return keep(Secret(provider=provider, purpose=Secret.Purpose.CALLBACK), text, actor)


def replace_api_secret(provider: Provider, text: str, *, actor: str) -> Secret:
    """The secret that we call a provider with; the one before is retired. Raises `SecretRefused`."""
    require_api_secret(provider, text)
    with transaction.atomic():
        made = keep(Secret(provider=provider, purpose=Secret.Purpose.API), text, actor)
        for older in Secret.objects.filter(
            provider=provider, purpose=Secret.Purpose.API, retired_at=None
        ).exclude(pk=made.pk):
            retire_secret(older, actor=actor)
    return made


def add_delivery_secret(game: Game, text: str, *, actor: str) -> Secret:
    """One more live secret that signs deliveries to a game.

    The newest signs, all of them stand in the header. Raises `SecretRefused`.
    """
    require_webhook_secret(text)
    return keep(Secret(game=game, purpose=Secret.Purpose.DELIVERY), text, actor)


def add_event_secret(receiver: EventReceiver, text: str, *, actor: str) -> Secret:
    """One more live secret that signs events to a receiver, beside the others. Raises `SecretRefused`."""
    require_webhook_secret(text)
    return keep(Secret(receiver=receiver, purpose=Secret.Purpose.EVENTS), text, actor)


def require_webhook_secret(text: str) -> None:
    """Raises `SecretRefused` if a text has not the form of Standard Webhooks."""
    try:
        standard_webhooks.key_of(text)
    except ValueError as problem:
        raise SecretRefused(*problem.args) from problem


def retire_secret(secret: Secret, *, actor: str) -> bool:
    """Ends a secret. Returns whether that is new.

    Other processes notice within `CREDENTIAL_CACHE_SECONDS`.
    """
    return bool(
        Secret.objects.filter(pk=secret.pk, retired_at=None).update(retired_at=now(), retired_by=actor)
    )


def open_secret(secret: Secret) -> str:
    """The secret itself. Raises `Unreadable` where its key is gone."""
    return open_sealed(secret.sealed, purpose=purpose_of(secret))


def reseal_secret(secret: Secret) -> None:
    """Seals a secret with the newest key."""
    sealed = seal(open_secret(secret), purpose=purpose_of(secret))
    Secret.objects.filter(pk=secret.pk).update(sealed=sealed)


def delivery_secrets(game: Game) -> list[str]:
    """The live secrets that sign deliveries to a game, newest first. Raises `Unreadable`."""
    return live_secrets(Secret.objects.filter(game=game, purpose=Secret.Purpose.DELIVERY))


def event_secrets(receiver: EventReceiver) -> list[str]:
    """The live secrets that sign events to a receiver, newest first. Raises `Unreadable`."""
    return live_secrets(Secret.objects.filter(receiver=receiver))


def live_secrets(secrets: QuerySet[Secret]) -> list[str]:
    live = secrets.filter(retired_at=None).order_by("-created_at", "-pk")
    return [open_secret(secret) for secret in live]


def require_unused(text: str) -> None:
    """Raises `SecretRefused` if a secret is too simple, published, or was used before."""
    if len(set(text.removeprefix(standard_webhooks.PREFIX))) < LEAST_DIFFERENT:
        raise SecretRefused(_("This secret is too simple: take a random one."))
    if spelled(text) in PUBLISHED:
        raise SecretRefused(_("This secret stands in public documents: everybody knows it."))
    if (
        is_known(text)
        or Credential.objects.filter(password_hash=password_hash(text)).exists()
        or text in query_passwords().values()
    ):
        raise SecretRefused(USED)


def keep(secret: Secret, text: str, actor: str) -> Secret:
    """Seals and stores a secret that was never used before. Raises `SecretRefused`."""
    require_unused(text)
    secret.id, secret.created_at, secret.created_by = new_id(), now(), actor
    secret.fingerprint = fingerprint_of(text)
    secret.sealed = seal(text, purpose=purpose_of(secret))
    try:
        with transaction.atomic():
            secret.save(force_insert=True)
    except IntegrityError as problem:
        raise SecretRefused(USED) from problem
    return secret


def spelled(text: str) -> str:
    """A secret in the one spelling that it is remembered by: base64 has several for the same bytes."""
    try:
        return standard_webhooks.PREFIX + b64encode(standard_webhooks.key_of(text)).decode()
    except ValueError:
        return text


def fingerprint_of(text: str) -> bytes:
    """The keyed hash by which a secret is recognised."""
    return password_hash(spelled(text))


def shown_fingerprint(fingerprint: bytes | memoryview) -> str:
    """Of a fingerprint, enough for people to tell two secrets apart: 8 hexadecimal digits."""
    return bytes(fingerprint)[:4].hex()


def is_known(text: str) -> bool:
    """Whether a text is or was a secret here."""
    return Secret.objects.filter(fingerprint=fingerprint_of(text)).exists()


def purpose_of(secret: Secret) -> str:
    owner = secret.provider_id or secret.game_id or secret.receiver_id
    return f"payments secret {secret.pk} {secret.purpose} of {owner}"

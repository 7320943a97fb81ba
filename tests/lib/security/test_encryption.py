"""Secrets at rest: what was sealed opens with its key and for its purpose, and in no other way."""

import base64
import os
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from pytest_django import Settings

from lib.ids import new_id
from lib.outbound.client import BasicCredential
from lib.security.encryption import Unreadable, current_keys, is_current, open_sealed, seal
from payments.approvals.secrets import ADD_SECRET, NewSecretPayload
from payments.models import Secret
from payments.providers.signing_secrets import (
    add_delivery_secret,
    fingerprint_of,
    new_webhook_secret,
    open_secret,
    shown_fingerprint,
)
from players.approvals.operations import approve, request_approval
from players.models import Approval, AuthenticatorApp, Game
from players.operations import query_credential, set_query_password
from tests.support.admin_fixtures import forget_work
from tests.support.admin_pages import operator
from tests.support.approvals import origin_of
from tests.support.callers import make_party
from tests.support.doors import SECRET, give_app
from tests.support.shop import make_provider

OLD = "an old key of the tests, of more than 32 characters"
NEW = "a new key of the tests, of more than 32 characters"
PURPOSE = "game.query_password"


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]


@pytest.mark.parametrize("text", ["", "MyPass", "päss:wörd €", "x" * 10_000, "\udc80"])
def test_encryption__what_is_sealed_opens_again(text: str) -> None:
    assert open_sealed(seal(text, purpose=PURPOSE), purpose=PURPOSE) == text


def test_encryption__sealed_text_shows_only_its_version_and_key() -> None:
    sealed = seal("MyPass", purpose=PURPOSE)
    version, key, content = sealed.split(".")
    assert (version, key) == ("v1", current_keys()[0].id)
    # A nonce of 12 bytes, the six of the secret, a tag of 16.
    raw = base64.urlsafe_b64decode(content)
    assert len(raw) == 34
    assert b"MyPass" not in raw
    assert seal("MyPass", purpose=PURPOSE) != sealed


def test_encryption__same_key_and_format_open_in_later_versions() -> None:
    sealed = "v1.d1eafc19._X0mNXZQuRWniFQDIPeBoinH5OOuES2bLkyKEbNUWGmIDg=="
    assert open_sealed(sealed, purpose=PURPOSE) == "MyPass"


def test_encryption__secret_does_not_open_for_another_purpose() -> None:
    sealed = seal("MyPass", purpose=PURPOSE)
    for purpose in ("game.delivery_secret", "", PURPOSE + " "):
        with pytest.raises(Unreadable, match="another purpose"):
            open_sealed(sealed, purpose=purpose)


@pytest.mark.slow
def test_encryption__newest_key_seals_and_every_key_opens(settings: Settings) -> None:
    before = seal("before", purpose=PURPOSE)
    assert is_current(before)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    after = seal("after", purpose=PURPOSE)
    assert (is_current(before), is_current(after)) == (False, True)
    assert (open_sealed(before, purpose=PURPOSE), open_sealed(after, purpose=PURPOSE)) == ("before", "after")
    settings.ENCRYPTION_KEYS = [NEW]
    assert open_sealed(after, purpose=PURPOSE) == "after"
    with pytest.raises(Unreadable, match="not among ENCRYPTION_KEYS"):
        open_sealed(before, purpose=PURPOSE)


def test_encryption__notices_every_changed_character() -> None:
    sealed = seal("MyPass", purpose=PURPOSE)
    for place, character in enumerate(sealed):
        for other in "ABQgw" if character != "=" else "A":
            if other != character:
                with pytest.raises(Unreadable):
                    open_sealed(sealed[:place] + other + sealed[place + 1 :], purpose=PURPOSE)


def test_encryption__key_with_another_keys_name_opens_nothing(settings: Settings) -> None:
    sealed = seal("MyPass", purpose=PURPOSE)
    settings.ENCRYPTION_KEYS = [NEW]
    renamed = ".".join(["v1", current_keys()[0].id, sealed.split(".")[2]])
    with pytest.raises(Unreadable):
        open_sealed(renamed, purpose=PURPOSE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MyPass",
        "v1..",
        "v2.00000000.AAAA",
        "v1.00000000.",
        "v1.0000000.AAAA",
        "v1.00000000.A",
        "v1.00000000.A A=",
        "v1.00000000.AAAA\n",
    ],
)
def test_encryption__what_was_never_sealed_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        open_sealed(text, purpose=PURPOSE)


def test_encryption__too_short_contents_are_unreadable() -> None:
    for length in (1, 11, 12, 13, 27):
        text = f"v1.{current_keys()[0].id}.{base64.urlsafe_b64encode(bytes(length)).decode()}"
        with pytest.raises(Unreadable):
            open_sealed(text, purpose=PURPOSE)


@pytest.mark.parametrize("texts", [[], [""], ["x" * 31], [NEW, "x" * 31]])
def test_encryption__refuses_missing_or_short_keys(settings: Settings, texts: list[str]) -> None:
    settings.ENCRYPTION_KEYS = texts
    with pytest.raises(ImproperlyConfigured, match="at least 32 characters"):
        seal("MyPass", purpose=PURPOSE)


def test_encryption__no_key_or_secret_is_in_an_error_or_repr() -> None:
    sealed = seal("MyPass", purpose=PURPOSE)
    with pytest.raises(Unreadable) as caught:
        open_sealed(sealed, purpose="another")
    shown = str(caught.value) + repr(caught.value) + repr(current_keys())
    assert OLD not in shown
    assert "MyPass" not in shown
    assert sealed not in shown


# --- A new key ----------------------------------------------------------------------------------------


@pytest.fixture
def sealed_as_before(settings: Settings, database: None) -> Iterator[list[str]]:
    """The keys that everything else in the database is sealed with, and is again afterwards."""
    keys = os.environ["ENCRYPTION_KEYS"].split(",")
    yield keys
    settings.ENCRYPTION_KEYS = [*keys, NEW]
    call_command("reseal_secrets")


def waiting_secret(text: str) -> Approval:
    """A request for a secret of a provider; nothing else waits, and no app is there."""
    forget_work()
    AuthenticatorApp.objects.all().delete()
    provider = make_provider("standard-webhooks").provider
    payload = NewSecretPayload(provider.pk, "callback", shown_fingerprint(fingerprint_of(text)))
    asker = origin_of(operator("payments.manage_secrets"))
    return request_approval(
        ADD_SECRET, payload, id=new_id(), origin=asker, reason="r", digest=None, secret=text
    )


def test_encryption__secrets_are_resealed_and_the_old_key_can_go(
    settings: Settings, sealed_as_before: list[str]
) -> None:
    game = make_party(query_url="https://game.example/state", query_username="quantum").game
    set_query_password(game, "pa:ss")
    Game.objects.exclude(pk=game.pk).update(sealed_query_password="")
    delivery = new_webhook_secret()
    sealed = add_delivery_secret(game, delivery, actor="test")
    other = new_webhook_secret()
    asked, bearer = waiting_secret(other), give_app(operator())
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(CommandError, match=game.slug) as refused:
        call_command("reseal_secrets")
    assert asked.title in str(refused.value)
    assert bearer.user.username in str(refused.value)
    settings.ENCRYPTION_KEYS = [NEW, OLD, *sealed_as_before]
    call_command("reseal_secrets")
    settings.ENCRYPTION_KEYS = [NEW]
    call_command("reseal_secrets")
    assert query_credential(Game.objects.get(pk=game.pk)) == BasicCredential("quantum", "pa:ss")
    assert open_secret(Secret.objects.get(pk=sealed.pk)) == delivery
    bearer.refresh_from_db()
    assert AuthenticatorApp.open(bearer.user, bearer.sealed_secret) == SECRET
    # The request's secret is what it was, and counts from the approval on.
    second = origin_of(operator("payments.manage_secrets"))
    assert approve(asked.pk, origin=second, digest=asked.digest).state == Approval.State.EXECUTED
    made = Secret.objects.filter(provider_id=asked.subject_id).latest("created_at")
    assert open_secret(made) == other

"""Passkeys as second factors: whose host they are for, and under which name they are listed."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django_otp_webauthn.helpers import WebAuthnHelper

from lib.clock import in_words, now
from players.logins import factors


def host_of(request: HttpRequest) -> str:
    """The host that a passkey is bound to: the one of the request, which ALLOWED_HOSTS has to name."""
    return str(urlsplit(f"//{request.get_host()}").hostname)


class Passkeys(WebAuthnHelper):  # type: ignore[misc]
    """What the ceremonies of django-otp-webauthn ask of us."""

    def get_allowed_origins(self) -> list[str]:
        """Where the browser may say that it is: as the request came, or as forms may come by a proxy."""
        request: HttpRequest = self.request
        ours = host_of(request)
        behind_proxy = [
            origin for origin in settings.CSRF_TRUSTED_ORIGINS if urlsplit(origin).hostname == ours
        ]
        return [f"{request.scheme}://{request.get_host()}", *behind_proxy]

    @transaction.atomic
    def register_complete(self, *args: Any, **kwargs: Any) -> Any:
        """The new passkey, which this session has shown with it; the operator's other sessions end."""
        device = super().register_complete(*args, **kwargs)
        factors.changed(self.request, "add_second_factor", device.name)
        factors.mark_passed(self.request, device)
        return device

    def create_credential(self, *args: Any, **kwargs: Any) -> Any:
        credential = super().create_credential(*args, **kwargs)
        credential.name = f"Passkey of {in_words(now())}"
        return credential

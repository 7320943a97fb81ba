"""The ceremonies of passkeys, which a script of the page carries out with the browser."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django_otp_webauthn import views
from django_otp_webauthn.exceptions import NotVerified, OTPWebAuthnApiError
from django_otp_webauthn.models import WebAuthnCredential

from lib.backoffice.languages import _
from players.audit_trail.record import Outcome
from players.logins import account, factors
from players.logins.events import tell


def add_passkey(request: HttpRequest) -> HttpResponse:
    """The page on which a passkey is made."""
    if answer := factors.require_recent_factor(request):
        return answer
    return account.page(
        request, "passkey", _("Add a passkey"), onward=account.place("recovery_codes", request)
    )


class Ceremony:
    """Whatever fails unexpectedly is raised as it is; as its own cause, it would be printed without end."""

    def handle_exception(self, problem: Exception) -> HttpResponse:
        if not isinstance(problem, OTPWebAuthnApiError):
            raise problem
        answer: HttpResponse = super().handle_exception(problem)  # type: ignore[misc]
        return answer


class OurRegistration(Ceremony):
    """Only who has just shown a factor adds one, or who has none yet."""

    request: HttpRequest

    def check_can_register(self) -> None:
        if not factors.may_change(self.request):
            raise NotVerified(detail=_("Show your second factor again: reload this page."))


class BeginRegistration(OurRegistration, views.BeginCredentialRegistrationView):  # type: ignore[misc]
    """What the browser needs to make a passkey."""


class CompleteRegistration(OurRegistration, views.CompleteCredentialRegistrationView):  # type: ignore[misc]
    """Takes the passkey that was made."""


class BeginShowing(Ceremony, views.BeginCredentialAuthenticationView):  # type: ignore[misc]
    """What the browser needs to show a passkey."""


class CompleteShowing(Ceremony, views.CompleteCredentialAuthenticationView):  # type: ignore[misc]
    """Takes a passkey as the second factor of this session."""

    def complete_auth(self, device: WebAuthnCredential) -> None:
        factors.mark_passed(self.request, device)

    def get_success_url(self) -> str:
        return self.get_redirect_url() or reverse("admin:index")

    def handle_exception(self, problem: Exception) -> HttpResponse:
        answer: HttpResponse = super().handle_exception(problem)
        operator = factors.operator_of(self.request)
        tell(self.request, factors.SHOW, operator, outcome=Outcome.FAILED, note="passkey")
        return answer


begin_registration = BeginRegistration.as_view()
complete_registration = CompleteRegistration.as_view()
begin_showing = BeginShowing.as_view()
complete_showing = CompleteShowing.as_view()

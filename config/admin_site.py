"""The site of the admin: whoever has to show a second factor sees nothing before."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import django_otp
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache

from config.languages import choose_language
from lib.backoffice.languages import _
from players.audit_trail.record import Outcome
from players.bulk_reports import show_report
from players.lists import pages as lists
from players.logins import account, attempts, factors, passkey_views
from players.logins.attempts import in_time
from players.logins.events import LOCK_OUT, tell
from players.logins.sessions import End, end_others

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as UnfoldAdminSite
else:
    from unfold.sites import UnfoldAdminSite

CHANGE_PASSWORD = "change_password"
View = Callable[..., HttpResponse]
REPORT_PAGES = (
    ("reports/", "all_reports", "show_reports"),
    ("reports/<slug:name>/", "report", "show_report"),
    ("reports/<slug:name>/export/", "export_report", "export_report"),
)


class OperatorsSite(UnfoldAdminSite):
    """Unfold's site, behind second factors, with the pages of one's own account."""

    def has_permission(self, request: HttpRequest) -> bool:
        return self.has_entered(request) and factors.is_passed(request)

    def has_entered(self, request: HttpRequest) -> bool:
        """Whether an operator's password was shown, and nothing more."""
        return bool(super().has_permission(request)) and hasattr(request, "operator_session")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and self.has_entered(request) and not self.has_permission(request):
            page = "factor" if django_otp.user_has_device(request.user) else "factors"
            words = urlencode({"next": request.GET.get("next", "")})
            return HttpResponseRedirect(f"{reverse(f'admin:{page}')}?{words}")
        return super().login(request, extra_context)

    @transaction.atomic
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Django's page; afterwards the operator's other sessions have ended.

        Whoever has got hold of a session finds no password by it: the second factor comes first, and wrong
        passwords are counted.
        """
        if asked := factors.require_recent_factor(request, carries=False):
            return asked
        if request.method != "POST":
            return super().password_change(request, extra_context)
        operator = factors.operator_of(request)
        tried = attempts.begin_code(operator)
        if tried.wait:
            messages.warning(
                request, _("Too many wrong passwords. Try again in {time}.").format(time=in_time(tried.wait))
            )
            return HttpResponseRedirect(request.path)
        answer = super().password_change(request, extra_context)
        if answer.status_code == 302:
            end_others(request, End.PASSWORD)
            tell(request, CHANGE_PASSWORD, operator)
        elif "old_password" in (answer.context_data or {})["form"].errors:
            tell(request, CHANGE_PASSWORD, operator, outcome=Outcome.FAILED)
            if tried.is_last:
                tell(request, LOCK_OUT, operator, note="the present password")
            return answer
        attempts.succeed(tried)
        return answer

    def entered(self, view: View) -> View:
        """A view for who has shown the password, but perhaps no second factor yet."""

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_entered(request):
                return redirect_to_login(request.get_full_path(), reverse("admin:login"))
            return view(request, *args, **kwargs)

        return never_cache(inner)

    def extra_urls(self) -> list[URLPattern]:
        """Pages of one's own; they come before Django's, whose log-out is only for who has come in."""
        half = {
            "logout/": ("logout", self.logout),
            "account/factor/": ("factor", account.show_factor),
            "account/factors/": ("factors", account.factors_page),
            "account/factors/app/": ("factor_app", account.add_app),
            "account/factors/recovery/": ("recovery_codes", account.recovery_codes),
            "account/factors/remove/<str:kind>/<int:id>/": ("remove_factor", account.remove_factor),
            "account/factors/passkey/": ("add_passkey", passkey_views.add_passkey),
            "account/passkeys/register/begin/": ("begin_passkey", passkey_views.begin_registration),
            "account/passkeys/register/": ("complete_passkey", passkey_views.complete_registration),
            "account/passkeys/show/begin/": ("begin_show_passkey", passkey_views.begin_showing),
            "account/passkeys/show/": ("show_passkey", passkey_views.complete_showing),
        }
        whole: dict[str, tuple[str, View]] = {
            # Before the reports about money: an id is a slug, too.
            "reports/<uuid:id>/": ("bulk_report", show_report),
            # They need the pages, which register themselves here.
            "find/": ("find", partial(import_string("config.find.page.find"), self)),
            "error-codes/": ("error_codes", partial(import_string("config.find.codes.show_codes"), self)),
            "integration/": (
                "integration_games",
                partial(import_string("config.integration.page.show_games"), self),
            ),
            "integration/<slug:slug>/": (
                "integration",
                partial(import_string("config.integration.page.show_game"), self),
            ),
            **{
                place: (name, partial(import_string(f"wallet.admin.reports.{view}"), self))
                for place, name, view in REPORT_PAGES
            },
            "account/sessions/": ("own_sessions", account.sessions_page),
            "account/sessions/end/": ("end_sessions", account.end_sessions),
            "lists/<str:model>/columns/": ("choose_columns", lists.choose_columns),
            "lists/<str:model>/views/": ("save_view", lists.save),
            "views/<uuid:id>/rename/": ("rename_view", lists.rename),
            "views/<uuid:id>/remove/": ("remove_view", lists.remove),
        }
        return [
            path("language/", choose_language, name="language"),
            *(path(place, self.entered(view), name=name) for place, (name, view) in half.items()),
            *(path(place, self.admin_view(view), name=name) for place, (name, view) in whole.items()),
        ]

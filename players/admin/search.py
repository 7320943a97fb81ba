"""Searches by exact keys. A pasted session token is turned into its session before it can stand in an address, a log or a page."""

from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from lib.backoffice.pages import PageAdmin, read_uuid
from lib.security.tokens import token_hash
from players.models import GameSession

# How a search names a session: this word, then the session's id, which is no secret.
SESSION = "session:"


def without_token(text: str) -> str:
    """A search text in which a session's token is replaced by that session; any other text as it is."""
    text = text.strip()
    given = read_uuid(text)
    # Tokens are random (version 4); our own ids are of version 7, and so need no look.
    if given is None or given.version != 4:
        return text
    session = GameSession.objects.filter(token_hash=token_hash(given)).only("pk").first()
    return f"{SESSION}{session.pk}" if session else text


class SearchingAdmin(PageAdmin):
    """A list whose search is sent in a form's body, and answered with a redirect to an address without secrets."""

    searches_by_post = True
    # Never looked at: it makes the search field show. `named` and `of_session` search.
    search_fields = ("pk",)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_find"
        return [path("find/", self.admin_site.admin_view(self.find), name=name), *super().get_urls()]

    def find(self, request: HttpRequest) -> HttpResponse:
        """Takes the search form, with the filters that were set, to the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        query = request.POST.copy()
        query.pop("csrfmiddlewaretoken", None)
        query[SEARCH_VAR] = without_token(query.get(SEARCH_VAR, ""))
        place = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return HttpResponseRedirect(f"{place}?{query.urlencode()}")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        text = request.GET.get(SEARCH_VAR, "")
        known = without_token(text)
        if known.startswith(SESSION) and known != text.strip():
            # Somebody wrote a token into the address: it must not stay there, nor get into the page's links.
            query = request.GET.copy()
            query[SEARCH_VAR] = known
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if text.startswith(SESSION):
            id = read_uuid(text.removeprefix(SESSION))
            session = GameSession.objects.filter(pk=id).first() if id else None
            return (self.of_session(queryset, session) if session else queryset.none()), False
        return self.named(queryset, text), False

    def named(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that have `text` as one of their names."""
        raise NotImplementedError

    def of_session(self, queryset: QuerySet[Any], session: GameSession) -> QuerySet[Any]:
        """The rows that belong to a session."""
        raise NotImplementedError

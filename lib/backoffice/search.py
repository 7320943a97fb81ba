"""Searches by exact keys. A secret in a search is replaced before it reaches an address, a log or a page."""

from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from lib.backoffice.pages import PageAdmin


class SearchingAdmin(PageAdmin):
    """A list whose search is sent in a form's body, and redirected to an address without secrets."""

    searches_by_post = True
    # Never looked at: it makes the search field show. `matching` and `named` search.
    search_fields = ("pk",)

    def without_secrets(self, text: str) -> str:
        """A search text in which every secret is replaced by the name of what it stands for."""
        return text

    def matching(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that a search text finds."""
        return self.named(queryset, text)

    def named(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that have `text` as one of their names."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_find"
        return [path("find/", self.admin_site.admin_view(self.find), name=name), *super().get_urls()]

    def find(self, request: HttpRequest) -> HttpResponse:
        """Takes the search form to the list, without the filters that are set: they would hide things."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = self.without_secrets(request.POST.get(SEARCH_VAR, "").strip())
        view = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        return HttpResponseRedirect(reverse(view, query={SEARCH_VAR: text}))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        text = request.GET.get(SEARCH_VAR, "").strip()
        known = self.without_secrets(text)
        if known != text:
            # A secret in the address must not stay there, nor get into the page's links.
            query = request.GET.copy()
            query[SEARCH_VAR] = known
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        return (self.matching(queryset, text) if text else queryset), False

"""The forms above every list: columns, and views by name. Each act is recorded, and leads back there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from lib.backoffice.chosen_columns import STANDARD
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import SHARE, PageAdmin
from lib.backoffice.recorded_acts import RECORDING, RecordedAct, misses_recorded
from lib.backoffice.saved_views import without_columns
from players.lists.operations import (
    ViewRefused,
    keep_columns,
    may_change,
    remove_view,
    rename_view,
    save_view,
)
from players.logins.factors import operator_of
from players.models import ListView

CHOOSE, SAVE, RENAME, REMOVE = "choose_columns", "save_view", "rename_view", "remove_view"
NOT_SAVED = _("What was searched for is no part of it: it may name a person.")


def page_named(request: HttpRequest, model: str) -> PageAdmin:
    """The list of a model, for whoever may see it. Raises `Http404` and `PermissionDenied`."""
    found = (page for page in admin.site._registry.values() if page.opts.label_lower == model)  # noqa: SLF001 (there is no other way to it)
    page = next(found, None)
    if not isinstance(page, PageAdmin):
        raise Http404
    if not page.has_view_permission(request):
        raise PermissionDenied
    return page


def listed(page: PageAdmin, query: str = "") -> HttpResponse:
    """Back to the list, which alone reads the query."""
    place = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
    return HttpResponseRedirect(f"{place}?{query}" if query else place)


def attempted(
    request: HttpRequest, action: str, subject: Callable[[], Model | None]
) -> AbstractContextManager[None]:
    return misses_recorded(request, action, subject, refusals=(ViewRefused,))


@require_POST
def choose_columns(request: HttpRequest, model: str) -> HttpResponse:
    """Keeps which columns the operator sees of a list, or that it is the standard ones."""
    with attempted(request, CHOOSE, lambda: None), transaction.atomic():
        page = page_named(request, model)
        request.GET = query = QueryDict(request.POST.get("query", ""))
        choice = page.choice_in(request).changed(
            page.standard_columns(request), page.further_columns, request.POST.getlist("column")
        )
        columns = STANDARD if "standard" in request.POST else str(choice)
        keep_columns(operator_of(request), model, columns)
        after = {"list": model, "columns": columns}
        RECORDING.there.record(request, RecordedAct(action=CHOOSE, subject=None, after=after))
    return listed(page, without_columns(query).urlencode())


@require_POST
def save(request: HttpRequest, model: str) -> HttpResponse:
    """Saves what is filtered, in which order and with which columns, for oneself or for everybody."""
    query = request.GET = QueryDict(request.POST.get("query", ""))
    try:
        with attempted(request, SAVE, lambda: None), transaction.atomic():
            page = page_named(request, model)
            view = saved(request, page)
    except ViewRefused as problem:
        messages.warning(request, _("Nothing was saved. {problem}").format(problem=problem))
        return listed(page, query.urlencode())
    done = _("The view “{name}” was saved.").format(name=view.name)
    messages.success(request, f"{done} {NOT_SAVED}" if query.get("q") else done)
    return listed(page, opened(request, page, view))


def saved(request: HttpRequest, page: PageAdmin) -> ListView:
    """The view, with its act recorded. Raises `ViewRefused`, and `PermissionDenied` to who may not share."""
    is_shared = "shared" in request.POST
    if is_shared and not request.user.has_perm(SHARE):
        raise PermissionDenied
    try:
        page.get_changelist_instance(request)
    except IncorrectLookupParameters as problem:
        raise ViewRefused(_("The list cannot be shown so.")) from problem
    name, params = request.POST.get("name", ""), page.params_to_save(request)
    view = save_view(operator_of(request), page.opts.label_lower, name, params, is_shared=is_shared)
    after = RECORDING.there.state(view)
    RECORDING.there.record(request, RecordedAct(action=SAVE, subject=view, after=after))
    return view


def opened(request: HttpRequest, page: PageAdmin, view: ListView) -> str:
    """The address of the list as a view has it."""
    known, _ = page.known_params(request, view.params, {})
    return urlencode(known)


@require_POST
def rename(request: HttpRequest, id: UUID) -> HttpResponse:
    return changed(request, id, RENAME, rename_to)


@require_POST
def remove(request: HttpRequest, id: UUID) -> HttpResponse:
    return changed(request, id, REMOVE, removed)


def rename_to(request: HttpRequest, view: ListView) -> str:
    rename_view(view, request.POST.get("name", ""))
    return format_lazy(_("The view is named “{name}” now."), name=view.name)


def removed(request: HttpRequest, view: ListView) -> str:
    remove_view(view)
    return format_lazy(_("The view “{name}” was removed."), name=view.name)


def changed(
    request: HttpRequest, id: UUID, action: str, change: Callable[[HttpRequest, ListView], str]
) -> HttpResponse:
    """Does it to a view that the operator may change, in one atomic block with its record."""
    view = get_object_or_404(ListView, pk=id)
    try:
        with attempted(request, action, lambda: view), transaction.atomic():
            page = page_named(request, view.list)
            done = perform(request, id, action, change)
    except ViewRefused as problem:
        messages.warning(request, _("Nothing was done. {problem}").format(problem=problem))
    else:
        messages.success(request, done)
    return listed(page, "" if action == REMOVE else opened(request, page, view))


def perform(
    request: HttpRequest, id: UUID, action: str, change: Callable[[HttpRequest, ListView], str]
) -> str:
    view = get_object_or_404(ListView.objects.select_for_update(), pk=id)
    if not may_change(operator_of(request), view):
        raise PermissionDenied
    before = RECORDING.there.state(view)
    done = change(request, view)
    after = RECORDING.there.state(view)
    act = RecordedAct(action=action, subject=view, before=before, after=after, note=done)
    RECORDING.there.record(request, act)
    return done

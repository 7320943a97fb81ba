"""Who sees to an alert or a discrepancy: taken by oneself, or given to another who may."""

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict

from lib.backoffice import columns
from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.filters import Selection, Selections
from lib.backoffice.forms import SelectWidget
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin
from players.admin.approved_action import operator_of
from players.approvals.rules import able
from players.models import Operator
from wallet.discrepancies import give

RESOLVE = "wallet.resolve_alert"
NOBODY = ""
# More operators than these have no place in a list to choose from.
MOST_OWNERS = 200


class OwnerForm(forms.Form):
    """Who sees to it from now on."""

    owner = forms.ChoiceField(required=False, label=_("Owner"), widget=SelectWidget)

    def __init__(self, data: QueryDict | None, who: list[Operator], owner: Operator | None) -> None:
        super().__init__(data, initial={"owner": str(owner.pk) if owner else NOBODY})
        names = [(str(one.pk), one.username) for one in who]
        self.fields["owner"].choices = [(NOBODY, _("nobody")), *names]  # type: ignore[attr-defined]


class Assign(PageAction[Any]):
    """Says who sees to it. The form proposes oneself."""

    title, permission = _("Take or assign"), RESOLVE

    def answer(self, admin: PageAdmin, request: HttpRequest, row: Any) -> HttpResponse:
        row.proposed = operator_of(request)
        return super().answer(admin, request, row)

    def form_for(self, row: Any, data: QueryDict | None) -> OwnerForm:
        who = {one.pk: one for one in (row.proposed, *able(RESOLVE)[:MOST_OWNERS])}
        return OwnerForm(data, list(who.values()), row.proposed)

    def page(self, row: Any) -> Page:
        now = row.owner.username if row.owner else _("nobody")
        says = [_("Now: {owner}. The others see whose it is.").format(owner=now)]
        return Page(_("Who sees to it?"), says, _("Assign"))

    def do(self, act: Act[Any]) -> str:
        key = act.given["owner"]
        owner = Operator.objects.get(pk=key) if key else None
        give(act.row, owner)
        if owner is None:
            return _("Nobody sees to it now.")
        return format_lazy(_("{name} sees to it now."), name=owner.username)


class Owned(Selections):
    """Selections of which one is `mine`: what is open and the operator's own."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().queryset(request, queryset)
        return rows.filter(owner=request.user) if self.name_in(request) == "mine" else rows


def mine(of: Selection) -> Selection:
    """A selection as `of`, of what the operator sees to."""
    return Selection(_("Mine"), of.select, of.order, _("Nothing open is assigned to you."), of.turning)


class OwnedRows:
    """The column of owners."""

    owner_shown: ClassVar[columns.Column] = columns.text(_("owner"), "owner.username", empty=_("nobody"))

"""How the operators' kit (`lib/backoffice`) reads what an operator has kept of a list."""

from django.http import HttpRequest

from lib.backoffice.kept_choices import SavedView
from players.lists.operations import may_change, views_of
from players.logins.factors import operator_of
from players.models import ListColumns


class OwnChoices:
    """The keeper: choices are rows of `ListColumns` and `ListView`."""

    def columns(self, request: HttpRequest, name: str) -> str:
        kept = ListColumns.objects.filter(operator=operator_of(request), list=name)
        return kept.values_list("columns", flat=True).first() or ""

    def views(self, request: HttpRequest, name: str) -> list[SavedView]:
        operator = operator_of(request)
        return [
            SavedView(
                view.pk,
                view.name,
                view.is_shared,
                view.operator.username,
                view.params,
                may_change(operator, view),
            )
            for view in views_of(operator, name)
        ]

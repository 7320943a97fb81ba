"""How an operator chooses the columns of a list, saves, renames and removes a view, and exports a report."""

from django.urls import reverse

from players.lists.operations import save_view
from players.models import ListView
from tests.support.callers import unique
from tests.support.doings import Arranged, Doing, Stage


def choosing(stage: Stage) -> Doing:
    place = reverse("admin:choose_columns", args=["players.player"])
    return Doing(lambda: stage.client.post(place, {"column": "made"}), "choose_columns", "choose_columns")


def saving(stage: Stage) -> Doing:
    place = reverse("admin:save_view", args=["players.player"])
    given = {"name": unique("v"), "query": "country=IS"}
    return Doing(lambda: stage.client.post(place, given), "save_view", "save_view")


def renaming(stage: Stage) -> Doing:
    view = own_view(stage)
    place = reverse("admin:rename_view", args=[view.pk])
    given = {"name": unique("v")}
    return Doing(
        lambda: stage.client.post(place, given), "rename_view", "rename_view", view, frozenset({"name"})
    )


def removing(stage: Stage) -> Doing:
    view = own_view(stage)
    place = reverse("admin:remove_view", args=[view.pk])
    return Doing(lambda: stage.client.post(place), "remove_view", "remove_view", view, is_removal=True)


def own_view(stage: Stage) -> ListView:
    return save_view(stage.boss, "players.player", unique("v"), {"country": "IS"}, is_shared=False)


def exporting_report(stage: Stage) -> Doing:
    place = reverse("admin:export_report", args=["liabilities"])
    return Doing(
        lambda: stage.client.post(place, {"as": "csv", "period": "day"}), "export_report", "export_report"
    )


# By the names of the site's addresses.
LIST_ACTS: dict[str, Arranged] = {
    "choose_columns": choosing,
    "save_view": saving,
    "rename_view": renaming,
    "remove_view": removing,
    "export_report": exporting_report,
}

"""Migrations of each app are one line: whoever upgrades runs them in one order, whatever was merged when."""

import pytest
from django.db.migrations.loader import MigrationLoader

APPS = ("players", "wallet", "payments")


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    return MigrationLoader(None)


@pytest.mark.parametrize("app", APPS)
def test_migrations__of_an_app_follow_each_other(loader: MigrationLoader, app: str) -> None:
    names = sorted(name for label, name in loader.disk_migrations if label == app)
    before = {
        name: [parent for label, parent in loader.disk_migrations[app, name].dependencies if label == app]
        for name in names
    }
    assert [name.partition("_")[0] for name in names] == [f"{place:04}" for place in range(1, len(names) + 1)]
    assert before == {name: names[place - 1 : place] if place else [] for place, name in enumerate(names)}
    assert [leaf for label, leaf in loader.graph.leaf_nodes(app)] == names[-1:]

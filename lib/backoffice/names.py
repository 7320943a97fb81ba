"""What operators call a model and its fields, in their language, where Django derives it from the code."""

from typing import Any

from django.db.models import Model


def name_model(model: type[Model], one: str, many: str, **fields: str) -> None:
    """Names a model and some of its fields on pages. Migrations know nothing of it."""
    options: Any = model._meta  # noqa: SLF001 (documented)
    options.verbose_name, options.verbose_name_plural = one, many
    name_fields(model, **fields)


def name_fields(model: type[Model], **fields: str) -> None:
    """Names some fields of a model that says itself what it is called."""
    for field, label in fields.items():
        model._meta.get_field(field).verbose_name = label  # type: ignore[union-attr]  # noqa: SLF001 (documented)

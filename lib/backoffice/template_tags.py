"""What the templates of the admin's pages ask of the kit."""

from typing import Any

from django.contrib import admin
from django.template import Library

from lib.backoffice.pages import PageAdmin

register = Library()


@register.filter
def title_of(row: Any) -> str:
    """What a person would call a row; anything else is a text already."""
    page = admin.site._registry.get(type(row))  # noqa: SLF001 (there is no other way to it)
    return page.title_of(row) if isinstance(page, PageAdmin) else str(row)

"""What the templates of the admin's pages ask of the kit."""

from typing import Any

from django.contrib import admin
from django.template import Library
from django.urls import reverse
from django.utils.text import slugify

from lib.backoffice.languages import english
from lib.backoffice.pages import PageAdmin

register = Library()


@register.filter
def title_of(row: Any) -> str:
    """What a person would call a row; anything else is a text already."""
    page = admin.site._registry.get(type(row))  # noqa: SLF001 (there is no other way to it)
    return page.title_of(row) if isinstance(page, PageAdmin) else str(row)


@register.filter
def admin_export(options: Any) -> str:
    """The name of the address of a list's export."""
    return f"admin:{options.app_label}_{options.model_name}_export"


@register.filter
def admin_raw(row: Any) -> str:
    """The address of a row as it is stored."""
    options = row._meta  # noqa: SLF001 (documented)
    return reverse(f"admin:{options.app_label}_{options.model_name}_raw", args=[row.pk])


@register.filter
def anchor(title: Any) -> str:
    """The name of a section in an address: that of its English title, in whatever language it is shown."""
    with english():
        return slugify(str(title))


@register.filter
def facts(fieldset: Any) -> list[Any]:
    """The fields of a page that nobody edits there."""
    return [field for line in fieldset for field in line if field.is_readonly]


@register.filter
def entries(fieldset: Any) -> list[Any]:
    """The lines of a page in which something is entered."""
    return [line for line in fieldset if not all(field.is_readonly for field in line)]

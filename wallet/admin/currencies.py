"""Currencies."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from lib.backoffice.languages import _
from lib.backoffice.pages import PageAdmin
from wallet.models import Currency


@admin.register(Currency)
class CurrencyAdmin(PageAdmin):
    """A currency is added and renamed, never deleted. Its code and decimals are final."""

    add_permission = change_permission = "wallet.manage_currencies"
    list_display = ("code", "name", "decimals")
    search_fields = ("code__iexact", "name__icontains")
    search_help_text = _("Code or name")
    empty_text = _("Add a currency first: wallets are opened in it on first use.")
    fields = ("code", "name", "decimals")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code", "decimals") if obj else ()

    def save_model(self, request: HttpRequest, obj: Currency, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])
        else:
            # Never an UPDATE of a row that another operator added at this moment.
            obj.save(force_insert=True)

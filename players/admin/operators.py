"""Operators and the groups that hold their permissions."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest

from lib.backoffice.pages import PageAdmin, UnfoldAdmin
from players.models import Operator

if TYPE_CHECKING:
    from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
    from django.contrib.auth.admin import UserAdmin
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

    DjangoUserAdmin = UserAdmin[Operator]
else:
    from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
    from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

RIGHTS = ("is_superuser", "groups", "user_permissions")

admin.site.unregister(Group)


@admin.register(Operator)
class OperatorAdmin(DjangoUserAdmin, PageAdmin):
    """An operator is deactivated, not deleted: histories name them."""

    form = UserChangeForm  # type: ignore[assignment]
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    add_permission = change_permission = "players.manage_operators"
    list_display = (
        "username",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "is_superuser",
        "last_login",
    )
    readonly_fields = ("last_login", "date_joined")

    def get_readonly_fields(self, request: HttpRequest, obj: Operator | None = None) -> Any:
        # Only a superuser grants rights: whoever may edit operators could otherwise grant them to themselves.
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # A superuser's password and rights are only for superusers.
        if isinstance(obj, Operator) and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, UnfoldAdmin):
    """A role: what it may do stands in `config/roles.py`, and is only looked at here."""

    empty_text = "Roles are made by `manage.py migrate`."
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_delete_permission = has_change_permission

"""Confirmation pages: what moves money, ends access or bars a player is asked about first, and done by operations."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from lib.backoffice.pages import PageAdmin

if TYPE_CHECKING:
    from django.forms import RadioSelect as RadioWidget
    from django.forms import TextInput as TextWidget
else:
    from unfold.widgets import UnfoldAdminRadioSelectWidget as RadioWidget
    from unfold.widgets import UnfoldAdminTextInputWidget as TextWidget

__all__ = [
    "OurIdField",
    "RadioWidget",
    "ReasonForm",
    "TextWidget",
    "TwoStepForm",
    "ask",
    "done",
    "page_action",
]

Step = Callable[[Any, HttpRequest, Any], HttpResponse]


class ReasonForm(forms.Form):
    """Every act of an operator has a reason, which is kept for ever."""

    reason = forms.CharField(
        max_length=255,
        widget=TextWidget,
        help_text="Kept for ever beside your name: no personal data, please.",
    )


class OurIdField(forms.UUIDField):
    """The id of an act, made with the form: sending the form twice is one act."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput)

    def clean(self, value: Any) -> UUID:
        id: UUID = super().clean(value)
        if id.version != 7:
            raise ValidationError("This form is not ours. Open it again.")
        return id


class TwoStepForm(ReasonForm):
    """A form whose second page says what will happen, and is sent with `confirmed`."""

    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def tell(self, **values: str) -> None:
        """Changes what the form will send the next time."""
        self.data = {**self.data.dict(), **values}  # type: ignore[attr-defined]

    def hide(self) -> None:
        """For the second page: what was written goes along, and cannot be changed."""
        for field in self.fields.values():
            field.widget = forms.HiddenInput()


def page_action(*, title: str, permission: str) -> Callable[[Step], Any]:
    """An action at the top of a row's page, for operators who have `permission` and may see the row."""

    def decorate(step: Step) -> Any:
        @wraps(step)
        def view(admin: PageAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
            obj = admin.get_object(request, unquote(object_id))
            if obj is None:
                raise Http404
            if not admin.has_view_permission(request, obj) or not request.user.has_perm(permission):
                raise PermissionDenied
            return step(admin, request, obj)

        # What unfold asks an action for. Its own `allowed_permissions` would make every start look into the database.
        view.short_description = title  # type: ignore[attr-defined]
        view.attrs = {}  # type: ignore[attr-defined]
        view.variant = "default"  # type: ignore[attr-defined]
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return decorate


def page_of(obj: Model) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{obj._meta.label_lower.replace('.', '_')}_change", args=[quote(obj.pk)])  # noqa: SLF001 (documented)


def ask(
    admin: PageAdmin,
    request: HttpRequest,
    obj: Model,
    *,
    title: str,
    says: Sequence[str],
    form: forms.Form | None,
    button: str,
    danger: bool = False,
) -> HttpResponse:
    """The page that says what is about to happen, with the form and the button that does it."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "original": obj,
        "title": title,
        "says": says,
        "form": form,
        "button": button,
        "danger": danger,
        "back": page_of(obj),
    }
    return TemplateResponse(
        request, "admin/confirmation.html", context, headers={"Cache-Control": "no-store"}
    )


def done(admin: PageAdmin, request: HttpRequest, obj: Model, words: str, *, reason: str = "") -> HttpResponse:
    """Back to the row's page, saying what was done; the same stands in the page's history, with the reason."""
    admin.log_change(request, obj, f"{words} Reason: {reason}" if reason else words)
    messages.success(request, words)
    return HttpResponseRedirect(page_of(obj))

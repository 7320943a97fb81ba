"""The forms of confirmation pages."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy

from lib.backoffice.languages import _
from lib.ids import new_id

if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminSplitDateTime as SplitWidget
    from django.forms import CheckboxInput as SwitchWidget
    from django.forms import CheckboxSelectMultiple as CheckboxesWidget
    from django.forms import PasswordInput as PasswordWidget
    from django.forms import RadioSelect as RadioWidget
    from django.forms import Select as SelectWidget
    from django.forms import Textarea as TextareaWidget
    from django.forms import TextInput as TextWidget
else:
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxesWidget
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordWidget
    from unfold.widgets import UnfoldAdminRadioSelectWidget as RadioWidget
    from unfold.widgets import UnfoldAdminSelectWidget as SelectWidget
    from unfold.widgets import UnfoldAdminSplitDateTimeWidget as SplitWidget
    from unfold.widgets import UnfoldAdminTextareaWidget as TextareaWidget
    from unfold.widgets import UnfoldAdminTextInputWidget as TextWidget
    from unfold.widgets import UnfoldBooleanSwitchWidget as SwitchWidget

__all__ = [
    "CheckboxesWidget",
    "NameField",
    "OurIdField",
    "PasswordWidget",
    "RadioWidget",
    "ReasonForm",
    "RepeatedForm",
    "SelectWidget",
    "SplitWidget",
    "SwitchWidget",
    "TextWidget",
    "TextareaWidget",
    "TwoStepForm",
]


class RepeatedForm(forms.Form):
    """A form whose page is shown again, and sends something else then."""

    def send_next(self, **values: str) -> None:
        """Changes what the form will send the next time."""
        if self.is_bound:
            self.data = {**dict(self.data.items()), **values}
        else:
            self.initial = {**self.initial, **values}


class ReasonForm(forms.Form):
    """Every act of an operator has a reason, which is kept for ever."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        widget=TextWidget,
        help_text=_("Kept permanently beside your name. Do not enter personal data."),
    )


class NameField(forms.CharField):
    """The name of what an act stops, typed by whoever stops it: no click does that by mistake."""

    def __init__(self, name: str) -> None:
        label = _("To confirm, type {name}").format(name=name)
        super().__init__(label=label, widget=TextWidget(attrs={"autocomplete": "off"}))
        self.name = name

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        if typed != self.name:
            words = _("That is another name. Nothing was done: type {name}, exactly so.")
            raise ValidationError(format_lazy(words, name=self.name))
        return typed


class OurIdField(forms.UUIDField):
    """The id of an act, made with the form: sending the form twice is one act."""

    def __init__(self) -> None:
        super().__init__(label=_("Id of this form"), widget=forms.HiddenInput, initial=new_id)

    def clean(self, value: Any) -> UUID:
        id: UUID = super().clean(value)
        if id.version != 7:
            raise ValidationError(_("This form was not issued by the platform. Open it again."))
        return id


class TwoStepForm(RepeatedForm, ReasonForm):
    """A form whose second page says what will happen, and is sent with `confirmed`."""

    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def hide(self) -> None:
        """For the second page: what was entered goes along, and cannot be changed."""
        for field in self.fields.values():
            is_split = isinstance(field, forms.SplitDateTimeField)
            field.widget = forms.SplitHiddenDateTimeWidget() if is_split else forms.HiddenInput()

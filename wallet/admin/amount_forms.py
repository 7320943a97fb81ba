"""Guarded forms whose amounts are of a currency that stands in the same form."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from lib.backoffice.forms import TextWidget
from players.admin.guarded_forms import GuardedForm
from wallet.admin.amounts import AmountField, written
from wallet.approvals.amounts import AmountChange
from wallet.models import Currency


def text_of_amount(label: str, help_text: str) -> forms.CharField:
    """An amount in major units, or nothing. What it is depends on the currency, so the form reads it."""
    widget = TextWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=30, widget=widget, help_text=help_text)


class AmountsForm(GuardedForm):
    """Its kind's `amounts` are typed in major units; their cleaned values are in minor units.

    An amount that is left empty has the default of its field of the model.
    """

    kind: ClassVar[AmountChange]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.kind.amounts:
            minor = getattr(self.instance, name)
            self.initial[name] = written(minor, getattr(self.instance, self.kind.currency)) if minor else ""

    def currency(self, given: dict[str, Any]) -> Currency | None:
        """The currency of the amounts, if there is one yet."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        currency = self.currency(given)
        for name in self.kind.amounts:
            text = given.get(name) or ""
            given[name] = self.kind.field(name).get_default()
            if text and currency:
                try:
                    given[name] = AmountField(currency).clean(text)
                except ValidationError as problem:
                    self.add_error(name, problem)
        return given

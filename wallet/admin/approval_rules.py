"""Approval rules: up to which amounts one person acts alone, and how long requests wait."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from lib.backoffice import columns
from lib.backoffice.formatting import badge, link, sentence, wrapped
from lib.backoffice.forms import SelectWidget
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import Section
from players.admin.approvals import title_of
from players.admin.approved_action import ApprovedAction, able_names
from players.admin.guarded_forms import GuardedAdmin
from players.approvals.kinds import KINDS, Kind, NotExecutable
from players.approvals.rules import HOURS, lack, require_satisfiable
from players.models import ApprovalRule
from players.models.approvals import MOST_HOURS
from wallet.admin.amount_forms import AmountsForm, text_of_amount
from wallet.approvals.approval_rules import (
    AMOUNTS,
    LABELS,
    MANAGE,
    RULE_CHANGE,
    RULE_REMOVAL,
    TWO_ALWAYS,
    RemovalPayload,
)
from wallet.currencies import show_amount
from wallet.models import Currency

WITHOUT_A_RULE = format_lazy(
    _("Without a rule it takes two people always, whatever the amount, within {hours} hours."), hours=HOURS
)
WHAT_A_RULE_DOES = _(
    "With a rule, one person who has the permission acts alone, at once, up to an amount on one object (a "
    "wallet, an order, a due transaction) and up to a total on all, each within 24 hours. Split amounts "
    "count together, and what two people did does not count. All else takes two."
)
ABOUT = format_lazy("{} {}", WITHOUT_A_RULE, WHAT_A_RULE_DOES)
HEADERS = (
    _("Acts"),
    _("One person alone, within 24 hours"),
    _("A request waits"),
    _("Who may request and approve"),
)
ONLY_MONEY = _("Only acts that move money have amounts: leave them empty for this one.")
CHOOSE = _("Choose the currency of the amounts.")
FIELDS = RULE_CHANGE.fields


class RuleForm(AmountsForm):
    """A rule, with the amounts in units of its currency."""

    kind = RULE_CHANGE

    alone_up_to = text_of_amount(LABELS["alone_up_to"], _("Such as 50.00. Leave empty: two people always."))
    alone_per_day = text_of_amount(LABELS["alone_per_day"], _("The most on all objects together."))

    class Meta:
        model = ApprovalRule
        fields = RULE_CHANGE.fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"] = choice(_("Acts"), kinds_offered())
            self.fields["currency_code"] = choice(_("Currency"), currencies_offered(), required=False)

    def currency(self, given: dict[str, Any]) -> Currency | None:
        code = given.get("currency_code") or self.instance.currency_code
        return Currency.objects.filter(code=code).first()

    def clean_hours(self) -> int:
        hours = int(self.cleaned_data["hours"])
        if not 1 <= hours <= MOST_HOURS:
            raise forms.ValidationError(_("Enter 1 to {most} hours.").format(most=MOST_HOURS))
        return hours

    def clean(self) -> dict[str, Any]:
        texts = [name for name in AMOUNTS if self.cleaned_data.get(name)]
        given = super().clean()
        if self.errors:
            return given
        code = given.get("currency_code", self.instance.currency_code)
        rule = ApprovalRule(kind=given.get("kind", self.instance.kind), currency_code=code)
        try:
            require_satisfiable(rule)
        except NotExecutable as problem:
            self.complain("kind", str(problem))
        if texts and not code:
            self.complain("currency_code", ONLY_MONEY if not KINDS[rule.kind].moves_money else CHOOSE)
        elif given["alone_per_day"] < given["alone_up_to"]:
            self.complain("alone_per_day", _("Enter a total that is at least the amount above."))
        elif given["alone_per_day"] and not given["alone_up_to"]:
            self.complain(
                "alone_up_to", _("Without an amount on one object, nobody acts alone: enter it, too.")
            )
        return given

    def complain(self, field: str, problem: str) -> None:
        """Says what is wrong at the field, or above all of them if it cannot be changed any more."""
        self.add_error(field if field in self.fields else None, problem)


def choice(label: str, offered: list[tuple[str, Any]], *, required: bool = True) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=offered, widget=SelectWidget, required=required)


def kinds_offered() -> list[tuple[str, Any]]:
    """The registered kinds by their names, those that move money first."""
    money, others = (
        [(kind.name, sentence(kind.title)) for kind in sorted_kinds() if kind.moves_money is moves]
        for moves in (True, False)
    )
    return [("", _("Choose")), (_("Acts that move money"), money), (_("Others: only the hours"), others)]


def sorted_kinds() -> list[Kind[Any]]:
    return sorted(KINDS.values(), key=lambda kind: (not kind.moves_money, kind.title))


def currencies_offered() -> list[tuple[str, str]]:
    rows = Currency.objects.order_by("code")
    return [("", _("Any currency: only the hours")), *((row.code, str(row)) for row in rows)]


class RemoveRule(ApprovedAction[ApprovalRule]):
    """Requests that a rule ends."""

    title, permission, kind = _("Remove"), MANAGE, RULE_REMOVAL

    def payload(self, row: ApprovalRule, given: dict[str, Any]) -> RemovalPayload:
        return RemovalPayload(row.pk, row.kind, row.currency_code)


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(GuardedAdmin):
    """What one person may do alone. Nobody makes, changes or removes a rule alone."""

    form = RuleForm
    add_permission = change_permission = MANAGE
    list_display = ("acts", "currency_shown", "on_one_object", "in_total", "waits")
    list_after_template = "admin/sections.html"
    ordering = ("kind", "currency_code")
    empty_text = format_lazy("{} {}", _("There is no rule."), WITHOUT_A_RULE)
    fieldsets = ((None, {"fields": FIELDS, "description": ABOUT}),)
    actions_detail = ("remove",)
    remove = RemoveRule()

    acts = columns.text(LABELS["kind"], lambda row: title_of(row.kind))
    currency_shown = columns.text(LABELS["currency_code"], "currency_code", empty=_("any"))
    on_one_object = columns.text(LABELS["alone_up_to"], lambda row: show_alone(row, "alone_up_to"))
    in_total = columns.text(LABELS["alone_per_day"], lambda row: show_alone(row, "alone_per_day"))
    waits = columns.text(LABELS["hours"], "hours")
    people = columns.text(_("who may"), lambda row: people_of(row.kind))

    def title_of(self, row: ApprovalRule) -> str:
        return f"{title_of(row.kind)}, {row.currency_code or _('any currency')}"

    def get_fieldsets(self, request: HttpRequest, obj: ApprovalRule | None = None) -> Any:
        (title, about), *others = super().get_fieldsets(request, obj)
        if obj is None:
            return [(title, about), *others]
        amounts = AMOUNTS if self.has_change_permission(request, obj) else ("on_one_object", "in_total")
        shown = ("acts", "currency_shown", *(amounts if obj.currency_code else ()), "hours", "people")
        return [(title, {**about, "fields": shown}), *others]

    def get_readonly_fields(self, request: HttpRequest, obj: ApprovalRule | None = None) -> tuple[str, ...]:
        return ("acts", "currency_shown", "on_one_object", "in_total", "people") if obj else ()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The rules, and below them what holds for every kind of act."""
        context = {**(extra_context or {}), "sections": [what_holds()], "subtitle": None}
        response: HttpResponse = super().changelist_view(request, context)
        return response


def what_holds() -> Section:
    """What holds for acts that move money, that have a rule, or have not two people; and for all others."""
    rules: dict[str, list[ApprovalRule]] = {}
    for rule in ApprovalRule.objects.order_by("currency_code"):
        rules.setdefault(rule.kind, []).append(rule)
    kinds = sorted_kinds()
    # Many kinds ask for one permission, and each look at its holders goes through all operators.
    lacking = {permission for permission in {kind.permission for kind in kinds} if lack(permission)}
    shown = [kind for kind in kinds if kind.moves_money or kind.name in rules or kind.permission in lacking]
    people = {
        permission: show_people(permission, permission in lacking)
        for permission in {kind.permission for kind in shown}
    }
    rows = [
        (
            sentence(kind.title),
            wrapped(alone_words(rules.get(kind.name, []))),
            hours_words(rules.get(kind.name, [])),
            people[kind.permission],
        )
        for kind in shown
    ]
    others = (_("All other acts"), TWO_ALWAYS, hours_words([]), link(_("See Roles"), "auth_group_changelist"))
    return Section(ApprovalRule, _("What holds now"), HEADERS, [*rows, others], "")


def alone_words(rules: list[ApprovalRule]) -> str:
    """What one person may do alone by these rules of one kind."""
    said = [
        _("{amount} on one object, {total} in total").format(
            amount=show_amount(rule.alone_up_to, rule.currency_code),
            total=show_amount(rule.alone_per_day, rule.currency_code),
        )
        for rule in rules
        if rule.alone_up_to
    ]
    return "; ".join(said) or TWO_ALWAYS


def hours_words(rules: list[ApprovalRule]) -> str:
    """How long requests of one kind wait by these rules."""
    by_currency = {rule.currency_code: rule.hours for rule in rules}
    others = by_currency.pop("", HOURS)
    named = {code: hours for code, hours in by_currency.items() if hours != others}
    if not named:
        return _("{hours} hours").format(hours=others)
    words = [_("{code}: {hours} hours").format(code=code, hours=hours) for code, hours in named.items()]
    return ", ".join([*words, _("others: {hours} hours").format(hours=others)])


def show_alone(rule: ApprovalRule, name: str) -> str:
    """An amount of a rule, in major units."""
    return RULE_CHANGE.words(name, RULE_CHANGE.values(rule))


def people_of(kind: str) -> Any:
    """Who can request and approve the acts of a kind, by its name; nobody if there is none."""
    permission = KINDS[kind].permission if kind in KINDS else ""
    return show_people(permission, bool(lack(permission))) if permission else ""


def show_people(permission: str, is_lacking: bool) -> Any:
    """Who can request and approve; marked if these are not two."""
    names = able_names(permission)
    if not names:
        return badge(_("nobody"), "danger")
    return format_html("{} {}", badge(_("only"), "danger"), names) if is_lacking else wrapped(names)

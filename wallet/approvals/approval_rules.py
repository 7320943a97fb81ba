"""What one person may do alone, and how long requests wait: nobody changes that alone."""

from uuid import UUID

import msgspec

from lib.backoffice.languages import _, format_lazy
from players.approvals.configuration import ConfigurationPayload, Values
from players.approvals.kinds import KINDS, Change, Execution, Kind, NotExecutable, Preview, subject_of
from players.approvals.rules import require_satisfiable
from players.models import ApprovalRule
from wallet.approvals.amounts import AmountChange

AMOUNTS = ("alone_up_to", "alone_per_day")
ALONE_MEANS = _("Alone is what one person may do at once within 24 hours, without anybody's approval.")
TWO_ALWAYS = _("nothing: two people always")
MANAGE = "players.manage_approval_rules"


class RuleChange(AmountChange):
    """A rule is made or changed. There must be two people who could do what it is about."""

    name, title, permission = "change_approval_rule", _("change of an approval rule"), MANAGE
    about, model = "players.approvalrule", ApprovalRule
    fields = guarded = ("kind", "currency_code", *AMOUNTS, "hours")
    amounts, currency, no_amount = AMOUNTS, "currency_code", TWO_ALWAYS

    def label(self, name: str) -> str:
        return LABELS[name]

    def words(self, name: str, values: Values) -> str:
        if name == "kind":
            return KINDS[values[name]].title if values.get(name) in KINDS else str(values.get(name))
        if name == "currency_code":
            return values.get(name) or _("any currency")
        return super().words(name, values)

    def says(self, payload: ConfigurationPayload) -> list[str]:
        return [ALONE_MEANS] if payload.after.keys() & set(AMOUNTS) else []

    def require_possible(self, row: ApprovalRule) -> None:
        require_satisfiable(row)


class RemovalPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule by its id; `kind` and `currency` name it when it is gone."""

    rule_id: UUID
    kind: str
    currency: str


class RuleRemoval(Kind[RemovalPayload]):
    """A rule ends: from then on it is as if it had never been."""

    name, title, permission = "remove_approval_rule", _("removal of an approval rule"), MANAGE
    about, payload = "players.approvalrule", RemovalPayload

    def describe(self, payload: RemovalPayload) -> str:
        return format_lazy(_("Remove the approval rule {rule}"), rule=str(self.made(payload)))

    def preview(self, payload: RemovalPayload) -> Preview:
        rule = ApprovalRule.objects.select_for_update().filter(pk=payload.rule_id).first()
        if rule is None:
            raise NotExecutable(_("The rule is removed already."))
        before, after = RULE_CHANGE.values(rule), RULE_CHANGE.values(self.without(rule))
        changes = [
            Change(RULE_CHANGE.label(name), RULE_CHANGE.words(name, before), RULE_CHANGE.words(name, after))
            for name in (*AMOUNTS, "hours")
            if before[name] != after[name]
        ]
        return Preview(
            subject_of(rule),
            changes,
            [format_lazy(_("There is no rule any more for {rule}."), rule=str(rule))],
        )

    def without(self, rule: ApprovalRule) -> ApprovalRule:
        """What holds once the rule is gone: nobody acts alone; that of any currency says the hours."""
        others = ApprovalRule.objects.filter(kind=rule.kind, currency_code="").exclude(pk=rule.pk)
        hours = others.values_list("hours", flat=True).first()
        return ApprovalRule(kind=rule.kind, **({} if hours is None else {"hours": hours}))

    def made(self, payload: RemovalPayload) -> ApprovalRule:
        # The row itself is gone, and its history stays.
        return ApprovalRule(pk=payload.rule_id, kind=payload.kind, currency_code=payload.currency)

    def execute(self, payload: RemovalPayload, execution: Execution) -> str:
        ApprovalRule.objects.filter(pk=payload.rule_id).delete()
        return format_lazy(_("The approval rule {rule} is removed."), rule=str(self.made(payload)))


LABELS = {
    "kind": _("Acts"),
    "currency_code": _("Currency"),
    "alone_up_to": _("Alone on one object"),
    "alone_per_day": _("Alone in total"),
    "hours": _("Hours to decide"),
}
RULE_CHANGE, RULE_REMOVAL = RuleChange(), RuleRemoval()

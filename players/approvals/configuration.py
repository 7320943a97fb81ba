"""A row of the configuration is added or changed: what all such kinds have in common."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import Field, ForeignKey, Model, URLField
from django.utils.text import capfirst

from lib.backoffice.languages import _, format_lazy
from lib.clock import in_words
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of

NONE, ANY = _("none"), _("any address")
# By name, in values as JSON has them.
Values = dict[str, Any]


class ConfigurationPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields that differ, before and after; of a new row `before` is empty."""

    row_id: str
    is_new: bool
    before: Values
    after: Values


class ConfigurationChange(Kind[ConfigurationPayload]):
    """Adds a row of `model`, or changes it; `guarded` are the fields that one person does not change alone.

    It changes exactly what the request says, and only if the fields still are as they were then.
    """

    payload = ConfigurationPayload
    model: ClassVar[type[Model]]
    fields: ClassVar[tuple[str, ...]]
    guarded: ClassVar[tuple[str, ...]]

    # --- What a kind adds to it -------------------------------------------------------------------------

    def values(self, row: Any) -> Values:
        """The row's fields as they are."""
        return {name: plain(getattr(row, self.field(name).attname)) for name in self.fields}

    def words(self, name: str, values: Values) -> str:
        """A field's value as operators read it."""
        return in_plain_words(self.field(name), values.get(name))

    def label(self, name: str) -> str:
        return cast("str", capfirst(self.field(name).verbose_name))

    def write(self, row: Any, after: Values, execution: Execution) -> None:
        """Sets the fields and saves the row, which is locked, or new."""
        names = self.set_fields(row, after)
        if row._state.adding:  # noqa: SLF001 (documented)
            row.save(force_insert=True)
        else:
            row.save(update_fields=names)

    def says(self, payload: ConfigurationPayload) -> list[str]:
        """What the values do not say by themselves."""
        urls = [name for name in self.in_order(payload.after) if name in self.urls() and payload.after[name]]
        plain_http = [
            format_lazy(
                _("{label} is not encrypted (http): whoever is on the way can read and change it."),
                label=self.label(name),
            )
            for name in urls
            if str(payload.after[name]).startswith("http:")
        ]
        servers = [(self.label(name), hidden_server(str(payload.after[name]))) for name in urls]
        leads = [
            format_lazy(_("{label} leads to the server {server}."), label=label, server=server)
            for label, server in servers
            if server
        ]
        return [*plain_http, *leads]

    def require_possible(self, row: Any) -> None:
        """Raises `NotExecutable` if the row, as it is to be, breaks a rule that no constraint holds."""

    # --- What is the same for all -----------------------------------------------------------------------

    def field(self, name: str) -> "Field[Any, Any]":
        found: Field[Any, Any] = self.model._meta.get_field(name)  # type: ignore[assignment]  # noqa: SLF001 (documented)
        return found

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Names of fields as the kind has them: the database keeps a request's values in another order."""
        order = (*self.fields, *self.guarded)
        return sorted(names, key=order.index)

    def urls(self) -> set[str]:
        fields = self.model._meta.concrete_fields  # noqa: SLF001 (documented)
        return {field.name for field in fields if isinstance(field, URLField)}

    def set_fields(self, row: Any, after: Values) -> list[str]:
        """Sets those fields that the model has. Returns their names."""
        names = [name for name in after if name in {field.name for field in row._meta.concrete_fields}]  # noqa: SLF001 (documented)
        for name in names:
            field = self.field(name)
            target = field.target_field if isinstance(field, ForeignKey) else field
            setattr(row, field.attname, target.to_python(after[name]))
        return names

    def payload_of(self, row: Model, before: Values | None, after: Values) -> ConfigurationPayload:
        """What differs, as a request says it; `before` is None for a new row."""
        old = before or {}
        if row.pk is None:
            # A form with inlines takes a new row's key away until it is saved.
            row.pk = row._meta.pk.get_default()  # noqa: SLF001 (documented)
        changed = {name: value for name, value in after.items() if before is None or old[name] != value}
        return ConfigurationPayload(
            str(row.pk), before is None, {name: old[name] for name in changed if before is not None}, changed
        )

    def describe(self, payload: ConfigurationPayload) -> str:
        what = self.model._meta.verbose_name  # noqa: SLF001 (documented)
        if payload.is_new:
            return format_lazy(_("Add the {what} {row}"), what=what, row=str(self.fresh(payload)))
        row = self.model._base_manager.get(pk=payload.row_id)  # noqa: SLF001 (documented)
        if payload.after == {"is_active": True}:
            return format_lazy(_("Reactivate the {what} {row}"), what=what, row=str(row))
        labels = listed(map(self.label, payload.after))
        return format_lazy(_("Change the {what} {row}: {labels}"), what=what, row=str(row), labels=labels)

    def fresh(self, payload: ConfigurationPayload) -> Model:
        """A new row as it is to be, not saved."""
        row = self.model(pk=payload.row_id)
        self.set_fields(row, payload.after)
        return row

    def preview(self, payload: ConfigurationPayload) -> Preview:
        row = self.fresh(payload) if payload.is_new else self.locked(payload)
        subject = subject_of(row)
        if not payload.is_new:
            self.set_fields(row, payload.after)
        try:
            row.validate_unique()
            row.validate_constraints()
        except ValidationError as problem:
            raise NotExecutable(" ".join(problem.messages)) from problem
        self.require_possible(row)
        before, after = payload.before, {**payload.before, **payload.after}
        changes = [
            Change(
                self.label(name),
                NONE if payload.is_new else self.words(name, before),
                self.words(name, after),
            )
            for name in self.in_order(payload.after)
        ]
        return Preview(subject, changes, self.says(payload))

    def locked(self, payload: ConfigurationPayload) -> Any:
        """The row, locked. Raises `NotExecutable` if it is not as it was when the change was requested."""
        rows = self.model._base_manager.select_for_update(of=("self",))  # noqa: SLF001 (documented)
        row = rows.filter(pk=payload.row_id).first()
        if row is None:
            raise NotExecutable(_("What was to be changed is not there any more."))
        present = self.values(row)
        if other := [name for name, value in payload.before.items() if present[name] != value]:
            labels = listed(map(self.label, other))
            raise NotExecutable(
                format_lazy(_("{labels}: changed since this was requested. Request it again."), labels=labels)
            )
        return row

    def execute(self, payload: ConfigurationPayload, execution: Execution) -> str:
        row = self.fresh(payload) if payload.is_new else self.locked(payload)
        self.write(row, payload.after, execution)
        what = self.model._meta.verbose_name  # noqa: SLF001 (documented)
        words = _("The {what} {row} is added.") if payload.is_new else _("The {what} {row} is changed.")
        return format_lazy(words, what=what, row=str(row))


def listed(texts: Iterable[str]) -> str:
    """Texts with commas between them, in the language in which they are shown."""
    known = list(texts)
    return format_lazy(", ".join(["{}"] * len(known)), *known)


def hidden_server(url: str) -> str:
    """The server of a URL, in ASCII, if it may look like another: by its letters, or by text before an @."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.isascii() and "@" not in parts.netloc:
        return ""
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return ascii(host)


def in_networks(texts: Sequence[str]) -> str:
    """From where calls are allowed, in words: that it is from everywhere is not lost in a long list."""
    networks = [ip_network(text) for text in texts]
    v4 = collapse_addresses(one for one in networks if isinstance(one, IPv4Network))
    v6 = collapse_addresses(one for one in networks if isinstance(one, IPv6Network))
    widths = [*(one.prefixlen for one in v4), *(one.prefixlen for one in v6)]
    is_any = not networks or 0 in widths
    named = ", ".join(texts)
    if not is_any:
        return named
    return format_lazy("{any}: {named}", any=ANY, named=named) if named else ANY


def plain(value: Any) -> Any:
    """A field's value as JSON has it, exactly."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def in_plain_words(field: "Field[Any, Any]", value: Any) -> str:
    """A value of a field, for people."""
    if value is None or value in ("", []):
        return NONE
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(field, ForeignKey):
        found = field.related_model._base_manager.filter(pk=value).first()  # noqa: SLF001 (documented)
        return str(found or value)
    if choices := dict(field.flatchoices):
        chosen: str = choices.get(value, str(value))
        return chosen
    given = field.to_python(value)
    return in_words(given) if isinstance(given, datetime) else str(value)

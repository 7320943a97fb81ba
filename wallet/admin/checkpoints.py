"""Checkpoints: signed statements of all wallets' chain heads, read only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clipped, clock, moment, mono
from lib.backoffice.pagination import BigTableAdmin
from wallet.models import Checkpoint


def show_verdict(checkpoint: Checkpoint) -> SafeString:
    """What was found when it was last compared with the ledger."""
    if checkpoint.verified_at is None:
        return badge("not verified yet")
    return (
        badge(f"{checkpoint.differences:,} differences", "danger")
        if checkpoint.differences
        else badge("fits the ledger", "success")
    )


@admin.register(Checkpoint)
class CheckpointAdmin(BigTableAdmin):
    """The file that it names lies outside the database, and can be verified by anybody with the public key."""

    list_display = (
        "number_shown",
        "made",
        "verdict",
        "verified",
        "wallets_shown",
        "entries_shown",
        "key",
        "file_shown",
    )
    empty_text = "One is made every night, when CHECKPOINT_KEY is set and beat is running."
    fields = (
        *("number_shown", "made_at_shown", "verdict", "verified_at_shown", "wallets_shown", "entries_shown"),
        *("root_hex", "hash_hex", "previous_hex", "key", "file_full", "note_shown"),
    )

    @admin.display(description="number")
    def number_shown(self, obj: Checkpoint) -> str:
        return f"{obj.number:,}"

    @admin.display(description="made (UTC)")
    def made(self, obj: Checkpoint) -> SafeString:
        return clock(obj.made_at)

    @admin.display(description="made")
    def made_at_shown(self, obj: Checkpoint) -> str:
        return moment(obj.made_at)

    @admin.display(description="verdict")
    def verdict(self, obj: Checkpoint) -> SafeString:
        return show_verdict(obj)

    @admin.display(description="verified (UTC)")
    def verified(self, obj: Checkpoint) -> SafeString:
        return clock(obj.verified_at)

    @admin.display(description="last verified")
    def verified_at_shown(self, obj: Checkpoint) -> str:
        return moment(obj.verified_at)

    @admin.display(description="wallets")
    def wallets_shown(self, obj: Checkpoint) -> str:
        return f"{obj.wallets:,}"

    @admin.display(description="entries")
    def entries_shown(self, obj: Checkpoint) -> str:
        return f"{obj.entries:,}"

    @admin.display(description="root (Merkle, of all chain heads)")
    def root_hex(self, obj: Checkpoint) -> SafeString:
        return mono(bytes(obj.root).hex())

    @admin.display(description="its own hash")
    def hash_hex(self, obj: Checkpoint) -> SafeString:
        return mono(bytes(obj.hash).hex())

    @admin.display(description="hash of the one before")
    def previous_hex(self, obj: Checkpoint) -> SafeString:
        return mono(bytes(obj.previous).hex())

    @admin.display(description="signed with key")
    def key(self, obj: Checkpoint) -> SafeString:
        return mono(obj.key_id)

    @admin.display(description="file")
    def file_shown(self, obj: Checkpoint) -> SafeString:
        return clipped(obj.file)

    @admin.display(description="file")
    def file_full(self, obj: Checkpoint) -> SafeString:
        return mono(obj.file)

    @admin.display(description="note")
    def note_shown(self, obj: Checkpoint) -> str:
        return obj.note or NOTHING

    def get_fields(self, request: HttpRequest, obj: Checkpoint | None = None) -> Any:
        return [name for name in self.fields if name != "note_shown" or (obj and obj.note)]

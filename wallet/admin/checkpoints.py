"""Checkpoints: signed statements of all wallets' chain heads, read only."""

from django.contrib import admin
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import since, until
from lib.backoffice.formatting import badge, mono
from lib.backoffice.heads import HeadColumns
from lib.backoffice.pagination import BigTableAdmin
from wallet.models import Checkpoint


def show_verdict(checkpoint: Checkpoint) -> SafeString:
    """The result of the last comparison with the ledger."""
    if checkpoint.verified_at is None:
        return badge("not verified yet")
    return (
        badge(f"{checkpoint.differences:,} differences", "danger")
        if checkpoint.differences
        else badge("matches the ledger", "success")
    )


@admin.register(Checkpoint)
class CheckpointAdmin(BigTableAdmin):
    """A checkpoint's file is kept outside the database. Anybody with the public key can verify it."""

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
    conditions = (since("made_at"), until("made_at"))
    empty_text = "A checkpoint is made every night if CHECKPOINT_KEY is set and beat is running."
    head_columns = HeadColumns(["verdict"], ["note_shown"], ["wallets_shown", "entries_shown"])
    fields = (
        *("made_at_shown", "verified_at_shown"),
        *("root_hex", "hash_hex", "previous_hex", "key", "file_full"),
    )

    number_shown = columns.number("number", "number")
    made = columns.clock("created (UTC)", "made_at")
    made_at_shown = columns.moment("created", "made_at")
    verdict = columns.text("result", show_verdict)
    verified = columns.clock("verified (UTC)", "verified_at")
    verified_at_shown = columns.moment("last verified", "verified_at")
    wallets_shown = columns.number("wallets", "wallets")
    entries_shown = columns.number("entries", "entries")
    root_hex = columns.text("Merkle root of all chain heads", lambda row: mono(bytes(row.root).hex()))
    hash_hex = columns.text("hash", lambda row: mono(bytes(row.hash).hex()))
    previous_hex = columns.text(
        "hash of the previous checkpoint", lambda row: mono(bytes(row.previous).hex())
    )
    key = columns.mono("signing key", "key_id")
    file_shown = columns.clipped("file", "file")
    file_full = columns.mono("file", "file")
    note_shown = columns.text("note", "note")

    def title_of(self, row: Checkpoint) -> str:
        return f"Checkpoint {row.number:,}"

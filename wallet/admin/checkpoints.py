"""Checkpoints: signed statements of all wallets' chain heads, read only."""

from django.contrib import admin
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import since, until
from lib.backoffice.formatting import badge, mono
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pagination import BigTableAdmin
from wallet.models import Checkpoint


def show_verdict(checkpoint: Checkpoint) -> SafeString:
    """The result of the last comparison with the ledger."""
    if checkpoint.verified_at is None:
        return badge(_("not verified yet"))
    return (
        badge(differences(checkpoint), "danger")
        if checkpoint.differences
        else badge(_("matches the ledger"), "success")
    )


def differences(checkpoint: Checkpoint) -> str:
    return _("{number} differences").format(number=f"{checkpoint.differences:,}")


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
    empty_text = _("A checkpoint is made every night if CHECKPOINT_KEY is set and beat is running.")
    head_columns = HeadColumns(["verdict"], ["note_shown"], ["wallets_shown", "entries_shown"])
    fields = (
        *("made_at_shown", "verified_at_shown"),
        *("root_hex", "hash_hex", "previous_hex", "key", "file_full"),
    )

    number_shown = columns.number(_("number"), "number")
    made = columns.clock(_("created (UTC)"), "made_at")
    made_at_shown = columns.moment(_("created"), "made_at")
    verdict = columns.text(_("result"), show_verdict)
    verified = columns.clock(_("verified (UTC)"), "verified_at")
    verified_at_shown = columns.moment(_("last verified"), "verified_at")
    wallets_shown = columns.number(_("wallets"), "wallets")
    entries_shown = columns.number(_("entries"), "entries")
    root_hex = columns.text(_("Merkle root of all chain heads"), lambda row: mono(bytes(row.root).hex()))
    hash_hex = columns.text(_("hash"), lambda row: mono(bytes(row.hash).hex()))
    previous_hex = columns.text(
        _("hash of the previous checkpoint"), lambda row: mono(bytes(row.previous).hex())
    )
    key = columns.mono(_("signing key"), "key_id")
    file_shown = columns.clipped(_("file"), "file")
    file_full = columns.mono(_("file"), "file")
    note_shown = columns.text(_("note"), "note")

    def title_of(self, row: Checkpoint) -> str:
        return _("Checkpoint {number}").format(number=f"{row.number:,}")

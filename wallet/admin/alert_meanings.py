"""What each kind of alert is called and means, and what resolving one does."""

from django.utils.safestring import SafeString

from lib.backoffice.formatting import badge
from lib.backoffice.languages import _, format_lazy
from wallet.models import Alert

Kind = Alert.Kind
ACCEPTED = _(
    "Resolving accepts this difference: the very same finding is not raised again. A different finding is."
)
# A short name for the list; what the alert means; and what resolving it does.
MEANINGS = {
    Kind.WALLET_DIFFERENCE: (
        _("wallet difference"),
        _(
            "The wallet's balances do not follow from its journal. "
            "Its withdrawals are frozen until an operator unfreezes the wallet on its page."
        ),
        format_lazy("{} {}", ACCEPTED, _("It does not unfreeze the wallet: do that on the wallet's page.")),
    ),
    Kind.LEDGER_DIFFERENCE: (
        _("ledger difference"),
        _(
            "The ledger as a whole does not balance. "
            "Before you resolve this, find out what other than the platform wrote to the database."
        ),
        ACCEPTED,
    ),
    Kind.CHECKPOINT_DIFFERENCE: (
        _("checkpoint difference"),
        _(
            "The journal does not match a signed checkpoint: it may have been rewritten. "
            "Preserve the file and the database as they are. "
            "No checkpoint is made until the difference is accepted (manage.py make_checkpoint --accept)."
        ),
        _(
            "Resolving does not accept the difference: the next verification raises it again, "
            "until manage.py make_checkpoint --accept records why it is right."
        ),
    ),
    Kind.GAME_FORGETS: (
        _("game lost data"),
        _(
            "The game answers UNKNOWN about most transactions, as it would after a loss of data. "
            "Until it recovers, none of its transactions expires on that answer."
        ),
        _(
            "It resolves by itself when the game knows its transactions again, "
            "and is raised again until then."
        ),
    ),
    Kind.SWEEP_FAILED: (
        _("job failed"),
        _("The last run of this job was aborted. The next run continues from there."),
        _("It resolves by itself when the job has run again, and is raised again while the job fails."),
    ),
    Kind.SETTLEMENT_FAILED: (
        _("settlement failed"),
        _("A due transaction could not be settled. The next sweep retries it."),
        _("It is raised again if settlement fails again."),
    ),
    Kind.CREDIT_HELD: (
        _("credit held back"),
        _(
            "A payment or its refund is posted, but not its effect on the wallet: "
            "the balance or debt would exceed the limit of a wallet."
        ),
        _(
            "Resolve it once the wallet has been corrected by an adjustment. "
            "A later refund of the payment takes back no credit that was not given."
        ),
    ),
    Kind.REFUND_OPEN: (
        _("refund unconfirmed"),
        _(
            "The provider has not confirmed the outcome of a refund. "
            "The credit set aside for it stays reserved, and status checks continue."
        ),
        _("It is raised again while the refund is unconfirmed. Contact the provider."),
    ),
    Kind.REFUND_REFUSED: (
        _("refund refused"),
        _(
            "The provider refused a refund that was requested here: the payer has got nothing back. "
            "The credit that was set aside for it is the player's again."
        ),
        _("Resolve it once the payer was refunded otherwise, or is to get nothing."),
    ),
    Kind.RETURN_CHANGED: (
        _("refund or dispute changed"),
        _(
            "A provider says that a refund failed, or that a dispute that was reversed holds money again. "
            "The money and the credit are booked accordingly."
        ),
        _("Resolve it once the payer has got what is due. It is raised again if the provider says so anew."),
    ),
    Kind.ACTS_NOT_LINKED: (
        _("acts not chained"),
        _(
            "Acts of operators were recorded minutes ago and are in no link of the audit trail's hash chain. "
            "Until they are, somebody with all rights in the database could change them unnoticed."
        ),
        _("It resolves by itself when the job link_acts has run, and is raised again until then."),
    ),
    Kind.EVENTS_NOT_TAKEN: (
        _("events not taken"),
        _(
            "Whoever is sent the events has not taken them for an hour, does not want them any more (410), "
            "or is so far behind that some are not kept any more. Later events wait: they are sent in order."
        ),
        _(
            "It resolves by itself when the receiver takes events or an operator resumes it, "
            "and is raised again until then."
        ),
    ),
    Kind.DELIVERY_GIVEN_UP: (
        _("delivery given up"),
        _("A player has paid, and the game has not accepted the delivery. No more attempts are made."),
        _(
            "Resolve it once the game has delivered or the order is refunded. "
            "The delivery can be sent again from its page."
        ),
    ),
    Kind.MONEY_BY_HAND: (
        _("money by hand"),
        _(
            "Operators credited, or confirmed as deposits, more than ALERT_AMOUNT at once, "
            "or more than ALERT_AMOUNT_PER_DAY."
        ),
        _("Resolve it once you know why. The same transaction, or day, is not told again."),
    ),
    Kind.DEPOSITS_UNUSUAL: (
        _("unusual deposits"),
        _(
            "The game's deposits of the last hour are more than five times its usual hour. "
            "A leaked credential looks like that: ask the game, revoke the credential, set a payout limit."
        ),
        _("It resolves by itself when an hour is as usual, and is raised again until then."),
    ),
    Kind.ACCESS_CHANGED: (
        _("access changed"),
        _("An operator changed a secret, a credential, an address, a limit, or another operator."),
        _("Resolve it if that was meant to happen. The audit trail has what was before and after."),
    ),
    Kind.LOCK_OUT: (
        _("lock-out"),
        _("Somebody failed so often to log in under this name that further attempts from there wait."),
        _("It is raised again at the next lock-out of this name."),
    ),
    Kind.CALLBACKS_REFUSED: (
        _("callbacks refused"),
        _(
            "More than a small share of this provider's callbacks is refused: its secret was changed at one "
            "side only, or somebody tries to forge them. If the provider has a new secret, enter it on the "
            "provider's page, then have what came meanwhile verified again there."
        ),
        _("It resolves by itself when a callback of the provider is accepted, and none is refused any more."),
    ),
    Kind.ANSWERS_LOST: (
        _("answers lost"),
        _(
            "A standby has become the database, and had not received the last calls that were answered. "
            "Games believe that these are done. manage.py find_lost_answers asks games and providers."
        ),
        _("Resolve it once each of these calls was settled with its game. It is not raised again."),
    ),
    Kind.STANDBY_BEHIND: (
        _("standby behind"),
        _(
            "If the database's primary dies now, more is lost than ALERT_STANDBY_LAG allows: "
            "no standby follows it, or each is too far behind."
        ),
        _("It resolves by itself when a standby has caught up, and is raised again until then."),
    ),
}


def show_kind(alert: Alert) -> SafeString:
    """The kind of an alert, in short; red if it is critical and open."""
    colour = "" if alert.resolved_at else "danger" if alert.kind in Alert.CRITICAL else "warning"
    return badge(MEANINGS[Kind(alert.kind)][0], colour)

"""What operators call what is kept of money."""

from lib.backoffice.languages import _
from lib.backoffice.names import name_model
from wallet.models import (
    Alert,
    ApiCall,
    Checkpoint,
    Currency,
    Discrepancy,
    Inquiry,
    JobRun,
    PayoutLimit,
    Transaction,
    Wallet,
)

name_model(Alert, _("alert"), _("alerts"))
name_model(ApiCall, _("API call"), _("API calls"))
name_model(Checkpoint, _("checkpoint"), _("checkpoints"))
name_model(Currency, _("currency"), _("currencies"), code=_("code"), name=_("name"), decimals=_("decimals"))
name_model(Discrepancy, _("discrepancy"), _("discrepancies"))
name_model(Inquiry, _("inquiry"), _("manual review"))
name_model(JobRun, _("job run"), _("job runs"), task=_("task"))
name_model(PayoutLimit, _("payout limit"), _("payout limits"), game=_("game"), currency=_("currency"))
name_model(Transaction, _("transaction"), _("transactions"))
name_model(Wallet, _("wallet"), _("wallets"))

"""What acts are called on pages: in the audit trail each has its name in code."""

from django.apps import apps

from lib.backoffice.languages import _, stored
from lib.backoffice.stored_texts import reworded

REQUEST = "request"
# What is done to rows by forms.
VERBS = {"add": _("Add {what}"), "change": _("Change {what}"), "remove": _("Remove {what}")}
# What the names in code say, for those that no button says.
NAMES = (
    *(stored("Accept callback"), stored("Accept difference"), stored("Add passkey"), stored("Add secret")),
    *(stored("Add second factor"), stored("Adjust balance"), stored("Ask now"), stored("Change password")),
    *(stored("Change player status"), stored("Choose columns"), stored("Close"), stored("Enter secret")),
    *(stored("Export audit trail"), stored("Export list"), stored("Export report"), stored("Lock out")),
    *(stored("Export statement"), stored("Launch test session"), stored("Log in"), stored("Log out")),
    stored("Make credential"),
    *(stored("Make recovery codes"), stored("Make secret"), stored("Open account"), stored("Refund order")),
    *(stored("Remove second factor"), stored("Remove second factors"), stored("Remove view")),
    *(stored("Rename view"), stored("Requery"), stored("Save view")),
    *(stored("Retire secret"), stored("Send range"), stored("Settle discrepancy"), stored("Unfreeze wallet")),
    *(stored("Settle transaction"), stored("Show second factor"), stored("Use login link")),
    *(stored("Verify of order"), stored("Verify of provider"), stored("Verify one")),
    *(stored("View personal data"), stored("View raw callback"), stored("View raw refusedcallback")),
)


def name_of(action: str) -> str:
    """An act as a page calls it, as a sentence begins."""
    verb, _mark, rest = action.partition("_")
    if verb == REQUEST and rest:
        return _("Request: {act}").format(act=name_of(rest))
    if verb in VERBS and (what := things().get(rest)):
        return VERBS[verb].format(what=what)
    return reworded(action.replace("_", " ").capitalize())


def things() -> dict[str, str]:
    """What models are called, by their names in code."""
    return {str(model._meta.model_name): str(model._meta.verbose_name) for model in apps.get_models()}  # noqa: SLF001 (documented)

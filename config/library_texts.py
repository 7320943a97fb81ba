"""Texts of libraries that operators see, for which these have no German, or not ours."""

from django.utils.translation import gettext_noop as _

UNFOLD = (
    _("Cancel"),
    _("Date"),
    _("Expand row"),
    _("General"),
    _("Go back"),
    _("More actions"),
    _("Next"),
    _("No data"),
    _("Previous"),
    _("Reset filters"),
    _("Return to site"),
    _("Select action"),
    _("Select all rows"),
    _("Select record"),
    _("Select value"),
    _("Submit"),
    _("Toggle password visibility"),
    _("Type to search"),
    _("Welcome back to"),
    _("You have been successfully logged out from the administration"),
)
# Django's German says Geschichte, which is taught in schools.
DJANGO = (_("History"),)

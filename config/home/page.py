"""What the first page of the admin shows to an operator: each part to whoever may see its lists."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.timesince import timesince

from config.home.first_steps import first_steps
from config.home.money import read_money
from config.home.refused import refused_providers
from config.home.to_do import Work, work
from config.home.verdict import judge, read_checks
from config.home.vital_signs import JOB_HEADERS, SIGN_HEADERS, job_rows, latest_runs, signs
from lib.backoffice.formatting import NOTHING
from lib.backoffice.languages import _
from lib.backoffice.own_changes import own_change
from lib.backoffice.pages import Section, view_permission
from lib.clock import now
from lib.standby import STANDBY
from payments.models import Provider
from wallet.models import Alert, ClosedDay, JobRun


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The page's context, on top of what unfold has for every page."""
    at = now()
    found = {**context, "title": _("Home"), "work": [with_age(one, at) for one in work(request)]}
    if request.user.has_perm(view_permission(Alert)):
        found["verdict"] = judge(read_checks())
    if request.user.has_perm(view_permission(Provider)):
        found["refused_providers"] = refused_providers()
    if request.user.has_perm(view_permission(ClosedDay)):
        found["money"] = STANDBY.read(lambda: read_money(request.GET, at), own_change(request))
        found["first_steps"] = first_steps(request)
    if request.user.has_perm(view_permission(JobRun)):
        found["sections"] = platform_sections(at)
    return found


def with_age(one: Work, at: datetime) -> tuple[Work, str]:
    """Work, and for how long the oldest waits."""
    return one, timesince(one.oldest, at, depth=1) if one.oldest else NOTHING


def platform_sections(at: datetime) -> list[Section]:
    return [
        Section(JobRun, _("Platform"), SIGN_HEADERS, [sign.row for sign in signs()], ""),
        Section(JobRun, _("Jobs"), JOB_HEADERS, job_rows(latest_runs(), at), ""),
    ]

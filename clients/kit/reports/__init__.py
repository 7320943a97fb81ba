"""What a run leaves behind."""

from collections.abc import Callable
from dataclasses import dataclass

from clients.kit.reports.json_report import write_json
from clients.kit.reports.junit_report import write_junit
from clients.kit.reports.page import write_page
from clients.kit.runner import Run


@dataclass(frozen=True, slots=True)
class Writer:
    """One form of report: what it is, and the text of it."""

    what: str
    write: Callable[[Run], str]


WRITERS = {
    "html": Writer("a report as one HTML page", write_page),
    "junit": Writer("a report as JUnit XML", write_junit),
    "json": Writer("a report as JSON, with the raw wire", write_json),
}

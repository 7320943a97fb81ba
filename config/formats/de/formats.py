"""Times as in English: operators compare them with logs. Numbers are Django's, for the pages for players."""

from config.formats.en.formats import DATE_FORMAT as DATE_FORMAT
from config.formats.en.formats import DATETIME_FORMAT as DATETIME_FORMAT
from config.formats.en.formats import SHORT_DATETIME_FORMAT as SHORT_DATETIME_FORMAT

# What a form shows is the first; what a person may type as well follows.
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d.%m.%Y"]
TIME_INPUT_FORMATS = ["%H:%M:%S", "%H:%M"]
DATETIME_INPUT_FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"]

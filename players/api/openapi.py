"""The examples and refusals of the entry API's calls about players and sessions, for the OpenAPI document."""

from drf_spectacular.utils import OpenApiParameter

from lib.http.errors import ErrorCode as Code
from lib.http.openapi import described
from lib.http.responses import ErrorAnswer
from players.api import requests, responses

ENTRY = "Entry API"
TOKEN = "0fabcdc4-fe07-44f2-b968-93da3b324898"  # noqa: S105 (the partner's published example)
ANNA = {"nickname": "Anna", "country": "AT", "language": "de", "status": "active"}

put_player = described(
    tag=ENTRY,
    method="put",
    request=requests.PutPlayerRequest,
    answer=responses.PlayerAnswer,
    error=ErrorAnswer,
    refusals=(Code.INVALID_REQUEST, Code.PLAYER_BARRED),
    parameters=(
        OpenApiParameter(
            "uid", str, OpenApiParameter.PATH, description="1 to 64 letters, digits or . _ : @ -"
        ),
    ),
    sends=ANNA,
    gets={"uid": "demo-anna", **ANNA},
)
exclude = described(
    tag=ENTRY,
    request=requests.ExcludeRequest,
    answer=responses.PlayerAnswer,
    error=ErrorAnswer,
    refusals=(Code.INVALID_REQUEST, Code.PLAYER_BARRED),
    sends={"uid": "demo-anna", "until": "2027-01-31T00:00:00Z"},
    gets={
        "uid": "demo-anna",
        **ANNA,
        "status": "self_excluded",
        "excludedUntil": "2027-01-31T00:00:00.000Z",
    },
)
end_session = described(
    tag=ENTRY,
    request=requests.EndSessionRequest,
    answer=responses.EmptyAnswer,
    error=ErrorAnswer,
    refusals=(Code.INVALID_REQUEST, Code.UNKNOWN_SESSION),
    sends={"token": TOKEN},
    gets={},
)

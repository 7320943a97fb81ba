"""One call of the API as a view.

Who calls, what is sent, and what the domain's outcomes are answered with.
"""

from typing import Any, ClassVar

import msgspec
from django.http import HttpRequest, HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lib.http.requests import fit, make_ready, read_object
from players.access.gate import Call


class CallerAuthentication(BaseAuthentication):
    """Hands over what the gate decided, for the API's description.

    The gate has long refused everybody else.
    """

    def authenticate(self, request: Request) -> None:
        return None

    def authenticate_header(self, request: Request) -> str:
        return "Basic"


class CallerScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    """HTTP Basic, with a credential of a game or of the platform, in the OpenAPI document."""

    target_class = CallerAuthentication
    name = "basic"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "basic",
            "description": "A credential of the game (/wallet/, /payments/) or of the platform (/entry/).",
        }


AUTHENTICATORS = [CallerAuthentication()]
NEGOTIATOR = DefaultContentNegotiation()


def who_calls(request: Request) -> Call:
    """What the gate decided about a request of the API."""
    call: Call = request._request.call  # type: ignore[attr-defined]  # noqa: SLF001
    return call


class ApiView(APIView):
    """One call of the API.

    `shape` is what is sent; `handle` returns the answer or raises what happened instead.
    """

    http_method_names = ["post"]
    authentication_classes = [CallerAuthentication]
    permission_classes = []
    throttle_classes = []
    renderer_classes = [JSONRenderer]
    parser_classes = []
    shape: ClassVar[type[msgspec.Struct]]
    # The methods that are answered.
    allow: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.allow = ", ".join(method.upper() for method in cls.http_method_names)
        if "shape" in vars(cls):
            make_ready(cls.shape)

    def post(self, request: Request) -> HttpResponse:
        return self.answer(who_calls(request), read_object(request._request))  # noqa: SLF001 (DRF offers no other way to the bytes)

    def answer(self, call: Call, body: dict[str, Any]) -> HttpResponse:
        """The answer to a JSON object."""
        return self.handle(call, fit(body, self.shape))

    def handle(self, call: Call, given: Any) -> HttpResponse:
        """The answer to a request of the right shape.

        Raises a Refusal, or an outcome that `refusal` knows.
        """
        raise NotImplementedError

    def refusal(self, problem: Exception) -> Exception:
        """The Refusal that an outcome of the domain is answered with; any other failure as it is."""
        return problem

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(self.refusal(exc))

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """As DRF's own, without parsers, which no call uses."""
        return Request(request, authenticators=AUTHENTICATORS, negotiator=NEGOTIATOR)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None: `finalize_response` has the one that every answer carries."""
        return {}

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Says which method is answered, as DRF's own does; every answer is ready."""
        response.headers.put("Allow", self.allow)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing is left to negotiate or to check.

        The gate has decided who calls, and every answer is JSON.
        """

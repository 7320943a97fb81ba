"""The API's description, and the page that shows it (contract 5)."""

import hashlib
import threading
from collections.abc import Callable
from functools import cache
from typing import ClassVar, NamedTuple, cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

# How long a browser may show the document without asking again; it changes with a new version alone.
FRESH_SECONDS = 300
MAKING = threading.Lock()


class Document(NamedTuple):
    """The description in one format, and its ETag."""

    content: bytes
    etag: str


@cache
def description() -> object:
    """All calls and their shapes: it takes a third of a second, and is the same until the process ends."""
    return SchemaGenerator().get_schema(request=None, public=True)


@cache
def rendered(make_renderer: Callable[[], BaseRenderer]) -> Document:
    """The description as a renderer of that class writes it."""
    renderer = make_renderer()
    # Those of OpenAPI write bytes.
    content = cast("bytes", renderer.render(description(), renderer.media_type, {}))
    return Document(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def document(make_renderer: Callable[[], BaseRenderer]) -> Document:
    """As `rendered`; whoever comes while it is being made waits for that one."""
    with MAKING:
        return rendered(make_renderer)


class ApiDocument(SpectacularAPIView):  # type: ignore[misc]
    """`/api/schema/`: OpenAPI in YAML or JSON, made once in each process."""

    # It does not describe itself.
    schema = None
    authentication_classes: ClassVar[list[type]] = []
    permission_classes: ClassVar[list[type]] = []

    def get(self, request: Request) -> HttpResponse:
        """The description, or 304 for whoever has it."""
        renderer = request.accepted_renderer
        content, etag = document(type(renderer))
        answer = HttpResponse(content, content_type=renderer.media_type)
        answer["ETag"] = etag
        answer["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
        answer["Content-Disposition"] = f'inline; filename="Quantum Wallet.{renderer.format}"'
        asked: HttpRequest = request._request  # noqa: SLF001 (Django's function wants its own request)
        return get_conditional_response(asked, etag=etag, response=answer) or answer


class ApiPage(SpectacularSwaggerSplitView):  # type: ignore[misc]
    """`/api/docs/`: the same to read; its script is a file of its own, not a part of the page."""

    authentication_classes: ClassVar[list[type]] = []
    permission_classes: ClassVar[list[type]] = []

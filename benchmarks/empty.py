"""Django with one view that does nothing: what the server and the framework cost before anything of ours."""

from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks.traffic import NOTHING

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost"], SECRET_KEY="of no use: nothing is signed here"
)


def do_nothing(request: HttpRequest) -> HttpResponse:
    """Reads the body and answers the same to everybody."""
    assert request.body
    return HttpResponse(
        NOTHING, content_type="application/json", headers={"Content-Length": str(len(NOTHING))}
    )


urlpatterns: list[Any] = [path("wallet/withdraw", do_nothing)]
application = get_wsgi_application()

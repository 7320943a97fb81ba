"""`/`: a page that names the platform, and reveals nothing else. A demonstration has its lobby there."""

from django.http import HttpRequest, HttpResponse

from payments.checkout.pages import page, show


@page
def front_page(request: HttpRequest) -> HttpResponse:
    """For whoever comes by."""
    return show(request, "front_page.html", {}, language="en")

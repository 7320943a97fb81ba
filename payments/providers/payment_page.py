"""Addresses of providers' own payment pages."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from payments.providers.protocol import Terms


def page_address(terms: Terms, told: dict[str, str]) -> str:
    """The provider's page, with what it is told of the order among its query parameters."""
    parts = urlsplit(terms.page_url)
    return urlunsplit(
        parts._replace(query=urlencode([*parse_qsl(parts.query, keep_blank_values=True), *told.items()]))
    )


def page_origin(terms: Terms) -> tuple[str, ...]:
    """The origin of the provider's page."""
    parts = urlsplit(terms.page_url)
    return (f"{parts.scheme}://{parts.netloc}",) if parts.netloc else ()

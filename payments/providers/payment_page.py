"""Addresses of providers' own payment pages."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from payments.providers.protocol import ProviderConfig


def page_address(config: ProviderConfig, told: dict[str, str]) -> str:
    """The provider's page, with what it is told of the order among its query parameters."""
    parts = urlsplit(config.page_url)
    return urlunsplit(
        parts._replace(query=urlencode([*parse_qsl(parts.query, keep_blank_values=True), *told.items()]))
    )


def page_origin(config: ProviderConfig) -> tuple[str, ...]:
    """The origin of the provider's page."""
    parts = urlsplit(config.page_url)
    return (f"{parts.scheme}://{parts.netloc}",) if parts.netloc else ()

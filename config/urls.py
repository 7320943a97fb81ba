"""Which path belongs to which part of the platform."""

from django.contrib import admin
from django.urls import include, path

# Whatever serves requests can nudge the workers: the tasks find their application by this import.
from config import celery as celery
from config import health
from config.api_document import ApiDocument, ApiPage
from config.metrics import metrics
from payments.urls import checkout_pages, payments_api, provider_callbacks, sandbox
from players.admin.login_links import new_password
from players.api.urls import entry as players_entry
from wallet.api.urls import entry as wallet_entry
from wallet.api.urls import wallet

urlpatterns = [
    path("wallet/", include(wallet)),
    path("entry/", include([*players_entry, *wallet_entry])),
    path("payments/", include(payments_api)),
    path("pay/", include(provider_callbacks)),
    path("checkout/", include(checkout_pages)),
    path("sandbox/", include(sandbox)),
    path("admin/new-password/", new_password, name="new_password"),
    path("admin/", admin.site.urls),
    path("api/schema/", ApiDocument.as_view(), name="schema"),
    path("api/docs/", ApiPage.as_view(url_name="schema"), name="docs"),
    path("healthz", health.process_health),
    path("healthz/workers", health.workers_health),
    path("readyz", health.readiness),
    path("metrics", metrics),
]

handler403 = "config.error_pages.permission_denied"
handler404 = "config.error_pages.not_found"
handler500 = "config.error_pages.server_error"

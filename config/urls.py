"""Which path belongs to which part of the platform."""

from django.apps import apps
from django.contrib import admin
from django.urls import include, path

# Whatever serves requests can nudge the workers: the tasks find their application by this import.
from config import celery as celery
from config import documents, error_documents, health
from config.api_document import ApiDocument, ApiPage
from config.front_page import front_page
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
    path("api/docs/errors/", error_documents.index, name="error_documents"),
    path("api/docs/errors/<int:code>", error_documents.document, name="error_document"),
    path("docs/", documents.index, name="documents"),
    path("llms.txt", documents.list_for_programs),
    path("docs/<slug:name>.md", documents.document, name="document"),
    path("healthz", health.process_health),
    path("healthz/workers", health.workers_health),
    path("readyz", health.readiness),
    path("metrics", metrics),
]
# A demonstration begins with its lobby.
urlpatterns.append(path("", include("demo.urls")) if apps.is_installed("demo") else path("", front_page))

handler403 = "config.error_pages.permission_denied"
handler404 = "config.error_pages.not_found"
handler500 = "config.error_pages.server_error"

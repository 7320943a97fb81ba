"""Settings of libraries, the same on every machine: REST framework, OpenAPI, the look of the admin."""

from django.urls import reverse_lazy

from config.version import read_version
from lib.backoffice.languages import _

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.exceptions.answer_to_exception",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Quantum Wallet",
    "DESCRIPTION": (
        "The wallet API and the payments API for game backends, the entry API for the platform's web front, "
        "and providers' callbacks."
    ),
    "VERSION": read_version(),
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "POSTPROCESSING_HOOKS": ["lib.http.openapi.add_components", "payments.api.openapi.add_callbacks"],
    # The examples are the description; the enumerations need no names of their own.
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "defaultModelsExpandDepth": 0},
}

UNFOLD = {
    "SITE_TITLE": "Quantum Wallet",
    "SITE_HEADER": "Quantum Wallet",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "LOGIN": {"form": "config.login.LoginForm"},
    "ACCOUNT": {
        "navigation": [
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
            {"title": _("Second factors"), "link": reverse_lazy("admin:factors")},
            {"title": _("Sessions"), "link": reverse_lazy("admin:own_sessions")},
        ]
    },
    "STYLES": ["config.sidebar.style_sheet"],
    "SCRIPTS": ["config.sidebar.shortcut", "config.sidebar.times_script", "config.sidebar.list_script"],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "config.sidebar.icon"}],
    "SIDEBAR": {"navigation": "config.sidebar.navigation"},
    "DASHBOARD_CALLBACK": "config.home.page.home",
    # The banner about open alerts, for every page.
    "GLOBAL_CALLBACK": "wallet.admin.attention.banner",
}

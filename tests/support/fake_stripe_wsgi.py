"""The platform as the web server starts it, with Stripe's API at the address FAKE_STRIPE_URL."""

import os

from django.conf import settings

from config.wsgi import application as application
from payments.providers.adapters import ADAPTERS
from payments.providers.stripe_checkout.checkout import StripeCheckout

# No test collects the pages' files.
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
ADAPTERS["stripe"] = StripeCheckout(os.environ["FAKE_STRIPE_URL"])

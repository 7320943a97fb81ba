"""How money enters the platform."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

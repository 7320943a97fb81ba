"""The platform as a whole, for what no single app can check."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.module_loading import import_string


class PlatformConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        # It needs models, which are not there yet while this module is imported.
        register(import_string("config.refusals.check_deployment"), Tags.security, deploy=True)

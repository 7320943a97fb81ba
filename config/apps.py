"""The platform as a whole, for what no single app can check or grant."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string

from config.rights import grant_rights


class OperatorsAdmin(AdminConfig):
    """The admin, whose site asks for second factors."""

    default_site = "config.admin_site.OperatorsSite"


class PlatformConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        # It needs models, which are not there yet while this module is imported.
        register(import_string("config.refusals.check_deployment"), Tags.security, deploy=True)
        if settings.DATABASE_DISTRIBUTED:
            import_string("config.distribution.joins.join_by_player")()
        payments = apps.get_app_config("payments")
        # Before any model gets its content type: this app is the first that has models.
        post_migrate.connect(
            import_string("config.distribution.sequences.count_on"),
            sender=apps.get_app_config("admin"),
        )
        # Once all apps have installed what they have: this one has no models, and so no signal of its own.
        post_migrate.connect(grant_rights, sender=payments)
        # It needs models, too.
        post_migrate.connect(import_string("config.roles.make_roles"), sender=payments)

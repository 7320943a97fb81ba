"""Who may speak: games, credentials, players and their sessions."""

from django.apps import AppConfig


class PlayersConfig(AppConfig):
    name = "players"

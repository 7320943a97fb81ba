"""The paths of the demonstration."""

from django.urls import path

from demo.clock.views import clock
from demo.lobby.views import launch_game, lobby, new_player

urlpatterns = [
    path("", lobby, name="lobby"),
    path("demo/players", new_player, name="demo_players"),
    path("demo/launch", launch_game, name="demo_launch"),
    path("demo/clock", clock, name="demo_clock"),
]

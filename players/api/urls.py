"""The paths of the entry API that are about players and sessions."""

from django.urls import path

from players.api import views

entry = [
    path("players/<str:uid>", views.PutPlayer.as_view()),
    path("exclude", views.Exclude.as_view()),
    path("endSession", views.EndSession.as_view()),
]

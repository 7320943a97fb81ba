"""The paths of the payments API, and of providers' callbacks."""

from django.urls import path

from payments import callbacks, views

payments_api = [
    path("initiate", views.Initiate.as_view()),
    path("query", views.Query.as_view()),
]

provider_callbacks = [
    path("<str:slug>", callbacks.pay),
]

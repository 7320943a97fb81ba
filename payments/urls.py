"""The paths of the payments API, of providers' callbacks, and of the pages for players."""

from django.urls import path

from payments import callbacks, checkout, views
from payments.sandbox import hosted, mailbox, refunds

payments_api = [
    path("initiate", views.Initiate.as_view()),
    path("query", views.Query.as_view()),
]

provider_callbacks = [
    path("<str:slug>", callbacks.pay),
]

checkout_pages = [
    path("<str:key>", checkout.order_page),
    path("<str:key>/result", checkout.result_page),
]

sandbox = [
    path("", hosted.index),
    path("deliveries/<slug:slug>", mailbox.mailbox),
    path("deliveries/<slug:slug>/answer", mailbox.choose_answer),
    path("<slug:slug>/pay", hosted.pay_page),
    path("<slug:slug>/refunds", refunds.ask),
    path("<slug:slug>/refunds/status", refunds.status),
]

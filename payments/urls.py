"""The paths of the payments API, of providers' callbacks, and of the pages for players."""

from django.urls import path

from payments.api.views import Initiate, Query
from payments.callbacks.views import pay
from payments.checkout.views import order_page, result_page
from payments.sandbox import mailbox, payment_page, queries, refunds

payments_api = [
    path("initiate", Initiate.as_view()),
    path("query", Query.as_view()),
]

provider_callbacks = [
    path("<str:slug>", pay),
]

checkout_pages = [
    path("<str:key>", order_page),
    path("<str:key>/result", result_page),
]

sandbox = [
    path("", payment_page.index),
    path("deliveries/<slug:slug>", mailbox.mailbox),
    path("deliveries/<slug:slug>/answer", mailbox.choose_answer),
    path("<slug:slug>/pay", payment_page.pay_page),
    path("<slug:slug>/payments/status", queries.status),
    path("<slug:slug>/refunds", refunds.ask),
    path("<slug:slug>/refunds/status", refunds.status),
]

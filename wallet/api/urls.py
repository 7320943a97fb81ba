"""The paths of the wallet API, and of what the entry API tells about wallets."""

from django.urls import path

from wallet.api import entry as entry_views
from wallet.api import events, limits, views

wallet = [
    path("verifySession", views.VerifySession.as_view()),
    path("getBalance", views.GetBalance.as_view()),
    path("withdraw", views.Withdraw.as_view()),
    path("confirmWithdrawal", views.ConfirmWithdrawal.as_view()),
    path("rollbackWithdrawal", views.RollbackWithdrawal.as_view()),
    path("deposit", views.Deposit.as_view()),
    path("confirmDeposit", views.ConfirmDeposit.as_view()),
    path("rollbackDeposit", views.RollbackDeposit.as_view()),
    path("queryTransaction", views.QueryTransaction.as_view()),
]

entry = [
    path("launch", entry_views.Launch.as_view()),
    path("balance", entry_views.Balance.as_view()),
    path("statement", entry_views.Statement.as_view()),
    path("events", events.Events.as_view()),
    path("limits", limits.Limits.as_view()),
]

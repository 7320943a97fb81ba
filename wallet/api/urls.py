"""The paths of the wallet API and of the entry API."""

from django.urls import path

from wallet.api import entry, views

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

entry_api = [
    path("players/<str:uid>", entry.PutPlayer.as_view()),
    path("launch", entry.Launch.as_view()),
    path("endSession", entry.EndSession.as_view()),
    path("balance", entry.Balance.as_view()),
    path("statement", entry.Statement.as_view()),
]

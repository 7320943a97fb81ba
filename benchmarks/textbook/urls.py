"""The same path as the platform's."""

from django.urls import path

from benchmarks.textbook.views import WithdrawView

urlpatterns = [path("wallet/withdraw", WithdrawView.as_view())]

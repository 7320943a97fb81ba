"""The one call that is measured."""

# The type checker knows the models of the platform alone.
# mypy: disable-error-code="attr-defined"

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.textbook.models import Entry, Game, Session, Transaction, Wallet
from benchmarks.textbook.serializers import WithdrawalSerializer


class WithdrawView(APIView):
    def post(self, request: Request) -> Response:
        serializer = WithdrawalSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return withdraw(request.user, serializer.validated_data)  # type: ignore[arg-type]


def withdraw(game: Game, data: dict[str, Any]) -> Response:
    """Takes the amount from the wallet, once for each id of the game."""
    amount, currency = data["amount"]["amount"], data["amount"]["currencyCode"]
    try:
        session = Session.objects.select_related("player").get(token=data["token"], game=game)
    except Session.DoesNotExist:
        return refusal(102, "Unknown session.")
    if session.expires_at <= timezone.now():
        return refusal(102, "The session has expired.")
    if session.player.is_blocked:
        return refusal(103, "The player is blocked.")
    with transaction.atomic():
        wallet = Wallet.objects.select_for_update().get(player=session.player, currency=currency)
        try:
            known = Transaction.objects.get(game=game, mm_transaction_id=data["mmTransactionId"])
        except Transaction.DoesNotExist:
            pass
        else:
            return (
                answer(known, currency) if known.amount == amount else refusal(110, "The id was used before.")
            )
        if wallet.balance < amount:
            return refusal(104, "Insufficient funds.")
        wallet.balance -= amount
        wallet.save(update_fields=["balance"])
        made = Transaction.objects.create(
            game=game,
            wallet=wallet,
            mm_transaction_id=data["mmTransactionId"],
            amount=amount,
            balance_after=wallet.balance,
        )
        Entry.objects.create(transaction=made, wallet=wallet, amount=-amount, balance_after=wallet.balance)
    return answer(made, currency)


def answer(made: Transaction, currency: str) -> Response:
    return Response(
        {
            "mmTransactionId": made.mm_transaction_id,
            "qwTransactionId": made.id,
            "balance": {"amount": made.balance_after, "currencyCode": currency},
        }
    )


def refusal(code: int, description: str) -> Response:
    return Response({"errorCode": code, "errorDescription": description})

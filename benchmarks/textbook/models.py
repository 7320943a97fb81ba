"""Games, players, wallets, and what moved in them."""

import hashlib
import uuid

from django.db import models


def hash_password(password: str) -> str:
    """Quick on purpose, and fairer to this project than Django's PBKDF2: the password is long and random."""
    return hashlib.sha256(password.encode()).hexdigest()


class Game(models.Model):
    username = models.CharField(max_length=64, unique=True)
    password_hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.username

    @property
    def is_authenticated(self) -> bool:
        return True


class Player(models.Model):
    nickname = models.CharField(max_length=64)
    is_blocked = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.nickname


class Session(models.Model):
    token = models.UUIDField(default=uuid.uuid4, unique=True)
    game = models.ForeignKey(Game, on_delete=models.PROTECT)
    player = models.ForeignKey(Player, on_delete=models.PROTECT)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.token)


class Wallet(models.Model):
    player = models.ForeignKey(Player, on_delete=models.PROTECT)
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=18, decimal_places=2, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["player", "currency"], name="one_wallet_per_currency"),
            models.CheckConstraint(condition=models.Q(balance__gte=0), name="balance_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.balance} {self.currency}"


class Transaction(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    game = models.ForeignKey(Game, on_delete=models.PROTECT)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT)
    mm_transaction_id = models.CharField(max_length=64)
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    status = models.CharField(max_length=10, default="pending")
    balance_after = models.DecimalField(max_digits=18, decimal_places=2)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["game", "mm_transaction_id"], name="one_transaction_per_id")
        ]

    def __str__(self) -> str:
        return self.mm_transaction_id


class Entry(models.Model):
    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT)
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    balance_after = models.DecimalField(max_digits=18, decimal_places=2)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.amount}"

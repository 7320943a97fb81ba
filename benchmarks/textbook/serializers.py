"""What a game sends."""

from rest_framework import serializers


class AmountSerializer(serializers.Serializer[object]):
    amount = serializers.DecimalField(max_digits=18, decimal_places=2, min_value=0)
    currencyCode = serializers.CharField(max_length=3)


class WithdrawalSerializer(serializers.Serializer[object]):
    token = serializers.UUIDField()
    mmTransactionId = serializers.CharField(max_length=64)
    amount = AmountSerializer()
    txDescription = serializers.CharField(max_length=255, required=False)

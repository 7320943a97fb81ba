"""A provider that can be asked for refunds, and says what a test wrote down."""

from collections.abc import Callable
from dataclasses import dataclass, field

from payments.providers.protocol import ProviderConfig, RefundRequest, RefundResult
from payments.providers.standard_webhooks import StandardWebhooks


@dataclass
class Scripted(StandardWebhooks):
    """A provider that can be asked for refunds and says what a test wrote down."""

    words: list[RefundResult | Exception | Callable[[RefundRequest], RefundResult]] = field(
        default_factory=list
    )
    asked: list[tuple[str, RefundRequest]] = field(default_factory=list)
    can_refund = True
    tells_refunds = True

    def say(self, call: str, wish: RefundRequest) -> RefundResult:
        self.asked.append((call, wish))
        word = self.words.pop(0)
        if isinstance(word, Exception):
            raise word
        return word if isinstance(word, RefundResult) else word(wish)

    def refund(self, terms: ProviderConfig, wish: RefundRequest) -> RefundResult:
        return self.say("refund", wish)

    def status(self, terms: ProviderConfig, wish: RefundRequest) -> RefundResult:
        return self.say("status", wish)

    @property
    def calls(self) -> list[str]:
        return [call for call, _ in self.asked]

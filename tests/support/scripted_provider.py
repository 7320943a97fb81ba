"""A provider that can be asked for refunds, and says what a test wrote down."""

from collections.abc import Callable
from dataclasses import dataclass, field

from payments.providers.protocol import Terms, Wish, Word
from payments.providers.standard_webhooks import StandardWebhooks


@dataclass
class Scripted(StandardWebhooks):
    """A provider that can be asked for refunds and says what a test wrote down."""

    words: list[Word | Exception | Callable[[Wish], Word]] = field(default_factory=list)
    asked: list[tuple[str, Wish]] = field(default_factory=list)
    can_refund = True
    tells_refunds = True

    def say(self, call: str, wish: Wish) -> Word:
        self.asked.append((call, wish))
        word = self.words.pop(0)
        if isinstance(word, Exception):
            raise word
        return word if isinstance(word, Word) else word(wish)

    def refund(self, terms: Terms, wish: Wish) -> Word:
        return self.say("refund", wish)

    def status(self, terms: Terms, wish: Wish) -> Word:
        return self.say("status", wish)

    @property
    def calls(self) -> list[str]:
        return [call for call, _ in self.asked]

"""What the shared cache holds: JSON and nothing else, as whoever writes to Redis must not run code here."""

import json
import logging
from typing import Any

logger = logging.getLogger(__name__)


class JsonSerializer:
    """For the `serializer` of Django's Redis cache, which would otherwise be pickle."""

    def dumps(self, value: Any) -> int | bytes:
        """The bytes of a value. A number stays one, so that Redis can count it up."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """The value; None for what is no JSON, which then is as if it were not there."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            logger.warning("the cache holds something that is not ours, and it is left out")
            return None

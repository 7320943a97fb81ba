"""What the wallet's calls in the web server's loop count for `/metrics`."""

from prometheus_client import Counter, Histogram

from lib.http.metrics import REGISTRY

BATCH_CALLS = Histogram(
    "wallet_statement_calls",
    "How many openings and settlings went to the ledger in one statement.",
    registry=REGISTRY,
    buckets=(1, 2, 4, 8, 16, 32, 64),
)
REPEATED_CALLS = Counter(
    "wallet_batch_repeated_calls",
    "Openings and settlings that were repeated one by one, because the statement that they shared failed.",
    ["failure"],
    registry=REGISTRY,
)
# There from the start: rate() would not see the first failure of a series that begins with it.
REPEATED_CALLS.labels("OperationalError")

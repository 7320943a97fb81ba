"""How callbacks are signed: each scheme verifies raw bytes and knows nothing of orders (contract 4.2)."""

"""What the audit of the ledger asks about orders: whether they say what the journal moved for them."""

TYPES = "('payment', 'sale', 'payment_return', 'sale_return', 'top_up', 'clawback', 'set_aside')"
# How a description names an order; the journal's first format covers it, and not the reference.
ORDER = "'^order [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'"
# What an order's transactions moved: in the currency that was paid, and in that of the credit.
MOVED = f"""
    SELECT player_id, reference,
        sum(CASE WHEN type IN ('payment', 'sale') THEN amount WHEN type IN ('payment_return', 'sale_return') THEN -amount ELSE 0 END) AS cleared,
        sum(CASE WHEN type = 'top_up' THEN amount WHEN type IN ('clawback', 'set_aside') THEN -amount ELSE 0 END) AS credited
    FROM wallet_transaction
    WHERE state = 'confirmed' AND type IN {TYPES} AND reference IS NOT NULL
    GROUP BY player_id, reference
"""
SECONDS = "SELECT order_id, sum(amount - returned) AS held FROM payments_payment WHERE is_second AND state = 'paid' GROUP BY order_id"

# Each question names the rows that should not be there.
ORPHANS = {
    "orders that are not as the ledger moved": f"""
        FROM payments_order x
        LEFT JOIN ({MOVED}) moved ON moved.player_id = x.player_id AND moved.reference = x.id
        LEFT JOIN ({SECONDS}) seconds ON seconds.order_id = x.id
        WHERE coalesce(moved.cleared, 0)
                <> CASE WHEN x.paid_at IS NULL THEN 0 ELSE x.price - x.refunded - x.charged_back END + coalesce(seconds.held, 0)
           OR coalesce(moved.credited, 0) <> CASE WHEN x.paid_at IS NULL THEN 0 ELSE coalesce(x.credit, 0) - x.clawed_back END
    """,
    "payments' transactions of no order": """
        FROM wallet_transaction x
        WHERE x.reference IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM payments_order o WHERE o.id = x.reference AND o.player_id = x.player_id)
    """,
    "transactions whose description names another order than their reference": f"""
        FROM wallet_transaction x
        WHERE x.type IN {TYPES} AND x.description ~ {ORDER}
          AND x.description IS DISTINCT FROM 'order ' || x.reference
    """,
    "credit set aside for no open refund": """
        FROM wallet_transaction x
        WHERE x.type = 'set_aside' AND x.settled_at IS NULL AND x.reference IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE r.set_aside_transaction = x.id AND r.set_aside = x.amount AND r.state IN ('asked', 'unknown'))
    """,
}

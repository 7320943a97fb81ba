-- An order goes on, never back: one that was paid is never unpaid again, whatever is given back of it
-- (payments/orders/state.py), and what happened once has happened.
CREATE TRIGGER order_never_goes_back BEFORE UPDATE ON payments_order
FOR EACH ROW WHEN (
    OLD.id <> NEW.id
    OR (NEW.state <> OLD.state
        AND NEW.state NOT IN ('paid', 'delivered', 'refunded', 'charged_back')
        AND NOT (OLD.state = 'created' AND NEW.state IN ('failed', 'expired')))
    OR (OLD.paid_at IS NOT NULL AND NEW.paid_at IS DISTINCT FROM OLD.paid_at)
    OR (OLD.delivered_at IS NOT NULL AND NEW.delivered_at IS DISTINCT FROM OLD.delivered_at)
    OR (OLD.credit_transaction IS NOT NULL
        AND NEW.credit_transaction IS DISTINCT FROM OLD.credit_transaction)
    OR (OLD.is_credit_held AND NOT NEW.is_credit_held)
) EXECUTE FUNCTION refuse_change();

CREATE TRIGGER payment_never_goes_back BEFORE UPDATE ON payments_payment
FOR EACH ROW WHEN (
    (OLD.id, OLD.started_at) IS DISTINCT FROM (NEW.id, NEW.started_at)
    OR (OLD.state = 'paid' AND NEW.state <> 'paid')
    OR (OLD.paid_at IS NOT NULL AND NEW.paid_at IS DISTINCT FROM OLD.paid_at)
    OR (OLD.transaction IS NOT NULL AND NEW.transaction IS DISTINCT FROM OLD.transaction)
) EXECUTE FUNCTION refuse_change();

-- A game is told of one order, and has taken it once.
CREATE TRIGGER delivery_is_frozen BEFORE UPDATE ON payments_delivery
FOR EACH ROW WHEN (
    (OLD.id, OLD.order_id, OLD.game_id, OLD.created_at)
    IS DISTINCT FROM (NEW.id, NEW.order_id, NEW.game_id, NEW.created_at)
    OR (OLD.delivered_at IS NOT NULL AND NEW.delivered_at IS DISTINCT FROM OLD.delivered_at)
) EXECUTE FUNCTION refuse_change();

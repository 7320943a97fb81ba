-- What holds whatever the code does: an order's history never changes, and nothing that money hangs on is ever deleted.

CREATE TRIGGER order_event_is_append_only BEFORE UPDATE OR DELETE ON payments_orderevent
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_event_is_never_truncated BEFORE TRUNCATE ON payments_orderevent
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Verified callbacks are kept for ever, as they were received; what came of them may be written beside (contract 4.2, rule 1).
CREATE TRIGGER callback_is_never_deleted BEFORE DELETE ON payments_callback
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER callback_stays_as_received BEFORE UPDATE ON payments_callback
FOR EACH ROW WHEN (
    (OLD.provider_id, OLD.message_id, OLD.type, OLD.reference, OLD.meaning, OLD.body, OLD.received_at)
    IS DISTINCT FROM (NEW.provider_id, NEW.message_id, NEW.type, NEW.reference, NEW.meaning, NEW.body, NEW.received_at)
) EXECUTE FUNCTION refuse_change();

CREATE TRIGGER order_is_never_deleted BEFORE DELETE ON payments_order FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_is_never_deleted BEFORE DELETE ON payments_payment FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_is_never_deleted BEFORE DELETE ON payments_refund FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delivery_is_never_deleted BEFORE DELETE ON payments_delivery FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER provider_is_never_deleted BEFORE DELETE ON payments_provider FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- A secret is never used a second time, so it must not be forgotten (rule 2).
CREATE TRIGGER secret_is_never_deleted BEFORE DELETE ON payments_secret FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Price and credit stay what they were when the order was started (contract 4.1).
CREATE TRIGGER order_is_frozen BEFORE UPDATE ON payments_order
FOR EACH ROW WHEN (
    (OLD.game_id, OLD.player_id, OLD.cp_order_id, OLD.product_code, OLD.server_id, OLD.ext_params, OLD.price, OLD.currency_id, OLD.credit, OLD.credit_currency_id)
    IS DISTINCT FROM
    (NEW.game_id, NEW.player_id, NEW.cp_order_id, NEW.product_code, NEW.server_id, NEW.ext_params, NEW.price, NEW.currency_id, NEW.credit, NEW.credit_currency_id)
) EXECUTE FUNCTION refuse_change();

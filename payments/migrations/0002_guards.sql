-- What holds whatever the code does: an order's history never changes, and nothing that money hangs on is
-- ever deleted.

CREATE TRIGGER order_event_is_append_only BEFORE UPDATE OR DELETE ON payments_orderevent
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_event_is_never_truncated BEFORE TRUNCATE ON payments_orderevent
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Verified callbacks are kept for ever, as they were received; what came of them may be written beside
-- (contract 4.2, rule 1).
CREATE TRIGGER callback_is_never_deleted BEFORE DELETE ON payments_callback
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_is_never_deleted BEFORE DELETE ON payments_order
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_is_never_deleted BEFORE DELETE ON payments_payment
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_is_never_deleted BEFORE DELETE ON payments_refund
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delivery_is_never_deleted BEFORE DELETE ON payments_delivery
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER provider_is_never_deleted BEFORE DELETE ON payments_provider
FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- A secret is never used a second time, so it must not be forgotten (rule 2).
CREATE TRIGGER secret_is_never_deleted BEFORE DELETE ON payments_secret
FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What was said and agreed stays as it was; what came of it may be written beside.

-- As it was received: its signature stands in the headers (contract 4.2, rule 1).
CREATE TRIGGER callback_stays_as_received BEFORE UPDATE ON payments_callback
FOR EACH ROW WHEN (
    (OLD.provider_id, OLD.order_id, OLD.message_id, OLD.type, OLD.reference, OLD.meaning, OLD.headers,
     OLD.body, OLD.address, OLD.received_at)
    IS DISTINCT FROM
    (NEW.provider_id, NEW.order_id, NEW.message_id, NEW.type, NEW.reference, NEW.meaning, NEW.headers,
     NEW.body, NEW.address, NEW.received_at)
) EXECUTE FUNCTION refuse_change();

-- What was asked for, and what the player was promised: price and credit stay what they were when the order
-- was started (contract 4.1).
CREATE TRIGGER order_is_frozen BEFORE UPDATE ON payments_order
FOR EACH ROW WHEN (
    (OLD.game_id, OLD.player_id, OLD.cp_order_id, OLD.page_key, OLD.product_id, OLD.product_code,
     OLD.server_id, OLD.ext_params, OLD.return_url, OLD.price, OLD.currency_id, OLD.credit,
     OLD.credit_currency_id, OLD.is_delivered_by_game, OLD.created_at)
    IS DISTINCT FROM
    (NEW.game_id, NEW.player_id, NEW.cp_order_id, NEW.page_key, NEW.product_id, NEW.product_code,
     NEW.server_id, NEW.ext_params, NEW.return_url, NEW.price, NEW.currency_id, NEW.credit,
     NEW.credit_currency_id, NEW.is_delivered_by_game, NEW.created_at)
) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_is_frozen BEFORE UPDATE ON payments_payment
FOR EACH ROW WHEN (
    (OLD.order_id, OLD.provider_id, OLD.amount) IS DISTINCT FROM (NEW.order_id, NEW.provider_id, NEW.amount)
) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_is_frozen BEFORE UPDATE ON payments_refund
FOR EACH ROW WHEN (
    (OLD.order_id, OLD.provider_id, OLD.kind, OLD.amount)
    IS DISTINCT FROM
    (NEW.order_id, NEW.provider_id, NEW.kind, NEW.amount)
) EXECUTE FUNCTION refuse_change();

-- One owner and one direction, and what is retired never counts again (rule 2).
CREATE TRIGGER secret_is_frozen BEFORE UPDATE ON payments_secret
FOR EACH ROW WHEN (
    (OLD.provider_id, OLD.game_id, OLD.purpose, OLD.fingerprint)
    IS DISTINCT FROM
    (NEW.provider_id, NEW.game_id, NEW.purpose, NEW.fingerprint)
    OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
) EXECUTE FUNCTION refuse_change();

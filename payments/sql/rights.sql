-- What the application's role may not do to the tables of payments; run after every migration, after the
-- wallet's rights.
REVOKE DELETE ON payments_order, payments_payment, payments_refund, payments_refundtotal, payments_callback,
    payments_delivery, payments_provider, payments_secret, payments_deliveryattempt, payments_product,
    payments_shop FROM {role};
REVOKE UPDATE, DELETE ON payments_orderevent FROM {role};

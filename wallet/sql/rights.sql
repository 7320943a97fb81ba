-- The rights of the role that the application connects as; run after every migration, safe to repeat.
-- The ledger's functions alone, with their owner's rights, write money, journal and call log.

GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
REVOKE INSERT, UPDATE, DELETE ON wallet_wallet, wallet_transaction, wallet_entry FROM {role};
DO $$
DECLARE part regclass;
BEGIN
    FOR part IN SELECT relid FROM pg_partition_tree('wallet_apicall') LOOP
        EXECUTE format('REVOKE ALL ON %s FROM {role}', part);
    END LOOP;
END $$;
GRANT SELECT ON wallet_apicall TO {role};
REVOKE INSERT, DELETE ON wallet_discrepancy FROM {role};
REVOKE UPDATE, DELETE ON players_playerevent FROM {role};
REVOKE DELETE ON wallet_currency, players_game, players_player FROM {role};
REVOKE ALL ON django_migrations FROM {role};
GRANT SELECT ON django_migrations TO {role};

-- Inner functions are for the outer ones.
REVOKE EXECUTE ON FUNCTION
    ledger_append, ledger_repay, ledger_known, ledger_finish, ledger_note_discrepancy, ledger_post_one,
    call_log_write FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
    ledger_open, ledger_settle, ledger_query, ledger_resolve, ledger_expire, ledger_open_wallet,
    ledger_adjust, ledger_gate, ledger_post, ledger_set_aside,
    call_log_refused, call_log_prepare_day, call_log_drop_before FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    ledger_open, ledger_settle, ledger_query, ledger_resolve, ledger_expire, ledger_open_wallet,
    ledger_adjust, ledger_gate, ledger_post, ledger_set_aside,
    call_log_refused, call_log_prepare_day, call_log_drop_before TO {role};

-- A game asks what became of one of its transactions; that is written into the call log while there is room.
-- Outcomes: found; unknown_token, not_found.
CREATE OR REPLACE FUNCTION ledger_query(
    p_type text, p_game uuid, p_token_hash bytea, p_mm text,
    p_credential uuid, p_endpoint text, p_address inet, p_elapsed_us integer, p_player uuid DEFAULT NULL,
    OUT outcome text, OUT transaction_id uuid, OUT state text, OUT amount bigint, OUT currency_code text,
    OUT opened_at timestamptz, OUT settled_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    began timestamptz := wallet_now();
    player uuid;
    is_known boolean;
    is_logged boolean;
BEGIN
    IF (p_type IN ('withdrawal', 'deposit')) IS NOT TRUE THEN
        PERFORM ledger_refuse('ledger_query', format('type %L', p_type));
    END IF;
    SELECT player_id INTO player FROM players_gamesession
    WHERE token_hash = p_token_hash AND game_id = p_game;
    is_known := FOUND;
    SELECT 'found', named.id, named.state, named.amount, wallet.currency_id, named.opened_at, named.settled_at
    INTO outcome, transaction_id, state, amount, currency_code, opened_at, settled_at
    FROM wallet_transaction named JOIN wallet_wallet wallet
        ON wallet.player_id = named.player_id AND wallet.id = named.wallet_id
    WHERE named.player_id = player AND named.game_id = p_game AND named.type = p_type
      AND named.mm_transaction_id = p_mm;
    outcome := coalesce(outcome, CASE WHEN is_known THEN 'not_found' ELSE 'unknown_token' END);
    BEGIN
        is_logged := call_log_write(began, p_game, player, transaction_id, p_credential, p_endpoint, p_mm,
                                    NULL, NULL, p_address, outcome, false, p_elapsed_us);
    EXCEPTION WHEN disk_full THEN
        -- What is only read is answered where nothing can be written any more.
        is_logged := false;
    END;
END $$;

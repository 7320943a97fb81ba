-- A game asks what became of one of its transactions. Outcomes: found; unknown_token, not_found. Written into the call log.
CREATE FUNCTION ledger_query(
    p_type text, p_game uuid, p_token_hash bytea, p_mm text, p_credential uuid, p_endpoint text, p_address inet, p_elapsed_us integer,
    OUT outcome text, OUT transaction_id uuid, OUT state text, OUT amount bigint, OUT currency_code text, OUT opened_at timestamptz, OUT settled_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    began timestamptz := wallet_now();
    v_player uuid;
BEGIN
    SELECT CASE WHEN t.id IS NULL THEN 'not_found' ELSE 'found' END, s.player_id, t.id, t.state, t.amount, w.currency_id, t.opened_at, t.settled_at
    INTO outcome, v_player, transaction_id, state, amount, currency_code, opened_at, settled_at
    FROM players_gamesession s
    LEFT JOIN wallet_transaction t ON t.player_id = s.player_id AND t.game_id = s.game_id AND t.type = p_type AND t.mm_transaction_id = p_mm
    LEFT JOIN wallet_wallet w ON w.id = t.wallet_id
    WHERE s.token_hash = p_token_hash AND s.game_id = p_game;
    outcome := coalesce(outcome, 'unknown_token');
    INSERT INTO wallet_apicall (id, at, game_id, player_id, transaction_id, credential, endpoint, mm_transaction_id,
                                currency_code, address, outcome, replayed, took_us)
    VALUES (wallet_new_id(), began, p_game, v_player, ledger_query.transaction_id, p_credential, p_endpoint, p_mm,
            '', p_address, ledger_query.outcome, false, p_elapsed_us + (extract(epoch FROM wallet_now() - began) * 1000000)::integer);
END $$;

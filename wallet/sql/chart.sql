-- The chart of postings: what each event of each type of transaction moves, by double entry.
-- docs/architecture.md prints it.

-- debit, credit: the accounts, both NULL if nothing moves.
-- shortfall: the account that is debited with what is missing on the first one, for what takes more than
-- there is.
-- announced: by how many times the amount the announced money changes.
-- Raises case_not_found: what is not in the chart never happens.
--
-- Statements, not one expression or a table: PostgreSQL prepares only those that a call comes by, so what is
-- most frequent stands first.
CREATE OR REPLACE FUNCTION ledger_legs(p_type text, p_event text) RETURNS ledger_movement
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    CASE p_type
    -- events, debit, shortfall, credit, announced
    WHEN 'withdrawal' THEN CASE p_event
        WHEN 'opened'      THEN RETURN ROW('spendable', NULL, 'reserved',     0)::ledger_movement;
        WHEN 'confirmed'   THEN RETURN ROW('reserved',  NULL, 'game_revenue', 0)::ledger_movement;
        WHEN 'rolled_back' THEN RETURN ROW('reserved',  NULL, 'spendable',    0)::ledger_movement;
        WHEN 'expired'     THEN RETURN ROW('reserved',  NULL, 'spendable',    0)::ledger_movement;
        WHEN 'declined', 'tombstone', 'rollback_noted'
            THEN RETURN ROW(NULL, NULL, NULL, 0)::ledger_movement;
        END CASE;
    WHEN 'deposit' THEN CASE p_event
        WHEN 'opened'      THEN RETURN ROW(NULL,          NULL, NULL,         1)::ledger_movement;
        WHEN 'confirmed'   THEN RETURN ROW('game_payout', NULL, 'spendable', -1)::ledger_movement;
        WHEN 'rolled_back' THEN RETURN ROW(NULL,          NULL, NULL,        -1)::ledger_movement;
        WHEN 'expired'     THEN RETURN ROW(NULL,          NULL, NULL,        -1)::ledger_movement;
        WHEN 'declined', 'tombstone', 'rollback_noted'
            THEN RETURN ROW(NULL, NULL, NULL, 0)::ledger_movement;
        END CASE;
    WHEN 'credit' THEN CASE p_event
        WHEN 'adjusted' THEN RETURN ROW('adjustments', NULL, 'spendable', 0)::ledger_movement;
        END CASE;
    WHEN 'debit' THEN CASE p_event
        WHEN 'adjusted' THEN RETURN ROW('spendable', 'debt', 'adjustments', 0)::ledger_movement;
        END CASE;
    WHEN 'write_off' THEN CASE p_event
        WHEN 'adjusted' THEN RETURN ROW('write_off', NULL, 'debt', 0)::ledger_movement;
        END CASE;
    -- What an operator books as the game says, of what was settled otherwise.
    WHEN 'late_withdrawal' THEN CASE p_event
        WHEN 'adjusted' THEN RETURN ROW('spendable', 'debt', 'game_revenue', 0)::ledger_movement;
        END CASE;
    WHEN 'late_deposit' THEN CASE p_event
        WHEN 'adjusted' THEN RETURN ROW('game_payout', NULL, 'spendable', 0)::ledger_movement;
        END CASE;
    WHEN 'withdrawal_back' THEN CASE p_event
        WHEN 'adjusted' THEN RETURN ROW('game_revenue', NULL, 'spendable', 0)::ledger_movement;
        END CASE;
    WHEN 'deposit_back' THEN CASE p_event
        WHEN 'adjusted' THEN RETURN ROW('spendable', 'debt', 'game_payout', 0)::ledger_movement;
        END CASE;
    WHEN 'payment' THEN CASE p_event
        WHEN 'posted' THEN RETURN ROW('provider_clearing', NULL, 'issuance', 0)::ledger_movement;
        END CASE;
    WHEN 'sale' THEN CASE p_event
        WHEN 'posted' THEN RETURN ROW('provider_clearing', NULL, 'game_revenue', 0)::ledger_movement;
        END CASE;
    WHEN 'payment_return' THEN CASE p_event
        WHEN 'posted' THEN RETURN ROW('issuance', NULL, 'provider_clearing', 0)::ledger_movement;
        END CASE;
    WHEN 'sale_return' THEN CASE p_event
        WHEN 'posted' THEN RETURN ROW('game_revenue', NULL, 'provider_clearing', 0)::ledger_movement;
        END CASE;
    WHEN 'top_up' THEN CASE p_event
        WHEN 'posted' THEN RETURN ROW('issuance', NULL, 'spendable', 0)::ledger_movement;
        END CASE;
    WHEN 'clawback' THEN CASE p_event
        WHEN 'posted' THEN RETURN ROW('spendable', 'debt', 'issuance', 0)::ledger_movement;
        END CASE;
    WHEN 'set_aside' THEN CASE p_event
        WHEN 'opened'      THEN RETURN ROW('spendable', NULL, 'reserved',  0)::ledger_movement;
        WHEN 'confirmed'   THEN RETURN ROW('reserved',  NULL, 'issuance',  0)::ledger_movement;
        WHEN 'rolled_back' THEN RETURN ROW('reserved',  NULL, 'spendable', 0)::ledger_movement;
        END CASE;
    -- What happens to a wallet, whatever the type of the transaction, if there is one.
    WHEN 'wallet' THEN CASE p_event
        WHEN 'debt_repaid' THEN RETURN ROW('spendable', NULL, 'debt', 0)::ledger_movement;
        WHEN 'wallet_opened', 'frozen', 'unfrozen', 'limit_set'
            THEN RETURN ROW(NULL, NULL, NULL, 0)::ledger_movement;
        END CASE;
    END CASE;
END $$;

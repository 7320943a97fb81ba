-- What was asked never changes, but this column says nothing that the row did not say before.
ALTER TABLE players_approval DISABLE TRIGGER approval_goes_its_way;

-- Keys of other types are no UUIDs, and are not to be cast.
UPDATE players_approval AS asked
SET player_id = its.id
FROM players_player AS its
WHERE
    asked.subject_type = 'players.player'
    AND its.id = CASE WHEN asked.subject_type = 'players.player' THEN asked.subject_id::uuid END;

UPDATE players_approval AS asked
SET player_id = its.player_id
FROM wallet_wallet AS its
WHERE
    asked.subject_type = 'wallet.wallet'
    AND its.id = CASE WHEN asked.subject_type = 'wallet.wallet' THEN asked.subject_id::uuid END;

UPDATE players_approval AS asked
SET player_id = its.player_id
FROM wallet_transaction AS its
WHERE
    asked.subject_type = 'wallet.transaction'
    AND its.id = CASE WHEN asked.subject_type = 'wallet.transaction' THEN asked.subject_id::uuid END;

UPDATE players_approval AS asked
SET player_id = its.player_id
FROM wallet_inquiry AS its
WHERE
    asked.subject_type = 'wallet.inquiry'
    AND its.id = CASE WHEN asked.subject_type = 'wallet.inquiry' THEN asked.subject_id::uuid END;

UPDATE players_approval AS asked
SET player_id = its.player_id
FROM wallet_discrepancy AS its
WHERE
    asked.subject_type = 'wallet.discrepancy'
    AND its.id = CASE WHEN asked.subject_type = 'wallet.discrepancy' THEN asked.subject_id::uuid END;

UPDATE players_approval AS asked
SET player_id = its.player_id
FROM payments_order AS its
WHERE
    asked.subject_type = 'payments.order'
    AND its.id = CASE WHEN asked.subject_type = 'payments.order' THEN asked.subject_id::uuid END;

UPDATE players_approval AS asked
SET player_id = wallet.player_id
FROM wallet_alert AS its
INNER JOIN wallet_wallet AS wallet ON its.wallet_id = wallet.id
WHERE
    asked.subject_type = 'wallet.alert'
    AND its.id = CASE WHEN asked.subject_type = 'wallet.alert' THEN asked.subject_id::uuid END;

-- A row that was written has the check of its key pending, and no trigger of such a table can be changed.
SET CONSTRAINTS ALL IMMEDIATE;

ALTER TABLE players_approval ENABLE TRIGGER approval_goes_its_way;

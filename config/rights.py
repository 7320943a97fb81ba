"""What the application's role may do in the database: the one list. What does not stand here, it may not.

Run after every migrate. A test compares it with the database, column by column. For a new column, table or
function the question is: what is the least that the application needs? A column that code of the application
sets in a row that is there (an UPDATE) goes under `changes`, any other under `stays`. Money, and what decides
about money, is changed by functions that run with their owner's rights and check what they are given
(`wallet/sql`). What never changes after it is written is held by a trigger besides, which binds the owner
too.
"""

from typing import Any

from django.conf import settings

from lib.database_rights import Rights, grant_exactly, is_fully_migrated, table

PLAYERS = {
    # Operators are deactivated, never deleted.
    "players_operator": table(
        "add",
        changes="password last_login is_superuser username first_name last_name email is_staff is_active "
        "date_joined",
        stays="id",
    ),
    "players_operator_groups": table("add remove", stays="id operator_id group_id"),
    "players_loginlink": table(
        "add", changes="ended_at", stays="id operator_id token_hash made_at expires_at"
    ),
    # Nobody's: what operators may do is the roles' alone.
    "players_operator_user_permissions": table(stays="id operator_id permission_id"),
    "players_auditevent": table(
        "add",
        stays="id at operator_id username roles address request_id session action subject_type subject_id "
        "subject_name before after reason note approval_id outcome",
    ),
    "players_auditlink": table("add", stays="seq event_id hash"),
    "players_bulkreport": table("add remove", stays="id operator_id title words list outcomes back made_at"),
    "players_listcolumns": table("add remove", changes="columns", stays="id operator_id list"),
    "players_listview": table(
        "add remove", changes="name", stays="id operator_id list is_shared params made_at"
    ),
    "players_logincounter": table("add remove", changes="failures last_at", stays="key"),
    "players_operatorsession": table(
        "add",
        changes="last_seen_at is_factor_due factor_at ended_at ended_by",
        stays="id operator_id began_at address browser",
    ),
    "players_authenticatorapp": table(
        "add remove", changes="name confirmed sealed_secret last_step made_at", stays="id user_id"
    ),
    "players_recoverycodes": table("add remove", changes="name confirmed hashes made_at", stays="id user_id"),
    "players_game": table(
        "add",
        changes="name launch_url is_active pending_hours unanswered_policy query_url query_username "
        "sealed_query_password",
        stays="id slug created_at",
    ),
    "players_platformswitch": table(changes="is_active switched_at switched_by reason", stays="id name"),
    "players_answercount": table(
        "add remove",
        changes="times first_seen_at last_seen_at example",
        stays="game_id day endpoint code",
    ),
    # What was asked never changes; how it ends is written once (triggers hold both).
    "players_approval": table(
        "add",
        changes="sealed state decided_by_id decision_reason ended_at result",
        stays="id kind subject_type subject_id subject_name player_id payload title effect says digest "
        "amount currency_code requested_by_id requested_at reason is_alone expires_at",
    ),
    "players_approvalevent": table("add", stays="id approval_id what operator_id note at"),
    "players_approvalrule": table(
        "add remove", changes="alone_up_to alone_per_day hours", stays="id kind currency_code"
    ),
    "players_credential": table(
        "add",
        changes="username allowed_networks note revoked_at",
        stays="id kind game_id password_hash created_at",
    ),
    "players_player": table(
        "add",
        changes="nickname nickname_key country language status status_set_by excluded_until liftable_at "
        "block_beneath is_test updated_at",
        stays="id uid created_at",
    ),
    "players_playerevent": table("add", stays="id player_id old_status new_status actor reason at"),
    "players_playernote": table("add", stays="id player_id operator_id text at"),
    # That a transaction names it (is_kept) is the ledger's to say.
    "players_gamesession": table(
        "add remove",
        changes="ended_at",
        stays="id token_hash player_id game_id currency_code language created_at expires_at is_kept",
    ),
}
WALLET = {
    "wallet_currency": table("add", changes="name", stays="code decimals"),
    # Money: written by the ledger's functions alone.
    "wallet_wallet": table(
        stays="id player_id currency_id spendable reserved announced debt entry_count head frozen_at "
        "withdrawal_limit opened_at limited_at"
    ),
    # Players' limits, what is used of them, and their changes: written by the ledger's functions alone.
    "wallet_playerlimit": table(
        stays="id player_id wallet_id game_id kind period set_by amount pending_amount pending_at "
        "needs_confirmation changed_at"
    ),
    "wallet_limitusage": table(
        stays="player_id wallet_id game_id day day_spent day_won week_spent week_won month_spent month_won "
        "rolling_spent rolling_won tail_seq tail_at"
    ),
    "wallet_limitchange": table(
        stays="id player_id wallet_id limit_id what old_amount new_amount counts_at actor reason at"
    ),
    "wallet_transaction": table(
        stays="id player_id wallet_id game_id session_id type mm_transaction_id state amount refusal "
        "description source actor reverses_id reference opened_at opened_seq due_at settled_at settled_seq "
        "settled_source settled_actor reason"
    ),
    "wallet_entry": table(
        stays="player_id wallet_id seq transaction_id event debit credit amount spendable reserved announced "
        "debt actor note at version hash"
    ),
    # Its partitions are in no list: the application reaches them through this table.
    "wallet_apicall": table(
        stays="id at game_id player_id transaction_id credential endpoint mm_transaction_id amount "
        "currency_code address outcome replayed took_us"
    ),
    # The outbox, written and numbered by functions; partitions of the feed are reached through it.
    "wallet_newevent": table(stays="n at seq player_id subject_id kind"),
    "wallet_event": table(stays="position at seq day player_id subject_id kind"),
    "wallet_eventhead": table(
        stays="id position day settled drawn drawn_by dropped_position dropped_at dropped_subject_id "
        "dropped_seq"
    ),
    # What the pages about a game's integration show, summed up from the call log.
    "wallet_callhour": table(
        "add remove", changes="calls refused repeats late", stays="game_id hour endpoint bucket"
    ),
    "wallet_integrationstep": table("add", changes="first_seen_at last_seen_at", stays="game_id name"),
    "wallet_calllogreading": table("add", changes="up_to", stays="id"),
    # The operators' history of adjustments.
    "wallet_adjustment": table(
        "add", stays="id operator_id player_id currency_id type amount actor reason at"
    ),
    # That it was booked (correction_id) is the ledger's to say.
    "wallet_discrepancy": table(
        changes="owner_id closed_at closed_by reason",
        stays="id player_id transaction_id kind first_seen_at last_seen_at times_seen correction_id",
    ),
    "wallet_payoutlimit": table(
        "add", changes="largest_deposit daily_payout", stays="id game_id currency_id counting_since"
    ),
    "wallet_depositspan": table("add remove", changes="amount", stays="game_id currency_id began_at"),
    "wallet_payoutcounter": table(stays="game_id currency_id day number net"),
    # Sums of the journal, which the audit compares with it; a day is closed anew after a correction.
    "wallet_closedday": table("add remove", changes="entries", stays="day closed_at"),
    "wallet_dailytotal": table("add remove", stays="id day_id currency_id account debits credits entries"),
    # How far an audit has come; whatever stands there, a full one reads the journal itself.
    "wallet_auditpass": table("add remove", changes="ended_at", stays="id is_full base began_at"),
    "wallet_auditpart": table(
        "add remove",
        changes="ended_at wallets entries entries_read found",
        stays="id audit_id number question first_player last_player",
    ),
    "wallet_auditmark": table(
        "add remove",
        changes="base currency_id spendable reserved announced debt entry_count head frozen_at "
        "withdrawal_limit opened_at pending",
        stays="player_id wallet_id",
    ),
    "wallet_auditedmovement": table(
        "add remove", changes="amount entries", stays="id base day currency_id debit credit"
    ),
    # What the admin's first page shows, summed up from the journal; made anew at any time.
    "wallet_figuresday": table("add", changes="read_up_to is_final by_hour", stays="day"),
    "wallet_gametotal": table(
        "add remove", changes="debits credits", stays="id day_id game_id currency_id is_test account"
    ),
    "wallet_hourtotal": table(
        "add remove", changes="debits credits", stays="id day_id hour game_id currency_id is_test account"
    ),
    "wallet_activesession": table(
        "add remove", stays="day_id session_id player_id game_id currency_code is_test hour"
    ),
    "wallet_dailyactivity": table(
        "add remove", stays="id day_id game_id currency_id is_test players sessions"
    ),
    "wallet_houractivity": table(
        "add remove", stays="id day_id hour game_id currency_id is_test players sessions"
    ),
    "wallet_liability": table(
        "add remove", stays="id currency_id is_test spendable reserved announced debt at"
    ),
    # What was signed is put right from its file.
    "wallet_checkpoint": table(
        "add",
        changes="made_at wallets entries root previous hash key_id note verified_at differences",
        stays="number file",
    ),
    "wallet_alert": table(
        "add",
        changes="text finding last_seen_at times_seen owner_id resolved_at resolved_by reason",
        stays="id kind subject wallet_id raised_at",
    ),
    "wallet_alertmessage": table(
        "add",
        changes="next_attempt_at leased_until raised_told_at ended_told_at attempts problem",
        stays="id alert_id channel address created_at",
    ),
    "wallet_jobrun": table(
        "add remove",
        changes="ended_at looked_at done failed note error read_up_to",
        stays="id task worker began_at",
    ),
    "wallet_pulse": table("add", changes="at", stays="part"),
    "wallet_outage": table("add", stays="id began_at ended_at"),
    "wallet_inquiry": table(
        "add",
        changes="next_attempt_at leased_until questions_asked unusable_in_a_row unusable_since "
        "unknown_answers unknown_since pending_answers pending_since last_answer doubt doubt_since closed_at",
        stays="id transaction_id player_id game_id began_at",
    ),
    "wallet_question": table(
        "add remove",
        changes="answered_at answer problem status body took_ms",
        stays="id inquiry_id game_id asked_by asked_at",
    ),
}
PAYMENTS = {
    "payments_shop": table(
        "add", changes="order_url return_origins paused_at failing_since", stays="id game_id created_at"
    ),
    "payments_product": table(
        "add",
        changes="name name_de credit credit_currency_id is_delivered on_sale_from on_sale_to",
        stays="id game_id code created_at",
    ),
    "payments_price": table("add remove", changes="product_id currency_id amount", stays="id"),
    "payments_order": table(
        "add",
        changes="state refunded charged_back clawed_back is_credit_held credit_transaction paid_at "
        "delivered_at",
        stays="id game_id player_id cp_order_id page_key product_id product_code server_id ext_params "
        "return_url language currency_id price credit credit_currency_id is_delivered_by_game created_at "
        "expires_at",
    ),
    "payments_orderevent": table(
        "add", stays="id order_id at what old_state new_state amount actor note callback_id"
    ),
    "payments_provider": table(
        "add",
        changes="name is_active currency_id page_url allowed_networks timeout_seconds is_live",
        stays="id slug scheme created_at",
    ),
    "payments_secret": table(
        "add",
        changes="sealed last_used_at retired_at retired_by",
        stays="id provider_id game_id receiver_id purpose fingerprint created_at created_by",
    ),
    "payments_eventreceiver": table(
        "add",
        changes="next_attempt_at leased_until url types paused_at lost_at cursor_day cursor_position "
        "cursor_mark batch_id batch_end batch_at attempts failing_since taken_at attempted_at status problem "
        "took_ms",
        stays="id name created_at",
    ),
    "payments_callback": table(
        "add",
        changes="outcome problem last_seen_at times_seen accepted_at accepted_by resolved_at resolved_by "
        "reason",
        stays="id provider_id order_id message_id type reference content_digest signed_digest headers body "
        "address source received_at",
    ),
    # Kept for some days, and bounded.
    "payments_refusedcallback": table(
        "add remove",
        changes="problem due_at verified_at outcome",
        stays="id provider_id at address headers body size message_id said_type said_order said_reference "
        "said_amount said_currency is_likely",
    ),
    "payments_refusalcount": table("add remove", changes="times last_at", stays="id provider_id minute"),
    "payments_delivery": table(
        "add",
        changes="next_attempt_at leased_until state attempts delivered_at",
        stays="id order_id game_id created_at traceparent",
    ),
    "payments_deliveryattempt": table(
        "add", changes="ended_at status problem body took_ms", stays="id delivery_id url worker began_at"
    ),
    "payments_payment": table(
        "add",
        changes="start_reference reference state is_duplicate returned transaction paid_at problem "
        "query_due_at queried_at query_answer",
        stays="id order_id provider_id amount started_at",
    ),
    "payments_refundtotal": table(
        "add", changes="amount told_at", stays="id order_id provider_id payment_reference"
    ),
    "payments_refund": table(
        "add",
        changes="next_attempt_at leased_until payment_id state clawback return_transaction reference "
        "ended_at made_at told_at is_final times_asked problem",
        stays="id order_id provider_id kind amount payment_reference set_aside set_aside_transaction actor "
        "reason created_at",
    ),
}
RECONCILIATION = {
    "payments_reconciliationsource": table(
        "add",
        changes="format encoding delimiter decimal_mark units zone time_pattern currency_id "
        "tolerance_seconds lists_all columns words",
        stays="id name game_id provider_id created_at",
    ),
    "payments_reconciliationfile": table(
        "add",
        changes="arrived digest arrived_at compared_since ended_at state lines_read bytes_read cursor "
        "first_at last_at rows matched matched_by_amount at_edges found decided_before problem",
        stays="id source_id name size uploaded_by began_at covers_from covers_until",
    ),
    # Kept for some days.
    "payments_reconciliationpart": table("add remove", stays="id file_id number data"),
    # While a file is under way.
    "payments_reconciliationrow": table(
        "add remove",
        changes="match",
        stays="file_id line key type player amount currency state at",
    ),
    "payments_difference": table(
        "add",
        changes="file_id line ours state owner_id note decided_by decided_at approval last_seen_at "
        "times_seen",
        stays="id source_id kind fingerprint key type match player_id theirs amount currency_code "
        "first_seen_at",
    ),
}
PASSKEYS = {
    "django_otp_webauthn_webauthncredential": table(
        "add remove",
        changes="sign_count last_used_at backup_state",
        stays="id user_id name confirmed created_at credential_type credential_id public_key transports "
        "backup_eligible aaguid credential_id_sha256 discoverable",
    ),
    "django_otp_webauthn_webauthnattestation": table(
        "add remove", stays="id credential_id fmt data client_data_json"
    ),
    "django_otp_webauthn_webauthnuserhandle": table("add", stays="handle_hex user_id"),
}
DJANGO = {
    # The operators' history from before there was an audit trail.
    "django_admin_log": table(
        stays="id action_time user_id content_type_id object_id object_repr action_flag change_message"
    ),
    "django_session": table("add remove", changes="session_data expire_date", stays="session_key"),
    # Made by migrations; roles as config/roles.py has them.
    "auth_group": table(stays="id name"),
    "auth_group_permissions": table(stays="id group_id permission_id"),
    "auth_permission": table(stays="id name content_type_id codename"),
    "django_content_type": table(stays="id app_label model"),
    "django_migrations": table(stays="id app name applied"),
}
# Only where DEMO is on: the clock that can be moved. That it does not go back is a trigger's.
DEMO = {"demo_clock": table(changes="moved_by_seconds", stays="id")} if settings.DEMO else {}
# The ledger's doors, the call log's, and the clock. All others are inner ones.
FUNCTIONS = (
    "ledger_open",
    "ledger_settle",
    "ledger_open_many",
    "ledger_settle_many",
    "ledger_query",
    "ledger_resolve",
    "ledger_expire",
    "ledger_open_wallet",
    "ledger_lock_wallet",
    "ledger_adjust",
    "ledger_correct",
    "ledger_gate",
    "ledger_change_limit",
    "ledger_limits",
    "ledger_limit_differences",
    "ledger_post",
    "ledger_set_aside",
    "call_log_refused",
    "call_log_prepare_day",
    "call_log_drop_before",
    "event_number",
    "event_drop_before",
    "wallet_now",
)
RIGHTS = Rights(PLAYERS | WALLET | PAYMENTS | RECONCILIATION | PASSKEYS | DJANGO | DEMO, FUNCTIONS)


def grant_rights(*, using: str, **kwargs: Any) -> None:
    """Gives the application's role exactly these rights, after a migrate that came to the end."""
    if is_fully_migrated(using):
        grant_exactly(RIGHTS, settings.DATABASE_APP_ROLE, using)

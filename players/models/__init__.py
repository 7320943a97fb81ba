"""Operators, their log-ins and acts, games, credentials, players and their sessions."""

from players.models.approvals import Approval, ApprovalEvent, ApprovalRule
from players.models.audit_events import AuditEvent
from players.models.audit_links import AuditLink
from players.models.bulk_reports import BulkReport
from players.models.games import AnswerCount, Credential, Game, validate_network
from players.models.lists import MOST_VIEW_NAME, ListColumns, ListView
from players.models.logins import AuthenticatorApp, LoginCounter, OperatorSession, RecoveryCodes
from players.models.operators import LoginLink, Operator, Operators, validate_username
from players.models.players import (
    MOST_NICKNAME,
    MOST_NOTE,
    UID_PATTERN,
    GameSession,
    Player,
    PlayerEvent,
    PlayerNote,
)
from players.models.switches import PlatformSwitch

__all__ = [
    "MOST_NICKNAME",
    "MOST_NOTE",
    "MOST_VIEW_NAME",
    "UID_PATTERN",
    "AnswerCount",
    "Approval",
    "ApprovalEvent",
    "ApprovalRule",
    "AuditEvent",
    "AuditLink",
    "AuthenticatorApp",
    "BulkReport",
    "Credential",
    "Game",
    "GameSession",
    "ListColumns",
    "ListView",
    "LoginCounter",
    "LoginLink",
    "Operator",
    "OperatorSession",
    "Operators",
    "PlatformSwitch",
    "Player",
    "PlayerEvent",
    "PlayerNote",
    "RecoveryCodes",
    "validate_network",
    "validate_username",
]

"""pgledger behind a bare Django view: a withdrawal is one transfer, in the transaction of one statement."""

import json
import os
import threading
from decimal import Decimal
from typing import Any

import psycopg
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

TRANSFER = "SELECT id FROM pgledger_create_transfer(%s, %s, %s, metadata => %s)"

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost"], SECRET_KEY="of no use: nothing is signed here"
)


class Accounts:
    """The players' accounts by their token, and a connection for each thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.local = threading.local()
        rows = self.connection.execute("SELECT name, id FROM pgledger_accounts_view").fetchall()
        self.ids: dict[str, str] = dict(rows)

    @property
    def connection(self) -> "psycopg.Connection[Any]":
        if not hasattr(self.local, "connection"):
            self.local.connection = psycopg.connect(self.url, autocommit=True, prepare_threshold=0)
        found: psycopg.Connection[Any] = self.local.connection
        return found

    def withdraw(self, request: HttpRequest) -> HttpResponse:
        """Moves the amount, and answers with the caller's id and the transfer's."""
        call = json.loads(request.body, parse_float=Decimal)
        token, id_ = call["token"], call["mmTransactionId"]
        row = self.connection.execute(
            TRANSFER,
            [
                self.ids[token],
                self.ids[f"withdrawn {token}"],
                call["amount"]["amount"],
                json.dumps({"mmTransactionId": id_}),
            ],
        ).fetchone()
        assert row is not None
        body = json.dumps({"mmTransactionId": id_, "transferId": row[0]}).encode()
        return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


# Not below /wallet/, where calls must not block: here a thread waits for PostgreSQL.
urlpatterns: list[Any] = [path("withdraw", Accounts(os.environ["DATABASE_URL"]).withdraw)]
application = get_wsgi_application()

"""The admin's pages by their names, and by other words that people have for them."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config.sidebar import navigation
from lib.backoffice.finders import Asked, Finder, Hit
from lib.backoffice.languages import _, english

# Other words for a page of the sidebar, by its name there.
SYNONYMS = {
    "Approvals": "requests, second person, four eyes, two people, to approve",
    "Manual review": "in doubt, stuck transactions, inquiries, status queries, undecided",
    "Alerts": "alarms, warnings, incidents, problems",
    "Discrepancies": "differences, contradictions, mismatches, disagreements",
    "Transactions": "bets, stakes, wins, withdrawals, deposits, adjustments, credits, debits, movements",
    "Wallets": "balances, accounts, money, funds, frozen",
    "API calls": "call log, requests of games, http log, api log",
    "Reports": "account summary, liabilities, game totals, regulator, supervision, month to date",
    "Orders": "purchases, payments, checkouts, sales",
    "Deliveries": "webhooks, notifications, messages to games, given up",
    "Refunds": "chargebacks, disputes, returns, money back",
    "Callbacks": "webhooks, notifications, ipn, messages of providers",
    "Reconciliation files": "reconcile, settlement files, csv, uploads, compare, matching",
    "Differences of files": "reconciliation, mismatches, missing transactions, triage",
    "Reconciliation sources": "formats of files, columns of files, mapping",
    "Refused callbacks": "401, wrong signatures, forged callbacks, rejected callbacks",
    "Players": "users, customers, gamers, blocked, self-excluded",
    "Sessions": "tokens, launches, log-ins of players",
    "Games": "backends, partners, studios, slots, query url, launch url",
    "Credentials": "passwords, api users, basic auth, allow-list",
    "Integration health": "go-live, checklist, errors of games, failed calls, latency, p99, certification",
    "Currencies": "coins, decimals",
    "Payout limits": "limits, largest deposit, caps",
    "Products": "catalogue, prices, items, packs, articles",
    "Shops": "order url, delivery secrets, return origins",
    "Event receivers": "webhooks, feed, pushes, standard webhooks, subscriptions, outbox",
    "Providers": "payment providers, psp, stripe, secrets, api keys",
    "Job runs": "sweeps, cron, tasks, schedule, beat, worker, jobs",
    "Platform switches": "stop, maintenance, emergency, gaming off, kill switch, pause",
    "Checkpoints": "signatures, merkle, proofs",
    "Daily totals": "turnover, accounting, sums, closing",
    "Error codes": "errors, error numbers, refusals, errorcode",
    "Operators": "staff, users, admins, employees, colleagues",
    "Roles": "groups, permissions, rights, who may",
    "Approval rules": "thresholds, alone",
    "Audit trail": "history, log, who did what, acts",
}
# Pages that are in no group of the sidebar: their name, and other words.
OWN = {
    "index": (_("Home"), "dashboard, overview, start, liabilities, is money right, today"),
    "password_change": (_("Change password"), "my password"),
    "factors": (_("Second factors"), "2fa, totp, passkeys, authenticator, recovery codes"),
    "own_sessions": (_("My log-ins"), "own sessions, log-ins, devices"),
}


def named_pages(request: HttpRequest) -> Iterator[tuple[Hit, list[str]]]:
    """The pages that this operator may see, each with all of its names in small letters."""
    kind = str(_("Page"))
    for group in navigation(request):
        for item in group["items"]:
            title, name = item["title"], in_english(item["title"])
            hit = Hit(kind, str(title), str(item["link"]), str(group["title"]))
            yield hit, names_of(str(title), name, SYNONYMS.get(name, ""))
    for view, (title, words) in OWN.items():
        yield Hit(kind, str(title), reverse(f"admin:{view}")), names_of(str(title), in_english(title), words)


def names_of(title: str, name: str, words: str) -> list[str]:
    """A page's name as it is shown and in English, and its other words, in small letters."""
    return list(filter(None, [title.lower(), name.lower(), *words.split(", ")]))


def in_english(title: Any) -> str:
    with english():
        return str(title)


class NamedPageFinder(Finder):
    """Pages of the admin; it asks no database."""

    by = _("pages by name")

    @property
    def is_allowed(self) -> bool:
        return True

    def exactly(self, asked: Asked) -> list[Hit]:
        wanted = asked.text.lower()
        return [hit for hit, names in named_pages(self.request) if wanted in {*names, *map(singular, names)}]

    def partly(self, asked: Asked) -> list[Hit]:
        wanted = asked.text.lower()
        known = named_pages(self.request) if asked.is_name else ()
        return [hit for hit, names in known if any(name.startswith(wanted) for name in names)]

    def hit(self, row: Hit) -> Hit:
        return row


def singular(name: str) -> str:
    """A name without its last letter, if that makes it a plural."""
    return name.removesuffix("s")

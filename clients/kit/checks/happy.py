"""What every integration does all day."""

from decimal import Decimal

from clients.kit.calls import new_id
from clients.kit.check import Category
from clients.kit.exact_json import Literal
from clients.kit.expectations import expect, expect_that
from clients.kit.trial import Trial

HAPPY = Category("happy", "Happy path")
ODD_TEXTS = ("x" * 5000, "nul\x00 tab\t newline\n", "\u202eevil", "☃" * 300, "", 5, None, ["x"])


@HAPPY.check("verify-session", "verifySession tells who plays, in any script", "2")
def verify_session(trial: Trial) -> None:
    session = trial.launch(trial.new_player(nickname="Zoë ☃", country="DE", language="de"))
    body = session.accept("verifySession").body
    expect("playerId", session.uid, body.get("playerId"))
    expect("nickname", "Zoë ☃", body.get("nickname"))
    expect("country", "DE", body.get("country"))
    expect("language", "de", body.get("language"))
    expect("balance.amount", Decimal(0), session.accept("verifySession").money())


@HAPPY.check("get-balance", "getBalance tells what can be spent", "2")
def get_balance(trial: Trial) -> None:
    trial.session("51.80").expect_spendable("51.80")


@HAPPY.check("withdraw", "A withdrawal reserves: the amount leaves the spendable balance and waits", "2.1")
def withdraw(trial: Trial) -> None:
    session = trial.session("1000.00")
    answer = session.accept("withdraw", new_id(), "230.00", txDescription="Test Shopping.")
    expect("The balance right after it", Decimal(770), answer.money())
    session.expect_spendable("770.00")
    session.expect_reserved("230.00")


@HAPPY.check(
    "confirm-withdrawal", "A confirmation pays what was reserved, under the same qwTransactionId", "2.1"
)
def confirm_withdrawal(trial: Trial) -> None:
    session, mm = trial.session("1000.00"), new_id()
    opened = session.accept("withdraw", mm, "230.00")
    confirmed = session.accept("confirmWithdrawal", mm, "230.00")
    expect("qwTransactionId", opened.body["qwTransactionId"], confirmed.body["qwTransactionId"])
    expect("The balance right after it", Decimal(770), confirmed.money())
    session.expect_spendable("770.00")
    session.expect_reserved("0")


@HAPPY.check("rollback-withdrawal", "A rollback gives back what was reserved", "2.1")
def rollback_withdrawal(trial: Trial) -> None:
    session, mm = trial.session("1000.00"), new_id()
    opened = session.accept("withdraw", mm, "230.00")
    rolled_back = session.accept("rollbackWithdrawal", mm, rollbackReason="Withdraw request failed.")
    expect("qwTransactionId", opened.body["qwTransactionId"], rolled_back.body["qwTransactionId"])
    expect("The balance right after it", Decimal(1000), rolled_back.money())
    session.expect_spendable("1000.00")
    session.expect_reserved("0")


@HAPPY.check("deposit", "A deposit announces: nothing is spendable yet", "2.1")
def deposit(trial: Trial) -> None:
    session = trial.session("10.00")
    answer = session.accept("deposit", new_id(), "90.00", txDescription="Daily bonus")
    expect("The balance right after it", Decimal(10), answer.money())
    session.refuse(104, "withdraw", new_id(), "50.00")
    session.expect_spendable("10.00")


@HAPPY.check("confirm-deposit", "A confirmation credits what was announced", "2.1")
def confirm_deposit(trial: Trial) -> None:
    session, mm = trial.session("10.00"), new_id()
    opened = session.accept("deposit", mm, "90.00")
    expect("The balance before it", Decimal(10), opened.money())
    confirmed = session.accept("confirmDeposit", mm, "90.00")
    expect("qwTransactionId", opened.body["qwTransactionId"], confirmed.body["qwTransactionId"])
    expect("The balance right after it", Decimal(100), confirmed.money())
    session.expect_spendable("100.00")


@HAPPY.check("rollback-deposit", "A rollback forgets what was announced", "2.1")
def rollback_deposit(trial: Trial) -> None:
    session = trial.session("10.00")
    mm = session.opened("deposit", "90.00")
    expect("The balance right after it", Decimal(10), session.accept("rollbackDeposit", mm).money())
    session.expect_spendable("10.00")


@HAPPY.check("confirm-without-amount", "A confirmation may leave the amount out", "2")
def confirm_without_amount(trial: Trial) -> None:
    session = trial.session("10.00")
    paid, won = session.opened("withdraw", "4.00"), session.opened("deposit", "1.00")
    expect("The balance after the withdrawal", Decimal(6), session.accept("confirmWithdrawal", paid).money())
    expect("The balance after the deposit", Decimal(7), session.accept("confirmDeposit", won).money())


@HAPPY.check("query-transaction", "queryTransaction tells the state, the amount and the times", "2")
def query_transaction(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    opened = session.accept("withdraw", mm, "10.00")
    pending = session.accept("queryTransaction", mm, type="withdrawal")
    told = {name: pending.body.get(name) for name in ("mmTransactionId", "type", "state", "settledAt")}
    wanted = {"mmTransactionId": mm, "type": "withdrawal", "state": "pending", "settledAt": None}
    expect("What is told while it is pending", wanted, told)
    expect("qwTransactionId", opened.body["qwTransactionId"], pending.body.get("qwTransactionId"))
    expect("amount.amount", Decimal(10), pending.money("amount"))
    expect_that("openedAt", "a time", pending.body.get("openedAt"), holds=bool(pending.body.get("openedAt")))
    session.accept("confirmWithdrawal", mm, "10.00")
    body = session.accept("queryTransaction", mm, type="withdrawal").body
    expect("The state after its confirmation", "confirmed", body.get("state"))
    expect_that("settledAt", "a time", body.get("settledAt"), holds=bool(body.get("settledAt")))


@HAPPY.check("query-each-state", "queryTransaction knows rolled back and declined transactions", "2")
def query_each_state(trial: Trial) -> None:
    session, declined, early = trial.session(), new_id(), new_id()
    dropped = session.opened("deposit", "1.00")
    session.accept("rollbackDeposit", dropped)
    session.refuse(104, "withdraw", declined, "100.01")
    session.accept("rollbackWithdrawal", early)
    for mm, type, state in (
        (dropped, "deposit", "rolled_back"),
        (declined, "withdrawal", "declined"),
        (early, "withdrawal", "rolled_back"),
    ):
        expect("state", state, session.accept("queryTransaction", mm, type=type).body.get("state"))


@HAPPY.check(
    "query-unknown", "queryTransaction of an unknown id is 106, of an unknown type 101", "1 Error codes"
)
def query_unknown(trial: Trial) -> None:
    session = trial.session()
    mm = session.opened("withdraw", "1.00")
    session.refuse(106, "queryTransaction", new_id(), type="withdrawal")
    session.refuse(106, "queryTransaction", mm, type="deposit")
    session.refuse(101, "queryTransaction", mm, type="loan")


@HAPPY.check("insufficient-funds", "Too little money is 104, and tells the balance", "1 Error codes")
def insufficient_funds(trial: Trial) -> None:
    session = trial.session("10.00")
    refused = session.refuse(104, "withdraw", new_id(), "10.01")
    expect("The balance in the refusal", Decimal(10), refused.money())
    expect("The balance after taking all", Decimal(0), session.accept("withdraw", new_id(), "10.00").money())


@HAPPY.check("reserved-is-not-spendable", "Reserved money cannot be spent a second time", "2.1")
def reserved_is_not_spendable(trial: Trial) -> None:
    session = trial.session()
    session.accept("withdraw", new_id(), "60.00")
    session.refuse(104, "withdraw", new_id(), "60.00")
    session.expect_spendable("40.00")


@HAPPY.check(
    "other-currency", "Another currency than the session's, or an unknown one, is 105", "1 Error codes"
)
def other_currency(trial: Trial) -> None:
    session = trial.session()
    for currency in (trial.target.other_currency, "QQQ"):
        session.refuse(105, "withdraw", new_id(), "1.00", currency=currency)
        session.refuse(105, "deposit", new_id(), "1.00", currency=currency)
    session.expect_spendable("100.00")


@HAPPY.check("blocked-player", "A blocked player settles and receives, but cannot withdraw or launch", "2.2")
def blocked_player(trial: Trial) -> None:
    session = trial.session()
    pending = session.opened("withdraw", "30.00")
    session.set_status("blocked")
    session.refuse(103, "withdraw", new_id(), "1.00")
    session.accept("verifySession")
    session.fund("5.00")
    session.accept("confirmWithdrawal", pending, "30.00")
    asked = {"uid": session.uid, "game": session.game.slug, "currencyCode": session.currency}
    trial.refused_by_entry("launch of a blocked player", 103, trial.front("/entry/launch", asked))
    session.set_status("active")
    answer = session.accept("withdraw", new_id(), "1.00")
    expect("The balance at the end", Decimal(74), answer.money())


@HAPPY.check("strict-statuses", "The web front cannot lift a self-exclusion or a closing", "3")
def strict_statuses(trial: Trial) -> None:
    for status in ("self_excluded", "closed"):
        session = trial.session()
        session.set_status(status)
        session.refuse(103, "withdraw", new_id(), "1.00")
        lifted = trial.put_player(session.uid, status="active")
        trial.refused_by_entry(f"lifting {status}", 103, lifted)
        session.refuse(103, "withdraw", new_id(), "1.00")


@HAPPY.check("launch", "launch gives the game's entry point with token, lang and currency", "3")
def launch(trial: Trial) -> None:
    session = trial.launch(trial.new_player(), language="de")
    body = session.launched.body
    url = str(body.get("launchUrl"))
    for part in (f"token={session.token}", "lang=de", f"currency={session.currency}"):
        shown = part.replace(session.token, "…")
        expect_that("launchUrl", f"a URL with {shown}", url, holds=part in url)
    expect_that("expiresAt", "a time", body.get("expiresAt"), holds=bool(body.get("expiresAt")))


@HAPPY.check("launch-unknown", "launch names an unknown player, game or currency with 101", "3")
def launch_unknown(trial: Trial) -> None:
    right = {"uid": trial.new_player(), "game": trial.target.game.slug, "currencyCode": trial.target.currency}
    for name, wrong in (("uid", "kit-nobody"), ("game", "kit-no-such-game"), ("currencyCode", "QQQ")):
        answer = trial.front("/entry/launch", right | {name: wrong})
        told = trial.refused_by_entry(f"launch with an unknown {name}", 101, answer).body["errorDescription"]
        expect_that("errorDescription", f"a text that names {wrong}", told, holds=wrong in told)


@HAPPY.check("entry-balance", "The web front sees balance, reserved and debt; zeros without a wallet", "3")
def entry_balance(trial: Trial) -> None:
    session = trial.session()
    session.accept("withdraw", new_id(), "6.00")
    seen = [session.holding().money(name) for name in ("balance", "reserved", "debt")]
    expect("balance, reserved, debt", [Decimal(94), Decimal(6), Decimal(0)], seen)
    asked = {"uid": trial.new_player(), "currencyCode": session.currency}
    unopened = trial.accepted("balance", trial.front("/entry/balance", asked))
    expect("The balance of no wallet", Decimal(0), unopened.money())


@HAPPY.check("entry-statement", "The statement lists every movement, newest first, page by page", "3")
def entry_statement(trial: Trial) -> None:
    session = trial.session("50.00")
    ids = [session.opened("withdraw", amount) for amount in ("1.00", "2.00", "3.00")]
    asked = {"uid": session.uid, "currencyCode": session.currency, "limit": 2}
    first = trial.accepted("statement", trial.front("/entry/statement", asked)).body
    rest = trial.front("/entry/statement", asked | {"before": first.get("next"), "limit": 200})
    lines = [*first.get("lines", []), *trial.accepted("statement", rest).body.get("lines", [])]
    expect("Lines of the first page", 2, len(first.get("lines", [])))
    told = [(line.get("mmTransactionId"), Decimal(line["balanceAfter"]["amount"])) for line in lines[:3]]
    expect("The latest lines", list(zip(reversed(ids), map(Decimal, (44, 47, 49)), strict=True)), told)


@HAPPY.check("put-player", "A player is made or updated; what is absent keeps its value", "3")
def put_player(trial: Trial) -> None:
    uid = trial.new_player(nickname="Anna", country="AT", language="de")
    body = trial.accepted("PUT /entry/players", trial.put_player(uid, country="FR")).body
    told = {name: body.get(name) for name in ("uid", "nickname", "country", "language", "status")}
    wanted = {"uid": uid, "nickname": "Anna", "country": "FR", "language": "de", "status": "active"}
    expect("The player", wanted, told)


@HAPPY.check("odd-texts", "Optional texts never cause a refusal, whatever they hold", "1 Reading a request")
def odd_texts(trial: Trial) -> None:
    session = trial.session()
    for text in (*ODD_TEXTS, Literal('"\\ud800"')):
        mm = new_id()
        opened = session.accept("withdraw", mm, "1.00", txDescription=text)
        expect("The balance after it", Decimal(99), opened.money())
        session.accept("rollbackWithdrawal", mm, rollbackReason=text)
    session.expect_spendable("100.00")


@HAPPY.check("unknown-fields", "Unknown fields are tolerated, and null means absent", "1 Reading a request")
def unknown_fields(trial: Trial) -> None:
    session = trial.session()
    session.accept("getBalance", extra={"deep": [1, {"deeper": None}]}, txDescription=None)
    mm = new_id()
    session.accept("withdraw", mm, "1.00", somethingNew="x")
    session.accept("confirmWithdrawal", mm, amount=None)
    session.refuse(101, "deposit", new_id(), amount=Literal("null"))

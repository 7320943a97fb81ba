"""What the scripted wallet can play: how it misbehaves, and what a right game does."""

from dataclasses import dataclass, field

from clients.kit.wallet.faults import Act, Fault

WITHDRAW, CONFIRM, ROLL_BACK = ("withdraw",), ("confirmWithdrawal",), ("rollbackWithdrawal",)
DEPOSIT, CONFIRM_DEPOSIT = ("deposit",), ("confirmDeposit",)
ALWAYS = 10**6
CONFIRMED, ROLLED_BACK = frozenset({"confirmed"}), frozenset({"rolled_back"})
EITHER = CONFIRMED | ROLLED_BACK
# Nothing was reserved, so there is nothing to end; ending it all the same is right, too.
NOTHING_OPEN = frozenset({"declined", "rolled_back", "expired", ""})
# The largest amount that a binary float cannot hold, in minor units.
EXACT = 9_007_199_254_740_993


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that goes wrong. Amounts are minor units.

    `task` is what the game's test has its game do; `ends` how its transactions may end; `needs` how many
    requests of a call must have been seen; `calls_game` what the wallet asks or tells the game at
    `POST /kit/call`; `refusals` the codes that a right game meets.
    """

    name: str
    paragraph: str
    task: str
    wallet: str
    game: str
    faults: tuple[Fault, ...] = ()
    ends: frozenset[str] = CONFIRMED
    needs: dict[str, int] = field(default_factory=dict)
    transactions: int = 1
    funds: int = 100_00
    amount: int | None = None
    limit: int | None = None
    is_blocked: bool = False
    has_extra_fields: bool = False
    calls_game: tuple[str, ...] = ()
    refusals: frozenset[int] = frozenset()


BUY = "Buy one thing for 15.00."
WIN = "Pay out a win of 15.00."
REPEATS = "Repeats the same call with the same id and body until it is answered."
STOPS = "Gives nothing to the player, and does not send it again, under this id or a new one."
TAKES_BACK = "Takes back what it gave, and sends the confirmation no more."

SCENARIOS = (
    # --- Nothing goes wrong ---
    Scenario("purchase", "2.1", BUY, "Answers.", "Withdraws, gives, confirms.", needs={"withdraw": 1}),
    Scenario("win", "2.1", WIN, "Answers.", "Deposits, and confirms.", needs={"deposit": 1}),
    Scenario(
        *("change-of-mind", "2.1", "Buy one thing for 15.00, but fail to give it."),
        *("Answers.", "Withdraws, and rolls back."),
        ends=ROLLED_BACK,
        needs={"withdraw": 1},
    ),
    Scenario(
        *("exact-amount", "1 Amounts", "Buy for all of the balance."),
        "The balance is 90071992547409.93, which no binary float can hold.",
        "Withdraws exactly that.",
        needs={"withdraw": 1},
        funds=EXACT,
        amount=EXACT,
    ),
    Scenario(
        *("extra-fields", "1 Reading a request", BUY),
        *("Answers with fields that the game does not know.", "Ignores them."),
        needs={"withdraw": 1},
        has_extra_fields=True,
    ),
    # --- The opening ---
    Scenario(
        *("withdrawal-answer-lost", "2.3", BUY, "Withdraws, and closes without an answer."),
        "Sends the same withdrawal again, or rolls it back.",
        (Fault(Act.LOSE_ANSWER, WITHDRAW),),
        ends=EITHER,
        needs={"withdraw": 1},
    ),
    Scenario(
        *("withdrawal-request-lost", "2.3", BUY, "Closes without an answer, and withdraws nothing."),
        "Sends the same withdrawal again, or rolls it back.",
        (Fault(Act.LOSE_REQUEST, WITHDRAW),),
        ends=EITHER,
        needs={"withdraw": 1},
    ),
    Scenario(
        *("withdrawal-never-answered", "2.3", BUY, "Withdraws, but never answers a withdrawal."),
        "Gives nothing, and in the end rolls back: nobody knows whether money is reserved.",
        (Fault(Act.LOSE_ANSWER, WITHDRAW, ALWAYS),),
        ends=ROLLED_BACK,
        needs={"withdraw": 1},
    ),
    Scenario(
        *("withdrawal-never-arrives", "2.3", BUY, "Does not do, and does not answer, any withdrawal."),
        "Gives nothing, and in the end rolls back, although the platform knows nothing of it.",
        (Fault(Act.LOSE_REQUEST, WITHDRAW, ALWAYS),),
        ends=ROLLED_BACK,
        needs={"withdraw": 1},
    ),
    Scenario(
        *("withdrawal-fails-after", "1.6", BUY, "Withdraws, and answers 500."),
        "Takes 500 for no answer: sends it again, or rolls it back.",
        (Fault(Act.FAIL_AFTER, WITHDRAW),),
        ends=EITHER,
        needs={"withdraw": 1},
    ),
    Scenario(
        *("rollback-answer-lost", "2.4", BUY),
        "Never answers a withdrawal, and loses the first three answers to its rollback.",
        "Repeats the rollback on the schedule.",
        (Fault(Act.LOSE_ANSWER, WITHDRAW, ALWAYS), Fault(Act.LOSE_ANSWER, ROLL_BACK, 3)),
        ends=ROLLED_BACK,
        needs={"rollbackWithdrawal": 4},
    ),
    Scenario(
        *("deposit-answer-lost", "2.3", WIN, "Announces, and closes without an answer."),
        REPEATS,
        (Fault(Act.LOSE_ANSWER, DEPOSIT, 2),),
        needs={"deposit": 3},
    ),
    Scenario(
        *("two-answers-swapped", "2.3", "Buy two things for 15.00 each, at the same time."),
        "Answers the first withdrawal only after the second one.",
        "Confirms each under its own id.",
        (Fault(Act.SWAP_ANSWERS, WITHDRAW),),
        needs={"withdraw": 2},
        transactions=2,
    ),
    Scenario(
        *("withdrawal-answered-twice", "2.3", BUY),
        "Sends the answer to the withdrawal twice, and does not do the first confirmation.",
        "Does not take the second answer for that to its confirmation, and repeats it.",
        (Fault(Act.DOUBLE_ANSWER, WITHDRAW), Fault(Act.LOSE_REQUEST, CONFIRM)),
        needs={"withdraw": 1},
    ),
    # --- The confirmation ---
    Scenario(
        *("confirmation-answer-lost", "2.4", BUY, "Confirms, but loses the first five answers."),
        "Repeats the confirmation at once, and after 5 s, 10 s, 20 s and 40 s.",
        (Fault(Act.LOSE_ANSWER, CONFIRM, 5),),
        needs={"confirmWithdrawal": 6},
    ),
    Scenario(
        *(
            "confirmation-request-lost",
            "2.4",
            BUY,
            "Closes three times without an answer, and confirms nothing.",
        ),
        "Repeats the confirmation on the schedule.",
        (Fault(Act.LOSE_REQUEST, CONFIRM, 3),),
        needs={"confirmWithdrawal": 4},
    ),
    Scenario(
        *("confirmation-fails-before", "1.6", BUY, "Answers three confirmations with 500, and does nothing."),
        "Repeats the confirmation on the schedule.",
        (Fault(Act.FAIL_BEFORE, CONFIRM, 3),),
        needs={"confirmWithdrawal": 4},
    ),
    Scenario(
        *("confirmation-fails-after", "1.6", BUY, "Confirms, and answers 500, three times."),
        "Repeats the confirmation on the schedule.",
        (Fault(Act.FAIL_AFTER, CONFIRM, 3),),
        needs={"confirmWithdrawal": 4},
    ),
    Scenario(
        *("busy", "1.6", BUY, "Answers two confirmations with 503 and Retry-After: 7."),
        "Repeats it, but not before 7 s.",
        (Fault(Act.BUSY, CONFIRM, 2),),
        needs={"confirmWithdrawal": 3},
    ),
    Scenario(
        *("other-error", "1 Error codes", BUY, "Answers two confirmations with HTTP 200 and error 100."),
        "Takes 100 for no answer, and repeats the confirmation.",
        (Fault(Act.OTHER_ERROR, CONFIRM, 2),),
        needs={"confirmWithdrawal": 3},
    ),
    Scenario(
        *("half-an-answer", "2.4", BUY, "Confirms, sends half of the answer, and closes."),
        "Takes half an answer for none, and repeats the confirmation.",
        (Fault(Act.HALF_ANSWER, CONFIRM),),
        needs={"confirmWithdrawal": 2},
    ),
    Scenario(
        *("late-answer", "2.4", BUY, "Confirms, and answers after 60 s."),
        "Waits, or gives up waiting and repeats the confirmation.",
        (Fault(Act.LATE_ANSWER, CONFIRM),),
        needs={"confirmWithdrawal": 1},
    ),
    Scenario(
        *("confirmation-done-twice", "2.3", BUY),
        "Gets the confirmation twice, as a repeating proxy would send it, and sends the second answer.",
        "Notices nothing.",
        (Fault(Act.DOUBLE_REQUEST, CONFIRM),),
        needs={"confirmWithdrawal": 1},
    ),
    Scenario(
        *("session-ends-midway", "2.2", BUY, "Ends the session once the withdrawal is done."),
        "Confirms with the old token.",
        (Fault(Act.END_SESSION, WITHDRAW), Fault(Act.LOSE_ANSWER, CONFIRM)),
        refusals=frozenset({102}),
        needs={"confirmWithdrawal": 2},
    ),
    Scenario(
        *("deposit-confirmation-lost", "2.4", WIN, "Credits, but loses the first three answers."),
        "Repeats the confirmation on the schedule.",
        (Fault(Act.LOSE_ANSWER, CONFIRM_DEPOSIT, 3),),
        needs={"confirmDeposit": 4},
    ),
    # --- Refusals ---
    Scenario(
        *("not-enough-money", "1 Error codes", BUY, "Refuses the withdrawal: 104.", STOPS),
        ends=NOTHING_OPEN,
        refusals=frozenset({104}),
        needs={"withdraw": 1},
        funds=5_00,
    ),
    Scenario(
        *("limit-reached", "1 Error codes", BUY, "Refuses the withdrawal: 111.", STOPS),
        ends=NOTHING_OPEN,
        refusals=frozenset({111}),
        needs={"withdraw": 1},
        limit=5_00,
    ),
    Scenario(
        *("player-blocked", "1 Error codes", BUY, "Refuses the withdrawal: 103.", STOPS),
        ends=NOTHING_OPEN,
        refusals=frozenset({103}),
        needs={"withdraw": 1},
        is_blocked=True,
    ),
    Scenario(
        *("id-used-before", "1 Error codes", BUY, "Refuses the withdrawal: 110.", STOPS),
        (Fault(Act.CONTRADICT, WITHDRAW),),
        # What is pending under the id is another transaction, which is not this game's to end.
        ends=NOTHING_OPEN | {"pending"},
        refusals=frozenset({110}),
        needs={"withdraw": 1},
    ),
    Scenario(
        *("deposit-refused", "1 Error codes", WIN, "Refuses the deposit: 111.", STOPS),
        ends=NOTHING_OPEN,
        refusals=frozenset({111}),
        needs={"deposit": 1},
        limit=5_00,
    ),
    Scenario(
        *("expired-meanwhile", "2.4", BUY, "Refuses the confirmation: 109.", TAKES_BACK),
        (Fault(Act.EXPIRE_FIRST, CONFIRM),),
        ends=frozenset({"expired"}),
        refusals=frozenset({109}),
        needs={"confirmWithdrawal": 1},
    ),
    Scenario(
        *("rolled-back-meanwhile", "2.4", BUY, "Refuses the confirmation: 108.", TAKES_BACK),
        (Fault(Act.ROLL_BACK_FIRST, CONFIRM),),
        ends=ROLLED_BACK,
        refusals=frozenset({108}),
        needs={"confirmWithdrawal": 1},
    ),
    # --- The wallet asks ---
    Scenario(
        *("asked-confirmed", "2.4", BUY, "Answers no confirmation; then asks for the final state."),
        "Answers CONFIRMED, for it has given the goods.",
        (Fault(Act.LOSE_REQUEST, CONFIRM, ALWAYS),),
        needs={"confirmWithdrawal": 2},
        calls_game=("query",),
    ),
    Scenario(
        *("asked-rolled-back", "2.4", "Buy one thing for 15.00, but fail to give it."),
        "Answers no rollback; then asks for the final state.",
        "Answers ROLLED_BACK, for it has given nothing.",
        (Fault(Act.LOSE_REQUEST, ROLL_BACK, ALWAYS),),
        ends=ROLLED_BACK,
        needs={"rollbackWithdrawal": 2},
        calls_game=("query",),
    ),
    Scenario(
        *("asked-unknown", "2.4", "Do nothing."),
        *("Asks for the final state of an id that the game never used.", "Answers UNKNOWN."),
        transactions=0,
        calls_game=("query-unknown",),
    ),
    Scenario(
        *("asked-by-a-stranger", "2.4", "Do nothing."),
        *("Asks for a final state without a password, and with a wrong one.", "Refuses both."),
        transactions=0,
        calls_game=("query-without-password", "query-wrong-password"),
    ),
    # --- The wallet tells to deliver ---
    Scenario(
        *("delivery", "4.3", "Start an order of gold for 4.99 EUR."),
        *("The order is paid: tells the game to deliver.", "Verifies, delivers, and answers 2xx."),
        transactions=0,
        needs={"initiate": 1},
        calls_game=("delivery",),
    ),
    Scenario(
        *("delivery-repeated", "4.3", "Start an order of gold for 4.99 EUR."),
        *("Tells the same delivery three times.", "Answers 2xx each time, and delivers once."),
        transactions=0,
        needs={"initiate": 1},
        calls_game=("delivery", "delivery-again", "delivery-again"),
    ),
    Scenario(
        *("delivery-forged", "4.3", "Start an order of gold for 4.99 EUR."),
        "Tells a delivery signed with another secret, one without signatures, and the genuine one.",
        "Refuses the first two, and delivers the third.",
        transactions=0,
        needs={"initiate": 1},
        calls_game=("delivery-other-secret", "delivery-unsigned", "delivery"),
    ),
    Scenario(
        *("delivery-shifted", "4.2", "Start an order of gold for 4.99 EUR."),
        "Tells a delivery in which a digit has moved from price to product, so that `sign` is still right.",
        "Refuses it: it verifies the webhook's signature, or compares every field with its order.",
        transactions=0,
        needs={"initiate": 1},
        calls_game=("delivery-shifted", "delivery"),
    ),
    Scenario(
        *("delivery-old", "4.2", "Start an order of gold for 4.99 EUR."),
        *("Repeats a delivery with the signature of an hour ago.", "Refuses it: five minutes are allowed."),
        transactions=0,
        needs={"initiate": 1},
        calls_game=("delivery-old", "delivery"),
    ),
    Scenario(
        *("order-answer-lost", "4.1", "Start an order of gold for 4.99 EUR."),
        *("Starts the order, and closes without an answer.", "Sends the same order again, under its id."),
        (Fault(Act.LOSE_ANSWER, ("initiate",)),),
        transactions=0,
        needs={"initiate": 2},
    ),
)
BY_NAME = {one.name: one for one in SCENARIOS}

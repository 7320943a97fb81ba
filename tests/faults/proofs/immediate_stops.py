"""PostgreSQL is stopped as by `pg_ctl stop -m immediate`, and started again."""

import random
import time

from tests.faults.platform_processes import SEED, Platform
from tests.faults.proofs.proof import Proof, serve, under_load


def prove(platform: Platform, times: int) -> Proof:
    dice = random.Random(SEED)
    web, url = serve(platform)
    with under_load(platform, url, "PostgreSQL stopped at once (`-m immediate`)") as proof:
        for _ in proof.rounds(times):
            proof.play_some(20)
            time.sleep(dice.uniform(0, 0.2))
            platform.restart_postgres()
            proof.note_return(time.time())
    assert not web.ended
    proof.seen = "recovery from the log each time"
    return proof

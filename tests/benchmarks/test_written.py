"""Bytes of the log are counted for the relation that they are about."""

from benchmarks.written import OTHERS, by_relation, whole

HEAD = "tx:    1234, lsn: 0/01A2B3C4, prev 0/01A2B380, desc:"
SPLIT = "blkref #0: rel 1663/5/701 blk 1 FPW, blkref #1: rel 1663/5/701 blk 2 FPW"
LOG = f"""\
rmgr: Heap        len (rec/tot):     59/   347, {HEAD} INSERT off: 2, blkref #0: rel 1663/5/700 blk 9
rmgr: Btree       len (rec/tot):     53/  7033, {HEAD} INSERT_LEAF off: 9, blkref #0: rel 1663/5/701 blk 3 FPW
rmgr: Btree       len (rec/tot):     53/  1000, {HEAD} SPLIT_R, {SPLIT}
rmgr: Btree       len (rec/tot):     53/   100, {HEAD} INSERT_LEAF off: 1, blkref #0: rel 1663/6/701 blk 3
rmgr: Transaction len (rec/tot):     34/    34, {HEAD} COMMIT 2026-11-30 20:00:00.000000 UTC
pg_waldump: first record is after 0/01A2B3C0
"""


def test_log__is_counted_by_relation_and_the_rest_apart() -> None:
    bytes_, pages = by_relation(LOG.splitlines(), 5, {700: "wallet_entry", 701: "entry_by_time"})
    assert bytes_ == {"wallet_entry": 347, "entry_by_time": 8033, OTHERS: 34}
    assert +pages == {"entry_by_time": 3}


def test_parts__of_a_table_by_day_count_as_one() -> None:
    assert whole("wallet_apicall_20261130") == "wallet_apicall"
    assert whole("wallet_apicall_20261130_pkey") == "wallet_apicall_pkey"
    assert whole("wallet_entry_pkey") == "wallet_entry_pkey"

from mldr.annotation.readers.contract import LOCATED, Tally


def test_only_the_first_rows_that_were_passed_over_are_named_and_all_are_counted() -> None:
    tally, other = Tally(rows=30), Tally(rows=30)
    for row in range(15):
        tally.drop(f"line {row}", "it has no time")
        other.drop(f"line {row + 15}", "it has no time")
    tally.take(other)
    assert (tally.rows, tally.dropped) == (60, {"it has no time": 30})
    assert tally.located == [f"line {row}: it has no time" for row in range(LOCATED)]
    tally.take(other)
    assert len(tally.located) == LOCATED

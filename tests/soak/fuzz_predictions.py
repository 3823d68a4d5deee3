"""Mutated predictions files by the thousand, each judged a second time by json alone.

python tests/soak/fuzz_predictions.py --count 10000 --seed 0
"""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import json
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mldr.answers import format_answer
from mldr.errors import SHOWN_IN_FULL, InputError, MldrError
from mldr.eval.intake import PredictionTable, from_predictions, read_table
from mldr.eval.prediction import CLAIMABLE, COLUMNS, Prediction, row_faults
from mldr.eval.reader import read_predictions

IDS = tuple(f"q{number}" for number in range(12))
LONGEST_LINE = 64 * 1024 * 1024
EVERY_SO_OFTEN = 4_000
"""Of so many inputs one has a line longer than any that is read."""

Row = dict[str, Any]


class Wrong(Exception):
    """What the reader did that it must not do."""


# --- what is good


def good_row(rng: random.Random, query_id: str) -> Row:
    """Return a row without faults."""
    if rng.random() < 0.1:
        return {"query_id": query_id, "outcome": rng.choice(CLAIMABLE)}
    utterances = [rng.randrange(40) for _ in range(rng.randrange(5))]
    images = [rng.randrange(5) for _ in range(rng.randrange(3))]
    response = rng.choice(["", "I do not know.", f"so: {format_answer(utterances, images)}", '好的 👍 \\ " \n \u2028'])
    if rng.random() < 0.2:
        return {"query_id": query_id, "response": response}
    row: Row = {"query_id": query_id, "utterance_ids": utterances, "image_ids": images}
    if rng.random() < 0.3:
        row["utterance_scores"] = [rng.choice([0.5, 1, -2.25, 1e-9, 3e300]) for _ in utterances]
    if rng.random() < 0.2:
        row["image_scores"] = [rng.random() for _ in images]
    if rng.random() < 0.2:
        row["response"] = response
    if rng.random() < 0.2:
        row["latency_s"] = rng.choice([0, 0.25, 12])
    if rng.random() < 0.2:
        row["meta"] = rng.choice(["", "{}", '{"a": [1, "好"]}'])
    return row


def as_line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")


# --- mutations of one line


ODD_NUMBERS = (
    *("-1", "2147483647", "2147483648", "9223372036854775808", "1" * 25, "9" * 400, "1" + "0" * 308, "9" * 5000, "0"),
    *("1.0", "1e0", "2.5", "1e999", "-0", "-0.0", "01", "+1", "1.", ".5", "NaN", "Infinity", "-Infinity", "Inf", "0x1"),
    *("true", "null", '"1"', "[1]", "{}", "[]", "[[[[1]]]]", "1e-400", "1.7976931348623157e308", "1.8e308", '""'),
)
ODD_VALUES = (
    *ODD_NUMBERS,
    *("[1, 2", '"[1, 2]"', "[null]", "[true]", "[1,]", "[,]", "[1 2]", '["a"]', "[0.5]", "[NaN]", "[1e400]"),
    *('"\\ud800"', '"\\udc00"', '"\\u0000"', '"{}"', '"[]"', '"null"', '"{\\"a\\": NaN}"', '"{\\"a\\":1,\\"a\\":2}"'),
    *(
        '"refused"',
        '"ok"',
        '"missing"',
        '"q0"',
        '"q1"',
        '"nobody"',
        '"a\tb"',
        '"\\x41"',
        "'a'",
        '"' + "long " * 9000 + '"',
    ),
)
BAD_UTF8 = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xbd", b"\x80", b"\xfe\xff")
ODD_BYTES = (
    b"\0",
    b"\x01",
    b"\r",
    b"\t",
    b"\x0b",
    b"\x0c",
    b"\x1a",
    b"\x7f",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
)

Mutation = Callable[[random.Random, Row], bytes]


def anywhere(rng: random.Random, line: bytes, piece: bytes) -> bytes:
    position = rng.randrange(len(line) + 1)
    return line[:position] + piece + line[position:]


def odd_value(rng: random.Random, row: Row) -> bytes:
    """Put an odd value in the place of a column, or beside the others."""
    name = rng.choice(COLUMNS)
    pairs = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in row.items() if key != name]
    pairs.insert(rng.randrange(len(pairs) + 1), f'"{name}": {rng.choice(ODD_VALUES)}')
    return ("{" + ", ".join(pairs) + "}").encode("utf-8", "surrogatepass")


def odd_item(rng: random.Random, row: Row) -> bytes:
    """Put an odd value into a list."""
    name = rng.choice(["utterance_ids", "image_ids", "utterance_scores", "image_scores"])
    items = [json.dumps(item) for item in row.get(name, [])]
    items.insert(rng.randrange(len(items) + 1), rng.choice(ODD_NUMBERS))
    whole = {"query_id": row["query_id"], "utterance_ids": [], "image_ids": [], **row, name: "HERE"}
    return json.dumps(whole).replace('"HERE"', f"[{', '.join(items)}]").encode()


def bad_utf8(rng: random.Random, row: Row) -> bytes:
    """Put bytes that are no UTF-8 into a string."""
    name = rng.choice(["response", "meta", "query_id", "outcome"])
    value = {"meta": '{"a": "HERE"}', "query_id": row["query_id"] + "HERE"}.get(name, "a HERE b")
    return as_line({**row, name: value}).replace(b"HERE", rng.choice(BAD_UTF8))


def bytes_anywhere(rng: random.Random, row: Row) -> bytes:
    return anywhere(
        rng, as_line(row), rng.choice([*BAD_UTF8, *ODD_BYTES, b"{", b"}", b"]", b'"', b",", b"\\", b"/**/"])
    )


def flipped(rng: random.Random, row: Row) -> bytes:
    line = bytearray(as_line(row))
    for _ in range(rng.randint(1, 3)):
        line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
    return bytes(line)


def cut(rng: random.Random, row: Row) -> bytes:
    line = as_line(row)
    return line[: rng.randrange(len(line))]


def two_objects(rng: random.Random, row: Row) -> bytes:
    other = as_line(good_row(rng, rng.choice(IDS)))
    return as_line(row) + rng.choice([b"", b" ", b",", b"\r", b"\0", b"\t"]) + other


def over_two_lines(rng: random.Random, row: Row) -> bytes:
    return anywhere(rng, as_line(row), b"\n")


def key_twice(rng: random.Random, row: Row) -> bytes:
    name = rng.choice([*row])
    key = name if rng.random() < 0.5 else "".join(f"\\u{ord(letter):04x}" for letter in name)
    return as_line(row)[:-1] + f', "{key}": '.encode() + json.dumps(row[name]).encode() + b"}"


def a_column_less(rng: random.Random, row: Row) -> bytes:
    kept = dict(row)
    del kept[rng.choice([*kept])]
    return as_line(kept)


def a_column_more(rng: random.Random, row: Row) -> bytes:
    name = rng.choice([*COLUMNS, "rank", "", "Query_id", "\ud800", "query_id ", "utterance_ids\0"])
    value: Any = rng.choice([None, 1, [], [[]], {}, "", "a", {"a": {"b": None}}, [0.5], True])
    return json.dumps({**row, name: value}).encode()


def deep(rng: random.Random, row: Row) -> bytes:
    depth = rng.choice([3, 60, 950, 1_100, 20_000])
    opened, closed = rng.choice([("[", "]"), ('{"a":', "}")])
    inner = opened * depth + "1" + closed * (depth - rng.randrange(2))
    return as_line(row)[:-1] + f', "{rng.choice(COLUMNS)}": {inner}}}'.encode()


def long_line(rng: random.Random, row: Row) -> bytes:
    size = rng.choice([1_000, 70_000, 300_000])
    if rng.random() < 0.5:
        return as_line({**row, "response": "长" * (size // 3)})
    ids = [0] * (size // 3)
    return as_line({"query_id": row["query_id"], "utterance_ids": ids, "image_ids": []})


def zipped(rng: random.Random, row: Row) -> bytes:
    return gzip.compress(as_line(row), mtime=0)


def other_text(rng: random.Random, row: Row) -> bytes:
    line = as_line(row)
    utf16 = line.decode("utf-8", "replace").encode(rng.choice(["utf-16", "utf-16-le", "utf-32"]))
    return rng.choice(
        [utf16, b"query_id,utterance_ids,image_ids", b"[" + line + b"]", b"null", b"7", b'""', b"{}", b"\x0c"]
    )


def odd_id(rng: random.Random, row: Row) -> bytes:
    return as_line({**row, "query_id": rng.choice([*IDS, "q99", "", " q0", "Q0", "q0\0", "\ud800"])})


def spaced(rng: random.Random, row: Row) -> bytes:
    line = as_line(row)
    return rng.choice(
        [b" " + line, line + b" ", line + b"\r", line + b"\r\r", b"\t" + line, line + b"\n", b"\n\n" + line]
    )


MUTATIONS: tuple[Mutation, ...] = (
    *(odd_value, odd_value, odd_value, odd_item, odd_item, bad_utf8, bytes_anywhere, bytes_anywhere, flipped, flipped),
    *(cut, two_objects, over_two_lines, key_twice, a_column_less, a_column_more, deep, zipped, other_text, odd_id),
    *(spaced, long_line),
)


def json_file(rng: random.Random) -> bytes:
    """Return good lines with one or several mutated ones among them; sometimes the whole file is mutated, too."""
    names = rng.sample(IDS, rng.randint(1, 6))
    lines = [as_line(good_row(rng, name)) for name in names]
    for _ in range(rng.choice([1, 1, 1, 1, 2, 3])):
        place = rng.randrange(len(lines))
        lines[place] = rng.choice(MUTATIONS)(rng, good_row(rng, names[place]))
    content = rng.choice([b"\n", b"\n", b"\n", b"\r\n", b"\n\n"]).join(lines)
    content += rng.choice([b"\n", b"\n", b"", b"\r\n", b"\n \n"])
    return rng.choice(WHOLE)(rng, content) if rng.random() < 0.05 else content


WHOLE: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    lambda rng, content: b"\xef\xbb\xbf" + content,
    lambda rng, content: gzip.compress(content, mtime=0),
    lambda rng, content: gzip.compress(content, mtime=0)[: rng.randrange(30)],
    lambda rng, content: content[: rng.randrange(len(content) + 1)],
    lambda rng, content: content * rng.randint(2, 12),
    lambda rng, content: content.replace(b"\n", b"\r"),
    lambda rng, content: b"PAR1" + content,
    lambda rng, content: bytes(rng.randrange(256) for _ in range(rng.randrange(200))),
)


# --- mutations of a Parquet file


KINDS: dict[str, tuple[pa.DataType, ...]] = {
    **dict.fromkeys(("query_id", "response", "outcome", "meta"), (pa.string(), pa.large_string(), pa.binary())),
    **dict.fromkeys(
        ("utterance_ids", "image_ids"),
        (pa.list_(pa.int64()), pa.list_(pa.uint8()), pa.large_list(pa.int32()), pa.list_(pa.float64())),
    ),
    **dict.fromkeys(
        ("utterance_scores", "image_scores"), (pa.list_(pa.float64()), pa.list_(pa.float32()), pa.list_(pa.int64()))
    ),
    "latency_s": (pa.float64(), pa.float32(), pa.int16(), pa.string()),
}
LIES = (
    pa.string(),
    pa.int64(),
    pa.list_(pa.int64()),
    pa.dictionary(pa.int32(), pa.string()),
    pa.timestamp("ns"),
    pa.null(),
)


def parquet_table(rng: random.Random) -> pa.Table:
    rows = [good_row(rng, name) for name in rng.sample(IDS, rng.randint(0, 5))]
    if rows and rng.random() < 0.5:
        rng.choice(rows).update(rng.choice(BAD_CELLS))
    columns = {}
    for name in COLUMNS:
        values = [row.get(name) for row in rows]
        if name == "query_id" or any(value is not None for value in values) or rng.random() < 0.3:
            columns[name] = _typed(rng, name, values)
    table = pa.table(columns)
    return table.append_column("rank", pa.array([0] * len(rows))) if rng.random() < 0.03 else table


BAD_CELLS: tuple[Row, ...] = (
    {"query_id": None},
    {"query_id": "q99"},
    {"query_id": "q0"},
    {"utterance_ids": [1, None]},
    {"utterance_ids": [-1], "image_ids": []},
    {"utterance_ids": None},
    {"image_ids": [2**31]},
    {"outcome": "ok"},
    {"meta": "[1]"},
    {"meta": "{"},
    {"latency_s": float("nan")},
    {"latency_s": -1},
    {"utterance_scores": []},
    {"image_scores": []},
    {"image_ids": [0], "image_scores": [float("inf")]},
    {"image_ids": [0], "image_scores": [None]},
    {"utterance_ids": None, "image_ids": None, "response": None, "outcome": None},
)


def _typed(rng: random.Random, name: str, values: list[Any]) -> pa.Array:
    kinds = KINDS[name]
    kind = kinds[0] if rng.random() < 0.85 else rng.choice(kinds)
    try:
        made = pa.array(values, kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        made = pa.array(values, kinds[0])
    return made.dictionary_encode() if pa.types.is_string(made.type) and rng.random() < 0.1 else made


def parquet_file(rng: random.Random) -> bytes:
    table = parquet_table(rng)
    lying = rng.random() < 0.3
    if lying:
        name = rng.choice(table.column_names)
        fields = [pa.field(one.name, rng.choice(LIES)) if one.name == name else one for one in table.schema]
        claim = base64.b64encode(pa.schema(fields).serialize().to_pybytes())
        table = table.replace_schema_metadata({b"ARROW:schema": claim})
    buffer = io.BytesIO()
    pq.write_table(
        table,
        buffer,
        store_schema=not lying,
        compression=rng.choice(["none", "snappy"]),
        row_group_size=rng.choice([1, 99]),
    )
    content = bytearray(buffer.getvalue())
    if rng.random() < 0.5:
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(4, len(content))] = rng.randrange(256)
    return bytes(content[: rng.randrange(len(content))] if rng.random() < 0.05 else content)


# --- what must come of it, worked out again


@dataclass
class Expected:
    """What a strict reader must say: the rows if there is no fault, else the lines of the faults in order."""

    rows: dict[str, Row] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)


class _Doubled(ValueError):
    pass


def _no_key_twice(pairs: list[tuple[str, Any]]) -> Row:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _Doubled
    return dict(pairs)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def expected_of_json(content: bytes) -> Expected:
    """Judge JSON lines by json and `row_faults` alone."""
    found = Expected()
    first: set[str] = set()
    met = 0
    for number, raw in enumerate(content.split(b"\n"), 1):
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if not line.strip():
            continue
        met += 1
        place = f"line {number}"
        if len(raw) >= LONGEST_LINE:
            found.places.append(place)
            return found  # what follows is not read
        if b"\0" in line:
            found.places.append(place)
            return found  # no text file: nothing is said of what follows
        try:
            row = json.loads(line.decode("utf-8"), object_pairs_hook=_no_key_twice, parse_constant=_refuse)
        except (ValueError, RecursionError):
            found.places.append(place)
            continue
        _judge_row(found, first, row, place)
    if not met:
        found.places.append("")
    return found


def _judge_row(found: Expected, first: set[str], row: Any, place: str) -> None:
    wrong = list(row_faults(row))
    found.places += [place] * len(wrong)
    if wrong:
        return
    name = row["query_id"]
    if name in first or name not in IDS:
        found.places.append(place)
    else:
        found.rows[name] = row
    first.add(name)


def expected_of_parquet(path: Path) -> Expected | None:
    """Judge the cells of a Parquet file, as pyarrow reads them; None where it cannot or where the columns are others."""
    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError, TypeError, KeyError):
        return None
    found = Expected()
    first: set[str] = set()
    for number, row in enumerate(rows, 1):
        present = {name: value for name, value in row.items() if value is not None}
        _judge_row(found, first, present, f"row {number}")
    if not rows:
        found.places.append("")
    return found


# --- the comparison


def check(path: Path, content: bytes) -> str:
    """Read one file both ways and hold the result against what must come of it.

    Returns:
        `accepted` or `refused`.

    Raises:
        Wrong: if a reader did anything else.
    """
    path.write_bytes(content)
    quick, quick_error = _outcome(lambda: read_table(path, pa.array(IDS)))
    strict, strict_error = _outcome(lambda: read_predictions(path, set(IDS)))
    if (quick is None) != (strict is None):
        raise Wrong(f"read_table {_said(quick_error)}, read_predictions {_said(strict_error)}")
    if str(quick_error) != str(strict_error):
        raise Wrong(f"read_table says {quick_error!r}, read_predictions {strict_error!r}")
    is_parquet = content.startswith(b"PAR1")
    expected = expected_of_parquet(path) if is_parquet else expected_of_json(content)
    if isinstance(quick_error, InputError):
        _check_places(path, quick_error, expected, is_parquet)
    if quick is None or strict is None:
        if expected is not None and not expected.places and not is_parquet:
            raise Wrong(f"refused without a reason: {quick_error}")
        return "refused"
    if expected is None or expected.places:
        raise Wrong(f"accepted, but {'it cannot be read' if expected is None else expected.places[:5]} is at fault")
    if set(strict) != set(expected.rows):
        raise Wrong(f"rows {sorted(strict)} of {sorted(expected.rows)}")
    _check_rows(strict, expected.rows)
    known = {name: position for position, name in enumerate(IDS)}
    _check_same(quick, from_predictions(strict.values(), known))
    return "accepted"


Found = TypeVar("Found")


def _outcome(read: Callable[[], Found]) -> tuple[Found | None, MldrError | None]:
    try:
        return read(), None
    except MldrError as error:
        return None, error


def _said(error: MldrError | None) -> str:
    return "accepts" if error is None else f"refuses ({str(error).splitlines()[-1].strip()[:200]})"


def _check_places(path: Path, error: InputError, expected: Expected | None, is_parquet: bool) -> None:
    told = [fault.place.removeprefix(str(path)).removeprefix(", ") for fault in error.faults]
    if is_parquet and (expected is None or set(told) == {""}):
        return  # its columns are at fault, or it is broken somewhere
    if expected is None or told != expected.places[:SHOWN_IN_FULL] or error.total != len(expected.places):
        places = None if expected is None else expected.places[:SHOWN_IN_FULL]
        raise Wrong(f"faults at {told} ({error.total}); they are at {places}")


def _check_rows(strict: dict[str, Prediction], rows: dict[str, Row]) -> None:
    for name, row in rows.items():
        for column, value in row.items():
            kept = getattr(strict[name], column)
            if (list(kept) if isinstance(kept, tuple) else kept) != value:
                raise Wrong(f"{column} of {name} is {kept!r}, in the file {value!r}")


def _check_same(quick: PredictionTable, strict: PredictionTable) -> None:
    order, other = np.argsort(quick.query), np.argsort(strict.query)
    if not np.array_equal(quick.query[order], strict.query[other]):
        raise Wrong("the two readers kept different queries")
    if not np.array_equal(quick.claimed[order], strict.claimed[other]):
        raise Wrong(f"outcomes {quick.claimed[order]} and {strict.claimed[other]}")
    if not np.array_equal(quick.latency[order], strict.latency[other], equal_nan=True):
        raise Wrong(f"latencies {quick.latency[order]} and {strict.latency[other]}")
    for side in ("utterances", "images"):
        own, wanted = (getattr(table, side) for table in (quick, strict))
        for one, two in zip(order, other, strict=True):
            if not quick.claimed[one] and own[one].tolist() != wanted[two].tolist():  # a failure has none that count
                raise Wrong(f"{side} {own[one].tolist()} and {wanted[two].tolist()}")
    for side, ids in (("utterance_scores", "utterances"), ("image_scores", "images")):
        one, two = _scores(quick, side, ids, order), _scores(strict, side, ids, other)
        if not np.array_equal(one, two, equal_nan=True):
            raise Wrong(f"{side} {one} and {two}")


def _scores(table: PredictionTable, side: str, ids: str, order: Any) -> Any:
    """Return the scores of all ids in the order of the queries, NaN where there are none."""
    lists, scores = getattr(table, ids), getattr(table, side)
    wanted = lists.positions_of(order[table.claimed[order] == 0])
    return np.full(len(wanted), np.nan) if scores is None else scores[wanted]


# --- the run


@dataclass
class Tally:
    """What came of a run."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, str, bytes]] = field(default_factory=list)
    """Input number, what was wrong, the input."""


def one_input(seed: int, number: int) -> bytes:
    """Return input `number` of a run: the same for the same seed, whatever the count."""
    rng = random.Random(f"{seed}/{number}")
    if number % EVERY_SO_OFTEN == EVERY_SO_OFTEN - 1:
        return b'{"query_id": "q0", "response": "' + b"x" * LONGEST_LINE + b'"}\n'
    return parquet_file(rng) if rng.random() < 0.25 else json_file(rng)


def fuzz(count: int, seed: int, folder: Path) -> Tally:
    """Read `count` mutated files."""
    tally = Tally()
    for number in range(count):
        content = one_input(seed, number)
        try:
            tally.outcomes[check(folder / "p", content)] += 1
        except Wrong as wrong:
            tally.outcomes["wrong"] += 1
            tally.wrong.append((number, str(wrong), content))
        except Exception:  # noqa: BLE001 - any traceback is what this looks for
            tally.outcomes["wrong"] += 1
            tally.wrong.append((number, traceback.format_exc(limit=-3), content))
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(chosen.count, chosen.seed, Path(folder))
    counts = ", ".join(f"{tally.outcomes[name]:,} {name}" for name in ("accepted", "refused", "wrong"))
    print(f"{chosen.count:,} inputs (seed {chosen.seed}): {counts}")
    for number, message, content in tally.wrong[:20]:
        print(f"\ninput {number}: {message}\n  {content[:600]!r}")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

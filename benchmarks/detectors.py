"""How well private things in text are found: recall and precision a kind, over invented messages with known places.

    python -m benchmarks.detectors [--messages N] [--names N] [--harmless N] [--seed N] [--misses]

Recall is the share of known places that masks cover wholly; precision the share of masks that touch a known place. The kind
that a mask gives does not matter: the thing is hidden. Needs faker.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.frames import FRAMES, Frames
from benchmarks.harmless import harmless_messages
from benchmarks.heldout import HARMLESS, HELD_OUT
from benchmarks.messages import Inventor, Known, Message, member_messages, private_messages
from mldr.annotation.chat import Member
from mldr.annotation.privacy.detectors import NameList, find_spans
from mldr.annotation.spans import Span

NUMBERS = (
    "mobile",
    "landline",
    "resident_id",
    "bank_card",
    "passport",
    "permit",
    "plate",
    "qq",
    "code",
    "order_number",
    "number",
)
"""The kinds that count as numbers for the aim."""
AIM_NUMBERS, AIM_NAMES = 0.99, 0.95


@dataclass(slots=True)
class Tally:
    """What happened to the known places, and to the masks."""

    known: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    misses: list[tuple[str, str, str]] = field(default_factory=list)
    """Kind, the private thing, the message."""

    def add(self, message: Message, spans: Sequence[Span]) -> None:
        """Count one message."""
        hidden = {at for span in spans for at in range(span.start, span.end)}
        for known in message.known:
            self.known[known.kind] += 1
            if hidden.issuperset(range(known.start, known.end)):
                self.covered[known.kind] += 1
            else:
                self.misses.append((known.kind, message.text[known.start : known.end], message.text))
        for span in spans:
            self.found[span.kind] += 1
            self.right[span.kind] += any(_meet(span, known) for known in message.known)

    def recall(self, kinds: Iterable[str]) -> float:
        """Return the share of known places that are covered, over some kinds."""
        names = list(kinds)
        return sum(self.covered[kind] for kind in names) / max(1, sum(self.known[kind] for kind in names))

    def precision(self, kinds: Iterable[str]) -> float:
        """Return the share of masks that touch a known place, over some kinds."""
        names = list(kinds)
        return sum(self.right[kind] for kind in names) / max(1, sum(self.found[kind] for kind in names))


def _meet(span: Span, known: Known) -> bool:
    return span.start < known.end and known.start < span.end


def measure(messages: int, names: int, seed: int, frames: Frames = FRAMES) -> Tally:
    """Return the tally over invented messages: with private things, and with members' names."""
    tally, nobody = Tally(), NameList.of(())
    for message in private_messages(Inventor(seed, frames), messages):
        tally.add(message, find_spans(message.text, nobody, message.language))
    lists: dict[Sequence[Member], NameList] = {}
    for message, members in member_messages(Inventor(seed + 1, frames), names):
        known = lists.setdefault(members, NameList.of(members)) if members not in lists else lists[members]
        tally.add(message, find_spans(message.text, known, message.language))
    return tally


def false_alarms(count: int, seed: int, frames: str = "") -> list[tuple[str, str]]:
    """Return what was masked in harmless messages, with the message; the members of a chat are listed as they would be."""
    members = next(member_messages(Inventor(seed + 2), 1))[1]
    names = NameList.of(members)
    found = []
    for language, text in harmless_messages(seed, count, frames):
        for span in find_spans(text, names, language):
            found.append((text[span.start : span.end], text))
    return found


def rows(tally: Tally) -> Iterator[str]:
    """Yield a Markdown table."""
    yield "| kind | known | recall | masks | precision |"
    yield "|---|---:|---:|---:|---:|"
    for kind in sorted({*tally.known, *tally.found}):
        yield _row(kind, tally, (kind,))
    yield _row("**numbers**", tally, NUMBERS)
    yield _row("**all**", tally, sorted({*tally.known, *tally.found}))


def _row(title: str, tally: Tally, kinds: Sequence[str]) -> str:
    known, found = (sum(counts[kind] for kind in kinds) for counts in (tally.known, tally.found))
    recall = f"{tally.recall(kinds):.4f}" if known else "-"
    precision = f"{tally.precision(kinds):.4f}" if found else "-"
    return f"| {title} | {known:,} | {recall} | {found:,} | {precision} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Recall and precision of the detectors of private things.")
    parser.add_argument("--messages", type=int, default=6_000)
    parser.add_argument("--names", type=int, default=4_000)
    parser.add_argument("--harmless", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--misses", action="store_true", help="print what was missed, and what was masked for nothing")
    asked = parser.parse_args()
    for title, frames, harmless in (("usual", FRAMES, ""), ("held-out", HELD_OUT, HARMLESS)):
        start = time.perf_counter()
        tally = measure(asked.messages, asked.names, asked.seed, frames)
        seconds = time.perf_counter() - start
        alarms = false_alarms(asked.harmless, asked.seed, harmless)
        share = len({text for _, text in alarms}) / asked.harmless
        lines = [
            f"{title} sentences:",
            "",
            *rows(tally),
            "",
            f"{asked.harmless:,} harmless messages, {share:.1%} with a mask",
        ]
        lines.append(f"{asked.messages + asked.names:,} messages written and searched in {seconds:.1f} s\n")
        if asked.misses:
            lines += ["missed " + " | ".join(missed).replace("\n", "\\n") for missed in tally.misses]
            lines += [f"masked {masked} | {text}" for masked, text in alarms]
        sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.write(f"aims for recall: numbers {AIM_NUMBERS}, members' names {AIM_NAMES}\n")


if __name__ == "__main__":
    main()

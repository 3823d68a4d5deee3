"""What must stand nowhere in a release: names, ids, numbers, addresses and paths, read from the private store itself.

They are held in memory and never written: a list of hashes could be tried through (a mobile number has ten digits that are not
known), so no such list travels. Who has the store checks the bundle before it is sealed; who makes the release without one
asks the detectors over it.
"""

from __future__ import annotations

import getpass
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from mldr.annotation.chat import OWNER, Chat, Member
from mldr.annotation.privacy.searching import Strings, numbers, plain, written_otherwise
from mldr.annotation.records import cut_path, read_cut
from mldr.annotation.reviews import read_reviews
from mldr.annotation.store import Store

SecretKind = Literal["name", "id", "number", "email", "url", "path", "key"]

LEAST_ANYWHERE = 7
"""So many digits of a raw message may be somebody's, whatever they mean; the detectors draw the line there too."""
LEAST_KNOWN = 5
"""So many digits count where they are (part of) an id, a name, or something that a detector calls private."""
LEAST_ID = 5
LEAST_MESSAGE_ID = 12
"""A server's ids of messages are longer; shorter ones count rows."""
_EMAIL = re.compile(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'\u2e80-\u9fff\uff00-\uffef]+")
_LABEL = re.compile(r"[sa][0-9]{1,3}")
"""Speakers and annotators of a release are called so."""
_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_COUNTED = re.compile(r" ?(?:元|块|万|亿|人|个|次|米|千|usd|cny|rmb|eur|km|kg|mb|gb|views|likes)|[.,][0-9]")
_COMMON = (
    "爸爸 妈妈 老爸 老妈 老公 老婆 哥哥 姐姐 弟弟 妹妹 爷爷 奶奶 老师 同学 老板 朋友 宝贝 宝宝 家人 自己 大家 所有人 群主 管理员 "
    "天空 太阳 月亮 星星 阳光 春天 夏天 秋天 冬天 快乐 幸福 平安 健康 生活 时间 世界 今天 明天 晚安 早安 你好 可以 "
    "an art april august dad data dawn do faith he hi hope image images joy june long mark max may me model mom my name no ok "
    "owner queries query reader see she sky so summer sunny test text the us user will win you young"
)
COMMON = frozenset(_COMMON.split())
"""Names that are words of every day, or of every dataset: they are not searched for, and that is told."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A string that must stand nowhere."""

    text: str
    """Plain, as `searching.plain` makes it."""
    kind: SecretKind
    clusters: frozenset[str] = frozenset()
    """Of the chats that it comes from; for names alone."""

    def __str__(self) -> str:
        return f"a private {self.kind} ({self.text[:1]}..., {len(self.text)} characters)"


@dataclass(frozen=True, slots=True)
class Secrets:
    """All of them, and what is not searched for."""

    known: Mapping[str, Secret]
    numbers: frozenset[str]
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Why something private is not searched for -> how often."""
    strings: Strings = field(default_factory=lambda: Strings(()), repr=False)

    @classmethod
    def none(cls) -> Secrets:
        """Return no secrets: a machine without a private store knows none but its own paths."""
        return _Gathering().done()

    @classmethod
    def of_store(
        cls,
        store: Store,
        *,
        names: Callable[[Member], Iterable[str]] | None = None,
        private: Callable[[str, Chat], Iterable[str]] | None = None,
        common: Container[str] = COMMON,
    ) -> Secrets:
        """Return what the chats of a private store hold.

        Args:
            store: on this machine.
            names: gives more forms of a member's names (given name, nickname); those of the export are always taken.
            private: gives the stretches of a raw message that detectors call private; their numbers count from 5 digits on.
            common: plain words that are not searched for where they are a name.

        Raises:
            MldrError: if a chat or a review cannot be read: a check that knows half of the secrets is none.
        """
        from mldr.annotation.chatfile import read_chat

        gathering = _Gathering(common)
        gathering.add(store.key.hex(), "key")
        gathering.path(str(store.folder.resolve()))
        for path in sorted(store.chats.glob("*/chat.jsonl")):
            gathering.chat(store, read_chat(path), names, private)
        for path in sorted(store.reviews.glob("*.jsonl")):
            gathering.kept_by_a_person(store, path)
        return gathering.done()

    def plus_names(self, people: Iterable[str]) -> Secrets:
        """Return the same and some people's names: of annotators, of who makes the release."""
        gathering = _Gathering()
        gathering.known, gathering.numbers = dict(self.known), set(self.numbers)
        gathering.skipped = Counter(self.skipped)
        for name in people:
            gathering.name(name, frozenset())
        return gathering.done()

    def of_bundle(self) -> Secrets:
        """Return the same without keys: a bundle and a collection hold subject keys, a release never does."""
        known = {text: secret for text, secret in self.known.items() if secret.kind != "key"}
        return replace(self, known=known, strings=Strings(known))

    def find(self, text: str, *, people: bool) -> Iterator[Secret]:
        """Yield the secrets that stand in a text, each once.

        Args:
            text: as it is, not plain yet.
            people: whether people wrote it; else digits amid letters are a hash, and fewer than 7 are a count.
        """
        shown = plain(text)
        found = dict.fromkeys(string for _, string in self.strings.find(shown))
        for secret in (self.known[string] for string in found):
            if not (people and secret.kind == "path" and "/" not in secret.text):  # an account's name may be anybody's
                yield secret
        runs = [*numbers(shown, alone=not people), *(written_otherwise(shown) if people else ())]
        for run in dict.fromkeys(runs):
            if run in self.numbers and (people or len(run) >= LEAST_ANYWHERE):
                yield Secret(run, "number")


class _Gathering:
    """Collects secrets."""

    def __init__(self, common: Container[str] = COMMON) -> None:
        self.common = common
        self.known: dict[str, Secret] = {}
        self.numbers: set[str] = set()
        self.skipped: Counter[str] = Counter()
        self.path(str(Path.home()))
        user = _user()
        if len(user) >= 3 and plain(user) not in ("root", "user", "admin", "ubuntu", "runner") and user not in common:
            self.add(user, "path")

    def done(self) -> Secrets:
        counts = dict(sorted(self.skipped.items()))
        return Secrets(dict(self.known), frozenset(self.numbers), counts, Strings(self.known))

    def add(self, text: str, kind: SecretKind, clusters: frozenset[str] = frozenset()) -> None:
        key = plain(text).strip()
        before = self.known.get(key)
        if key and before is None:
            self.known[key] = Secret(key, kind, clusters)
        elif key and before is not None and clusters:
            self.known[key] = replace(before, clusters=before.clusters | clusters)

    def path(self, path: str) -> None:
        if len(path) > 5:  # not `/` and `/root`, which stand in every text about computers
            self.add(path, "path")

    def name(self, name: str, clusters: frozenset[str]) -> None:
        key = plain(name).strip()
        if not re.search(r"\w", key) or len(key) < 2:
            self.skipped["names of one character, or of none that is a letter"] += 1
        elif key in self.common:
            self.skipped["names that are common words"] += 1
        elif _LABEL.fullmatch(key):
            self.skipped["names that look like a released label (S1, A1)"] += 1
        elif key.isdigit() and len(key) < LEAST_KNOWN:
            self.skipped["names of fewer than five digits"] += 1
        elif key.isdigit():
            self.numbers.add(key)
        else:
            self.add(name, "name", clusters)

    def identity(self, identity: str, kind: SecretKind = "id") -> None:
        key = plain(identity).strip()
        if key.isdigit() and len(key) >= LEAST_KNOWN:
            self.numbers.add(key)
        elif len(key) >= LEAST_ID and key != OWNER:
            self.add(identity, kind)
        elif key and key != OWNER:
            self.skipped["ids of fewer than five characters"] += 1
        self.numbers.update(run for run in numbers(key, alone=False) if len(run) >= LEAST_ANYWHERE)

    def chat(
        self,
        store: Store,
        chat: Chat,
        names: Callable[[Member], Iterable[str]] | None,
        private: Callable[[str, Chat], Iterable[str]] | None,
    ) -> None:
        clusters = frozenset({store.cluster_id(chat.platform, chat.chat_id)})
        self.identity(chat.chat_id)
        self.add(store.chat_key(chat.platform, chat.chat_id), "key")
        self.name(chat.name, clusters)
        for member in chat.members:
            every = dict.fromkeys([*member.names, *(names(member) if names else ())])
            for name in every:
                self.name(name, clusters)
            if member.person not in every:
                self.identity(member.person)
            self.add(store.subject_key(chat.platform, member.person), "key")
        for message in chat.messages:
            if message.message_id.isdigit() and len(message.message_id) >= LEAST_MESSAGE_ID:
                self.numbers.add(message.message_id)
            self.message(message.text)
            for stretch in private(message.text, chat) if private and message.text else ():
                self.numbers.update(run for run in numbers(plain(stretch), alone=False) if len(run) >= LEAST_KNOWN)

    def message(self, text: str) -> None:
        if not text:
            return
        shown = plain(text)
        for found in _EMAIL.finditer(shown):
            self.add(found[0].rstrip(".-"), "email")
        for found in _URL.finditer(shown):
            address = (
                found[0].rstrip(".,;:!?)]}/").removeprefix("http://").removeprefix("https://").removeprefix("www.")
            )
            if re.search(r"[/?#].{3}", address):  # a host alone is a place that everybody knows
                self.add(address, "url")
        for run in dict.fromkeys(numbers(shown, alone=False)):
            if len(run) >= LEAST_ANYWHERE and not _harmless(run, shown):
                self.numbers.add(run)
            elif len(run) >= LEAST_KNOWN and run not in self.numbers:
                self.skipped["runs of digits in messages that are short, round, a date or a count"] += 1

    def kept_by_a_person(self, store: Store, log: Path) -> None:
        """Leave out what a person read and decided to keep as it is."""
        kept = [span for span in read_reviews(log).spans.values() if span.choice == "keep"]
        cut = cut_path(store.dialogues, log.stem)
        if not kept or not cut.exists():
            return
        utterances = read_cut(cut).dialogue.utterances
        for span in kept:
            if span.utterance_id >= len(utterances):
                continue
            stretch = plain(utterances[span.utterance_id].text[span.start : span.end]).strip()
            gone = self.known.pop(stretch, None) is not None
            for run in numbers(stretch, alone=False):
                gone = gone or run in self.numbers
                self.numbers.discard(run)
            self.skipped["things that a person decided to keep"] += gone


def _harmless(run: str, text: str) -> bool:
    """Return whether a run of 7 or 8 digits is a date, a round number or a count everywhere in a text; a longer one never is."""
    if len(run) > 8:
        return False
    if run.endswith("000") or _DATE.fullmatch(run):
        return True
    places = [found.end() for found in re.finditer(rf"(?<![0-9]){run}(?![0-9])", text)]
    return bool(places) and all(_COUNTED.match(text, place) for place in places)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return ""

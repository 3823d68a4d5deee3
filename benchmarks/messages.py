"""Invented chat messages with private things at known places, and harmless ones that look alike. Seeded; used by `detectors.py`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from faker import Faker

from benchmarks.frames import FRAMES, Frames
from mldr.annotation.chat import Member
from mldr.annotation.spans import SpanKind

FULL_WIDTH = {ord(c): ord(c) + 0xFEE0 for c in "0123456789"}
READ_OUT = str.maketrans("0123456789", "零一二三四五六七八九")
CIRCLED = str.maketrans("123456789", "①②③④⑤⑥⑦⑧⑨")
REGIONS = ("110101", "310115", "440305", "330106", "510104", "420111", "350203", "610113", "370202", "230102")
PLATES = "京沪粤浙川鄂闽陕鲁黑苏皖湘冀豫云贵"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Known:
    """A private thing at text[start:end]."""

    start: int
    end: int
    kind: SpanKind


@dataclass(frozen=True, slots=True)
class Message:
    """A message and all that is private in it."""

    text: str
    known: tuple[Known, ...]
    language: str


class Inventor:
    """Draws private things and the sentences around them."""

    def __init__(self, seed: int, frames: Frames = FRAMES) -> None:
        self.frames = frames
        self.draw = random.Random(seed)
        self.zh, self.en = Faker("zh_CN"), Faker("en_US")
        self.zh.seed_instance(seed)
        self.en.seed_instance(seed)

    def digits(self, count: int) -> str:
        """Return random digits, the first no zero."""
        return str(self.draw.randint(1, 9)) + "".join(str(self.draw.randint(0, 9)) for _ in range(count - 1))

    def grouped(self, digits: str, sizes: Sequence[int], separators: str = " -") -> str:
        """Return digits in groups of given sizes."""
        gap, parts, start = self.draw.choice(separators), [], 0
        for size in sizes:
            parts.append(digits[start : start + size])
            start += size
        return gap.join(part for part in [*parts, digits[start:]] if part)

    def disguised(self, text: str) -> str:
        """Return a number as it is, or full-width, or with characters nobody sees in it."""
        roll = self.draw.random()
        if roll < 0.06:
            return text.translate(FULL_WIDTH)
        if roll < 0.09:
            middle = self.draw.randint(1, len(text) - 1)
            return text[:middle] + self.draw.choice("\u200b\u200c\u2060\ufeff") + text[middle:]
        return text

    def mobile(self) -> str:
        """Return a Chinese mobile number in one of the ways in which people write it."""
        number = self.zh.phone_number()
        ways: list[Callable[[], str]] = [
            lambda: number,
            lambda: number,
            lambda: self.grouped(number, (3, 4), " -."),
            lambda: self.grouped(number, (4, 3), " -"),
            lambda: self.grouped(number, (3, 3, 2), " -"),
            lambda: self.draw.choice(("+86", "+86 ", "86-", "0086", "+86-", "(+86)", "86 ")) + number,
            lambda: "+86 " + self.grouped(number, (3, 4), " -"),
            lambda: number.translate(READ_OUT),
            lambda: number.translate(READ_OUT).replace("一", "幺"),
            lambda: number.translate(CIRCLED),
            lambda: " ".join(number),
        ]
        return self.disguised(self.draw.choice(ways)())

    def landline(self) -> str:
        """Return a fixed line: Chinese, a service number, or North American."""
        area = self.draw.choice(("010", "021", "0755", "0571", "028", "0898"))
        number = self.draw.choice("2345678") + self.digits(7)
        return self.draw.choice(
            (
                f"{area}-{number}",
                f"{area}{number}",
                f"({area}){number}",
                f"{area} {number[:4]} {number[4:]}",
                f"{area}-{number}转{self.digits(3)}",
                f"400-{self.digits(3)}-{self.digits(4)}",
                f"800{self.digits(7)}",
                f"400-{self.digits(4)}-{self.digits(3)}",
            )
        )

    def american(self) -> str:
        """Return a telephone number as the United States write it."""
        return str(self.en.phone_number())

    def resident_id(self) -> str:
        """Return an id, now and then mistyped, grouped, or of the old kind."""
        number, roll = str(self.zh.ssn()), self.draw.random()
        if roll < 0.2:
            at = self.draw.randint(6, 16)
            number = number[:at] + str((int(number[at]) + self.draw.randint(1, 9)) % 10) + number[at + 1 :]
        elif roll < 0.3:
            number = self.grouped(number, (6, 8), " -")
        elif roll < 0.4:
            day = self.zh.date_of_birth(minimum_age=30, maximum_age=80)
            number = self.draw.choice(REGIONS) + f"{day:%y%m%d}" + self.digits(3)
        elif roll < 0.5:
            number = number[:17] + "x"
        return self.disguised(number)

    def bank_card(self) -> str:
        """Return a card, now and then mistyped or in groups."""
        roll = self.draw.random()
        number = str(self.zh.credit_card_number()) if roll < 0.5 else "62" + self.digits(self.draw.choice((14, 17)))
        if self.draw.random() < 0.15:
            number = number[:-1] + str((int(number[-1]) + 1) % 10)
        if self.draw.random() < 0.4:
            return self.grouped(number, (4, 4, 4, 4), " -")
        return self.disguised(number)

    def plate(self) -> str:
        """Return a number plate, also of an electric car."""
        start = self.draw.choice(PLATES) + self.draw.choice("ABCDE")
        tail = "".join(self.draw.choice("0123456789") for _ in range(5))
        ways = (
            start + tail,
            start + "·" + tail,
            str(self.zh.license_plate()),
            start + self.draw.choice("DF") + tail,
            start + tail + self.draw.choice("DF"),
            start + tail[:2] + self.draw.choice(LETTERS) + tail[3:],
            start + self.draw.choice(LETTERS) + tail[1:],
            (start + tail).lower(),
        )
        return self.draw.choice(ways)

    def coordinates(self) -> str:
        """Return a pair of coordinates."""
        latitude, longitude = self.draw.uniform(18, 53), self.draw.uniform(74, 134)
        return self.draw.choice(
            (
                f"{latitude:.6f},{longitude:.6f}",
                f"{longitude:.4f}, {latitude:.4f}",
                f"{latitude:.5f}°N, {longitude:.5f}°E",
                f"{latitude:.4f}，{longitude:.4f}",
            )
        )

    def address(self) -> str:
        """Return a Chinese address down to the room."""
        roll, name = self.draw.randint, self.zh.last_name
        district, estate = f"{self.zh.district()}区", self.draw.choice(("翠竹", "滨江", "阳光", "银河", "学府"))
        return self.draw.choice(
            (
                f"{self.zh.province()}{self.zh.city_name()}市{district}{name()}家路{roll(1, 999)}号",
                f"{self.zh.city_name()}市{district}{name()}庄街道{roll(1, 30)}栋{roll(1, 4)}单元{roll(101, 2804)}室",
                f"{district}{name()}山路{roll(1, 400)}弄{roll(1, 90)}号{roll(101, 2104)}",
                f"{estate}{self.draw.choice(('花园', '小区', '公寓', '家园'))}{roll(1, 30)}号楼{roll(101, 3202)}",
                str(self.zh.address()),
            )
        )

    def order_number(self) -> str:
        """Return the number of a parcel."""
        return self.draw.choice(("SF", "YT", "JD", "ZTO", "JT", "sf", "JDVA", "YD")) + self.digits(
            self.draw.choice((11, 12, 13))
        )

    def mail(self, faker: Faker) -> str:
        """Return an e-mail address, with a full-width @ now and then."""
        made = self.draw.choice((faker.email, faker.ascii_free_email, faker.company_email))()
        return str(made).replace("@", "＠") if self.draw.random() < 0.1 else str(made)

    def link(self, faker: Faker) -> str:
        """Return a URL, with and without its scheme."""
        path = self.draw.choice(
            ("", "/", f"/item/{self.digits(6)}", f"/s?q={faker.user_name()}&p=2", f"/{faker.slug()}.html")
        )
        start = self.draw.choice(("https://", "http://", "https://www.", "www.", ""))
        return f"{start}{faker.domain_name()}{path}"

    def wechat(self) -> str:
        """Return an account name."""
        name = self.draw.choice((self.zh.user_name(), self.en.user_name()))
        return self.draw.choice((f"{name}_{self.digits(3)}", f"{name}{self.digits(4)}", f"{name}-{self.digits(2)}"))


Maker = Callable[[Inventor], str]
MADE_ZH: dict[SpanKind, Maker] = {
    "mobile": Inventor.mobile,
    "landline": Inventor.landline,
    "resident_id": Inventor.resident_id,
    "bank_card": Inventor.bank_card,
    "passport": lambda i: (
        i.draw.choice("EGDP") + i.digits(8) if i.draw.random() < 0.7 else "E" + i.draw.choice(LETTERS) + i.digits(7)
    ),
    "permit": lambda i: i.draw.choice("HMC") + i.digits(8),
    "plate": Inventor.plate,
    "email": lambda i: i.mail(i.zh),
    "url": lambda i: i.link(i.zh),
    "ip": lambda i: i.zh.ipv4() if i.draw.random() < 0.7 else i.zh.ipv6(),
    "gps": Inventor.coordinates,
    "wechat_id": Inventor.wechat,
    "qq": lambda i: i.digits(i.draw.randint(6, 11)),
    "code": lambda i: i.digits(i.draw.choice((4, 6, 6, 8))),
    "order_number": Inventor.order_number,
    "address": Inventor.address,
    "number": lambda i: i.disguised(i.digits(i.draw.choice((9, 10, 12, 13)))),
}
MADE_EN: dict[SpanKind, Maker] = {
    "mobile": Inventor.american,
    "bank_card": lambda i: str(i.en.credit_card_number()),
    "resident_id": lambda i: str(i.en.ssn()),
    "passport": lambda i: i.draw.choice(LETTERS) + i.digits(8),
    "email": lambda i: i.mail(i.en),
    "url": lambda i: i.link(i.en),
    "ip": lambda i: i.en.ipv4() if i.draw.random() < 0.7 else i.en.ipv6(),
    "gps": lambda i: f"{i.draw.uniform(25, 48):.5f}, -{i.draw.uniform(70, 122):.5f}",
    "code": lambda i: i.digits(i.draw.choice((4, 6, 6, 8))),
    "order_number": lambda i: i.draw.choice(
        ("1Z" + i.digits(16), i.en.bothify("??#########US").upper(), "FX" + i.digits(12))
    ),
    "address": lambda i: i.en.address(),
    "number": lambda i: i.digits(i.draw.choice((9, 11, 12))),
}


def private_messages(inventor: Inventor, count: int) -> Iterator[Message]:
    """Yield messages with one private thing each, some with two, kinds and languages in turn."""
    made = {"zh": MADE_ZH, "en": MADE_EN}
    around = inventor.frames.kinds
    turns = [(language, kind) for language, kinds in made.items() for kind in kinds]
    for number in range(count):
        language, kind = turns[number % len(turns)]
        message = _one(inventor, language, kind, around[language][kind], made[language][kind])
        if inventor.draw.random() < 0.2:
            kind = inventor.draw.choice(list(made[language]))
            other = _one(inventor, language, kind, around[language][kind], made[language][kind])
            message = _joined(message, other, "，" if language == "zh" else "; ")
        yield message


def _one(inventor: Inventor, language: str, kind: SpanKind, around: Sequence[str], make: Maker) -> Message:
    frame, thing = inventor.draw.choice(around), make(inventor)
    start = frame.index("{x}")
    return Message(frame.replace("{x}", thing), (Known(start, start + len(thing), kind),), language)


def _joined(one: Message, two: Message, between: str) -> Message:
    shift = len(one.text) + len(between)
    moved = tuple(Known(known.start + shift, known.end + shift, known.kind) for known in two.known)
    return Message(one.text + between + two.text, (*one.known, *moved), one.language)


def member_messages(inventor: Inventor, count: int) -> Iterator[tuple[Message, Sequence[Member]]]:
    """Yield messages that name a member in one of the ways in which people do, with the members of that chat."""
    made = 0
    while made < count:
        members, ways = _chat(inventor)
        for _ in range(min(20, count - made)):
            language, way = inventor.draw.choice(ways)
            frame = inventor.draw.choice(inventor.frames.named[language])
            yield _filled(frame, way, language), members
            made += 1


def _filled(frame: str, way: str, language: str) -> Message:
    known, text = [], ""
    pieces = (frame if not way.isascii() else frame.replace("{x}{x}", "{x} {x}")).split("{x}")
    for piece in pieces[:-1]:
        text += piece
        known.append(Known(len(text), len(text) + len(way), "name"))
        text += way
    return Message(text + pieces[-1], tuple(known), language)


NICKS = (
    "快乐的小鱼",
    "阿凯",
    "老猫",
    "喵喵酱",
    "sunny_day",
    "一只橘猫",
    "鱼丸粗面",
    "Kiki",
    "momo酱",
    "大橙子",
    "夜行者",
    "柠檬不酸",
)


def _chat(inventor: Inventor) -> tuple[tuple[Member, ...], list[tuple[str, str]]]:
    """Return members of one chat, and the ways in which they are named there: whole, in part, in other letters."""
    members, ways = [], list[tuple[str, str]]()
    for number in range(inventor.draw.randint(3, 8)):
        roll = inventor.draw.random()
        if roll < 0.5:
            name = str(inventor.zh.name())
            given = name[1:] if name[:2] not in ("欧阳", "司马", "上官", "诸葛") else name[2:]
            ways += [("zh", name)] * 3 + [("zh", way) for way in ((given,) if len(given) == 2 else ())] * 2
            ways += [
                ("zh", way)
                for way in ("老" + name[0], "小" + name[0], name[0] + "总", name[0] + "老师", "阿" + name[-1])
            ]
            shown: tuple[str, ...] = (name, name + inventor.draw.choice("🌸⭐️🐟")) if roll < 0.1 else (name,)
        elif roll < 0.8:
            first, last = str(inventor.en.first_name()), str(inventor.en.last_name())
            ways += [
                ("en", way)
                for way in (
                    f"{first} {last}",
                    first,
                    first.lower(),
                    first.upper(),
                    last,
                    f"{first}{last}",
                    f"{first} {last}",
                )
            ]
            ways.append(("zh", first))
            shown = (f"{first} {last}",)
        else:
            nick = inventor.draw.choice(NICKS)
            ways += [("zh", nick), ("zh", nick.upper()), ("zh", nick)]
            shown = (nick,)
        members.append(Member(f"m{number}", shown))
    return tuple(members), ways

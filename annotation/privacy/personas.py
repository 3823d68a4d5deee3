"""People that do not exist: the names that stand for real ones. Lists of our own, of common parts in uncommon pairs."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256

_SURNAMES = """
周沈陆许程潘叶魏薛夏姜秦尹江方石崔康贺顾毛郝邵万武汤黎乔龚文庞樊殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂焦
向柳邢路岳齐梅莫庄辛管祝左涂谷祁
"""
_GIVEN = """
文宁 晓舟 书远 若溪 知夏 沐晴 景然 亦凡 语桐 星野 安澜 清越 子衡 言蹊 雨墨 思齐 望舒 青禾 以宁 初南 念之 云起
亭玉 屿森 修竹 映雪 怀瑾 静姝 疏影 含章 承宇 秋岚 松筠 牧之 闻溪 采薇 临川 羡鱼 半夏 凌波 寄北 临渊 惊蛰 霁月
逢春 南乔 北辰 晚舟 听雨 洛宁 川柏 若谷 予安 卿云 砚秋 枕书 溪亭 白芷 苏木 景行 嘉树 元青 明烛 绍祺 泽兰 翊然
庭芳 斯年 悠然 攸宁 君昊 芷若 冬青 澄观 鹤鸣 雁回 岫云 竹溪 陌桑 蕴青 朗月 信芳 昭明 致远 惟清 弘毅 沛然 皓川
舒窈 婉清 若虚 沁园 述青 榆安 槿年 霜序 茗烟 棠溪 笙南 枫眠
"""
_FIRST = """
Alden Avery Beatrix Blythe Bram Briony Callum Camille Cedric Celia Clement Clio Corbin Cosima Cyril Dahlia Dario
Delphine Desmond Edmund Elara Elowen Emeric Esme Fabian Felicity Fergus Fiona Flora Gareth Gideon Greta Gwen
Hadley Hamish Harriet Hester Ignatius Imogen Ines Isolde Ivor Jarvis Jolene Juniper Kester Kieran Lachlan
Leander Leonie Linnea Lorcan Lucinda Magnus Maren Marius Matilda Merrick Mirabel Morwenna Nadia Nigel Noor
Octavia Odette Orla Osric Ottilie Padraig Petra Phineas Quentin Quilla Ramona Rafferty Rhoda Rowan Rufus Sabine
Selwyn Senna Sigrid Soren Sybil Tabitha Tamsin Thaddeus Tilda Tobias Ursula Valentin Verity Vera Wilfred Winona
Xanthe Yasmin Yorick Zelda Zora
"""
_FAMILY = """
Abernathy Alderton Applegarth Ashdown Atterbury Bancroft Barrowman Beaumaris Bexley Birtwhistle Blackwood
Brackenbury Bramwell Broadhurst Calloway Carrington Cavanagh Chadwick Claremont Cobblestone Colborne Copperfield
Cranleigh Cumberland Dalrymple Danforth Davenport Delacourt Dunmore Eastwick Ellsworth Fairweather Farnsworth
Featherstone Fenwick Fotheringham Gainsborough Galbraith Glastonbury Greenhalgh Haverford Hawksworth Heathcote
Hollingsworth Huckabee Inglewood Ironside Jessop Kettlewell Kilbride Kingsley Lancaster Lattimore Lindqvist
Lockhart Loxley Marchmont Marlowe Merriweather Middlemarch Montague Mulberry Netherfield Northcott Oakhurst
Ormsby Osgood Pemberton Penhaligon Pickering Plumstead Quimby Ravenscroft Redgrave Rockwell Rothbury Saltmarsh
Satterfield Shackleton Silverton Somerville Stanhope Starling Sutcliffe Tattersall Thistlewood Thornbury
Trelawney Underhill Vandermeer Wadsworth Wainwright Wetherby Whitcombe Wickham Winterbourne Wolstenholme
Woodhouse Wycliffe Yarborough
"""
SURNAMES = tuple("".join(_SURNAMES.split()))
GIVEN, FIRST, FAMILY = (tuple(names.split()) for names in (_GIVEN, _FIRST, _FAMILY))


@dataclass(frozen=True, slots=True)
class Persona:
    """The name that stands for a person, in Chinese and in English."""

    surname: str
    given: str
    first: str
    family: str

    @property
    def chinese(self) -> str:
        """The full Chinese name."""
        return self.surname + self.given

    @property
    def western(self) -> str:
        """The full English name."""
        return f"{self.first} {self.family}"

    def written(self, shape: str, language: str) -> str:
        """Return the name in the shape of a form."""
        parts = {"surname": self.surname, "given": self.given, "last": self.given[-1]}
        parts |= {"first": self.first, "family": self.family, "any": self.given if language == "zh" else self.first}
        return shape.format_map(parts)


def drawn(salt: bytes, person: str, attempt: int) -> Persona:
    """Return the n-th name that a salt draws for a person. Without the salt nobody can tell which it is."""
    digest = hmac.new(salt, f"persona\0{attempt}\0{person}".encode("utf-8", "surrogatepass"), sha256).digest()
    picks = [int.from_bytes(digest[4 * i : 4 * i + 4], "big") for i in range(4)]
    return Persona(
        *(parts[pick % len(parts)] for parts, pick in zip((SURNAMES, GIVEN, FIRST, FAMILY), picks, strict=True))
    )

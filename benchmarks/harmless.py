"""Invented chat messages in which nothing is private, though they are full of numbers, times and names of things."""

from __future__ import annotations

import random
from collections.abc import Iterator

ZH = """
这件{p}块，贵了 | 一共{p}元 | 打折后{p}，原价{q} | ￥{p}包邮 | {h}:{m}见 | 晚上{h}点{m}分的电影 |
{h}:{m}-{k}:{m}开会 | {y}年{o}月{d}日 | {o}月{d}号放假 | {y}-{o}-{d} | 今天{t}度 | 最高{t}℃最低{u}℃ | 考了{s}分 |
涨了{u}.{d}% | 比分{a}-{b} | {a}:{b}赢了 | iPhone {g} Pro Max | 小米{g} Ultra | RTX {r}跑得动吗 |
华为Mate{n}不错 | 骁龙8 Gen{a} | 坐{n}路公交 | 地铁{g}号线 | 第{n}章看完了 | {n}岁生日 | 身高1{n}cm体重{n}kg |
走了{w}步 | {n}个人报名 | 版本{a}.{b}.{g} | 第{a}集到第{g}集 | 还剩{n}天 | 跑了{g}.{d}公里 | {y}届的 | {y}年的酒 |
100000块 | 中了500万 | 房价涨到{w}一平 | {g}楼的自习室 | 教室在{s} | {n}页的作业 | A{a}纸打印{n}份 | 5G信号差 |
4K{n}寸电视 | 1080p的 | 分辨率1920x1080 | 内存16GB+512GB | 转账{p}收到了吗 | 抽到{s}号 | 排在第{s}位 | 今天周{c} |
三点一刻 | 二〇二四年 | 一二三走起 | 六六六 | 哈哈哈哈233333 | 666 | 520快乐 | 好的好的 | 在吗 | 吃饭了吗 |
明天去哪玩 | 笑死我了 | 这个老师讲得真好 | 小区门口见 | 超市几点关门 | 市区堵车 | 马路对面那家 | 知道了 |
味道不错 | 高三真累 | 我叫车了 | 叫外卖吧 | 密码忘了 | 验证码收不到 | 快递到了没 | 加微信聊 | QQ音乐挺好用 |
微信支付就行 | 电话打不通 | 邮箱满了 | 身份证带了吗 | 护照要办多久 | 发个链接 | 地址发我 | {p}*{a}={q} |
{a}+{b}等于几 | 圆周率3.1415926 | 比例16:9 | {g}/{d}打完 | {k}折 | 满{s}减{n} | 公元前{s}年 | 航班晚点{n}分钟 |
{h}点{m} | 等了{g}个小时 | {y}-{z}赛季 | 预算{w}-{v}元 | 12,{s},{r}元 | {w}人在线 | 粉丝破{w}了 | 播放量{v}次 |
@所有人 明天放假
"""
EN = """
it's ${p} | ${p}.99 plus tax | see you at {h}:{m} | {h}:{m}pm works | {o}/{d}/{y} | {y}-{o}-{d} {h}:{m} |
around {t} degrees | we won {a}-{b} | iPhone {g} Pro | a {n}% discount | {n} people came | chapter {g}, page {s} |
version {a}.{b}.{g} | ran {g}.{d} miles | back in {y} | {y}-{z} season | RTX {r} is sold out | Galaxy S{n} Ultra |
{w} steps today | room {s} | top {g} songs | {g}x faster | 4k at 60 fps | 1920x1080 | $1,{s},{s} budget |
{w} followers | that's 3.14159 | lol | brb | what's for dinner | I will be late | may I ask why |
this code is broken | forgot my password | call me later | check your email | the street was empty |
nice view from the hill | error 404 | born in the {n}s | gate {g}, seat 2{k}A | windows 11 vs ubuntu 22.04 |
flight is {n} minutes late | size {n} | {a} out of {g} | half past {h} | {k} to {h} | room for {a}? |
my order is late | track is closed | send the link | it is Monday | this is Great | i7-13700K or ryzen 7 7800X3D |
WH-1000XM5 headphones | 100000 points | about {v} dollars | quarter 3 of {y} | {a}/{b} stars
"""


def harmless_messages(seed: int, count: int, frames: str = "") -> Iterator[tuple[str, str]]:
    """Yield (language, text); every frame comes before one comes twice. Other frames than the usual ones are of any language."""
    draw = random.Random(seed)
    usual = [("zh", frame.strip()) for frame in ZH.split("|")] + [("en", frame.strip()) for frame in EN.split("|")]
    used = [("", frame.strip()) for frame in frames.split("|")] if frames else usual
    for number in range(count):
        language, frame = used[number % len(used)]
        yield language, frame.format_map(_values(draw))


def _values(draw: random.Random) -> dict[str, str]:
    price = draw.choice((f"{draw.randint(1, 9999)}", f"{draw.randint(1, 999)}.{draw.randint(0, 99):02}"))
    return {
        "p": price,
        "q": str(draw.randint(100, 9999)),
        "h": str(draw.randint(1, 23)),
        "m": f"{draw.randint(0, 59):02}",
        "k": str(draw.randint(1, 9)),
        "y": str(draw.randint(1990, 2026)),
        "z": str(draw.randint(10, 26)),
        "o": str(draw.randint(1, 12)),
        "d": str(draw.randint(1, 28)),
        "t": str(draw.randint(-9, 39)),
        "u": str(draw.randint(1, 20)),
        "s": str(draw.randint(100, 999)),
        "a": str(draw.randint(0, 9)),
        "b": str(draw.randint(0, 9)),
        "g": str(draw.randint(10, 17)),
        "n": str(draw.randint(20, 99)),
        "r": str(draw.choice((3060, 4070, 4090, 5080))),
        "w": str(draw.randint(1000, 99_999)),
        "v": str(draw.randint(100, 999) * 1000),
        "c": draw.choice("一二三四五六"),
    }

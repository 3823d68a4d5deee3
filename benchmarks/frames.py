"""The sentences around invented private things: {x} is where one stands. Apart by |; a kind marked `+` takes the open ones too."""

from __future__ import annotations

from dataclasses import dataclass

_ZH_OPEN = """
{x} | {x}，你记一下 | 我是{x}哈 | 刚刚发错了，应该是{x}才对 | 给你{x}吧 | 麻烦记下{x}谢谢 | 就{x}这个啊 |
嗯嗯{x} | 哈哈哈{x}😂 | 【{x}】 | （{x}）是这个吗 | 之前那个不用了现在改成{x}了 | 好的，{x}。收到请回复 |
他说{x}，我没记住 | 你看{x}\n对不对 | @所有人 {x} 大家存一下 | 1、{x} 2、没了 | 在吗？{x}！ | ok{x}ok |
“{x}”复制这个 | 晚上8点前发我{x}就行
"""
_EN_OPEN = """
{x} | here it is: {x} | it's {x}, write it down | use {x} from now on please | sorry, I meant {x}. | ({x}) |
{x} lol | ok so {x} and then we meet at 7pm | not sure if {x} still works? | got it\n{x}\nthanks | "{x}" |
hey! {x}!! | my bad {x}
"""
_ZH_NAMED = """
{x}你在吗 | 明天叫上{x}一起吃饭 | {x}说他不来了 | 我刚跟{x}打完电话 | @{x}\u2005 看一下群公告 | @{x} 收到请回复 |
谢谢{x}！ | {x}，生日快乐🎂 | 是不是{x}拿走了 | 今天{x}请客哈哈哈哈 | 你问{x}啊，我不知道 | 我和{x}在门口等你 |
（{x}已经到了） | {x}{x}快出来 | 找{x}要一下文件 | 那个谁 {x} 人呢 | 昨天碰到{x}了，还是老样子 | {x}的快递到了 |
让{x}别忘了带伞 | 给{x}留一份
"""
_EN_NAMED = """
hey {x}, you there? | is {x} coming tonight | {x}'s phone is off | I talked to {x} yesterday |
@{x}\u2005 please check | thanks {x}! | ask {x} about it | {x} said no lol | me and {x} are outside |
tell {x} to bring snacks | happy birthday {x} 🎂 | where's {x}? | ({x} is late again)
"""
_ZH = """
mobile+: 我手机{x}你 | 手机号{x}微信同号 | 打{x}找我 | 电话：{x} | tel{x}
landline+: 公司座机{x}分机找前台 | 客服电话是{x}哦 | 打{x}投诉
resident_id+: 身份证号{x} | 身份证{x}别弄丢了 | 买票用{x}，名字你知道
bank_card+: 卡号{x}建行的 | 转到{x}这张卡 | 打我{x}上
passport+: 护照号{x} | 护照是{x}，下个月到期
permit+: 通行证{x} | 回乡证号码{x}
plate+: 车牌{x}挪一下车 | 楼下{x}是谁的车 | 打车来的是{x}白色大众
email+: 邮箱{x} | 发我{x}谢谢 | 简历投{x}就行
url+: 看这个{x} | 链接{x}点开 | {x}这家店不错
ip+: 服务器{x}连不上 | ping {x}试试
gps+: 坐标{x} | 导航到{x}
wechat_id: 我微信号{x} | 加我微信：{x} | 微信{x} | v信{x} | 加微{x}备注来意 | vx:{x} | VX {x} |
    wx：{x}，加我 | 我的微信是{x}哦 | WeChat: {x}
qq: 我QQ{x} | qq号是{x} | 加我扣扣{x} | QQ：{x} | {x}是我QQ | 企鹅号 {x} | QQ群{x}欢迎 | 加q{x}
code: 验证码{x} | 【某某】您的验证码是{x}，5分钟内有效 | 取件码{x}帮我拿一下 | {x}是验证码别告诉别人 |
    wifi密码：{x} | 门禁密码是{x}# | 验证码 {x} | 密码{x} | 开门密码{x}，进来随便坐 |
    提货码：{x}，到店出示
order_number+: 快递单号{x} | 单号：{x} | {x}到哪了帮我查查 | 订单{x}还没发货
address+: 寄到{x} | 地址：{x} | 我家住{x} | 在{x}等你
number+: {x}这串数字啥意思 | 编码是{x}
"""
_EN = """
mobile+: call me at {x} | my cell is {x} text me | new number:{x}
bank_card+: card number {x} | put it on {x} please
resident_id+: my SSN is {x}
passport+: passport no. {x} | passport {x}
email+: email me at {x} | cc {x}, thanks
url+: look at {x} | {x} is down again
ip+: ssh into {x}
gps+: we're at {x}
code: your code is {x} | {x} is your verification code | the PIN is {x} | door code {x} | OTP: {x} |
    code {x}, don't share it | passcode: {x} | use code {x} at the gate
order_number+: tracking number {x} | order #{x} hasn't shipped | track {x} pls
address+: I live at {x} | ship it to {x} | meet at {x}?
number+: account {x} | id {x}
"""


def apart(block: str) -> tuple[str, ...]:
    """Return the sentences of a block."""
    return tuple(part.strip() for part in block.split("|"))


@dataclass(frozen=True, slots=True)
class Frames:
    """Sentences by language: around a thing of a kind, and around a member's name."""

    kinds: dict[str, dict[str, tuple[str, ...]]]
    named: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, zh_open: str, zh: str, zh_named: str, en_open: str, en: str, en_named: str) -> Frames:
        """Return the frames of six blocks."""
        kinds = {"zh": _by_kind(zh, apart(zh_open)), "en": _by_kind(en, apart(en_open))}
        return cls(kinds, {"zh": apart(zh_named), "en": apart(en_named)})


def _by_kind(block: str, everywhere: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found = {}
    for line in block.strip().replace("|\n", "|").split("\n"):
        kind, _, own = line.partition(": ")
        found[kind.rstrip("+")] = (*(everywhere if kind.endswith("+") else ()), *apart(own))
    return found


FRAMES = Frames.of(_ZH_OPEN, _ZH, _ZH_NAMED, _EN_OPEN, _EN, _EN_NAMED)

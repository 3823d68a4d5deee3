"""Sentences written after the rules, in the form of `frames.py`. Their first run is the fair figure; rules were mended since."""

from __future__ import annotations

from benchmarks.frames import Frames

_ZH_OPEN = """
{x}——就是这个 | 我备注一下{x}哈，怕忘 | 刚查到的：{x}；你核对下 | 那你直接填{x}呗 | 不是吧，{x}？？？ |
{x}/这个也行 | emmm{x}吧好像 | 哦对了，{x}，差点忘说 | 截图看不清，我打字：{x}。 | 是{x}还是别的来着 |
先记着{x}，回头再说 | 《{x}》 | 行{x}我存了 | ①{x} | 👉{x}👈 | 麻了 又输错了 {x} | {x}哈哈哈哈哈哈 |
老板说要{x}才给办 | 收：{x}～ | 回头把{x}删了啊别截图
"""
_EN_OPEN = """
{x}, right? | wait, I think it was {x} | k, {x} | just fill in {x} | *{x} | for the form: {x} |
lemme check... {x} | u sure {x} is correct | - {x} | {x} (don't share) | there u go {x} :) | as I said, {x}! |
n.b. {x}
"""
_ZH_NAMED = """
{x}呢？怎么不说话 | 刚才{x}又迟到了 | 不是我，是{x}干的 | 有没有人看见{x} | {x}昨晚喝多了 | 帮我转告{x}一声 |
全靠{x}撑着 | 笑死，{x}真的离谱 | 下周{x}搬家 | {x}：我不去 | 听说{x}要结婚了？ | 把{x}拉进群 | 回复{x}：好 |
还有{x}没交钱 | 我替{x}问的
"""
_EN_NAMED = """
omg {x} did it again | can {x} drive? | {x}: sure | did you see what {x} posted | it was {x}'s idea |
waiting for {x}... | cc {x} | {x}, wake up | pick up {x} at 6 | my bet is on {x} | no idea, maybe {x} knows
"""
_ZH = """
mobile+: 换号了，新号{x}，旧的作废 | 跑腿小哥{x} | 紧急联系人填{x}
landline+: 物业{x}没人接 | 打她办公室{x}试试
resident_id+: 办卡要填{x}吗 | 我爸的身份证：{x}
bank_card+: 工资卡{x} | 退款退到{x}好吗
passport+: 签证材料里写{x} | 机票用护照{x}订的
permit+: 过关用{x} | 港澳通行证是{x}吗
plate+: 开{x}的那位麻烦挪挪 | 停车场登记{x}
email+: 抄送{x} | 文件传{x}了
url+: 投票戳{x} | {x}上搜得到
ip+: 内网{x} | 远程{x}端口3389
gps+: 位置共享：{x} | 集合点{x}
wechat_id: 微信搜{x}就能找到我 | 我vx是{x} | 加微信号 {x} 拉你进群 | 他的微信号叫{x} | wx {x}
qq: Q号{x} | 我的qq还是{x}没换 | 加QQ群：{x} | 扣扣号是{x}
code: 短信验证码：{x}，请勿泄露 | 凭取件码{x}取货 | 家里WiFi密码就是{x} | 支付密码改成{x}了 |
    登录验证码{x}
order_number+: 顺丰{x} | 帮我拿快递，{x}
address+: 收货地址是{x} | 搬到{x}了 | 公司在{x}
number+: 编号：{x} | 会员{x}
"""
_EN = """
mobile+: ring {x} when you land | lost my phone, use {x}
bank_card+: charge {x} | visa {x}
resident_id+: social is {x}
passport+: my passport is {x}
email+: reach me via {x} | forward it to {x}
url+: sign up on {x} | read {x} first
ip+: the box is {x}
gps+: dropped pin {x}
code: {x} is your login code | the gate code's {x} | enter PIN {x} | wifi password is {x} |
    confirmation code: {x}
order_number+: ups says {x} | parcel {x} got lost
address+: my place is {x} | moved to {x}
number+: ref {x} | membership {x}
"""
HELD_OUT = Frames.of(_ZH_OPEN, _ZH, _ZH_NAMED, _EN_OPEN, _EN, _EN_NAMED)

HARMLESS = """
电影票{n}一张，套餐{p} | 跑了{g}公里用时{h}:{m} | 这游戏打到{w}分 | {y}年{o}月的合影 | 温度{t}到{u}之间 |
我排{s}号 | 第{a}名奖{v}块 | 电量{n}% | {h}点{m}分集合，{k}个人 | 体检说血压1{n}/8{a} | 视力{a}.{b} |
一斤{p}元太贵 | {g}寸蛋糕 | 两室一厅{n}平 | 他{n}岁了 | 期末{s}分及格 | 买{a}送{b} | 下了{w}步楼梯 |
周{c}下午{h}点 | 打车{n}块{a} | the score was {a} to {b} | {n} bucks each | {h}:{m} to {k}:{m} | about {w} words |
{o}/{d} works for me | version {a}.{b} | gained {n} lbs | {g} miles in {n} minutes | season {a} episode {g} |
{y} was rough | under ${p} | top {n} list | it's {t} outside | {s} pages left | bought {a} for ${n} |
at {h} sharp
"""

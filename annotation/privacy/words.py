"""Words that the name rules need: Chinese surnames, titles, and words too common to be sure that they are a name."""

from __future__ import annotations

_COMPOUND = """
欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 宇文 长孙 司徒 司空 夏侯 南宫 端木 申屠 独孤 呼延 轩辕 百里
东郭 澹台 淳于 太史 闻人 赫连 鲜于 钟离 西门 拓跋 濮阳 完颜 纳兰 第五
"""
_SURNAMES = """
王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪
戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚汤陶黎温莫易樊乔文安殷颜
庄章鲁倪庞邢俞翟蓝聂齐向申葛柴伍覃骆关焦柳欧祝纪尚毕耿芦左季管符辛苗詹曲靳祁路涂兰甘裴梅童翁霍游阮尤岳柯牟滕谷舒
卜成饶宁凌盛查单冉鲍华包屈房喻解蒲卫简时连车项闵邬吉党阳司费蒙席晏隋古强穆姬宫景米麦谈柏瞿艾沙鄢桂窦郁缪畅巩卓褚
栾戚全娄甄郎池丛边岑农苟迟保商臧佘卞虞刁冷应匡栗仇练楚揭师官佟封燕桑巫敖原植邝仲荆储宗楼干苑寇盖南屠鞠荣井乐银奚
明麻雍花闻冼木郜廉衣蔺和冀占公门帅利满肖闫付代邸逯仝晁
"""
_RARE_SURNAMES = """
漆玉来尉海锺闪晋楼银涂仝展占未鹿敏云昌凤酆皮元平湛禹狄贝计伏茅危支昝经裘宣贲杭诸钮嵇滑荀羊於惠芮羿汲邴糜松富乌巴弓牧隗宓蓬郗班仰秋伊暴钭厉戎祖束幸
韶蓟薄印宿怀邰从鄂索咸籍阴胥苍莘贡劳逄扶堵宰郦郤璩濮寿扈郏浦充慕茹习宦鱼容慎戈庾终暨居衡步都弘广禄阙东殳沃蔚越夔
隆厍勾融訾阚那毋乜养须丰巢蒯相后竺权益桓
"""
_COMMON_SURNAMES = """
王李张刘陈杨黄赵周吴徐孙朱胡郭林梁郑罗宋谢唐韩曹邓萧冯曾程蔡彭潘袁董苏叶吕魏蒋杜丁沈姜傅卢汪戴崔廖姚邱谭韦贾邹熊
孟秦阎薛侯邵顾赖贺尹龚陶黎樊殷颜倪庞邢俞翟聂葛覃骆祁裴翁霍滕鲍肖闫欧柯
"""
_TITLES = """
老师 总 经理 医生 先生 女士 小姐 阿姨 叔叔 叔 姨 师傅 哥 姐 工 主任 教授 同学 局 处 科 部长 院长 校长 主管 老板
律师 大夫 警官 导 队 姐姐 哥哥 师兄 师姐 学长 学姐 妈妈 爸爸 妈 爸 奶奶 爷爷 董 博士 护士 书记 会计 姑娘 弟 妹
兄 嫂
"""
_COMMON_HAN = """
好的 开心 快乐 妈妈 爸爸 老师 晚安 早安 今天 明天 昨天 没事 可以 你好 老公 老婆 宝宝 宝贝 哈哈 嘿嘿 呵呵 嘻嘻
高兴 马上 平安 建国 国庆 中秋 向前 天天 时候 高中 大学 学校 成功 努力 自由 幸福 阳光 太阳 月亮 星星 天空 大海
春天 夏天 秋天 冬天 清风 白云 下雨 下雪 石头 木头 小狗 小猫 猫咪 苹果 西瓜 土豆 番茄 米饭 奶茶 咖啡 牛奶 方便
方法 方向 安全 安静 万一 成长 成就 文化 文明 文字 时间 时光 华为 小米 金额 金色 白色 白天 关系 关于 关心 任何
任务 何时 何必 常常 经常 许多 于是 易经 应该 全部 全家 包括 包子 简单 解决 解释 单位 连接 项目 路上 路口 温暖
温度 强大 古代 明白 明年 明显 乐观 荣幸 花钱 花生 和平 公司 公园 门口 利益 满意 代表 代码 付款 家人 朋友 同事
客服 管理 管理员 助手 助理 小助手 群主 老板 同学 领导 医生 先生 女士 小姐 姐姐 哥哥 弟弟 妹妹 爷爷 奶奶 叔叔
阿姨 我 你 他 她 无 空 一 大 小 人 匿名 用户 游客 系统 通知 小红 小白 小黑 小心 小时 小学 小说 小区 小吃 小孩
小伙 小鸟 老家 老大 老二 老是 老人 大家 大哥 大姐 大叔 大妈 大师 大神 大佬 晴天 雨天 静静 微笑 随缘 知足 健康
吉祥 如意 加油 远方 未来 梦想 江湖 江山 美丽 可爱 一切 往事 人生 生活 爱 心 风 云 海 水 火 山 天 月 星 雨 雪 梦
福 乐 安
"""
_COMMON_LATIN = """
ace admin ai angel april autumn baby bill bird bo bush carpenter charity chase cherry chip christian crystal
daisy dawn de december english eve faith february flowers ford fox french friday glass grace grant graves
harmony heaven hero ho honey hood hope horn hu iris ivy jade january jersey joy july june knight la lake lamb le
li lily lo lu ma major mark marks mars marsh mayor mays melody mercy mi mills mo monday moody moon moss noble
november october olive ou patience pearl penny po pope poppy powers prince qi ray rocky rose rosy ru ruby rusty
sa sage saturday se september sharp si sparks spring star su summer sunday sunny thursday tree tu tuesday violet
ward waters watts wednesday wei wilder winter wu xi xu ya yi yu za
"""
_FREQUENT = """
a about all am amazing an and any are art as at august awesome be bear best black blue boss boy brown but by can
case cash cat chance change church city close cloud cook cool crazy cross dad dark day dear do dog dream fan
field fields fine fire fish fly for friend game garden girl go god gold good gray great green grey guy hall
happy hard has have he head heart her hi hill his holiday home hot house how hunt i ice if important in is it
job just key king land lane law lead less let light like little live long lord love low lucky make man march may
me mom more my new nice night no north not of oh ok old on one or page park peace phone pink please price queen
rain red rest rice rich right river rivers road rock run sad said school see she short sky small smart snow so
soft some song south still stone storm street strong sun sweet test than that the them then there they this
tiger time to true two up us user very walk wall war was water way we web week weeks well wells west what when
where white who why wild will win wind winner wise wish with wolf wood woods work world would wrong yes you
young your
"""

COMPOUND_SURNAMES = frozenset(_COMPOUND.split())
SURNAMES = frozenset("".join(_SURNAMES.split()))
ALL_SURNAMES = SURNAMES | frozenset("".join(_RARE_SURNAMES.split()))
"""With those that are other words more often; for names that are known to be names."""
COMMON_SURNAMES = frozenset("".join(_COMMON_SURNAMES.split()))
"""Those that are seldom another word, for hints without a member list."""
TITLES = tuple(_TITLES.split())
LONG_TITLES = (
    "老师",
    "先生",
    "女士",
    "经理",
    "医生",
    "师傅",
    "阿姨",
    "叔叔",
    "主任",
    "教授",
    "律师",
    "大夫",
    "警官",
    "老板",
    "同学",
    "院长",
    "校长",
    "主管",
    "博士",
)
KIN = ("妈妈", "爸爸", "奶奶", "爷爷", "外婆", "外公", "姥姥", "姥爷", "家长", "老师", "妈", "爸")
FREQUENT_WORDS = frozenset(_FREQUENT.split())
"""Words of every other sentence (will, may, long): a name only with a capital letter."""
COMMON_WORDS = FREQUENT_WORDS | frozenset(_COMMON_HAN.split()) | frozenset(_COMMON_LATIN.split())
"""A nickname or a part of a name that is one of these is masked for a person to look at."""
EVERYBODY = frozenset({"所有人", "全体成员", "全体", "大家", "all", "everyone", "here", "channel"})
"""What an @-mention of no one in particular says."""

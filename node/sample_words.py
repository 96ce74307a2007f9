"""Words and weights from which `node.sample` makes up people and places. Pure tables.

All of it is invented or common knowledge; nothing comes from a register.
"""

FILLED = 0.5
"""How often a field that need not be filled is filled."""

# How often an item is applied for, by the first word that its name holds.
ITEM_WEIGHTS = (
    ("优待证", 60),
    ("高龄津贴", 30),
    ("社保卡", 30),
    ("生育登记", 20),
    ("最低生活保障", 10),
    ("", 15),
)

# How often each surname of a row is borne.
SURNAMES = (
    (70, "王 李 张 刘 陈"),
    (20, "杨 黄 赵 吴 周 徐 孙 马 朱 胡"),
    (10, "郭 何 高 林 罗 郑 梁 谢 宋 唐 许 韩 冯 邓 曹 彭 曾 肖 田 董"),
    (5, "袁 潘 于 蒋 蔡 余 杜 叶 程 苏 魏 吕 丁 任 沈 姚 卢 姜 崔 钟 谭 陆"),
    (3, "汪 范 金 石 廖 贾 夏 韦 付 方 白 邹 孟 熊 秦 邱 江 尹 薛 闫 段 雷"),
    (2, "侯 龙 史 陶 黎 贺 顾 毛 郝 龚 邵 万 钱 严 覃 武 戴 莫 孔 向 汤 单"),
    (2, "欧阳 司徒 上官 诸葛 皇甫 司马 令狐 尉迟"),
    (1, "仝 佘 乜 逄 亓 昝 訾 缑 邴 解 查 盖 䶮"),
)

# Born before which year: of which characters names of men and of women are made.
GIVEN_NAMES = (
    (
        1965,
        {
            "male": "国建德志永福文明金水根生富贵春荣华祥",
            "female": "秀英桂兰玉珍凤芳梅莲香菊花翠素云美娥",
        },
    ),
    (
        1995,
        {
            "male": "伟强军勇斌杰涛超刚平辉鹏飞磊波林峰健",
            "female": "丽敏静燕艳霞娟玲红芳萍娜婷洁倩雪琴慧",
        },
    ),
    (
        9999,
        {
            "male": "浩宇轩子睿博宸泽俊辰逸航铭哲皓天佑恒",
            "female": "梓欣怡诗涵雨萱思琪佳悦可馨语桐若曦诺",
        },
    ),
)
SINGLE = 0.15
"""How often a given name has one character only."""
RARE_CHARACTERS = "𠮷䶮喆堃犇淼焱垚懋颢昇玥彧祎翀𬭎"
RARE = 0.04
"""How often one character of a given name is a rare one."""

# Of a thousand people, how many.
ETHNICITIES = (
    (912, "汉族"),
    (13, "壮族"),
    (12, "维吾尔族"),
    (9, "回族"),
    (9, "苗族"),
    (9, "满族"),
    (9, "彝族"),
    (8, "土家族"),
    (8, "藏族"),
    (6, "蒙古族"),
    (5, "畲族"),
)
OWN_SURNAMES = {"回族": "马 哈 沙 丁 白 穆 纳 海 撒 金", "畲族": "蓝 雷 钟"}
# One word of each text is drawn; behind a Uyghur name stands the father's.
OWN_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "维吾尔族": {
        "male": ("买买提 吐尔逊 艾合买提 阿不都热合曼 玉素甫 卡德尔 依明 库尔班",),
        "female": ("阿依古丽 帕提古丽 热孜万古丽 古丽娜尔 阿米娜 迪丽努尔",),
    },
    "藏族": {
        "male": ("扎西 次仁 格桑 洛桑 旦增 达瓦", "顿珠 多吉 平措 罗布 旺堆 扎巴"),
        "female": ("扎西 次仁 格桑 尼玛 索朗 达瓦", "卓玛 央金 拉姆 曲珍 德吉 白玛"),
    },
    "蒙古族": {
        "male": ("巴特尔 朝鲁 哈斯额尔敦 苏和 那顺 布和 满都拉 特木尔",),
        "female": ("乌云其木格 娜仁花 萨仁 其其格 斯琴高娃 托娅 阿茹娜",),
    },
}

# By subject, key or label: sexes, usual ages.
APPLICANTS = (
    ("老年", 60, 95),
    ("高龄", 80, 99),
)
PEOPLE: tuple[tuple[str, tuple[str, ...], int, int], ...] = (
    ("wife|mother|bride|女方|妻|母", ("female",), 20, 45),
    ("husband|father|groom|男方|丈夫|父", ("male",), 22, 48),
    ("child|baby|孩子|子女|新生儿|婴", ("male", "female"), 0, 6),
    ("", ("male", "female"), 18, 95),
)

# By key or label: what is usual.
NUMBERS = (
    ("weeks|孕周", 37, 41),
    ("weight_g|体重（克）", 2_500, 4_200),
    ("length_cm|身长（厘米）", 46, 54),
    ("vehicle|机动车|车辆", 0, 1),
    ("worker|劳动能力|劳动力", 0, 3),
    ("size|人口|人数|成员", 1, 6),
    ("income|收入", 0, 6_000),
    ("amount|fee|price|capital|金额|资金|费用|元[)）]", 100, 50_000),
    ("area|面积", 40, 180),
    ("", 0, 30),
)
FUTURE = "expect|until|expir|deadline|预产|截止|到期|期限|预计"

MOBILES = (
    "134 135 136 137 138 139 150 151 152 157 158 159 178 182 183 187 188 "
    "130 131 132 155 156 176 185 186 133 153 177 180 181 189 191 199"
)
# By province: three digits of its area codes 区号; the fourth is of the prefecture.
AREA_CODES = (
    "11:010 12:022 13:031 14:035 15:047 21:041 22:043 23:045 31:021 32:051 33:057 "
    "34:055 35:059 36:079 37:053 41:037 42:071 43:073 44:075 45:077 46:089 50:023 "
    "51:083 52:085 53:087 54:089 61:091 62:093 63:097 64:095 65:099"
)
LANDLINE = 0.12

PLACE_FIRST = "上下大小东西南前后石竹清龙凤白金双新长青"
PLACE_LAST = "塘溪坑山桥坪岭湾洋峰源泉田林井坞畈港家垅"
SAME_HOME = 0.7
"""How often a further address is the one before."""
BANKS = "农商银行 农业银行 邮政储蓄银行 信用社 建设银行 工商银行"
SHOP_WORDS = "兴旺 顺发 永盛 万家 惠民 鑫源 四季 老街 福满 春晖"
SHOPS = "百货店 小吃店 五金店 理发店 粮油店 水果店 农家乐 茶叶店"

# By answer to the choice "hardship": whose it is, what it is.
HARDSHIPS = {
    "illness": (
        "本人 父亲 母亲 儿子",
        "患尿毒症，每周透析 患肺癌，正在化疗 中风后卧床 患肝硬化，长期服药",
    ),
    "disability": ("本人 父亲 儿子 女儿", "肢体二级残疾 视力一级残疾 听力二级残疾"),
    "old_age": ("本人 父母", "年老多病，不能下地 年过七旬，无人赡养"),
    "no_labour": ("家中", "没有劳动力 只有老人和孩子"),
    "unemployment": ("本人 儿子", "失业在家 打零工，收入不稳定"),
    "schooling": ("儿子 女儿", "在外地上大学 读职业高中，住校"),
    "disaster": ("家中 本人", "遭了洪水 遭了火灾 遇上车祸"),
}
EFFECTS = "花费很大，欠下外债 家里没有别的收入 靠亲戚接济 积蓄已经用完"
REMARK_TIMES = "白天 晚上 上午 下午 周末 农忙时 平时"
REMARKS = "在家，可以上门 请打电话给儿子 请打电话给邻居 不在村里，请先联系 由代办员代收"
PLAIN_ANSWERS = "情况属实 与所交材料一致 按证件所载 见所附材料"

//! The lexicon: our own, for complaints. English words begin where a word begins;
//! a star marks a stem.

/// Words of anger by weight.
pub(super) const ANGER: &[(f32, &str)] = &[
    (
        4.0,
        "furious, outraged, outrageous, livid, disgusting, disgusted, disgrace*, despicable, \
    infuriat*, enraged, appalling, appalled, criminals, crooks, thieves, bastards, scumbags, \
    how dare, fed up to the back teeth, sick of your lies, go to hell, bullshit, fucking, scum, \
    愤怒, 愤慨, 气死, 气炸, 恶心, 无耻, 不要脸, 滚蛋, 王八蛋, 混蛋, 畜生, 人渣, 丧尽天良, \
    天理难容, 忍无可忍, 欺人太甚, 岂有此理, 怒不可遏, 令人发指, 黑心, 流氓, 强盗, 坑爹, 狗屁, \
    他妈, 妈的, 去死, 骗子公司, 民愤, 无法无天, 败类, 吐血",
    ),
    (
        3.0,
        "angry, anger, unacceptable, ridiculous, horrible, horrendous, terrible, horrific, atrocious, \
    awful, worst, scam*, swindl*, fraudulent*, ripped off, rip off, ripoff, lied, liars, lies, \
    lying, cheated, shameful, shame on, insult*, insane, nightmare, pathetic, garbage, joke, \
    incompetent, incompetence, predatory, extort*, harass*, bully*, threatened me, \
    sick and tired, fed up, dishonest, deceptive, hate, crap, useless, steal*, \
    stole, worthless, abus*, unethical, mortified, inexcusable, cruel, 气愤, 生气, 火大, 恼火, \
    可恶, 可恨, 过分, 欺骗, 骗人, 骗子, 诈骗, 骗钱, 上当, 坑人, 坑钱, 被坑, 太坑, 垃圾, 极差, \
    奇差, 巨差, 烂货, 太烂, 烂透, 很烂, 破烂, 最差, 差评, 恶劣, 缺德, 无良, 奸商, 霸道, 蛮横, \
    敷衍, 欺负, 欺诈, 忽悠, 耍赖, 无赖, 强烈不满, 强烈谴责, 天理, 没有王法, 还有没有王法, \
    民不聊生, 苦不堪言, 草菅人命, 官官相护, 假货, 冒牌, 讨厌, 受不了, 崩溃, 傻逼, 脑残, 神经病, \
    王法, 良心, 呵呵, 永不, 千万别, 千万不要, 别买, 不要买, 劝大家, 后悔, 一塌糊涂, 差劲, \
    臭, 发霉, 霉, 烂, 蟑螂, 死虫, 虫子, 无语, 晕死, 郁闷",
    ),
    (
        2.0,
        "upset, frustrat*, annoy*, disappoint*, irritat*, dissatisf*, unhappy, poor, bad, rude, \
    unfair*, refus*, ignored, ignoring, unprofessional, unreasonable, misled, misleading, \
    mislead, wrongful*, illegal*, unauthorized, ludicrous, absurd, hassle, mess, runaround, \
    run around, stress*, suffer*, tired of, complaining, violat*, cheat*, negligen*, \
    disrespect*, hung up on, waste of, wasted, broken, defective, false*, unwilling, unjust*, \
    careless, sloppy, lousy, victim*, overcharg*, gouging, monopoly, trapped, demand, 不满, 失望, \
    糟糕, 糟, 差, 坏, 破, 举报, 推诿, 推卸, 扯皮, 踢皮球, 不理, 不管, 不负责, 态度差, \
    不作为, 乱收费, 违规, 违法, 非法, 强制, 强迫, 侵犯, 侵害, 损害, 扰民, 严重, 烦, 难吃, 难喝, \
    难闻, 难看, 难用, 难受, 刺鼻, 粗糙, 劣质, 瑕疵, 假的, 假冒, 仿冒, 掉色, 褪色, 起球, 死机, \
    黑屏, 卡死, 太卡, 漏水, 漏液, 故障, 退货, 退款, 吵, 脏, 坑, 亏, 骗, 损坏, 破损, 变质, 过期, \
    拉肚子, 不新鲜, 不值, 浪费, 白花, 不敢恭维, 名不副实, 货不对板, 不符, 不一样, 没用, 无用, \
    没效果, 没有效果, 不好用, 不靠谱, 太次, 次品, 残次, 二手, 旧的, 少发, 漏发, 发错, 错误, 失败, \
    缺点, 问题, 麻烦, 可怜, 可笑, 荒唐, 遗憾, 倒霉, 吃亏, 噪音, 污染, 拖欠, 拖延, 迟迟, 不公, \
    不合理, 不解决, 得不到, 没人管, 无人管, 恳请, 刺激, 掉头发, 头屑, 头皮屑, 发痒, 痒",
    ),
];

/// Signs that something is amiss, without anger.
pub(super) const DOUBT: &str = "problem*, 投诉, issue*, wrong, error*, mistake*, delay*, late, failed, fail, fails, confus*, \
    incorrect*, unable, never, still waiting, no response, no reply, concern*, inaccurate*, \
    unresolved, 太小, 太大, 太薄, 太硬, 太贵, 太酸, 偏小, 小了, 太慢, 很慢, 才, 居然, 竟然, 竟, \
    根本, 为什么, 为何, 怎么, 一般, 凑合, 将就, 还是, 但是, 可是, 就是, 希望, 难道, 到底, 究竟, \
    慢, 贵, 没有, 不如, 退, 换, 薄, 异味, 味道大, 只有, 结果";

/// Words of praise; turned round they are anger.
pub(super) const PRAISE: &str = "great, good, excellent, happy, pleased, satisf*, thank*, appreciat*, love, wonderful, \
    helpful, friendly, perfect, professional, recommend, fair, acceptable, polite, best, nice, \
    glad, 好, 满意, 喜欢, 不错, 赞, 棒, 感谢, 谢谢, 推荐, 舒服, 舒适, 方便, 干净, 整洁, 热情, \
    周到, 新鲜, 好吃, 好喝, 好用, 好看, 漂亮, 实惠, 便宜, 划算, 超值, 正品, 流畅, 清晰, 快, 给力, \
    完美, 优秀, 精彩, 值得, 支持, 信赖, 放心, 惊喜, 开心, 愉快, 甜, 脆, 可口, 香, 柔顺, 合适, \
    合身, 靠谱, 物美价廉, 物有所值, 贴心, 温馨, 安静, 感动, 受益, 实用, 耐用, 高兴, 强大, 经典, \
    爱";

/// Words that turn round what follows.
pub(super) const NEGATION: &str = "not, no, never been, isnt, wasnt, arent, werent, dont, doesnt, didnt, cant, cannot, wont, \
    wouldnt, without, hardly, nothing, far from, aint, nor, neither, less than, anything but, \
    couldnt, 不, 没, 没有什么, 无, 未, 别, 毫无, 并非, 不是, 不算, 不太, 不怎么, 不够, 谈不上, \
    不是很, 不会, 不能, 缺乏, 不再, 没什么";

/// Words that sharpen what follows.
pub(super) const SHARPENING: &[(f32, &str)] = &[
    (
        1.25,
        "very, really, so, truly, quite, highly, deeply, totally, completely, beyond, too, 很, 真, \
    好生, 真的, 真是, 实在, 特别, 十分, 非常, 挺, 相当, 更, 越来越, 确实, 超, 超级, 老是",
    ),
    (
        1.5,
        "extremely, absolutely, utterly, incredibly, most, insanely, the most, 太, 极其, 极度, 极为, \
    极, 最, 简直, 万分, 无比, 严重地, 巨, 十足, 彻底, 完全",
    ),
];

/// Words that soften what follows.
pub(super) const SOFTENING: &[(f32, &str)] = &[(
    0.5,
    "slightly, a bit, a little, somewhat, minor, rather, kind of, sort of, 有点, 有点儿, 有些, \
    稍微, 稍, 略, 略微, 一点点, 轻微",
)];

/// Longer words that hold a word of the lists and do not mean it.
pub(super) const CALMED: &str = "再不, good faith, best buy, good standing, goods and services, thank you for nothing, no problem, \
    no problems, no issue, no issues, fair credit, satisfied the, no longer, nice try, \
    差不多, 差别, 差异, 出差, 没问题, 没有问题, 没的说, 没得说, 没话说, \
    没说的, 没事, 不仅, 不但, 不过, 不管怎, 不少, 不断, 不知, 不同, 不论, 不愧, 不得不, 无论, \
    无线, 无锡, 无糖, 未来, 没想到, 别人, 别墅, 级别, 性别, 区别, 告别, 好几, 好多, 好久, 好评, \
    好像, 好不容易, 只好, 最好, 正好, 刚好, 幸好, 还好, 好歹, 爱好, 快递, 快件, 尽快, 快捷酒店, \
    赶快, 快要, 破冰, 坏处, 换季, 刚才, 人才, 天才, 才能, 才华, 口香糖, 香港, 香蕉, 香波, 贵宾, \
    贵州, 可爱, 爱人, 恋爱, 不亏, 不坏, 不贵, 不差, 真好, 不会后悔, 不麻烦, 希望大家, 问题不大, \
    爱国, 烂漫, 灿烂, 不脏, 不吵, 不臭, 不烂, 不糟, 臭豆腐, 烦恼, 脏衣服, 交换, 太极, 极速, 积极, \
    南极, 终极, 不止, 霉运";

/// They turn to a regulator, an ombudsman or an association.
pub(super) const REGULATOR: &str = "regulator*, ombudsman, cfpb, consumer financial protection, fcc, ftc, \
    federal trade commission, attorney general, better business bureau, bbb, trading standards, \
    financial conduct authority, state banking department, consumer protection agency, \
    consumer affairs, the authorities, report you to, 12315, 12345, 12378, 12300, 12321, 消协, \
    消费者协会, 消费者保护协会, 工商局, 工商部门, 市场监管, 市场监督, 监管局, 监管部门, 银监会, \
    银保监, 保监会, 证监会, 金融监管, 工信部, 质监局, 质检局, 物价局, 药监局, 食药监, 信访, 上访, \
    纪委, 上级部门, 向上级反映, 主管部门, 国家局, 总局, 人民银行投诉, 环保局投诉, 劳动监察, \
    劳动仲裁, 去工商, 黑猫投诉";

/// They turn to the media or the public.
pub(super) const MEDIA: &str = "journalist*, reporter*, newspaper*, the media, social media, the press, tv station, the news, \
    go public, going public, post this everywhere, tell everyone, news channel, go viral, \
    on twitter, on facebook, 媒体, 记者, 曝光, 电视台, 新闻, 报社, 发微博, 微博上, 上热搜, 热搜, \
    抖音上, 发抖音, 发朋友圈, 小红书, 网上公布, 公之于众, 焦点访谈, 晚会曝, 发帖, 公布于众, \
    发到网上";

/// They go to court, or to a lawyer.
pub(super) const COURT: &str = "lawsuit*, sue, suing, my lawyer, a lawyer, lawyers, my attorney, an attorney, \
    take you to court, in court, to court, legal action, small claims, class action, \
    my solicitor, litigat*, press charges, legal counsel, 起诉, 法院, 打官司, 律师, 法庭, 上诉, \
    诉讼, 法律途径, 法律手段, 法律武器, 走法律, 追究法律, 追究刑事, 法律责任, 报警, 报案, \
    公安机关, 仲裁";

/// They leave for somebody else.
pub(super) const LEAVING: &str = "cancel my account, close my account, closed my account, closing my account, \
    cancel my subscription, cancel my service, take my business elsewhere, \
    taking my business elsewhere, never do business, never use, never buy, never shop, \
    never again, switch to another, switching to, switch provider*, leaving you, lost a customer, \
    lose a customer, never deal with, never return, move my business, go elsewhere, 再也不买, \
    再也不来, 再也不会, 再也不, 再不会, 不会再来, 不会再买, 不会再, 不会来了, 下次不, 以后不, \
    以后再也, 永远不会, 注销, 销户, 换一家, 转投, 转网, 携号转网, 不再购买, 不再光顾, 不再使用, \
    绝对不会再, 绝不再, 不会有下次, 没有下次, 最后一次, 拉黑, 弃用, 退会";

"""What can be wrong with what, in Chinese: the words that `tui.messages` puts into
sentences. Pure: tables only.
"""

THINGS: dict[str, str] = {
    "item": "事项",
    "draft": "草稿",
    "case": "办件",
    "file": "文件",
    "node": "站点",
    "node above": "上级站点",
    "place": "办理地",
    "folder": "文件夹",
    "material": "材料",
    "batch": "批次",
}

PEER_WORDS: dict[str, str] = {
    "nothing listens there": "对方没有开机，或没有启动服务",
    "no answer in time": "等不到回答",
    "the name is not known": "地址找不到",
    "no network": "没有网络",
    "the connection was cut": "连接断了",
    "no TLS connection": "加密连接没有建立起来",
    "no address of it is known": "本机不知道它的地址",
    "another machine answers": "那个地址上答话的是另一台机器",
    "another node has answered": "答话的是另一个站点",
    "is not enrolled": "对方不在名册里，或已被停用",
    "signature does not": "签名不符",
    "cannot be opened with our key": "用本机的密钥打不开",
    "the code is not known": "这个邀请码对方没有发过",
    "tried too often": "这个邀请码试错太多次，已经作废",
    "the code is too old": "这个邀请码过期了",
    "the code has been used": "这个邀请码已经用过",
    "the proof does not hold": "邀请码不对",
    "a fork": "同一站点写出了两份不同的历史",
    "the code is for another place": "这个邀请码不是给本站点开的",
    "its holder has been revoked": "本站点已被停用，要由区里开邀请码",
    "has been revoked": "那个站点已被停用",
    "cannot do it just now": "对方现在办不了",
}
"""Parts of what `sync` says, and what that means for a clerk."""

STICK_TROUBLES: dict[str, str] = {
    "missing": "没有 {} 这个文件夹。没有改动；请插好 U 盘，或核对路径。",
    "full": "U 盘满了，没有写完；写了一半的已经删掉。本机的数据都在；"
    "请清出空间，或换一个 U 盘再做一次。",
    "read-only": "U 盘是只读的，写不进去。本机的数据都在；"
    "请拨开写保护，或换一个 U 盘。",
    "forbidden": "没有权限用 {}。本机的数据都在；请换一个文件夹，或请管理员来看。",
    "gone": "U 盘读写到一半断开了。已经收下的都在，没写完的不算数；"
    "请插好 U 盘再做一次，会接着来。",
    "faulty": "写到 U 盘上的，读回来不一样：这个 U 盘可能坏了。没有算数，"
    "本机的数据都在；请换一个 U 盘。",
    "other": "U 盘用不了。本机的数据都在；请换一个 U 盘再试。",
}
"""What the system says of a stick, as a sentence."""

FILES: dict[str, str] = {
    "too-large": "太大，最多 {limit}。请压缩或分成几个再附。",
    "empty": "是空的。请换一个文件。",
    "no-file": "不是文件。请核对路径。",
    "no-picture": "名字是照片，内容却不是。请重新拍照或另存后再附。",
    "picture-damaged": "照片不完整或已损坏。请重新拍照或另存后再附。",
    "picture-too-large": "照片的像素太多，最多 {limit}像素。请缩小后再附。",
    "changed": "正在被别的程序改动。请等它存好后再附。",
}
"""Keys of `node.errors.FILE_FAULTS`."""

RECEIPTS: dict[str, str] = {
    "unreadable": "这里没有一个完整的核验码。可能漏抄了几位，请从 LB1 开始抄全",
    "pdf": "PDF 里的码本机读不了。请用扫码枪扫纸上的码，或照着码抄",
    "unknown": "签章的站点不在本机的名册里。可能是假的，也可能本机很久没同步，"
    "请同步后再验，或打电话问区里",
    "signature": "签章不符：可能抄错了一位，也可能被改过。请再抄一次；还不符就不要认",
    "changed": "纸上的内容与签章时的不同，被改过。不要认，请打电话问签发的单位",
    "revoked": "签章的站点已被停用，本机也没有这件可以印证。请打电话问区里",
    "kind": "这种文书本程序不认识。可能是更新的程序开的，请升级后再验",
    "item": "本机没有这个事项，说不出谁有权办。请同步后再验",
    "tier": "签章的站点无权出这种文书。不要认，请打电话问区里",
    "elsewhere": "签章的站点不管这个地方。不要认，请打电话问区里",
}
"""Keys of `node.errors.RECEIPT_FAULTS`."""

HISTORIES: dict[str, str] = {
    "unreadable": "读不出来，不是导出时的样子",
    "too-large": "太大，不会是一件的经过",
    "format": "是更新的程序导出的，请升级后再验",
    "district": "是别的区的，不是用本区的根密钥签的",
    "certificate": "这份证书不是本区发的",
    "author": "没有作者的证书，说不出是谁写的",
    "chain": "前后接不上，这里或前面被改过",
    "payload": "内容与签的时候不同，或不是这一件的",
    "left-out": "内容被拿掉了",
    "signature": "作者的签名不符",
    "revoked": "是作者被停用以后写的，不算数",
    "before": "它前面的一条不在了",
    "lacking": "条数不够，有的被拿掉了",
    "maker": "没有导出人的证书",
    "seal": "导出人对整份的签名不符，有的地方被改过",
}
"""Keys of `node.errors.HISTORY_FAULTS`."""

INVITES: dict[str, str] = {
    "not-below-us": "这个地方不归本站点管，不能由本站点邀请",
    "unreadable": "邀请码读不出来，可能抄漏或抄错了",
    "another-district": "这个邀请码是别的区的",
    "not-known": "上级还不知道本站点现在是第几期，请它先与区里同步",
    "not-proven": "对方证明不了自己发过这个邀请码，可能地址不对",
}

NEIGHBOURS: dict[str, str] = {
    "self": "这就是本站点自己",
    "revoked": "这个站点已经停用",
    "above": "这是上级站点，不能移除；地址变了，用 node peer add 改成新的",
    "not-visited": "本来就没有同它直接同步",
}

DIVISIONS: dict[str, str] = {
    "district": "区的是前 6 位加 6 个 0，如 330881000000",
    "town": "镇的是前 9 位加 3 个 0（第 7-9 位是镇自己的，不是 000），如 330881105000",
    "village": "村的 12 位都是自己的（末 3 位不是 000），如 330881105201",
}
"""How a division is written at each tier."""

CALENDAR_FAULTS: dict[str, str] = {
    "missing": "读不到：没有这个文件，或没有权限",
    "unreadable": "文件读不出来：不是文本，或者太大",
    "empty": "文件里一天也没有",
    "too-many": "行数太多，一张放假表不会有这么多天",
    "columns": "要有两列或三列：日期、休或班、名称",
    "date": "日期写得不对，要像 2026-02-14",
    "kind": "第二列只能写“休”或“班”",
    "name": "名称太长（最多 20 字），或有看不见的字符",
    "twice": "这一天前面已经写过",
    "working": "这一天是周一到周五，本来就上班，不用写“班”",
    "fixed": "是法定假日，却没有列为“休”；请核对这一年是否写全",
}
"""Keys of `node.errors.CALENDAR_FAULTS`."""

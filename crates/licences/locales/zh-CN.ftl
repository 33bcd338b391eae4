# 电子证照：卡包、出示、核验、管理。

# 卡包
licences-wallet = 我的证照
licences-wallet-lead = 政府颁发给您的电子证照，与纸质证照具有同等效力，可随时出示、下载、核验。
licences-wallet-empty = 还没有电子证照
licences-wallet-empty-text = 申请办结后，颁发的证照会自动出现在这里。
licences-wallet-find = 看看能办什么
licences-past = 已失效的证照
licences-home = 首页

# 一份证照
licences-contents = 证照内容
licences-own-hint = 仅您本人可见，不会出现在出示、下载的文件和二维码中
licences-identifier = 证照标识
licences-issuer = 颁发机构
licences-issued = 签发时间
licences-term = 有效期
licences-term-fixed = { $from } 至 { $to }
licences-term-open = { $from } 起，长期有效
licences-version = 版本
licences-version-number = 第 { $number } 版
licences-status = 状态
licences-from-case = 来自办件
licences-case-no = 办件编号
licences-document = 证件
licences-present = 出示证照
licences-pdf = 下载 PDF
licences-file = 下载核验文件
licences-file-hint = 核验文件带两套数字签名，无需联网即可核验真伪。
licences-make-copy = 制作加注件
licences-not-in-force = 这份证照目前不能出示或制作加注件。
licences-history = 证照记录
licences-event-issued = 颁发
licences-event-amended = 变更
licences-event-suspended = 暂停
licences-event-restored = 恢复
licences-event-revoked = 吊销
licences-event-expired = 到期
licences-grounds = { $reason }（依据：{ $basis }）
licences-by-anonymous = 未登录的访问者
licences-by-citizen = 个人用户
licences-by-officer = 工作人员
licences-by-auditor = 审计员
licences-by-administrator = 平台管理员
licences-by-system = 接入系统
licences-by-node = 平台自动处理

# 出示
licences-present-title = 在什么场合出示？
licences-present-lead = 对方只会看到该场合必需的内容。出示码只能用一次。
licences-scene-hint = 出示：{ $claims }；{ $minutes } 分钟内有效
licences-scene-plain = 只出示基本内容
licences-make-code = 生成出示码
licences-code-title = 请对方扫码或输入出示码
licences-code-name = 一次性出示码
licences-code-shows = 对方将看到
licences-code-scene = 场合
licences-code-until = 有效至
licences-code-hint = 用一次即失效
licences-code-again = 重新生成
licences-code-back = 返回证照
licences-code-address = 也可打开核验网址并输入出示码
licences-code-log = 对方核验后，“谁看过这份证照”中会留下记录。

# 加注件
licences-copy-title = 制作加注件
licences-copy-lead = 加注件在每一页注明用途、接收方和期限，防止被挪作他用。核验时会一并显示这些内容。
licences-copy-purpose = 用途
licences-copy-purpose-hint = 例如：办理商铺租赁备案
licences-copy-recipient = 接收方
licences-copy-recipient-hint = 收件单位或个人的名称
licences-copy-days = 有效天数
licences-copy-days-hint = 从今天起算，1 至 365 天
licences-copy-until = 加注件有效期至
licences-copies = 加注件
licences-copies-none = 还没有制作过加注件。
licences-copy-download = 下载
licences-copy-for = { $recipient }：{ $purpose }（{ $date } 前有效）

# 谁看过
licences-uses = 谁看过这份证照
licences-uses-lead = 每次核验都记在这里：什么时候、通过什么方式、对方自称是谁、用于什么。
licences-uses-none = 还没有人核验过这份证照
licences-uses-none-text = 有人核验后，会立即出现在这里。
licences-uses-count = { $count ->
   *[other] 已被核验 { $count } 次
}
licences-uses-last = 最近一次 { $at }
licences-uses-show = 查看核验记录
licences-use-code = 核验了您出示的一次性出示码
licences-use-document = 核验了证照文件
licences-use-paper = 扫描了证照上的二维码
licences-use-copy = 核验了加注件
licences-use-said = 自称：{ $name }

# 核验
licences-verify = 核验证照与回执
licences-verify-lead = 输入对方出示的出示码，粘贴二维码内容，或上传证照、回执文件（PDF 或 JSON），立即得知真伪和当前状态。
licences-verify-text = 出示码或二维码内容
licences-verify-text-hint = 出示码如 7QK3M-9XW2B；二维码内容以 YW1: 开头
licences-verify-file = 或上传文件
licences-verify-file-hint = PDF 或 JSON，不超过 20 MB。文件核验后即丢弃，不会保存。
licences-verify-who = 您是谁（选填）
licences-verify-who-hint = 单位或姓名，持证人会在核验记录中看到
licences-verify-purpose = 核验用途（选填）
licences-verify-button = 核验
licences-verify-offline = 无需联网的核验
licences-verify-offline-text = 下载信任列表和状态列表后，可在任何电脑上用命令 yiwang verify 核验文件，不经过本网站。
licences-verify-trust = 信任列表
licences-verify-status = 状态列表
licences-verify-code-title = 核验这个出示码
licences-verify-code-text = 出示码只能使用一次。请确认对方正在向您出示，再点“核验”。
licences-verify-code = 出示码
licences-verify-another = 再核验一份
licences-result = 核验结果
licences-shown = 出示的内容
licences-compare = 以这里显示的内容为准，请与对方手中的证照核对。
licences-as-of = 状态截至
licences-live = 联网核验，状态为此刻最新
licences-scene = 出示场合
licences-copy-note = 这是一份加注件，只能用于下列用途

# 结论：名称与含义
licences-verdict-valid = 真实有效
licences-verdict-revoked = 已吊销
licences-verdict-suspended = 已暂停
licences-verdict-expired = 已过期
licences-verdict-not-yet-valid = 尚未生效
licences-verdict-forged = 签名不符，可能被伪造或改动
licences-verdict-unknown-key = 不认识的签发密钥
licences-verdict-unreadable = 无法识别
licences-verdict-status-unknown = 签名真实，状态未知
licences-meaning-valid = 签名真实，在有效期内，没有被吊销或暂停。
licences-meaning-revoked = 签名真实，但证照已被吊销，或已被新版本取代，不得使用。
licences-meaning-suspended = 签名真实，但证照目前被暂停使用。
licences-meaning-expired = 签名真实，但已于 { $date } 到期。
licences-meaning-not-yet-valid = 签名真实，但自 { $date } 起才生效。
licences-meaning-forged = 内容与签名不一致：文件在签发后被改动，或不是由所称的机构签发。请勿采信。
licences-meaning-unknown-key = 签名所用的密钥 { $kid } 不在信任列表中。可能由其他地方签发，或信任列表过旧。
licences-meaning-unreadable = 这不是本平台签发的证照或回执，或文件已损坏。
licences-meaning-status-unknown = { $hours ->
    [-1] 签名真实，但没有可用的状态列表，不知道是否已被吊销。请联网核验。
   *[other] 签名真实，但状态列表已是 { $hours } 小时前的，不知道此后是否被吊销。请更新状态列表或联网核验。
}

# 工作人员
licences-work = 证照管理
licences-work-lead = 查找本机构颁发、由您的岗位管理的证照。每次查找和查看都会记录，持证人可见。
licences-work-q = 证照标识、号码或名称
licences-work-q-hint = 须与证照上的完整内容一致
licences-work-results = 查找结果
licences-work-none = 没有找到
licences-work-none-text = 请核对号码是否完整，或该证照不由您的岗位管理。
licences-work-type = 证照类型
licences-work-title = 名称
licences-work-number = 号码
licences-change-suspend = 暂停
licences-change-restore = 恢复
licences-change-revoke = 吊销
licences-change-suspend-text = 暂停后，证照立即不能使用，核验会显示“已暂停”。可以恢复。
licences-change-restore-text = 恢复后，证照立即可以使用。
licences-change-revoke-text = 吊销后，证照永久失效，不能恢复。核验会立即显示“已吊销”。
licences-change-reason = 事由
licences-change-reason-hint = 持证人会看到，最多 500 字
licences-change-basis = 法律依据
licences-change-basis-hint = 法律法规名称、文号和条款
licences-actions = 可以进行的操作

# 表单的错误
licences-field-reason = 请填写事由，最多 500 字
licences-field-legal-basis = 请填写法律依据，最多 500 字
licences-field-purpose = 请填写用途，最多 { $limit } 字
licences-field-recipient = 请填写接收方，最多 { $limit } 字
licences-field-days = 有效天数应为 1 至 365 的整数
licences-field-nothing = 请输入出示码或二维码内容，或选择一个文件
licences-field-code-gone = 出示码不存在、已过期或已使用过，请对方重新生成

# 提示
flash-licences-copied = 加注件已制作，可以下载
flash-licences-suspended = 证照已暂停
flash-licences-restored = 证照已恢复
flash-licences-revoked = 证照已吊销

# 问题
problem-licence-unknown-type = 本地不颁发这种证照
problem-licence-unknown-issuer = 没有这个颁发机构
problem-licence-bad-fields = 证照的内容与证照类型不符
problem-licence-bad-term = 证照的有效期止日早于起日
problem-licence-unknown-scene = 这种证照没有这个出示场合
problem-licence-not-in-force = 证照当前不在有效状态，不能出示或制作加注件
problem-licence-code-gone = 出示码不存在、已过期或已使用过
problem-licence-wrong-state = 证照的当前状态不允许这项操作
problem-licence-changed-meanwhile = 证照刚刚被其他人改动，请刷新后重试
problem-licence-not-your-post = 这份证照不由您的岗位管理
licences-signatures = 已核验的签名
licences-signed-both = 国密套件 SM2、SM3 和国际套件 Ed25519、SHA-256
licences-signed-gm = 国密套件 SM2、SM3
licences-signed-intl = 国际套件 Ed25519、SHA-256

# 主导航
server-nav-home = 首页
server-nav-services = 办事服务
server-nav-my = 我的
server-nav-licences = 我的证照
server-nav-work = 待办办件
server-nav-work-licences = 证照管理
server-nav-data = 数据
server-nav-supervision = 监督
server-nav-audit = 审计
server-nav-admin = 管理
server-nav-verify = 证照核验

# 无障碍声明
server-accessibility-title = 无障碍声明
server-accessibility-lead = 每个人都应当能用这个网站办成自己的事，无论用什么设备、看得清不清、手灵不灵便。
server-accessibility-works = 您可以这样使用
server-accessibility-works-keyboard = 只用键盘就能办完每一件事，焦点始终看得见。
server-accessibility-works-script = 关闭浏览器脚本，办事、查询和核验照样能用。
server-accessibility-works-zoom = 屏幕窄到 320 像素、放大到 400%，内容不丢失，也不用左右滚动。
server-accessibility-works-elder = 打开长者模式，字更大、对比更强、选择更少，还可以朗读页面。
server-accessibility-works-colour = 颜色从不单独表示意思，旁边总有文字。
server-accessibility-known = 还没有做好的地方
server-accessibility-known-text = 下载的 PDF 证照还没有完整的标签结构，读屏软件读起来不够顺；同样的内容在证照页面上可以完整读到。
server-accessibility-help = 需要帮助
server-accessibility-help-text = 遇到困难请拨打 12345，或者到就近的政务服务中心，工作人员可以陪您办理。

# 隐私说明
server-privacy-title = 隐私说明
server-privacy-lead = 您的信息只用来办您的事。谁看过、什么时候、为了哪件事，您随时可以查。
server-privacy-what = 用到哪些信息
server-privacy-what-text = 只用到办件需要的信息。已经由政府掌握的信息会直接带出并写明来源，不再请您提供证明（国务院令第716号第七条）。
server-privacy-who = 谁能看到
server-privacy-who-text = 只有承办岗位的人员在办理您的件时才能看到，每次查看都会记入不能篡改的审计日志。姓名、证件号码、住址、表单内容在数据库里都是加密的。
server-privacy-footprint = 查看我的数据足迹
server-privacy-how-long = 保存多久
server-privacy-how-long-text = 没有提交的草稿保存 30 天。已经办理的件按照档案规定保存。
server-privacy-cookies = 网站在您的设备上存什么
server-privacy-cookies-text = 只存登录状态、语言和字号，不做跟踪，也不交给别人。
server-privacy-wrong = 信息有误
server-privacy-wrong-text = 发现带出的信息不对，可以在表单里修改并说明，也可以拨打 12345 申请更正。

# 联系我们
server-contact-title = 联系我们
server-contact-lead = 问办件，请准备好办件编号；问政策，直接拨打热线。
server-contact-hotline = 政务服务热线
server-contact-hotline-hint = 全天 24 小时
server-contact-case = 问办件
server-contact-case-value = 承办部门
server-contact-case-hint = 电话写在每个办件的页面上
server-contact-security = 报告安全问题
server-contact-security-text = 发现系统的安全问题，请通过 12345 转信息安全岗位，不要公开细节；我们会在两个工作日内答复。

front-title = 登录服务器
front-about = 网站把访客带到这里，用钱包登录。本页没有需要操作的内容，请从网站开始。
front-metadata = 供网站软件使用：OpenID Connect 元数据
login-title = 登录{ $name }
login-answered = 您的钱包已经答复，并会自行带这个浏览器继续；如果没有，请回到{ $name }重新开始。
login-asks = 请您用钱包登录。
login-at = ，网址
login-learns = 它会得知钱包只为这个网站保留的标识符。
login-learns-level = 它会得知钱包只为这个网站保留的标识符，以及其背后是一个经过核验的人（{ $level ->
    [low] 保证等级为低或更高
    [substantial] 保证等级为较高或更高
   *[high] 保证等级为高
 }）。
login-nothing-more = 它不会得知您的姓名和号码。
login-person = 它还询问{ $what }。钱包会用您的实名凭证出示：这个网站与颁发凭证的机构合起来，就能认出是您。
asks-age = 您是否年满 { $years } 岁
asks-profile = 您的姓名和出生日期
asks-and = 、
wallet-here = 本设备上的钱包
wallet-open = 打开我的钱包
wallet-open-other = 打开安装在这里的其他钱包
wallet-elsewhere = 另一台设备上的钱包
wallet-scan = 用钱包扫描此二维码。
wallet-code = 用另一台设备上的钱包登录{ $name }的二维码
wallet-warning = 只有在您自己打开此页时才扫描。发给您这种二维码的人，会以您的身份登录。
after = 答复之后
after-waiting = 正在等待您的钱包。
after-renews = 本页每 { $seconds } 秒自动刷新。
after-keep-still = 停止刷新
after-is-still = 本页不会自动刷新。
after-check = 现在查看
after-renew = 恢复自动刷新
failed-title = 登录没有成功
failed-code = 错误
failed-request = 请求
failed-login_unknown = 这里没有这次登录，或者时间过长已经失效。
failed-request_used = 您的钱包已经答复过这次登录。
failed-login_not_answered = 您的钱包还没有答复。
failed-login_completed = 这次登录已经结束。
failed-other_browser = 这次登录是在另一个浏览器中开始的。
failed-response_code_invalid = 钱包返回的链接不是这次登录所等待的链接。
failed-cross_device_refused = 这个网站不接受另一台设备上的钱包的答复。
failed-website = 网站的请求有误，不是您的错：{ $detail }。
hint-start-again = 请回到网站重新开始。
hint-answer-first = 请先在钱包中答复。
hint-other-browser = 如果是别人把这个链接发给您，请关闭此页：对方可能想以您的身份登录。否则请回到网站，在这个浏览器中重新开始。
hint-website = 请回到网站并告知其运营者。

front-title = Sign-in server
front-about = Websites send their visitors here to sign in with a wallet. There is nothing to do on this page; start at the website.
front-metadata = For the website's software: OpenID Connect metadata
login-title = Sign in to { $name }
login-answered = Your wallet has answered. It leads this browser on by itself; if it did not, go back to { $name } and start again.
login-asks = asks you to sign in with your wallet.
login-at = at
login-learns = It learns the identifier that your wallet keeps for this website alone.
login-learns-level = It learns the identifier that your wallet keeps for this website alone, and that a verified person stands behind it ({ $level ->
    [low] assurance level low or higher
    [substantial] assurance level substantial or higher
   *[high] assurance level high
 }).
login-nothing-more = It learns neither your name nor your number.
login-person = It also asks { $what }. Your wallet shows that with your real-name credential: together, this website and the authority that issued it could tell that it was you.
asks-age = whether you are { $years } or older
asks-profile = your name and date of birth
asks-and = { ", " }
wallet-here = Wallet on this device
wallet-open = Open my wallet
wallet-open-other = Open another wallet that is installed here
wallet-elsewhere = Wallet on another device
wallet-scan = Scan this code with your wallet.
wallet-code = QR code for signing in to { $name } with a wallet on another device
wallet-warning = Only scan it if you opened this page yourself. Whoever sends you such a code signs in as you.
after = After you answered
after-waiting = Waiting for your wallet.
after-renews = This page looks again every { $seconds } seconds.
after-keep-still = Keep it still
after-is-still = This page does not renew itself.
after-check = Check now
after-renew = Let it renew itself
failed-title = Signing in did not work
failed-code = Error
failed-request = Request
failed-login_unknown = This sign-in is not known here, or it took too long.
failed-request_used = Your wallet has answered this sign-in already.
failed-login_not_answered = Your wallet has not answered yet.
failed-login_completed = This sign-in is over.
failed-other_browser = This sign-in was begun in another browser.
failed-response_code_invalid = The link back from the wallet is not the one that this sign-in waits for.
failed-cross_device_refused = This website does not take answers from a wallet on another device.
failed-website = The website's request has a mistake that is not yours: { $detail }.
hint-start-again = Go back to the website and start again.
hint-answer-first = Answer in your wallet first.
hint-other-browser = If somebody sent you this link, close this page: they may be trying to sign in as you. Otherwise go back to the website and start again in this browser.
hint-website = Go back to the website and tell its operator.

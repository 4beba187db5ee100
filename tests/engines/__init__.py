"""Other engines that the page is tested in: Firefox and WebKitGTK, as Debian ships them.

Playwright drives Chromium. It speaks the protocols of the other two as well, WebDriver BiDi and
WebKit's remote inspector, but as dialects: a relay between it and the browser answers and changes
what they do not share. So the same tests run in all three.
"""

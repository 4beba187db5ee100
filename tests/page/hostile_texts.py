"""Texts that try to be more than text, and expressions that try to take for ever."""

from __future__ import annotations

import random

RUN = "window.pwned=1"
_MARKUP = (
    "<script>{}</script>", "</script><script>{}</script>", '<img src=x onerror="{}">',
    "<svg onload={}>", "<svg><script>{}</script></svg>", '"><img src=x onerror={}>',
    "'><img src=x onerror={}>", "--><img src=x onerror={}>", "]]><img src=x onerror={}>",
    '<iframe srcdoc="<script>parent.pwned=1</script>">', "<iframe src=\"javascript:{}\">",
    "<body onload={}>", "<details open ontoggle={}>", "<video><source onerror={}></video>",
    "<input autofocus onfocus={}>", "<marquee onstart={}>", "<math><mtext><img src=x onerror={}>",
    "<style>@import 'http://x.invalid/'</style>", '<link rel=stylesheet href="http://x.invalid/">',
    '<base href="http://x.invalid/">', '<meta http-equiv=refresh content="0;url=javascript:{}">',
    '<object data="javascript:{}">', '<embed src="javascript:{}">', "<template><img onerror={}>",
    "<title><img src=x onerror={}></title>", "<textarea><img src=x onerror={}></textarea>",
    "<noscript><img src=x onerror={}></noscript>", "<!--><img src=x onerror={}>-->",
    '<a href="javascript:{}">x</a>', "<b style=background:url(http://x.invalid/)>", "<x onclick={}>",
    "</title><script>{}</script>", "</style><script>{}</script>", "</textarea><script>{}</script>",
    '<foreignObject><img src=x onerror="{}"></foreignObject>', "<xss style=animation:x onanimationend={}>",
    '<image href="http://x.invalid/a.png">', '<use href="http://x.invalid/a.svg#a">',
    "<animate onbegin={} attributeName=x>", '<set attributeName=href to="javascript:{}">',
    "<?xml-stylesheet href='http://x.invalid/'?>", "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
)  # fmt: skip
_PLAIN = (
    "javascript:{}", "JaVaScRiPt:{}", " javascript:{}", "java\tscript:{}", "data:text/html,<script>{}</script>",
    "vbscript:{}", "${{{}}}", "{{{{{}}}}}", "`${{{}}}`", "';{};//", '";{};//', "\\';{};//", "*/{};/*",
    "\n{};\n", "\u2028{};\u2029", "\\u003cscript\\u003e{}", "&lt;script&gt;{}", "&#60;script&#62;{}",
    "%3Cscript%3E{}", "+ADw-script+AD4-{}", "=HYPERLINK(\"http://x.invalid\",\"{}\")", "@SUM({})", "-{}", "+{}",
    "url(javascript:{})", "expression({})", "}}</style><script>{}</script>", "#q={}", "?x={}", "../../../{}",
    "\x00{}", "\x1b]8;;http://x.invalid\x1b\\{}", "\x1b[31m{}", "\u202e{}", "\u2066{}\u2069", "\ufeff{}",
    "\U0001f600{}", "e\u0301{}", "{}\r\nSet-Cookie: a=b", "$&{}", "$1{}", "$`{}", "%s{}%n", "{}[0]",
)  # fmt: skip
NAMES = (
    "__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "__defineGetter__",
    "__lookupGetter__", "isPrototypeOf", "propertyIsEnumerable", "then", "length", "name", "undefined",
    "null", "NaN", "Infinity", "true", "", " ", "\t", "row", "label", "index", "window", "document",
    "__proto__.polluted", "constructor.prototype.polluted", '{"__proto__":{"polluted":1}}',
    "[]", "{}", "0", "-1", "1e999", "None", "nan", "in", "embviz", "top", "self",
)  # fmt: skip
_CODES = (RUN, "alert(1)", "fetch('http://x.invalid/')")


def payloads() -> list[str]:
    """Return texts that try to be more than text; in a JSON block, an attribute, markup or a URL."""
    made = [shape.format(code) for shape in (*_MARKUP, *_PLAIN) for code in _CODES[:2]]
    made += [shape.format(_CODES[2]) for shape in _MARKUP[:12]]
    made += NAMES
    made += [
        "x" * 10_000,
        "\u4e00" * 3_000,
        "a b " * 2_000,
        "<" * 5_000,
        '"' * 3_000,
        "\u0301" * 2_000,
    ]
    return list(dict.fromkeys(made))


NUMBERS = (
    "0", "1", "2", "3", "-1", "7", "12", "0.5", "1e3", "1e9", "1e15", "1e300", "-1e300", "1e-15", "1e-300",
    "1e999", "NaN", "Infinity", "-Infinity", "-0", "0x10", "1_000", "9007199254740993", "00012", "1.", ".5",
    "", " ", "true", "null", "2147483648", "4294967296", "1e400", "+1", "1,5", "\u0661", "--1", "1e", "e5",
)  # fmt: skip
EXPRESSIONS = (
    "/((.?){1000}){1000}x/", "/((((.?){1000}){1000}){1000})x/", "/(a+)+$/", "/(.|.|.|.|.|.|.|.)*\\u{1}/",
    "/(((){1000}){1000}){1000}/", "/((){1000}){1000}x/", "/(a|aa)+$/", "/((a*)*)*b/", "/(.*)*x/",
    "/^(a|a?)+$/", "/(x+x+)+y/", "/(?=(?=(?=(?=a{1000}){9}){9}){9})b/", "/(?:a{0,1000}){19}x/",
    "/[^a]{900}[^b]{900}x/", "/.*.*.*.*.*.*.*x/", "/\\w{1000}\\d{1000}/", "/[\\s\\S]*[\\s\\S]*z/",
    "/(?:|||||){999}/", "/\\p{L}+/", "/(?<a>.)\\k<a>/", "/(.)\\1/", "/(?<=a)b/", "/[]/", "/[^]/", "/[z-a]/",
    "/a{2,1}/", "/a{99999}/", "/(/", "/)/", "/*/", "/?/", "/\\/", "//", "/", "/\\u{110000}/", "/\\uD800/",
    "/[\\b]/", "/(?i)a/", "/(?:a/", "/a**/", "/^*/", "/\\b\\B\\b/", "/(?!)/", "/(?=)/", "/$^/", "=", "==", "=w1",
    "w1", ":", "word:", "word:w1", "row:7", "__proto__:x", "constructor:x", "/word:/", "group:/a|b/",
)  # fmt: skip


def expression(random_: random.Random, most: int = 900) -> str:
    """Return a regular expression that repeats, nests and branches as it likes."""
    r = random_
    kind = r.randrange(6)
    if kind == 0:
        return r.choice(EXPRESSIONS)
    if kind == 1:
        depth = r.choice([3, 30, 199, 201, 400])
        return f"/{'(' * depth}a{')' * depth}{r.choice(['', '*', '{1000}'])}/"[:most]
    if kind == 2:
        letters = [chr(r.choice([97, 0x4E00, 0x1F600]) + i) for i in range(r.choice([9, 99, 400]))]
        return f"/{r.choice(['|', '', '[^x]', '.?'])[:5].join(letters)}/"[:most]
    pieces = [
        "a",
        ".",
        "w",
        "\\w",
        "[^a]",
        "[a-z]",
        "(?:",
        "(",
        "(?=",
        "(?!",
        ")",
        "|",
        "*",
        "+",
        "?",
    ]
    pieces += [
        "{1000}",
        "{0,1000}",
        "{7,}",
        "{2}",
        "^",
        "$",
        "\\b",
        "\\u{1F600}",
        "[\u4e00-\u9fff]",
        "()",
        "(|)",
    ]
    text = "".join(r.choice(pieces) for _ in range(r.choice([4, 12, 60, 200])))
    # Groups that are left open are closed, so that more of them are understood.
    return f"/{text}{')' * max(0, text.count('(') - text.count(')'))}/"[:most]

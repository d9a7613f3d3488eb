"""Values of the formats that JSON Schema cannot describe: the companion accepts every one of them."""

import schemathesis
from hypothesis import strategies as st

# Unicode's Default_Ignorable_Code_Point, and the characters with an empty glyph.
IGNORABLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
    (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF), (0x2800, 0x2800), (0x1D159, 0x1D159),
)
hidden = [chr(code) for first, last in IGNORABLE for code in range(first, last + 1)]
visible = st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"], exclude_characters=hidden)
# 33 of them: each can become three in the normal form.
text = st.builds(lambda words: " ".join(words), st.lists(st.text(visible, min_size=1, max_size=10), min_size=1, max_size=3))
blanks = st.sampled_from(["", " ", "\u3000", "\u200b\t"])


def around(values):
    return st.builds(lambda before, value, after: before + value + after, blanks, values, blanks)


names = text.filter(lambda name: name.strip())
addresses = st.emails().filter(lambda address: len(address) <= 254)
# Not guessed, whatever follows. At most 72 bytes.
passwords = st.text(visible, max_size=13).map(lambda text: f"Quagga & Möbius: {text}")
formats = {
    "name": around(names),
    "email-address": around(addresses),
    "password": passwords,
    "factor-code": st.from_regex(r"[0-9]{3} ?[0-9]{3}", fullmatch=True),
    "totp-code": st.from_regex(r"[0-9]{6}", fullmatch=True),
    "search": st.text(visible, max_size=60),
    # An ID and a time in microseconds: the beginning of one list, the middle, the beginning of the other.
    "cursor": st.sampled_from(["MC4w", "MS4xNzAwMDAwMDAwMDAwMDAw", "OTk5LjQxMDAwMDAwMDAwMDAwMDA"]),
    "time-or-day": st.one_of(
        st.dates().map(str), st.datetimes().map(lambda time: f"{time.isoformat()}Z"), st.datetimes(timezones=st.just(None)).map(lambda time: f"{time.isoformat()}+05:30")
    ),
}
for name, values in formats.items():
    schemathesis.openapi.format(name, values)


@schemathesis.hook
def filter_case(context, case):
    # Any text has a format of ours, which is a description. The tool calls some invalid. Other mutations beside are checked.
    data = case.meta.phase.data if case.meta else None
    mutations = getattr(data, "mutations", ())
    is_invalid_by_format = mutations and all("format" in mutation.keywords for mutation in mutations)
    # With a second administrator, requests take the role from the one who is signed in, and the admin API is not reached.
    makes_admin = isinstance(case.body, dict) and case.body.get("role") == "admin"
    return not is_invalid_by_format and not makes_admin

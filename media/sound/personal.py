"""What in a call a person should decide about: card numbers, security codes, telephone numbers, addresses, names.

Length, the Luhn digit (ISO/IEC 7812-1) and the words around decide how high a
find stands in the list, never whether it is in it: recognition errs, and a
number that looks harmless may be somebody's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import phonenumbers

from media.sound.digits import Number, fold, numbers
from media.sound.transcript import Word

REGIONS = ("JP", "US", "GB")
_CONTEXT_BEFORE_S = 15.0
_CONTEXT_AFTER_S = 3.0
_CODE_AFTER_CARD_S = 60.0
_CUES = {
    "card number": "card number|credit card|debit card|long number|pan|カード番号|クレジット|カードの番号",
    "security code": "security code|security number|c v v|cvv|cvc|c v c|three digits on the back|セキュリティ|裏面の|3桁|三桁",
    "expiry date": "expir|valid (?:thru|through|until)|good through|有効期限|期限",
    "telephone number": "phone|mobile|cell|call you|telephone|電話|携帯|連絡先",
    "birth date": "date of birth|born on|birthday|生年月日|誕生日|生まれ",
    "account number": "account|sort code|routing|iban|口座|支店",
    "personal number": "social security|passport|licen[cs]e|マイナンバー|個人番号|免許|パスポート|保険証",
}
_CUE_PATTERNS = {kind: re.compile(fold(words)) for kind, words in _CUES.items()}
# The patterns meet folded text: small letters, and hiragana where katakana was.
_MAIL = re.compile(r"[\w.+-]+\s*(?:@|\bat\b|あっとまーく)\s*[\w-]+(?:\s*(?:\.|\bdot\b|どっと)\s*[a-z]{2,})+")
_SPELT_MAIL = re.compile(r"あっとまーく|\be-?mail\b|めーるあどれす")
_INTRODUCTIONS = (
    re.compile(r"\b(?:my name is|my name's|i'm called|name on the card is)\s+(?P<name>(?:\S+\s*){1,3})"),
    re.compile(r"(?:名前は|氏名は|名義は)(?P<name>[^。、]{1,12})"),
    re.compile(r"(?P<name>[^。、\s]{1,8})(?:と申します|ともうします|といいます)"),
)
_PERHAPS_INTRODUCTION = re.compile(
    r"\b(?:this is|speaking with|am i speaking to)\s+(?P<name>(?:\S+\s*){1,3})"
)
_PLACES = re.compile(
    r"(?:address is|post ?code|zip code|i live (?:at|in)|住所は|郵便番号は?)(?P<name>.{1,60})"
)
#: A number is announced, and what follows may be one that was misheard: "コードは大7タン" was "…573".
_ANNOUNCED = (
    ("security code", re.compile(r"こーど(?:は|が)[、\s]*(?P<name>[^。、]{1,24})")),
    ("security code", re.compile(r"\b(?:security )?code is\s+(?P<name>(?:\S+\s*){1,6})")),
    ("number", re.compile(r"番号(?:は|が)[、\s]*(?P<name>[^。]{1,40})")),
    ("number", re.compile(r"\bnumber is\s+(?P<name>(?:\S+\s*){1,8})")),
)


@dataclass(frozen=True, slots=True)
class Find:
    """Something that may be personal data."""

    kind: str
    rank: float  #: 0 to 1: how soon a person should look
    start_s: float
    end_s: float
    channel: int
    heard: str  #: as recognised; personal data itself
    reasons: tuple[str, ...]


def find_personal(words: Sequence[Word], regions: Sequence[str] = REGIONS) -> list[Find]:
    """Everything of the kinds above in the words of one channel, in order of time.

    Args:
        words: Of one channel, in order.
        regions: Whose telephone numbers to know without a country code, as ISO 3166 letters.
    """
    said = numbers(words)
    finds = [*_number_finds(said, words, regions), *_phrase_finds(words)]
    return sorted(finds, key=lambda find: (find.start_s, find.end_s))


def rank_digits(
    digits: str, cues: Iterable[str], regions: Sequence[str] = REGIONS, *, is_after_card: bool = False
) -> tuple[str, float, tuple[str, ...]]:
    """What a number most probably is: kind, rank, and why."""
    near = set(cues)
    guesses = [
        guess
        for guess in (
            _card(digits, near),
            _code(digits, near, is_after_card=is_after_card),
            _expiry(digits, near, is_after_card=is_after_card),
            _telephone(digits, near, regions),
            *(_cued(kind, digits, near) for kind in ("birth date", "account number", "personal number")),
        )
        if guess
    ]
    return max(guesses, key=lambda guess: guess[1], default=("number", _plain_rank(digits), ()))


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _number_finds(said: Sequence[Number], words: Sequence[Word], regions: Sequence[str]) -> Iterator[Find]:
    card_end_s: float | None = None
    for number in said:
        cues = list(_cues_near(words, number))
        is_after_card = card_end_s is not None and number.start_s - card_end_s <= _CODE_AFTER_CARD_S
        kind, rank, reasons = rank_digits(number.digits, cues, regions, is_after_card=is_after_card)
        if kind == "card number":
            card_end_s = number.end_s
        if number.counter:
            rank, reasons = rank / 2, (*reasons, f"followed by {number.counter}")
        yield Find(kind, rank, number.start_s, number.end_s, number.channel, number.heard, reasons)


def _cues_near(words: Sequence[Word], number: Number) -> Iterator[str]:
    near = [
        word.text
        for place, word in enumerate(words)
        if number.start_s - _CONTEXT_BEFORE_S <= word.start_s <= number.end_s + _CONTEXT_AFTER_S
        and not number.first_word <= place < number.end_word
    ]
    text = fold("".join(near))
    return (kind for kind, pattern in _CUE_PATTERNS.items() if pattern.search(text))


_Guess = tuple[str, float, tuple[str, ...]] | None


def _card(digits: str, near: set[str]) -> _Guess:
    if not 12 <= len(digits) <= 19:
        return (
            ("card number", 0.6, ("words about a card",))
            if "card number" in near and len(digits) >= 8
            else None
        )
    if passes_luhn(digits):
        return "card number", 0.97, (f"{len(digits)} digits", "the Luhn digit fits")
    return (
        "card number",
        0.8 if "card number" in near else 0.65,
        (f"{len(digits)} digits", "the Luhn digit does not fit"),
    )


def _code(digits: str, near: set[str], *, is_after_card: bool) -> _Guess:
    if not 3 <= len(digits) <= 4:
        return None
    if "security code" in near:
        return "security code", 0.95, ("words about a security code",)
    return ("security code", 0.7, ("soon after a card number",)) if is_after_card else None


def _expiry(digits: str, near: set[str], *, is_after_card: bool) -> _Guess:
    if len(digits) not in {3, 4, 6} or not 1 <= int(digits[:-2][:2]) <= 12:
        return None
    if "expiry date" in near:
        return "expiry date", 0.9, ("words about an expiry date",)
    return ("expiry date", 0.68, ("a month and a year, soon after a card number",)) if is_after_card else None


def _telephone(digits: str, near: set[str], regions: Sequence[str]) -> _Guess:
    if not 7 <= len(digits) <= 15:
        return None
    for region in regions:
        try:
            parsed = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return "telephone number", 0.85, (f"a number that exists in {region}",)
    if "telephone number" in near:
        return "telephone number", 0.75, ("words about a telephone",)
    return ("telephone number", 0.5, (f"{len(digits)} digits",)) if 9 <= len(digits) <= 11 else None


def _cued(kind: str, digits: str, near: set[str]) -> _Guess:
    return (kind, 0.8, (f"words about a {kind}",)) if kind in near and len(digits) >= 4 else None


def _plain_rank(digits: str) -> float:
    return min(0.2 + 0.03 * len(digits), 0.45)


def _phrase_finds(words: Sequence[Word]) -> Iterator[Find]:
    text, owner = "", list[int]()
    for place, word in enumerate(words):
        part = fold(word.text)
        text += part
        owner += [place] * len(part)
    patterns = [
        ("e-mail address", 0.85, _MAIL, "written like an address"),
        ("e-mail address", 0.5, _SPELT_MAIL, "words about an e-mail address"),
        ("name", 0.35, _PERHAPS_INTRODUCTION, "somebody may be introduced"),
        *(("name", 0.6, pattern, "somebody is introduced") for pattern in _INTRODUCTIONS),
        ("address", 0.6, _PLACES, "words about an address"),
        *((kind, 0.5, pattern, "announced, and perhaps misheard") for kind, pattern in _ANNOUNCED),
    ]
    for kind, rank, pattern, reason in patterns:
        for found in pattern.finditer(text):
            group = "name" if "name" in pattern.groupindex else 0
            low, high = owner[found.start(group)], owner[max(found.end(group) - 1, found.start(group))]
            heard = "".join(word.text for word in words[low : high + 1]).strip()
            yield Find(
                kind, rank, words[low].start_s, words[high].end_s, words[low].channel, heard, (reason,)
            )

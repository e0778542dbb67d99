"""Numbers as people say them, in English and Japanese, as digits.

"four double two", "twelve twenty-seven", "oh nine oh", "ゼロ九〇の一二三四",
"千二百" and full-width or plain figures all become digits, each with the words
it was said in. Which language it is need not be known: the words do not
overlap. What sounds like a digit but often is none ("to", "for", "に", "し")
counts only between digits.

Fillers and separators (commas, "dash", "の", "えーと") do not end a number; any
other word, or three seconds of silence, does.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from media.sound.transcript import Word

PAUSE_S = 3.0  #: people read a card number in groups, and look at the card in between
_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ENGLISH = {
    **dict.fromkeys(("zero", "oh", "o", "nought", "naught"), "0"),
    **{word: str(value) for value, word in enumerate(_UNITS, 1)},
    **{word: str(value) for value, word in enumerate(_TEENS, 10)},
    **{word: str(10 * value) for value, word in enumerate(_TENS, 2)},
}
_LIKE_ENGLISH = {
    "to": "2",
    "too": "2",
    "for": "4",
    "ate": "8",
    "won": "1",
    "tree": "3",
    "sex": "6",
    "niner": "9",
}
_REPEATS = {"double": 2, "triple": 3, "treble": 3, "ダブル": 2, "トリプル": 3}
_KANJI = {digit: str(value) for value, digit in enumerate("〇一二三四五六七八九")} | {"零": "0"}
_POWERS = {"十": 10, "百": 100, "千": 1000}
_KANA = {
    **dict.fromkeys(("ぜろ", "れい", "まる"), "0"),
    **dict(
        zip(
            ("いち", "にー", "さん", "よん", "ごー", "ろく", "なな", "はち", "きゅう"),
            "123456789",
            strict=True,
        )
    ),
    "しち": "7",
}
_LIKE_KANA = {"に": "2", "し": "4", "ご": "5", "く": "9"}
_FILLERS = (
    *("dash", "hyphen", "um", "uh", "er", "and", "then", "is", "point", "space"),
    *("ハイフン", "えーと", "えっと", "えー", "あの", "の", "で", "です", "ね", "、", "。"),
)
#: After a figure these make it a quantity or a date: it is still shown, lower down.
COUNTERS = (
    *(
        "円",
        "年",
        "月",
        "日",
        "時",
        "分",
        "秒",
        "歳",
        "才",
        "個",
        "本",
        "枚",
        "回",
        "人",
        "名",
        "台",
        "件",
        "階",
    ),
    *("パーセント", "ドル", "dollars", "pounds", "yen", "percent"),
)


def fold(text: str) -> str:
    """One form for everything that sounds the same: full-width figures, capitals, katakana."""
    narrow = unicodedata.normalize("NFKC", text).lower()
    return "".join(chr(ord(one) - 0x60) if "ァ" <= one <= "ヶ" else one for one in narrow)


def _pattern() -> re.Pattern[str]:
    english = "|".join(sorted([*_ENGLISH, *_LIKE_ENGLISH], key=len, reverse=True))
    latin = [word for word in _REPEATS if word.isascii()], [word for word in _FILLERS if word.isascii()]
    kana = "|".join(sorted(map(re.escape, [*_KANA, *_LIKE_KANA]), key=len, reverse=True))
    repeats = "|".join([rf"\b(?:{'|'.join(latin[0])})\b", *(fold(w) for w in _REPEATS if not w.isascii())])
    fillers = "|".join(
        [rf"\b(?:{'|'.join(latin[1])})\b", *(re.escape(fold(w)) for w in _FILLERS if not w.isascii())]
    )
    return re.compile(
        rf"(?P<figures>[0-9]+)|(?P<english>\b(?:{english})\b)|(?P<kanji>[〇零一二三四五六七八九十百千]+)"
        rf"|(?P<repeat>{repeats})|(?P<filler>{fillers}|[\s,.\-/・ー~()+#]+)|(?P<kana>{kana})"
    )


_TOKENS = _pattern()


@dataclass(frozen=True, slots=True)
class Number:
    """Digits that were said one after the other."""

    digits: str
    start_s: float
    end_s: float
    channel: int
    heard: str  #: the words, as they were recognised
    first_word: int  #: index into the words it was read from
    end_word: int  #: exclusive
    counter: str = ""  #: what follows makes it a quantity or a date


@dataclass(frozen=True, slots=True)
class _Token:
    digits: str
    start: int  #: character
    end: int
    is_sure: bool
    is_tens: bool = False  #: "twenty": a unit may follow
    repeat: int = 0  #: "double": how often to say the next digit


def numbers(words: Sequence[Word], least_digits: int = 3) -> list[Number]:
    """Every number of at least so many digits, or near others, in the words of one channel, in order of time.

    Args:
        words: Of one channel, in order.
        least_digits: A security code has 3.
    """
    text, owner = _joined(words)
    runs = [(tokens, _digits(tokens)) for run in _runs(text, owner, words) if (tokens := _trimmed(run))]
    every = [_number(digits, tokens, text, owner, words) for tokens, digits in runs]
    return [one for number, one in enumerate(every) if _near(every, number) >= least_digits]


def _near(every: Sequence[Number], number: int) -> int:
    """How many digits a number has, together with those said just before and after: "four two, sorry, four three"."""
    one = every[number]
    around = every[max(0, number - 1) : number + 2]
    return sum(
        len(other.digits)
        for other in around
        if other.start_s - one.end_s <= PAUSE_S and one.start_s - other.end_s <= PAUSE_S
    )


def _joined(words: Sequence[Word]) -> tuple[str, list[int]]:
    """The folded text, and to which word each of its characters belongs."""
    parts = [fold(word.text) for word in words]
    return "".join(parts), [number for number, part in enumerate(parts) for _ in part]


def _runs(text: str, owner: Sequence[int], words: Sequence[Word]) -> Iterator[list[_Token]]:
    """Digit tokens with nothing but fillers, and no long silence, between them."""
    run: list[_Token] = []
    at = 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None or found.end() == at:
            yield run
            run, at = [], at + 1
            continue
        if found.lastgroup != "filler":
            token = _token(found)
            if run and words[owner[token.start]].start_s - words[owner[run[-1].end - 1]].end_s > PAUSE_S:
                yield run
                run = []
            run.append(token)
        at = found.end()
    yield run


def _token(found: re.Match[str]) -> _Token:
    word, (start, end) = found[0], found.span()
    if found.lastgroup == "figures":
        return _Token(word, start, end, is_sure=True)
    if found.lastgroup == "english":
        digits = _ENGLISH.get(word) or _LIKE_ENGLISH[word]
        return _Token(digits, start, end, word in _ENGLISH and word != "o", word in _TENS)
    if found.lastgroup == "kanji":
        return _Token(kanji_digits(word), start, end, len(word) > 1 or word not in "一十千")
    if found.lastgroup == "repeat":
        count = next(times for name, times in _REPEATS.items() if fold(name) == word)
        return _Token("", start, end, is_sure=False, repeat=count)
    return _Token(_KANA.get(word) or _LIKE_KANA[word], start, end, word in _KANA)


def kanji_digits(word: str) -> str:
    """Digits of a number in kanji, read one by one ("四二") or by place ("千二百")."""
    if not any(one in _POWERS for one in word):
        return "".join(_KANJI[one] for one in word)
    total, unit = 0, ""
    for one in word:
        if one in _POWERS:
            total += int(unit or 1) * _POWERS[one]
            unit = ""
        else:
            unit += _KANJI[one]
    return str(total + int(unit or 0))


def _trimmed(run: list[_Token]) -> list[_Token]:
    """Without what only might be a digit at either end."""
    sure = [number for number, token in enumerate(run) if token.is_sure]
    if not sure:
        return []
    first = sure[0]
    while first and run[first - 1].repeat:
        first -= 1
    return run[first : sure[-1] + 1]


def _digits(tokens: Sequence[_Token]) -> str:
    said = ""
    repeat, after_tens = 1, False
    for token in tokens:
        if token.repeat:
            repeat = token.repeat
            continue
        if after_tens and len(token.digits) == 1 and token.digits != "0":
            said = said[:-1] + token.digits
        else:
            said += token.digits[0] * (repeat - 1) + token.digits
        repeat, after_tens = 1, token.is_tens
    return said


def _number(
    digits: str, tokens: Sequence[_Token], text: str, owner: Sequence[int], words: Sequence[Word]
) -> Number:
    first, end = owner[tokens[0].start], owner[tokens[-1].end - 1] + 1
    rest = text[tokens[-1].end :].lstrip()
    return Number(
        digits,
        words[first].start_s,
        words[end - 1].end_s,
        words[first].channel,
        "".join(word.text for word in words[first:end]).strip(),
        first,
        end,
        next((counter for counter in COUNTERS if rest.startswith(fold(counter))), ""),
    )

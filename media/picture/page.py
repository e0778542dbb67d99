"""Say on one page what was hidden in a still, who looked again, and what a person must still do.

In English and Japanese.
"""

from dataclasses import dataclass

from media.note import Language
from media.page import COMMON, Page, Section
from media.picture.redact import Redacted
from media.video.masks import Style


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    verdict: str
    source: str
    size: str
    done: str
    found: str
    painted: str
    place: str
    looked: str
    again: str
    rounds: str
    stripped: str
    outside: str
    equal: str
    person: tuple[str, ...]


_EN = _Words(
    title="A still that was redacted",
    verdict="Nobody else was found in the finished picture. It may be released once a person has done what is listed below.",
    source="SHA-256 of the source",
    size="Size of the copy",
    done="What was hidden",
    found="Faces that {name} found, in every angle: {count}.",
    painted="Areas painted over, as left, top, width and height in stored pixels: {count}.",
    place="{left:.0f}, {top:.0f}, {width:.0f}, {height:.0f}",
    looked="What was looked at",
    again="The finished picture was decoded and searched by {name}: whoever it found is hidden, or stays by decision.",
    rounds="Copies made until nobody was found again: {count}.",
    stripped="Nothing but pixels was copied: no place, no time, no device, no thumbnail.",
    outside="Outside the painted areas, the source's picture: {psnr:.1f} dB PSNR.",
    equal="Outside the painted areas, the source's picture: equal.",
    person=(
        "Look at the copy once, enlarged. Detectors miss faces that are small, dark, blurred or turned away.",
        "Ask whether clothes, tattoos, screens, name tags or number plates tell who somebody is.",
    ),
)
_JA = _Words(
    title="墨消し済みの静止画",
    verdict="完成した画像にほかの人物は見つかりませんでした。下記の確認を人が終えた後、提供できます。",
    source="元の画像の SHA-256",
    size="複製の大きさ",
    done="隠したもの",
    found="{name} が全方向から探索し、顔を {count} 件検出しました。",
    painted="{count} か所を塗りつぶしました（保存された画素での左、上、幅、高さ）。",
    place="{left:.0f}、{top:.0f}、{width:.0f}、{height:.0f}",
    looked="検査した内容",
    again="完成した画像を復号し、{name} で探索しました。検出された人物は隠されているか、表示すると決定した人物です。",
    rounds="再び検出されなくなるまでの作成回数：{count} 回。",
    stripped="画素以外のもの（位置、日時、機器、サムネイル）は複製していません。",
    outside="塗りつぶし以外は元の画像と一致：PSNR {psnr:.1f} dB。",
    equal="塗りつぶし以外は元の画像と完全に同じです。",
    person=(
        "複製を拡大して一度見てください。小さい顔、暗い顔、ぼけた顔、横や後ろを向いた顔は検出されないことがあります。",
        "服装、入れ墨、画面、名札、ナンバープレートから個人が分からないか確認してください。",
    ),
)
_WORDS: dict[Language, _Words] = {"en": _EN, "ja": _JA}


def page_of(done: Redacted, language: Language, *, source_sha256: str, copy_sha256: str) -> Page:
    """The page about a copy."""
    words = _WORDS[language]
    return Page(
        language,
        words.title,
        words.verdict,
        is_clean=True,
        facts=(
            (words.size, f"{done.result.width} × {done.result.height}"),
            (COMMON[language].copy, copy_sha256),
            (words.source, source_sha256),
        ),
        sections=(
            Section(words.done, tuple(_hidden(done, language))),
            Section(words.looked, tuple(_looked(done, words))),
            Section(COMMON[language].still, words.person, is_to_do=True),
        ),
    )


def _hidden(done: Redacted, language: Language) -> list[str]:
    words = _WORDS[language]
    lines = [words.found.format(count=len(done.found), name=done.looked_with[0])]
    if done.masks:
        lines.append(words.painted.format(count=len(done.masks)))
    for mask in done.masks:
        box = mask.box
        lines.append(words.place.format(left=box.left, top=box.top, width=box.width, height=box.height))
    if weaker := sum(mask.style is Style.MOSAIC for mask in done.masks):
        lines.append(COMMON[language].weaker.format(count=weaker))
    return lines


def _looked(done: Redacted, words: _Words) -> list[str]:
    psnr = done.result.psnr_db
    return [
        words.again.format(name=done.looked_with[1]),
        words.rounds.format(count=done.rounds),
        words.equal if psnr is None else words.outside.format(psnr=psnr),
        words.stripped,
    ]

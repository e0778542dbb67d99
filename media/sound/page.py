"""Say on one page what was silenced in a copy of sound, how that was checked, and what a person must still do.

In English and Japanese. What was heard is not repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from media.note import Language, Note, note
from media.page import COMMON, Page, Section
from media.sound.report import Redacted
from media.sound.suggest import Suggestions

_LISTED = 40  #: spans on the page; the JSON has them all


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    verdict: str
    source: str
    done: str
    track: str
    styles: dict[str, str]
    channel: str
    again: str
    heard: str
    nothing_heard: str
    not_again: str
    person: tuple[str, ...]


_EN = _Words(
    title="Sound that was redacted",
    verdict="The copy was decoded again, and every span is silent. It may be released once a person has done what is listed below.",
    source="SHA-256 of the source",
    done="What was silenced",
    track="Track {track}, {codec}, {rate} Hz, {channels} channels: {seconds:.3f} s in all; {style}. {method}",
    styles={"silence": "silence", "tone": "a tone"},
    channel="Channel {channel}: {spans} s",
    again="What the copy was listened to for again",
    heard="Stretches that are heard, as a person decided: {count}.",
    nothing_heard="Nothing was heard that nobody had decided about.",
    not_again="Nothing was listened for: this copy was made from spans that a person named.",
    person=(
        "Listen to the copy once, from beginning to end. What is spoken before and after a span may tell what was said in it.",
        "Ask whether a voice, a name or a place tells who somebody is.",
        "Listen for echo: what is silent on one channel may be faint on the other.",
    ),
)
_JA = _Words(
    title="音声の墨消し",
    verdict="複製を再度復号し、指定した区間がすべて無音であることを確認しました。下記の確認を人が終えた後、提供できます。",
    source="元の音声の SHA-256",
    done="消音した区間",
    track="トラック {track}（{codec}、{rate} Hz、{channels} チャンネル）：合計 {seconds:.3f} 秒、{style}。{method}",
    styles={"silence": "無音", "tone": "信号音"},
    channel="チャンネル {channel}：{spans} 秒",
    again="複製を再度聞き取った内容",
    heard="残すと決定され、聞こえる区間：{count} 件。",
    nothing_heard="決定していないものは聞こえませんでした。",
    not_again="聞き取りは行っていません（人が指定した区間から作成した複製です）。",
    person=(
        "複製を最初から最後まで一度聞いてください。区間の前後の言葉から、消した内容が分かることがあります。",
        "声、名前、地名から個人が分からないか確認してください。",
        "反響を確認してください。一方のチャンネルで消した声が、他方にかすかに残ることがあります。",
    ),
)
_WORDS: dict[Language, _Words] = {"en": _EN, "ja": _JA}


def page_of(
    tracks: Sequence[Redacted],
    language: Language,
    *,
    source_sha256: str,
    copy_sha256: str,
    again: Suggestions | None = None,
    remains: Sequence[Note] = (),
) -> Page:
    """The page about a copy.

    Args:
        tracks: What was done to each track of sound.
        language: Of the page.
        source_sha256: Of the source.
        copy_sha256: Of the finished copy.
        again: What was heard when the finished copy was listened to again; None where nobody listened.
        remains: What else a person must know.
    """
    words = _WORDS[language]
    common = COMMON[language]
    known = [*remains, *(one for track in tracks for one in track.survives if one not in remains)]
    return Page(
        language,
        words.title,
        words.verdict,
        is_clean=True,
        facts=((common.copy, copy_sha256), (words.source, source_sha256)),
        sections=(
            Section(words.done, tuple(line for track in tracks for line in _done(track, language))),
            Section(words.again, tuple(_heard(again, language))),
            *([Section(common.remains, tuple(one.sentence(language) for one in known))] if known else []),
            Section(common.still, words.person, is_to_do=True),
        ),
    )


def _done(track: Redacted, language: Language) -> list[str]:
    words, common = _WORDS[language], COMMON[language]
    seconds = sum(end - start for muted in track.muted for start, end in muted.silent) / track.rate
    head = words.track.format(
        track=track.track,
        codec=track.codec,
        rate=track.rate,
        channels=track.channels,
        seconds=seconds,
        style=words.styles[str(track.style)],
        method=note(track.method).sentence(language),
    )
    listed = []
    for muted in track.muted:
        spans = [f"{start / track.rate:.3f}-{end / track.rate:.3f}" for start, end in muted.silent]
        rest = len(spans) - _LISTED
        listed.append(words.channel.format(channel=muted.channel, spans=common.comma.join(spans[:_LISTED])))
        if rest > 0:
            listed.append(common.more.format(count=rest))
    return [head, *listed]


def _heard(again: Suggestions | None, language: Language) -> list[str]:
    words, common = _WORDS[language], COMMON[language]
    if again is None:
        return [words.not_again]
    heard = words.heard.format(count=len(again.spans)) if again.spans else words.nothing_heard
    looked_for = common.comma.join(one.told(language) for one in again.looked_for)
    return [f"{looked_for[:1].upper()}{looked_for[1:]}{common.stop}", heard]

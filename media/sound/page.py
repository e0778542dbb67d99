"""Say on one page what was silenced in a copy of sound, how that was checked, and what a person must still do.

In English and Japanese. What is still there or was not looked for is told in
English, as the report's own sentences; what was heard is not repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from media.page import Language, Page, Section
from media.sound.report import Redacted
from media.sound.suggest import Suggestions

_LISTED = 40  #: spans on the page; the JSON has them all


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    verdict: str
    copy: str
    source: str
    done: str
    track: str
    methods: dict[str, str]
    styles: dict[str, str]
    channel: str
    more: str
    again: str
    looked_for: str
    heard: str
    nothing_heard: str
    not_again: str
    remains: str
    still: str
    person: tuple[str, ...]


_EN = _Words(
    title="Sound that was redacted",
    verdict="The copy was decoded again, and every span is silent. It may be released once a person has done what is listed below.",
    copy="SHA-256 of the copy",
    source="SHA-256 of the source",
    done="What was silenced",
    track="Track {track}, {codec}, {rate} Hz, {channels} channels: {seconds:.3f} s in all; {style}. {method}.",
    methods={
        "splice": "Samples were replaced where they lie; every other sample is as it was, bit for bit",
        "packets": "The packets that carry the spans were replaced; every other packet is as it was, bit for bit",
        "edit": "The sound was decoded, edited and written anew",
        "copied": "Nothing was to be silenced on this track; its packets are as they were",
    },
    styles={"silence": "silence", "tone": "a tone"},
    channel="Channel {channel}: {spans} s",
    more="and {count} more; the JSON report lists them",
    again="What the copy was listened to for again",
    looked_for="{what}.",
    heard="Stretches that are heard, as a person decided: {count}.",
    nothing_heard="Nothing was heard that nobody had decided about.",
    not_again="Nothing was listened for: this copy was made from spans that a person named.",
    remains="What is still there, or was not looked for",
    still="What a person must still do",
    person=(
        "Listen to the copy once, from beginning to end. What is spoken before and after a span may tell what was said in it.",
        "Ask whether a voice, a name or a place tells who somebody is.",
        "Listen for echo: what is silent on one channel may be faint on the other.",
    ),
)
_JA = _Words(
    title="音声の墨消し",
    verdict="複製を再度復号し、指定した区間がすべて無音であることを確認しました。下記の確認を人が終えた後、提供できます。",
    copy="複製の SHA-256",
    source="元の音声の SHA-256",
    done="消音した区間",
    track="トラック {track}({codec}、{rate} Hz、{channels} チャンネル):合計 {seconds:.3f} 秒、{style}。{method}。",
    methods={
        "splice": "該当するサンプルだけを置き換え、ほかのサンプルは元と完全に同じです",
        "packets": "区間を含むパケットだけを置き換え、ほかのパケットは元と完全に同じです",
        "edit": "音声を復号し、編集して書き直しました",
        "copied": "このトラックに消音する区間はなく、パケットは元のままです",
    },
    styles={"silence": "無音", "tone": "信号音"},
    channel="チャンネル {channel}:{spans} 秒",
    more="ほか {count} 件(JSON報告書に全件を記載)",
    again="複製を再度聞き取った内容",
    looked_for="{what}。",
    heard="残すと決定され、聞こえる区間:{count} 件。",
    nothing_heard="決定していないものは聞こえませんでした。",
    not_again="聞き取りは行っていません(人が指定した区間から作成した複製です)。",
    remains="残っているもの、調べていないもの",
    still="人が必ず行う確認",
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
    remains: Sequence[str] = (),
) -> Page:
    """The page about a copy.

    Args:
        tracks: What was done to each track of sound.
        language: Of the page.
        source_sha256: Of the source.
        copy_sha256: Of the finished copy.
        again: What was heard when the finished copy was listened to again; None where nobody listened.
        remains: Further sentences of what a person must know.
    """
    words = _WORDS[language]
    known = [*remains, *(note for track in tracks for note in track.survives if note not in remains)]
    return Page(
        language,
        words.title,
        words.verdict,
        is_clean=True,
        facts=((words.copy, copy_sha256), (words.source, source_sha256)),
        sections=(
            Section(words.done, tuple(line for track in tracks for line in _done(track, words))),
            Section(words.again, tuple(_heard(again, words))),
            *([Section(words.remains, tuple(known))] if known else []),
            Section(words.still, words.person, is_to_do=True),
        ),
    )


def _done(track: Redacted, words: _Words) -> list[str]:
    seconds = sum(end - start for muted in track.muted for start, end in muted.silent) / track.rate
    head = words.track.format(
        track=track.track,
        codec=track.codec,
        rate=track.rate,
        channels=track.channels,
        seconds=seconds,
        style=words.styles[str(track.style)],
        method=words.methods[track.method],
    )
    listed = []
    for muted in track.muted:
        spans = [f"{start / track.rate:.3f}-{end / track.rate:.3f}" for start, end in muted.silent]
        rest = len(spans) - _LISTED
        shown = [*spans[:_LISTED], *([words.more.format(count=rest)] if rest > 0 else [])]
        listed.append(words.channel.format(channel=muted.channel, spans=", ".join(shown)))
    return [head, *listed]


def _heard(again: Suggestions | None, words: _Words) -> list[str]:
    if again is None:
        return [words.not_again]
    heard = words.heard.format(count=len(again.spans)) if again.spans else words.nothing_heard
    return [words.looked_for.format(what="; ".join(again.looked_for)), heard]

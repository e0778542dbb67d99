"""What is to be said to a person, before it is in a language: which sentence, and the facts in it.

A note travels and is stored as its code and its facts; the sentence is made
where somebody reads it, in English or in Japanese. Facts are numbers in the
unit that their name says, and words out of a file, which are quoted. What only
helps whoever repairs the program stays out of the Japanese sentence; the facts
hold it.

This knows no layout: `media.page` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from media.inspection import printable

Language: TypeAlias = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
Fact: TypeAlias = int | float | str

_LONGEST = 1000  #: characters of one fact

#: By code: a clause in English and in Japanese, without a full stop.
WORDS: dict[str, tuple[str, str]] = {
    # In the file.
    "container_broken": ("the container is broken: {why}", "ファイルの構造が壊れています"),
    "box_strange": (
        "there is a box {box!r} that does not belong there",
        "あってはならないボックス {box!r} があります",
    ),
    "box_strange_inside": (
        "there is a box {box!r} in {parent!r} that does not belong there",
        "{parent!r} の中に、あってはならないボックス {box!r} があります",
    ),
    "box_strange_in_form": (
        "there is a box {box!r} in the form of a track that does not belong there",
        "トラックの形式の記述に、あってはならないボックス {box!r} があります",
    ),
    "unused_space": ("unused space (free) is not empty", "未使用領域（free）が空ではありません"),
    "brands": ("the brands (ftyp) are not the usual ones", "ファイル形式の表示（ftyp）が通常のものではありません"),
    "language_named": ("a track names a language", "トラックに言語が記録されています"),
    "time_of_making": ("the container says when it was made", "作成日時が記録されています"),
    "track_named": (
        "a track of kind {handler!r} has a name, or is neither picture nor sound",
        "種類が {handler!r} のトラックに名前があるか、映像でも音声でもありません",
    ),
    "tags": ("there are tags (udta)", "タグ（udta）があります"),
    "other_file": ("a track refers to another file", "トラックが別のファイルを参照しています"),
    "many_forms": ("a track has more than one form", "トラックに複数の形式があります"),
    "encoder_named": ("the picture names its encoder", "映像に符号化ソフトの名前が記録されています"),
    "form_strange": (
        "a track holds {box!r}, which is neither H.264 nor sound",
        "トラックの中身 {box!r} は、H.264 でも音声でもありません",
    ),
    "edits_in_pieces": (
        "an edit list cuts a track into pieces",
        "編集リストがトラックを分割しています",
    ),
    "edits_hide": ("an edit list hides a part of a track", "編集リストがトラックの一部を隠しています"),
    "media_unclaimed": (
        "of {size_bytes} bytes of media, some belong to no sample, or to two",
        "メディア {size_bytes} バイトの中に、どのサンプルにも属さないか、二つに属する部分があります",
    ),
    "picture_tracks": ("there are {count} tracks of pictures", "映像のトラックが {count} 本あります"),
    "picture_header": (
        "the picture's header holds more than parameter sets",
        "映像のヘッダーに、再生に要るもの以外が含まれています",
    ),
    "picture_packets_broken": ("the picture's packets are broken: {why}", "映像のパケットが壊れています"),
    "picture_packet_strange": (
        "packet {packet} of the picture holds something beside it (unit {unit})",
        "映像のパケット {packet} に、映像以外のもの（ユニット {unit}）が含まれています",
    ),
    # Frames and times.
    "frames_missing": (
        "one file ends at frame {frame}, the other goes on",
        "一方のファイルがフレーム {frame} で終わり、他方は続いています",
    ),
    "frame_time": (
        "frame {frame} is shown at another time",
        "フレーム {frame} の表示時刻が元の映像と違います",
    ),
    # Under the masks and outside.
    "fill": (
        "in frame {frame}, what lies under a filled mask is not the fill",
        "フレーム {frame} の塗りつぶした場所が、塗りつぶし色ではありません",
    ),
    "mosaic": (
        "in frame {frame}, more than 64 cells are visible under a mosaic",
        "フレーム {frame} のモザイクが、8 × 8 マスより細かく見えています",
    ),
    "frame_size": ("frame {frame} has another size", "フレーム {frame} の大きさが元の映像と違います"),
    "frame_other": (
        "frame {frame} is not the source's picture",
        "フレーム {frame} が元の映像の画像と違います",
    ),
    "somebody": (
        (
            "in frame {frame} somebody may be visible at {left:.0f},{top:.0f} "
            "({width:.0f} x {height:.0f} pixels, confidence {confidence:.2f})"
        ),
        (
            "フレーム {frame} の左から {left:.0f}、上から {top:.0f} の位置に人物が見える可能性があります"
            "（{width:.0f} × {height:.0f} 画素、確信度 {confidence:.2f}）"
        ),
    ),
    # Sound.
    "sound_tracks": (
        "the copy has {have} sound tracks, and should have {want}",
        "複製の音声トラックは {have} 本ですが、{want} 本でなければなりません",
    ),
    "sound_packets": (
        "the packets of sound track {track} were changed",
        "音声トラック {track} のパケットが変わっています",
    ),
    "sound_length": (
        "sound track {track} is {is_s:.2f} s long, and was {was_s:.2f} s",
        "音声トラック {track} の長さが {was_s:.2f} 秒から {is_s:.2f} 秒に変わっています",
    ),
    "packets_damaged": (
        "{count} packets could not be decoded; they are silent in the result",
        "復号できないパケットが {count} 個ありました。その部分は無音です",
    ),
    "sound_missing": (
        "{seconds:.3f} s are missing from the source; they are silent here",
        "元の音声に {seconds:.3f} 秒の欠落があります。その部分は無音です",
    ),
    # How sound was silenced.
    "splice": (
        "samples were replaced where they lie; every other sample is as it was, bit for bit",
        "該当するサンプルだけを置き換え、ほかのサンプルは元と完全に同じです",
    ),
    "packets": (
        "the packets that carry the spans were replaced; every other packet is as it was, bit for bit",
        "区間を含むパケットだけを置き換え、ほかのパケットは元と完全に同じです",
    ),
    "edit": ("the sound was decoded, edited and written anew", "音声を復号し、編集して書き直しました"),
    "copied": (
        "nothing was to be muted on this track; its packets are as they were",
        "このトラックに消音する区間はなく、パケットは元のままです",
    ),
    # What was listened for.
    "keys": ("keys pressed (DTMF)", "押されたキー（DTMF）"),
    "voice_by_energy": ("voice activity (energy)", "声の有無（音量による）"),
    "voice_by_model": ("voice activity ({model})", "声の有無（{model}）"),
    "words": ("spoken numbers and personal data ({model})", "話された番号と個人情報（{model}）"),
    "words_left_out": (
        "spoken numbers and personal data were not looked for: nobody asked for it",
        "話された番号と個人情報は、求められなかったため調べていません",
    ),
    "words_missing": (
        "spoken numbers and personal data were not looked for: {why}",
        "話された番号と個人情報は、必要な追加機能 retention[speech] がないため調べていません",
    ),
    "pictures_unsearched": ("the pictures were not searched: {way}", "映像は調べていません"),
    "voice_by_loudness": (
        "voice activity was judged by loudness alone ({why})",
        "追加機能 retention[speech] がないため、声の有無は音量だけで判定しました",
    ),
    # What remains.
    "camera_moves": (
        "the camera moves, so nobody looked for things that move: only what a detector named is hidden",
        "カメラが動いているため、動くものの探索は行っていません。隠したのは検出器が見つけたものだけです",
    ),
    "mosaic_weaker": (
        "a mosaic hides less than a fill: faces have been recognised through one",
        "モザイクは塗りつぶしより弱く、モザイク越しに顔が識別された例があります",
    ),
    "sound_kept": (
        "the sound was kept: a person listens to the whole copy",
        "音声を残しました。人が複製全体を聞いて確認してください",
    ),
    "echo": (
        "a side that is silenced may be heard faintly on the other as echo: a person listens to the whole copy",
        "消音した側の声が、反響として他方にかすかに残ることがあります。人が複製全体を聞いて確認してください",
    ),
    "one_channel": (
        "everybody is on one channel: a person listens to the whole copy",
        "全員の声が一つのチャンネルに入っています。人が複製全体を聞いて確認してください",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence to be. Values of a child process are checked: an unknown code, or a fact too few, is refused.

    Raises:
        ValueError: There is no such sentence.
    """

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            for language in LANGUAGES:
                self.told(language)
        except (KeyError, ValueError) as error:
            raise ValueError(f"there is no sentence {self.code!r} with these facts") from error

    def told(self, language: Language) -> str:
        """A clause without a full stop."""
        facts = {
            name: printable(fact, _LONGEST) if isinstance(fact, str) else fact
            for name, fact in self.facts.items()
        }
        return WORDS[self.code][LANGUAGES.index(language)].format(**facts)

    def sentence(self, language: Language) -> str:
        """With a full stop."""
        clause = self.told(language)
        return f"{clause}。" if language == "ja" else f"{clause[:1].upper()}{clause[1:]}."

    @property
    def text(self) -> str:
        """The English clause, for messages and for JSON."""
        return self.told("en")

    def as_json(self) -> dict[str, Any]:
        """Code and facts for machines, and the English clause for whoever reads over their shoulder."""
        return {"code": self.code, "facts": dict(self.facts), "text": self.text}


def note(code: str, **facts: Fact) -> Note:
    """The note with this code, about these facts."""
    return Note(code, facts)

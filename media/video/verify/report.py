"""Say on one page what was looked for in a finished copy, with what, and what a person must still do.

In English and Japanese.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from media.note import Language, Note
from media.page import COMMON, Page, Section
from media.video.verify.model import Kind, VerifyReport

_LISTED = 12  #: findings on the page; the JSON has them all


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    clean: str
    not_clean: str
    looked: str
    found: str
    nothing: str
    container: str
    times: str
    proved: str
    masks: str
    outside: str
    equal: str
    sound: str
    searched: str
    known: str
    not_searched: str
    moved: str
    moved_kept: str
    source_digest: str
    person: tuple[str, ...]
    kinds: dict[Kind, str]
    sounds: dict[str, str]


_EN = _Words(
    title="Second look at a redacted copy",
    clean="Nothing was found. The copy may be released once a person has done what is listed below.",
    not_clean="Something was found. The copy must not be released.",
    looked="What was looked at",
    found="What was found",
    nothing="Nothing.",
    container="Every box of the file, every byte of its media, every unit of its picture: nothing but picture and sound.",
    times="All {frames} frames, decoded again: as many as in the source, each shown at the source's time.",
    proved=(
        "{decoded} of {frames} frames, decoded again; the other {proved} are the source's own, by comparison of every "
        "byte of their compressed pictures and of what a decoder needs for them. As many as in the source, each shown "
        "at the source's time."
    ),
    masks="{masks} painted areas, in every frame: each holds its fill (worst mean difference {worst:.1f} of 255 levels).",
    outside="Outside them, the source's picture: {psnr:.1f} dB PSNR overall, {low:.1f} dB in the worst frame.",
    equal="Outside them, the source's picture: equal.",
    sound="Sound: {sound}.",
    searched=(
        "{frames} frames, each turned by {angles} degrees, were searched by {name} {version} (SHA-256 {sha}), "
        "and {unchanged} more taken for searched, as their picture was the same; one in {every} was due: "
        "{hits} hits, {covered} under masks, {kept} on people who stay visible by decision."
    ),
    known=(
        "{known} more hold, bit for bit, pictures of the source that the same detector had searched, or taken for "
        "searched: what it saw there counts as seen here."
    ),
    not_searched="Nobody was searched for: no second detector was given.",
    moved="Things that moved and that no detector named: {hidden} painted over, {kept} left visible by decision.",
    moved_kept="Look at what moved and was left visible, {kept} in number: among it may be people whom no detector knows.",
    source_digest="SHA-256 of the source",
    person=(
        "Watch the copy once, from beginning to end. Detectors miss faces that are small, dark, blurred or turned away.",
        "Ask whether gait, clothes, tattoos, screens, name tags or number plates tell who somebody is.",
        "Listen to the sound, if it was kept. Nothing here searched it.",
    ),
    kinds={
        Kind.CONTAINER: "In the file",
        Kind.TIMES: "Frames and times",
        Kind.UNDER_MASK: "Under a mask",
        Kind.OUTSIDE: "Outside the masks",
        Kind.SOUND: "Sound",
        Kind.SEEN: "People",
    },
    sounds={
        "identical": "identical",
        "converted": "converted to AAC",
        "converted and identical": "identical, or converted to AAC where MP4 asks for it",
        "none": "none",
    },
)

_JA = _Words(
    title="墨消し済み複製の再検査",
    clean="問題は見つかりませんでした。下記の確認を人が終えた後、提供できます。",
    not_clean="問題が見つかりました。この複製を提供してはいけません。",
    looked="検査した内容",
    found="見つかった問題",
    nothing="ありません。",
    container="ファイルの全ボックス、メディアの全バイト、映像の全ユニット：映像と音声以外のものはありません。",
    times="全 {frames} フレームを再度復号：枚数も表示時刻も元の映像と同じです。",
    proved=(
        "全 {frames} フレームのうち {decoded} フレームを再度復号。残る {proved} フレームは、圧縮された映像と"
        "復号に必要な情報が元の映像と1バイトも違わないことを確認。枚数も表示時刻も元の映像と同じです。"
    ),
    masks="全フレームの塗りつぶし {masks} か所：すべて塗りつぶし色です（平均差の最大 {worst:.1f}/255）。",
    outside="塗りつぶし以外は元の映像と一致：全体で PSNR {psnr:.1f} dB、最も低いフレームで {low:.1f} dB。",
    equal="塗りつぶし以外は元の映像と完全に同じです。",
    sound="音声：{sound}。",
    searched=(
        "{frames} フレームを {angles} 度に回転して {name} {version}（SHA-256 {sha}）で探索"
        "（{every} フレームごと、同じ画像の {unchanged} フレームは省略）："
        "検出 {hits} 件、うち塗りつぶし下 {covered} 件、表示すると決定した人物 {kept} 件。"
    ),
    known=(
        "ほか {known} フレームは、同じ検出器が先に探索した元の映像（変化のない画像は省略）とビット単位で同じです。"
        "そこで検出したものは、ここでも検出したものとして扱いました。"
    ),
    not_searched="人物の探索は行っていません（二つ目の検出器が指定されていません）。",
    moved="検出器が何か特定できなかった動くもの：塗りつぶし {hidden} 件、表示すると決定 {kept} 件。",
    moved_kept="表示したままの動くもの {kept} 件を確認してください。検出器が認識できない人物が含まれることがあります。",
    source_digest="元の映像の SHA-256",
    person=(
        "複製を最初から最後まで一度見てください。小さい顔、暗い顔、ぼけた顔、横や後ろを向いた顔は検出されないことがあります。",
        "歩き方、服装、入れ墨、画面、名札、ナンバープレートから個人が分からないか確認してください。",
        "音声を残した場合は聞いて確認してください。この検査は音声の内容を調べていません。",
    ),
    kinds={
        Kind.CONTAINER: "ファイル",
        Kind.TIMES: "フレームと時刻",
        Kind.UNDER_MASK: "塗りつぶしの下",
        Kind.OUTSIDE: "塗りつぶしの外",
        Kind.SOUND: "音声",
        Kind.SEEN: "人物",
    },
    sounds={
        "identical": "元と同一",
        "converted": "AAC に変換",
        "converted and identical": "元と同一（MP4 に入らないものは AAC に変換）",
        "none": "なし",
    },
)
_WORDS: dict[Language, _Words] = {"en": _EN, "ja": _JA}


def page_of(report: VerifyReport, language: Language, remains: Sequence[Note] = ()) -> Page:
    """The page about a copy; `remains` is what else a person must know."""
    words, common = _WORDS[language], COMMON[language]
    return Page(
        language,
        words.title,
        words.clean if report.is_clean else words.not_clean,
        is_clean=report.is_clean,
        facts=((common.copy, report.output_sha256), (words.source_digest, report.source_sha256)),
        sections=(
            Section(words.found, tuple(_found(report, language))),
            Section(words.looked, tuple(_looked(report, language))),
            *([Section(common.remains, tuple(one.sentence(language) for one in remains))] if remains else []),
            Section(common.still, (*_moved_kept(report, words), *words.person), is_to_do=True),
        ),
    )


def _found(report: VerifyReport, language: Language) -> list[str]:
    words, common = _WORDS[language], COMMON[language]
    if report.is_clean:
        return [words.nothing]
    listed = [
        f"{words.kinds[one.kind]}{common.colon}{one.note.told(language)}{common.stop}"
        for one in report.findings[:_LISTED]
    ]
    rest = len(report.findings) - _LISTED
    return [*listed, common.more.format(count=rest)] if rest > 0 else listed


def _looked(report: VerifyReport, language: Language) -> list[str]:
    """What holds. A line whose subject has a finding is left out: the finding says more."""
    words = _WORDS[language]
    lines = {
        Kind.CONTAINER: words.container,
        Kind.TIMES: (words.proved if report.proved else words.times).format(
            frames=report.frames, proved=report.proved, decoded=report.frames - report.proved
        ),
        Kind.UNDER_MASK: words.masks.format(masks=report.masks, worst=report.worst_fill_error),
        Kind.OUTSIDE: _outside(report, words),
        Kind.SOUND: words.sound.format(sound=words.sounds.get(report.sound, report.sound)),
    }
    wrong = {finding.kind for finding in report.findings}
    kept = [line for kind, line in lines.items() if kind not in wrong]
    weaker = [COMMON[language].weaker.format(count=report.weaker_masks)] if report.weaker_masks else []
    moved = [words.moved.format(**asdict(report.moved))] if report.moved else []
    return [*kept, *weaker, *moved, _searched(report, language)]


def _moved_kept(report: VerifyReport, words: _Words) -> list[str]:
    kept = report.moved.kept if report.moved else 0
    return [words.moved_kept.format(kept=kept)] if kept else []


def _outside(report: VerifyReport, words: _Words) -> str:
    if report.psnr_db is None or report.worst_psnr_db is None:
        return words.equal
    return words.outside.format(psnr=report.psnr_db, low=report.worst_psnr_db)


def _searched(report: VerifyReport, language: Language) -> str:
    words, common = _WORDS[language], COMMON[language]
    look = report.second_look
    if look is None:
        return words.not_searched
    said = words.searched.format(
        frames=look.frames,
        unchanged=look.unchanged,
        every=look.every_frames,
        angles=common.comma.join(str(angle) for angle in look.angles),
        name=look.name,
        version=look.version,
        sha=f"{look.sha256[:16]}…",
        hits=look.hits,
        covered=look.covered,
        kept=look.kept,
    )
    return " ".join([said, words.known.format(known=look.known)]) if look.known else said

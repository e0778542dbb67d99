"""What the public pages say, in each language. Nothing here is about anybody."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_JA: Final = {
    "language": "日本語",
    "title": "資料の受け取り",
    "lead": "お送りする資料を、ここから一度だけダウンロードできます。",
    "passphrase": "パスワード",
    "passphrase_hint": "この案内とは別にお伝えした、{length}文字の英数字です。ハイフンや大文字・小文字の違いは問いません。",
    "download": "ダウンロード",
    "until": "期限",
    "size": "大きさ",
    "wrong": "パスワードが違います。あと{number}回入力できます。",
    "nothing": "パスワードを入力してください。",
    "busy": "ただいまダウンロードの途中です。終わらないときは、数分待ってからもう一度お試しください。",
    "crowded": "ただいま混み合っています。少し待ってから、もう一度お試しください。入力回数は減っていません。",
    "what_next": "ダウンロードのあと",
    "next_open": "ZIP 形式のファイルが保存されます。開くと、はじめに読む README.txt と回答書 letter.pdf があります。",
    "next_once": "ダウンロードが終わると、このページは使えなくなります。途中で切れたときは、{minutes}分以内であればやり直せます。",
    "next_call": "うまくいかないときは、この案内をお送りした窓口へご連絡ください。",
    "nowhere_title": "このページは使えません",
    "nowhere": "アドレスが違うか、期限が過ぎたか、すでにダウンロードされています。お手数ですが、案内をお送りした窓口へご連絡ください。",
    "private": "このページはスクリプトも Cookie も使いません。",
    "languages": "言語",
}
_EN: Final = {
    "language": "English",
    "title": "Collect your documents",
    "lead": "You can download the documents we are sending you here, once.",
    "passphrase": "Passphrase",
    "passphrase_hint": "The {length} letters and digits that reached you separately from this link. Hyphens and capitals do not matter.",
    "download": "Download",
    "until": "Available until",
    "size": "Size",
    "wrong": "This passphrase is not right. Attempts left: {number}.",
    "nothing": "Enter the passphrase.",
    "busy": "A download is in progress. If it does not end, wait a few minutes and try again.",
    "crowded": "The service is busy. Wait a moment and try again. No attempt was counted.",
    "what_next": "After the download",
    "next_open": "You get a ZIP file. In it, README.txt says where to begin, and letter.pdf is our answer.",
    "next_once": "Once the download is complete, this page stops working. If it breaks off, you can start again within {minutes} minutes.",
    "next_call": "If anything does not work, contact the office that sent you the link.",
    "nowhere_title": "This page is not available",
    "nowhere": "The address is not right, its time is over, or the documents were downloaded before. Please contact the office that sent you the link.",
    "private": "This page uses no scripts and no cookies.",
    "languages": "Language",
}
_DE: Final = {
    "language": "Deutsch",
    "title": "Ihre Unterlagen abholen",
    "lead": "Hier können Sie die Unterlagen, die wir Ihnen senden, einmal herunterladen.",
    "passphrase": "Kennwort",
    "passphrase_hint": "Die {length} Buchstaben und Ziffern, die Sie getrennt von diesem Link erhalten haben. Bindestriche und Großschreibung spielen keine Rolle.",
    "download": "Herunterladen",
    "until": "Verfügbar bis",
    "size": "Größe",
    "wrong": "Dieses Kennwort stimmt nicht. Verbleibende Versuche: {number}.",
    "nothing": "Geben Sie das Kennwort ein.",
    "busy": "Das Herunterladen läuft. Endet es nicht, warten Sie einige Minuten und versuchen Sie es noch einmal.",
    "crowded": "Der Dienst ist ausgelastet. Warten Sie einen Augenblick und versuchen Sie es noch einmal. Es wurde kein Versuch gezählt.",
    "what_next": "Nach dem Herunterladen",
    "next_open": "Sie erhalten eine ZIP-Datei. README.txt sagt, womit Sie beginnen; letter.pdf ist unsere Antwort.",
    "next_once": "Ist das Herunterladen beendet, gilt diese Seite nicht mehr. Bricht es ab, können Sie es innerhalb von {minutes} Minuten neu beginnen.",
    "next_call": "Wenn etwas nicht gelingt, wenden Sie sich an die Stelle, die Ihnen den Link gesandt hat.",
    "nowhere_title": "Diese Seite ist nicht verfügbar",
    "nowhere": "Die Adresse stimmt nicht, die Frist ist abgelaufen, oder die Unterlagen wurden bereits heruntergeladen. Bitte wenden Sie sich an die Stelle, die Ihnen den Link gesandt hat.",
    "private": "Diese Seite verwendet keine Skripte und keine Cookies.",
    "languages": "Sprache",
}
#: Language → label → text.
WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"ja": _JA, "en": _EN, "de": _DE})
#: The languages that a page offers, by that of what waits.
OFFERED: Final = MappingProxyType({"ja": ("ja", "en"), "en": ("ja", "en"), "de": ("de", "en")})

"""The page in a package that says how to open it and how to check it, in Japanese and English."""

from typing import Final

NAME: Final = "README.txt"

_TEXT: Final = """\
この文書について

  letter.pdf      ご請求に対する回答書です。
  recordings/     開示する録音・映像の写しです。一般的な再生ソフトで再生できます（MP4、WAV、FLAC、PNG）。
                  フォルダがないときは、回答書のみをお送りしています。
  manifest.json   この一式に含まれるファイルの一覧と、それぞれに施した加工の内容です。
                  消去のご請求の場合は、消去した録音・映像の証明（"erased"）を含みます。
  manifest.sig    manifest.json の電子署名です（Ed25519）。

ファイルの名前の日付と時刻は、録音・録画された場所の時刻です。
ご本人以外の方を保護するため、その方の映像及び音声は消去しております。元に戻すことはできません。

内容が改変されていないことは、確認用プログラムでお確かめいただけます。インターネット接続は要りません。

  python verify_package.py ファイル名.zip --key 公開鍵

確認用プログラムと公開鍵は、この一式からではなく、回答書に記載の窓口へお尋ねください。


About these files

  letter.pdf      The answer to your request.
  recordings/     Copies of the recordings that are disclosed. Common players play them (MP4, WAV, FLAC, PNG).
                  Where there is no such folder, the letter is all that is sent.
  manifest.json   Every file in this package, and what was done to it.
                  After an erasure it also certifies what was erased ("erased").
  manifest.sig    The digital signature of manifest.json (Ed25519).

Dates and times in the names of files are those of the place where the recording was made.
To protect other people, their images and voices were destroyed in these copies. They cannot be brought back.

Whether anything was changed can be checked with a small program, without the internet:

  python verify_package.py FILE.zip --key PUBLIC_KEY

Ask the contact named in the letter for the program and the public key; take neither from this package.
"""


def readme() -> bytes:
    """In UTF-8, with the mark and the line ends by which every text editor knows it."""
    return ("\ufeff" + _TEXT.replace("\n", "\r\n")).encode()

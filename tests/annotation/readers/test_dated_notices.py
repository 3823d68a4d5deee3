import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers.dated_notices import kind_of_name, told_by, without_edit_mark


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("\u200eimage omitted", "image"),
        ("video omitted", "video"),
        ("GIF omitted", "video"),
        ("audio omitted", "voice"),
        ("sticker omitted", "sticker"),
        ("document omitted", "file"),
        ("Contact card omitted", "contact"),
        ("<Media omitted>", "other"),
        ("<省略影音内容>", "other"),
        ("<省略多媒體檔>", "other"),
        ("图片已省略", "image"),
        ("圖片已略去", "image"),
        ("影片已略去", "video"),
        ("貼圖已略去", "sticker"),
        ("音訊已略去", "voice"),
        ("文件已省略", "file"),
        ("已忽略图像", "image"),
        ("贴图已忽略", "sticker"),
        ("<Medien ausgeschlossen>", "other"),
        ("Bild weggelassen", "image"),
        ("Audio weggelassen", "voice"),
        ("imagen omitida", "image"),
        ("<Multimedia omitido>", "other"),
        ("sticker omitido", "sticker"),
        ("image absente", None),
        ("<Médias omis>", "other"),
        ("image omise", "image"),
        ("<Mídia oculta>", "other"),
        ("imagem ocultada", None),
        ("áudio ocultado", None),
        ("<Media omessi>", "other"),
        ("immagine omessa", "image"),
        ("<Media weggelaten>", "other"),
        ("afbeelding weggelaten", "image"),
        ("<Без медиафайлов>", "other"),
        ("изображение опущено", "image"),
        ("<미디어 파일 생략>", "other"),
        ("이미지 생략", "image"),
        ("사진 생략됨", "image"),
        ("画像を省略しました", "image"),
        ("<メディアは含まれていません>", "other"),
        ("This message was deleted", "recall"),
        ("This message was deleted.", "recall"),
        ("You deleted this message", "recall"),
        ("此消息已删除。", "recall"),
        ("您已删除此消息。", "recall"),
        ("您已刪除此訊息。", "recall"),
        ("這則訊息已刪除", "recall"),
        ("Diese Nachricht wurde gelöscht.", "recall"),
        ("Se eliminó este mensaje.", "recall"),
        ("삭제된 메시지입니다.", "recall"),
        ("Missed voice call", "call"),
        ("Missed group video call, 10:00", "call"),
        ("Voice call, 2 min", "call"),
        ("未接语音通话", "call"),
        ("Location: https://maps.google.com/?q=1,2", "location"),
        ("位置：https://127.0.0.1/", "location"),
        ("Live location shared", "location"),
        ("POLL:", "other"),
        ("Waiting for this message. This may take a while.", "other"),
        ("Ann.vcf (file attached)", "contact"),
        ("STK-20241013-WA0001.webp (file attached)", "sticker"),
        ("PTT-20241013-WA0001.opus (Datei angehängt)", "voice"),
        ("<attached: 00000005-GIF-2024-10-13-09-00-00.mp4>", "video"),
        ("<adjunto: 00000005-STICKER-2024-10-13.webp>", "sticker"),
        ("Plan v2.pdf (archivo adjunto)", "file"),
        ("<pièce jointe : 00000005-PHOTO-2024.jpg>", "image"),
    ],
)
def test_what_nobody_typed_is_known_in_many_languages(line: str, kind: str | None) -> None:
    told = told_by(line)
    assert (told.kind if told else None) == kind


@pytest.mark.parametrize(
    "line",
    [
        "",
        "image",
        "I omitted the image",
        "the video omitted my part",
        "You deleted this message yesterday?",
        "call me",
        "voice call at 8?",
        "see plan.pdf (page 3)",
        "a <b> c",
        "<3",
        "<note: later>",
        "位置在哪",
        "https://maps.google.com/?q=1,2",
        "这张图片我省略了",
        "他删除了此消息吗",
    ],
)
def test_words_stay_words(line: str) -> None:
    assert told_by(line) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("IMG-20241013-WA0001.jpg", "image"),
        ("00000012-PHOTO-2024.jpg", "image"),
        ("photo.HEIC", "image"),
        ("IMG-1.webp", "image"),
        ("STK-20241013-WA0001.webp", "sticker"),
        ("00000012-STICKER-2024.webp", "sticker"),
        ("a.webp", "sticker"),
        ("STK-1.png", "sticker"),
        ("PTT-1.opus", "voice"),
        ("AUD-1.m4a", "voice"),
        ("VID-1.mp4", "video"),
        ("a.mov", "video"),
        ("Ann.vcf", "contact"),
        ("DOC-1.jpg", "file"),
        ("image 1.pdf", "file"),
        ("plan.pdf", "file"),
        ("none", "file"),
        ("", "file"),
        (".jpg", "file"),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_name(name: str, kind: str) -> None:
    assert kind_of_name(name) == kind


@given(st.text(max_size=200))
def test_no_line_breaks_the_reading(line: str) -> None:
    told_by(line)
    assert line.startswith(without_edit_mark(line)) or without_edit_mark(line) == line


def test_a_line_of_a_megabyte_is_read_at_once() -> None:
    for line in ("<" * 1_000_000, " " * 1_000_000 + "<", "a.jpg " * 200_000, "<a: " * 250_000, "\u200e" * 1_000_000):
        told_by(line)
        without_edit_mark(line)

"""The words by which the dated text of a chat says that something was attached, left out or deleted, in many languages."""

from __future__ import annotations

from mldr.annotation.chat import MessageKind

ATTACHED = (
    "file attached|attached|文件附件|附件|檔案已附加|已附加檔案|archivo adjunto|adjunto|Datei angehängt|Anhang|"
    "fichier joint|pièce jointe|arquivo anexado|ficheiro anexado|anexado|anexo|file allegato|allegato|"
    "bestand bijgevoegd|bijgevoegd|bijlage|файл добавлен|прикреплено|вложение|파일 첨부|파일 첨부됨|첨부|첨부 파일|"
    "添付ファイルあり|添付ファイル|dosya ekli|ekli|lampiran|file terlampir|plik załączony|załącznik"
)
"""Behind a file's name, in brackets."""

THINGS: dict[MessageKind, str] = {
    "image": "image|photo|picture|图片|图像|照片|圖片|圖像|相片|imagen|foto|Bild|imagem|immagine|afbeelding|изображение|фото|"
    "사진|이미지|画像|写真|gambar|obraz|görüntü|fotoğraf",
    "sticker": "sticker|贴图|表情|贴纸|貼圖|figurinha|стикер|스티커|スタンプ|ステッカー|autocollant|naklejka|çıkartma|stiker",
    "voice": "audio|voice message|音频|语音|语音消息|音訊|語音訊息|áudio|mensaje de voz|аудио|голосовое сообщение|오디오|"
    "음성 메시지|音声|ses|dźwięk",
    "video": "video|video note|GIF|视频|影片|動態圖片|vídeo|vidéo|видео|동영상|動画|wideo|videonotitie|Videonachricht",
    "file": "document|文件|文档|文件檔|documento|Dokument|документ|문서|文書|ドキュメント|dokumen|belge",
    "contact": "contact card|contact|联系人名片|名片|聯絡人名片|tarjeta de contacto|Kontaktkarte|fiche contact|"
    "cartão do contato|карточка контакта|연락처",
    "other": "media|影音内容|影音內容|多媒体|媒体|媒體|媒体内容|媒體內容|"
    "多媒體檔|多媒體檔案|multimedia|Medien|médias?|mídia|медиафайлы?|"
    "медиа|미디어|미디어 파일|メディア|medya|ficheiro|archivo",
}
"""What may be left out; `other` where the file does not say what it was."""

OMITTED_AFTER = (
    "omitted|omitid[oa]s?|ocult[oa]s?|omis(?:e|es)?|weggelassen|ausgeschlossen|weggelaten|omess[oaie]|esclus[oaie]|"
    "опущен[оаы]?|пропущен[оаы]?|отсутству(?:ет|ют)|생략됨|생략|tidak disertakan|dilewatkan|dahil edilmedi|pominięto|"
    "已?省略|已?略去|已?忽略|已?略過|を?省略しました|は含まれていません"
)
OMITTED_BEFORE = "已?省略|已?略去|已?忽略|已?略過|pominięto"
OMITTED_WHOLE = "Без медиафайлов|Sem mídia"

DELETED = (
    "This message was deleted(?: by admin .{1,80})?|You deleted this message(?: as admin)?|"
    "(?:此|这条|该)消息已(?:被)?删除|[您你]已?删除了?(?:此|这条)消息|"
    "(?:此|這則|這個)訊息已(?:被)?刪除|[您你]已?刪除了?(?:此|這則)訊息|"
    "Diese Nachricht wurde gelöscht|(?:Du hast|Sie haben) diese Nachricht gelöscht|"
    "Se eliminó este mensaje|Este mensaje fue eliminado|Eliminaste este mensaje|"
    "Ce message a été supprimé|Vous avez supprimé ce message|"
    "(?:Esta mensagem foi|Mensagem) apagada|(?:Você apagou|Apagou) esta mensagem|"
    "Questo messaggio è stato eliminato|Hai eliminato questo messaggio|"
    "Dit bericht is verwijderd|(?:Je hebt|U hebt) dit bericht verwijderd|"
    "Данное сообщение удалено|Вы удалили данное сообщение|"
    "삭제된 메시지입니다|(?:이 )?메시지가 삭제되었습니다|(?:이 )?메시지를 삭제했습니다|"
    "(?:この)?メッセージ[はが]削除されました|(?:この)?メッセージを削除しました|"
    "Bu mesaj silindi|Bu mesajı sildiniz|Pesan ini (?:telah )?dihapus|Anda (?:telah )?menghapus pesan ini|"
    "Ta wiadomość została usunięta"
)
EDITED = (
    "edited|已编辑|编辑|已編輯|編輯|bearbeitet|editó|editado|editada|modifié|modificato|bewerkt|изменено|수정|編集|"
    "düzenlendi|diedit"
)
EVENTS: tuple[tuple[MessageKind, str], ...] = (
    (
        "system",
        r"Messages (?:and calls|to this (?:chat|group)).{0,80}end-to-end encrypt.*|消息和通话.{0,20}端到端加密.*",
    ),
    ("system", r"訊息(?:和|及)通話.{0,20}端對端加密.*|Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.*"),
    ("call", r"(?:Missed |Silenced )?(?:group )?(?:voice|video) call(?:, .{1,40}|\. Tap to call back\.?)?"),
    ("call", r"未接(?:群组|群組)?(?:语音|视频|語音|視訊)(?:通话|通話|来电|來電).{0,40}"),
    (
        "location",
        r"(?:location|位置|地點|Standort|ubicación|localisation|localização|posizione|locatie|위치) ?[:：] ?https?://\S+",
    ),
    ("location", r"Live location shared.{0,40}"),
    ("other", r"POLL:.*|Waiting for this message\. This may take a while\.|<View once .{1,30} omitted>"),
)
"""Whole lines that tell of an event."""

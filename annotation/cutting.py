"""`mldr annotate cut`: the chats of a private store to dialogues, still raw; every message is in one, or counted by reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from mldr.annotation.chat import Chat
from mldr.annotation.chatfile import read_chat
from mldr.annotation.clocks import local_zone
from mldr.annotation.cutreport import CutReport, CutSettings
from mldr.annotation.importing import chat_path
from mldr.annotation.importreport import REPORT
from mldr.annotation.merging import Draft, Drafts, merged
from mldr.annotation.pieces import Limits, pieces
from mldr.annotation.records import CutDialogue, cut_path, write_cut
from mldr.annotation.store import Store, locked
from mldr.annotation.tongue import language_of
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.errors import Faults, MldrError, fault
from mldr.files import canonical_json, parse_json
from mldr.progress import Progress

TORN = "cross a cut"
DROPPED = "stand in a piece that is not used"


def cut_chats(
    store: Store, settings: CutSettings, progress: Progress | None = None, *, force: bool = False
) -> CutReport:
    """Cut every chat of a store into dialogues; those of an earlier cut are replaced.

    Args:
        store: the private one.
        settings: how.
        progress: what is shown.
        force: also remove dialogues that somebody has reviewed and that are no more; their reviews stay where they are.

    Raises:
        MldrError: if there is no chat, or no dialogue can be of the wanted length.
        InputError: if dialogues with a review would go; nothing is written then.
    """
    progress = progress or Progress()
    if settings.min_utterances > settings.max_utterances:
        words = f"at least {settings.min_utterances} and at most {settings.max_utterances} utterances"
        raise MldrError(f"{words}: no dialogue is of both")
    keys = sorted(path.name for path in store.chats.glob("*") if (path / REPORT).is_file())
    if not keys:
        raise MldrError(f"{store.folder} holds no chat; `mldr annotate import` brings one in")
    report = CutReport()
    with locked(store.dialogues):
        before = _earlier(store)
        if not force:
            _check_reviews(store, keys, before, settings)
        store.dialogues.mkdir(mode=0o700, exist_ok=True)
        for chat_key in progress.over(keys, "chats", len(keys)):
            made = {cut.dialogue.dialogue_id: cut for cut in cut_chat(store, chat_key, settings, report)}
            for cut in made.values():
                write_cut(store.dialogues, cut)
                cut_path(store.dialogues, cut.dialogue.dialogue_id).chmod(0o600)
            for dialogue_id in sorted(before.get(chat_key, set()) - set(made)):
                cut_path(store.dialogues, dialogue_id).unlink()
                report.removed += 1
    report.replies_lost = dict(sorted(report.replies_lost.items()))
    return report


def _earlier(store: Store) -> dict[str, set[str]]:
    """Return chat_key -> ids of the dialogues that an earlier cut made."""
    found: dict[str, set[str]] = {}
    for path in sorted(store.dialogues.glob("*.json")):
        try:
            document = parse_json(path.read_bytes())
            found.setdefault(str(document["chat_key"]), set()).add(path.stem)
        except (ValueError, KeyError, TypeError) as error:
            raise fault(str(path), "is no dialogue that `cut` made; move it away") from error
    return found


def _check_reviews(store: Store, keys: Sequence[str], before: dict[str, set[str]], settings: CutSettings) -> None:
    """Refuse to remove a dialogue that somebody reviewed."""
    reviewed = {path.stem for path in store.reviews.glob("*.jsonl") if path.stat().st_size}
    faults = Faults()
    for chat_key in keys:
        if at_stake := before.get(chat_key, set()) & reviewed:
            stay = {cut.dialogue.dialogue_id for cut in cut_chat(store, chat_key, settings, CutReport())}
            for dialogue_id in sorted(at_stake - stay):
                words = "would be no more, and somebody reviewed it; keep the settings, or let it go with --force"
                faults.add(f"dialogue {dialogue_id}", words)
    faults.check()


def cut_chat(store: Store, chat_key: str, settings: CutSettings, report: CutReport) -> Iterator[CutDialogue]:
    """Yield the dialogues of one chat, in its order, and count what is met into a report."""
    chat = read_chat(chat_path(store, chat_key))
    made = merged(chat, settings.merge_gap_s)
    report.chats += 1
    report.messages += made.messages
    report.events += made.events
    report.utterances += len(made.drafts)
    report.lose_replies(made.replies_lost)
    limits = Limits(settings.pause_s, settings.max_utterances, settings.min_utterances, settings.min_images)
    for first, past in pieces(made.drafts, limits):
        if reason := _unfit(made.drafts[first:past], settings):
            report.lose(reason, made.drafts[first:past])
            report.lose_replies({DROPPED: _replies(made, first, past)})
            continue
        yield _counted(_dialogue(store, chat, chat_key, made, (first, past), settings), made, first, report)


def _unfit(piece: Sequence[Draft], settings: CutSettings) -> str:
    if len(piece) < settings.min_utterances:
        return f"fewer than {settings.min_utterances} utterances"
    present = sum(draft.present for draft in piece)
    return f"fewer than {settings.min_images} images" if present < settings.min_images else ""


def _replies(made: Drafts, first: int, past: int) -> int:
    return sum(draft.reply_to is not None for draft in made.drafts[first:past])


def _dialogue(
    store: Store, chat: Chat, chat_key: str, made: Drafts, piece: tuple[int, int], settings: CutSettings
) -> CutDialogue:
    first, past = piece
    drafts = made.drafts[first:past]
    images: list[DialogueImage] = []
    utterances = []
    for draft in drafts:
        start = len(images)
        for picture in draft.pictures:
            images.append(DialogueImage(picture.image_key or f"ref:missing/{len(images)}"))
        reply_to = None if draft.reply_to is None or draft.reply_to < first else draft.reply_to - first
        time = _shown(draft.time, chat.zone)
        utterances.append(Utterance(draft.speaker, draft.text, tuple(range(start, len(images))), time, reply_to))
    message_ids = tuple(tuple(message.message_id for message in draft.messages) for draft in drafts)
    # the words too: what was reviewed is said of stretches of the text, and must not be taken for another text's
    parts = (canonical_json(message_ids), canonical_json([utterance.text for utterance in utterances]))
    dialogue = Dialogue(
        dialogue_id=store.derived("dialogue-id", chat.platform, chat.chat_id, *parts)[:16],
        language=settings.language or language_of(utterance.text for utterance in utterances),
        origin="real",
        cluster_id=store.cluster_id(chat.platform, chat.chat_id),
        utterances=tuple(utterances),
        images=tuple(images),
    )
    return CutDialogue(dialogue, chat_key, chat.platform, message_ids, chat.members)


def _shown(time: datetime, zone: str) -> datetime:
    """Return the clock of a zone at an instant, to the millisecond: a dataset's tables keep no more."""
    local = time.astimezone(local_zone(zone)).replace(tzinfo=None, fold=0)
    return local.replace(microsecond=local.microsecond // 1000 * 1000)


def _counted(cut: CutDialogue, made: Drafts, first: int, report: CutReport) -> CutDialogue:
    dialogue = cut.dialogue
    replies = sum(utterance.reply_to is not None for utterance in dialogue.utterances)
    torn = _replies(made, first, first + dialogue.n_utterances) - replies
    report.dialogues += 1
    report.utterances_used += dialogue.n_utterances
    report.messages_used += sum(len(ids) for ids in cut.message_ids)
    report.images += dialogue.n_images
    report.images_missing += sum(image.image_key.startswith("ref:") for image in dialogue.images)
    report.replies += replies
    report.lose_replies({TORN: torn})
    return cut

"""What may not be pushed is refused before the first request; what may not be passed on is not sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import mldr
from mldr.dialogue import Dialogue, Origin, StoredImage
from mldr.errors import InputError, MldrError
from mldr.files import sha256_file, write_text
from mldr.hub import Wanted, pull, push
from mldr.hub.allowed import check_allowed
from mldr.hub.staging import BY_ADDRESS, LEFT_OUT
from mldr.licences import RESEARCH_ONLY
from mldr.manifest import Manifest, ShardEntry, read_manifest, write_manifest
from mldr.publishing import CROSS_BORDER, Visibility
from mldr.verify import verify
from tests.conftest import small_rows, stored_picture, write_dataset
from tests.fakes.hub_server import HubServer

HERE = Wanted("tests/demo")
Change = Callable[[Manifest], None]


def licensed(folder: Path, *images: StoredImage, origin: Origin = "stitched", words: str = "CC0-1.0") -> mldr.Dataset:
    """Write a dataset of one split whose dialogues have a licence and whose first one carries the images."""
    rows = small_rows(0, "green")
    green = replace(stored_picture("green"), licence="CC0-1.0")
    shown = [green, *images]
    dialogues = [replace(one, licence=words, origin=origin) for one in rows["dialogues"] if isinstance(one, Dialogue)]
    from tests.conftest import small_dialogue

    dialogues[0] = replace(small_dialogue(0, images=shown), licence=words, origin=origin)
    rows["dialogues"], rows["images"] = list(dialogues), list(shown)
    dataset = write_dataset(folder, {"test": rows})
    write_text(folder / "README.md", "---\nlicense: other\n---\n\n# tests\n")
    return told(dataset, lambda manifest: manifest.files.update({"README.md": card_entry(folder)}))


def card_entry(folder: Path) -> ShardEntry:
    return ShardEntry(rows=0, sha256=sha256_file(folder / "README.md"))


def told(dataset: mldr.Dataset, change: Change) -> mldr.Dataset:
    """Change the manifest of a dataset."""
    manifest = read_manifest(dataset.folder)
    change(manifest)
    write_manifest(dataset.folder, manifest)
    return mldr.Dataset(dataset.folder)


def consented(dataset: mldr.Dataset, *scopes: str) -> mldr.Dataset:
    return told(dataset, lambda manifest: setattr(manifest, "consent_scopes", list(scopes)))


def picture_under(colour: str, licence: str, url: str = "", source: str = "web") -> StoredImage:
    return replace(stored_picture(colour), licence=licence, url=url, source=source)


def test_bytes_that_may_not_be_passed_on_are_sent_as_address_and_hash(server: HubServer, tmp_path: Path) -> None:
    reserved = picture_under("red", "all rights reserved", "https://example.org/red.png")
    unstated = picture_under("blue", "")
    free = picture_under("yellow", "CC-BY-4.0", "https://example.org/yellow.png")
    dataset = licensed(tmp_path / "d", reserved, unstated, free)
    done = push(dataset, HERE)
    assert f"{BY_ADDRESS}: 1" in done.notes
    assert f"{LEFT_OUT}: 1" in done.notes
    sent = b"".join(blob.content for blob in server.store.repositories["tests/demo"].files().values())
    assert reserved.content is not None
    assert free.content is not None
    assert unstated.content is not None
    assert reserved.content not in sent
    assert unstated.content not in sent
    assert free.content in sent
    assert all(reserved.content not in one and unstated.content not in one for one in server.store.objects.values())
    pull("tests/demo", tmp_path / "back")
    back = mldr.load(tmp_path / "back")
    verify(back)
    image = back.image(reserved.image_key)  # the key is the hash of the bytes that are not there
    assert (image.status, image.url, image.content) == ("url_only", reserved.url, None)
    assert (image.width, image.height, image.licence) == (40, 30, "all rights reserved")
    assert back.image(unstated.image_key).status == "withheld"
    assert back.image(free.image_key).content == free.content
    assert back.manifest.gold_hash == dataset.manifest.gold_hash


def test_the_card_that_is_sent_says_which_images_are_not_there(server: HubServer, tmp_path: Path) -> None:
    dataset = licensed(tmp_path / "d", picture_under("red", "proprietary", "https://example.org/red.png"))
    push(dataset, HERE)
    card = server.store.repositories["tests/demo"].files()["README.md"].content.decode()
    assert (
        f"## Images that are not here\n\nOf the dataset as it was built, this copy lacks:\n\n- {BY_ADDRESS}: 1\n"
        in card
    )
    assert "| stored images | present 1, url\\_only 1 |" in card
    assert (dataset.folder / "README.md").read_text("utf-8").endswith("# tests\n")


def test_a_copy_without_bytes_is_the_same_each_time(server: HubServer, tmp_path: Path) -> None:
    dataset = licensed(tmp_path / "d", picture_under("red", "", "https://example.org/red.png"))
    push(dataset, HERE)
    assert not push(dataset, HERE).difference


def test_a_fetched_picture_that_was_sent_by_address_gets_its_old_key_back(server: HubServer, tmp_path: Path) -> None:
    from mldr.downloads.polite import Manners
    from mldr.hydrate import hydrate, write_hydrated
    from tests.core.downloads.support import running

    with running() as site:
        site.picture("/red", "red")
        red = picture_under("red", "all rights reserved", site.url("/red"))
        push(licensed(tmp_path / "d", red), HERE)
        pull("tests/demo", tmp_path / "back")
        back = mldr.load(tmp_path / "back")
        hydrate(back, tmp_path / "fetched", Manners(delay=0.0, timeout=0.5, retries=0, allow_private=True))
        write_hydrated(back, tmp_path / "fetched", tmp_path / "whole")
    image = mldr.load(tmp_path / "whole").image(red.image_key)
    assert (image.status, image.content) == ("present", red.content)


def test_words_that_nobody_else_may_pass_on_are_not_made_public(server: HubServer, tmp_path: Path) -> None:
    dataset = licensed(tmp_path / "d", words=RESEARCH_ONLY)
    with pytest.raises(InputError, match=r"2 dialogues are under LicenseRef-research-only.* push it private or gated"):
        push(dataset, replace(HERE, visibility="public"))
    assert server.store.asked == []
    done = push(dataset, HERE)
    assert any("LicenseRef-research-only (2)" in note for note in done.notes)


@pytest.mark.parametrize("visibility", ["private", "gated", "public"])
def test_real_chats_go_nowhere_without_everybodys_consent(
    server: HubServer, tmp_path: Path, visibility: Visibility
) -> None:
    dataset = licensed(tmp_path / "d", origin="real")
    with pytest.raises(InputError, match="do not hold cross_border"):
        push(dataset, replace(HERE, visibility=visibility))
    assert server.store.asked == []


def test_real_chats_with_consent_go_private_or_gated_and_never_public(server: HubServer, tmp_path: Path) -> None:
    dataset = consented(licensed(tmp_path / "d", origin="real"), CROSS_BORDER, "research")
    with pytest.raises(InputError, match="private or gated only"):
        push(dataset, replace(HERE, visibility="public"))
    push(dataset, replace(HERE, visibility="gated"))
    repository = server.store.repositories["tests/demo"]
    assert repository.gated == "manual"  # somebody decides on each who asks
    assert not repository.seen_public


@pytest.mark.parametrize(("scopes", "sent"), [(("images",), True), ((), False)])
def test_pictures_of_real_chats_go_only_where_everybody_agreed_to_pictures(
    server: HubServer, tmp_path: Path, scopes: tuple[str, ...], sent: bool
) -> None:
    own = picture_under("red", RESEARCH_ONLY, source="collection")
    taken = picture_under("blue", RESEARCH_ONLY, source="somewhere")
    dataset = consented(licensed(tmp_path / "d", own, taken, origin="real"), CROSS_BORDER, "research", *scopes)
    push(dataset, replace(HERE, visibility="gated"))
    pull("tests/demo", tmp_path / "back")
    back = mldr.load(tmp_path / "back")
    assert back.image(own.image_key).status == ("present" if sent else "withheld")
    assert back.image(taken.image_key).status == "withheld"


def salted(dataset: mldr.Dataset) -> mldr.Dataset:
    return told(dataset, lambda manifest: setattr(manifest, "salt_sha256", "1" * 64))


@pytest.mark.parametrize("visibility", ["gated", "public"])
def test_a_secret_gold_is_not_shown_to_others_by_mistake(
    server: HubServer, tmp_path: Path, visibility: Visibility
) -> None:
    dataset = salted(licensed(tmp_path / "d"))
    with pytest.raises(InputError, match="split test: was built with a secret salt and its gold is here"):
        push(dataset, replace(HERE, visibility=visibility))
    assert server.store.asked == []
    push(dataset, HERE)
    push(dataset, replace(HERE, visibility=visibility, with_gold=True))


def test_the_copy_without_its_gold_may_be_public(server: HubServer, tmp_path: Path) -> None:
    from mldr.withhold import withhold

    withhold(salted(licensed(tmp_path / "d")), ["test"], tmp_path / "public")
    push(mldr.load(tmp_path / "public"), replace(HERE, visibility="public"))
    held = server.store.repositories["tests/demo"].files()
    assert not any(name.startswith(("gold/", "fragments/")) for name in held)


def test_everything_that_forbids_a_push_is_said_at_once(tmp_path: Path) -> None:
    dataset = salted(licensed(tmp_path / "d", origin="real", words="proprietary"))
    with pytest.raises(InputError) as caught:
        check_allowed(dataset, "no id", "public", "main", with_gold=False)
    places = [fault.place for fault in caught.value.faults]
    assert places[:2] == ["no id", "--tag main"]
    assert caught.value.total == 7


def test_a_page_is_not_opened_if_an_earlier_version_held_the_gold(server: HubServer, tmp_path: Path) -> None:
    from mldr.withhold import withhold

    whole = salted(licensed(tmp_path / "d"))
    push(whole, HERE)
    withhold(whole, ["test"], tmp_path / "public")
    public = mldr.load(tmp_path / "public")
    push(public, HERE)  # private still: nobody else sees the history
    with pytest.raises(MldrError, match=r"its version \w{12} holds another .*--with-history"):
        push(public, replace(HERE, visibility="public"))
    repository = server.store.repositories["tests/demo"]
    assert repository.private
    push(public, replace(HERE, visibility="public", with_history=True))
    assert not repository.private


def test_a_page_that_only_ever_held_this_version_is_opened(server: HubServer, tmp_path: Path) -> None:
    dataset = licensed(tmp_path / "d")
    push(dataset, HERE)
    push(dataset, replace(HERE, visibility="gated"))
    push(dataset, replace(HERE, visibility="public"))
    repository = server.store.repositories["tests/demo"]
    assert (repository.private, repository.gated) == (False, False)

"""Real chats are pushed to nobody, and nowhere, that their speakers did not agree to."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from mldr.errors import InputError
from mldr.manifest import Manifest
from mldr.publishing import check_push

SCOPES = ("research", "public", "images", "third_party_model", "cross_border")


def manifest(*scopes: str) -> Manifest:
    return Manifest(name="mldr-ffr-chats", consent_scopes=list(scopes))


@pytest.mark.parametrize("visibility", ["public", "gated", "private"])
def test_a_built_set_may_be_pushed_anyhow(visibility: Any) -> None:
    check_push(Manifest(name="mldr-ffr-demo"), False, visibility)


@pytest.mark.parametrize("scopes", [("cross_border", "research"), ("cross_border", "public"), SCOPES])
@pytest.mark.parametrize("visibility", ["gated", "private"])
def test_real_chats_may_be_pushed_gated_or_private_with_everybodys_consent(
    scopes: tuple[str, ...], visibility: Any
) -> None:
    check_push(manifest(*scopes), True, visibility)


def test_real_chats_are_never_public_whatever_was_agreed_to() -> None:
    with pytest.raises(InputError, match="private or gated only"):
        check_push(manifest(*SCOPES), True, "public")


def test_an_unknown_visibility_is_taken_for_public() -> None:
    with pytest.raises(InputError, match="private or gated only"):
        check_push(manifest(*SCOPES), True, "unlisted")  # type: ignore[arg-type]


@pytest.mark.parametrize("visibility", ["gated", "private"])
def test_real_chats_do_not_cross_a_border_without_consent(visibility: Any) -> None:
    with pytest.raises(InputError, match="do not hold cross_border"):
        check_push(manifest("research", "public"), True, visibility)


def test_nobody_else_is_let_in_where_only_the_border_was_agreed_to() -> None:
    check_push(manifest("cross_border"), True, "private")
    with pytest.raises(InputError, match="neither public nor research"):
        check_push(manifest("cross_border", "images"), True, "gated")


def test_a_manifest_that_says_nothing_of_consent_has_none() -> None:
    with pytest.raises(InputError) as caught:
        check_push(Manifest(name="x"), True, "public")
    assert caught.value.total == 3


def test_more_consent_never_forbids_what_less_allowed() -> None:
    subsets = [set(few) for n in range(6) for few in itertools.combinations(SCOPES, n)]
    for visibility in ("public", "gated", "private"):
        allowed: list[set[str]] = []
        for scopes in subsets:
            try:
                check_push(manifest(*sorted(scopes)), True, visibility)
                allowed.append(scopes)
            except InputError:
                assert not any(before <= scopes for before in allowed)

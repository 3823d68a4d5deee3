from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.licences import UNKNOWN, Terms, canonical, combined, licence, parts

KNOWN = [
    "CC0-1.0",
    "PDDL-1.0",
    "LicenseRef-public-domain",
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ODC-By-1.0",
    "ODbL-1.0",
    "GPL-3.0-only",
    "LicenseRef-research-only",
    "LicenseRef-CC-BY",
    *(
        f"CC-{family}-{version}"
        for family, version in itertools.product(
            ("BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND"), ("2.0", "3.0", "4.0")
        )
    ),
]
ANY = st.sampled_from([*KNOWN, "", "unknown", "Flickr terms of use", "MIT; CC-BY-4.0", "CC0-1.0 OR ODbL-1.0"])
FLAGS = ("attribution", "share_alike", "non_commercial", "no_derivatives")


@pytest.mark.parametrize(
    ("spelling", "identifier"),
    [
        ("CC BY 4.0", "CC-BY-4.0"),
        ("cc-by-4.0", "CC-BY-4.0"),
        ("CC_BY_4.0", "CC-BY-4.0"),
        ("Creative Commons Attribution 4.0 International License", "CC-BY-4.0"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 3.0 Unported", "CC-BY-NC-SA-3.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/2.0/", "CC-BY-NC-SA-2.0"),
        ("http://creativecommons.org/licenses/by/3.0/us/deed.en", "CC-BY-3.0-US"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("http://creativecommons.org/publicdomain/mark/1.0/", "LicenseRef-public-domain"),
        ("CC-BY-NC-ND-2.0", "CC-BY-NC-ND-2.0"),
        ("cc by", "LicenseRef-CC-BY"),
        ("CC0", "CC0-1.0"),
        ("Public Domain", "LicenseRef-public-domain"),
        ("公共领域", "LicenseRef-public-domain"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The MIT License", "MIT"),
        ("ODbL", "ODbL-1.0"),
        ("odc-by", "ODC-By-1.0"),
        ("Research use only", "LicenseRef-research-only"),
        ("仅供研究", "LicenseRef-research-only"),
        ("", UNKNOWN),
        ("  ", UNKNOWN),
        ("Unknown", UNKNOWN),
        ("N/A", UNKNOWN),
    ],
)
def test_usual_spellings_are_known(spelling: str, identifier: str) -> None:
    assert canonical(spelling) == identifier


@pytest.mark.parametrize(
    "text",
    ["非 MIT", "MITRE", "not CC0", "CC-BY-SA-ND-4.0", "CC-BY-9.0", "CC", "…", "CC-BY-4.0 except images", "license"],
)
def test_what_only_looks_like_a_licence_is_not_taken_for_one(text: str) -> None:
    found = licence(text)
    assert found.id == text
    assert not found.known
    assert not found.redistributable


@pytest.mark.parametrize("identifier", KNOWN)
def test_an_identifier_is_its_own_canonical_form(identifier: str) -> None:
    assert canonical(identifier) == identifier
    assert licence(identifier).known


@given(st.text(max_size=60))
def test_any_text_has_a_canonical_form_that_stays(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    assert once.strip()


def test_what_creative_commons_letters_mean() -> None:
    for identifier in KNOWN:
        if identifier.startswith("CC-BY"):
            found = licence(identifier)
            assert found.attribution
            assert found.share_alike == ("-SA" in identifier)
            assert found.non_commercial == ("-NC" in identifier)
            assert found.no_derivatives == ("-ND" in identifier)


def test_joined_licences_are_taken_apart() -> None:
    assert parts("CC0-1.0; mit") == ["CC0-1.0", "MIT"]
    assert parts("MIT AND CC BY 4.0") == ["CC-BY-4.0", "MIT"]
    assert parts("(GPL-3.0 OR MIT) AND CC0") == ["CC0-1.0", "MIT"]
    assert parts("; ") == parts("") == [UNKNOWN]
    assert parts("my terms; ") == ["my terms"]


@given(st.lists(ANY, max_size=6), ANY)
def test_adding_a_licence_never_makes_the_terms_freer(texts: list[str], one: str) -> None:
    before, after = combined(texts), combined([*texts, one])
    for flag in FLAGS:
        assert getattr(after, flag) >= getattr(before, flag)
    assert after.redistributable <= before.redistributable
    assert after.known <= before.known
    assert len(after.conflicts) >= len(before.conflicts)


@given(st.lists(ANY, max_size=6), st.lists(ANY, max_size=3))
def test_what_was_adapted_never_makes_the_terms_freer(texts: list[str], adapted: list[str]) -> None:
    before, after = combined([*texts, *adapted]), combined(texts, adapted)
    assert after.licences == before.licences
    assert after.redistributable <= before.redistributable


@given(st.lists(ANY, max_size=6).flatmap(lambda texts: st.tuples(st.just(texts), st.permutations(texts))))
def test_neither_order_nor_repetition_matters(pair: tuple[list[str], list[str]]) -> None:
    texts, shuffled = pair
    assert combined(texts) == combined(shuffled) == combined([*texts, *shuffled])


@given(st.lists(ANY, min_size=1, max_size=6))
def test_a_ruling_licence_asks_for_all_that_any_part_asks(texts: list[str]) -> None:
    terms = combined(texts)
    if terms.spdx:
        assert terms.redistributable
        assert terms.spdx in terms.licences
        assert licence(terms.spdx).asks == {flag for flag in FLAGS if getattr(terms, flag)}


def said(*texts: str) -> Terms:
    return combined(texts)


def test_one_licence_rules_where_it_asks_for_the_most() -> None:
    assert said("CC0-1.0").spdx == "CC0-1.0"
    assert said("CC0-1.0", "CC-BY-4.0", "public domain").spdx == "CC-BY-4.0"
    assert said("CC-BY-2.0", "CC-BY-4.0").spdx == "CC-BY-4.0"
    assert said("MIT", "CC-BY-SA-3.0", "CC-BY-SA-4.0").spdx == "CC-BY-SA-4.0"
    assert said("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0").spdx == "CC-BY-NC-SA-4.0"


def test_none_rules_where_several_ask_for_as_much_or_for_different_things() -> None:
    for texts in (("MIT", "Apache-2.0"), ("MIT", "CC-BY-4.0"), ("CC0-1.0", "PDDL-1.0"), ("cc by",)):
        terms = combined(texts)
        assert (terms.redistributable, terms.spdx) == (True, "")


@pytest.mark.parametrize("one", ["", "unknown", "Flickr terms", "research only", "all rights reserved"])
def test_what_is_unknown_or_for_research_only_makes_the_whole_not_redistributable(one: str) -> None:
    terms = combined(["CC0-1.0", one])
    assert not terms.redistributable
    assert terms.spdx == ""
    assert terms.words.startswith("not redistributable as one: ")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"),
        ("ODbL-1.0", "CC-BY-SA-4.0"),
        ("CC-BY-SA-4.0", "CC-BY-NC-4.0"),
        ("GPL-3.0-only", "CC-BY-SA-4.0"),
    ],
)
def test_share_alike_that_cannot_be_met_is_named(one: str, two: str) -> None:
    terms = combined([one, two])
    assert not terms.redistributable
    assert one in terms.words
    assert two in terms.words


def test_no_derivatives_is_a_conflict_only_for_what_was_adapted() -> None:
    assert combined(["CC-BY-ND-4.0", "CC0-1.0"]).redistributable
    terms = combined(["CC0-1.0"], adapted=["CC-BY-ND-4.0; MIT"])
    assert not terms.redistributable
    assert "CC-BY-ND-4.0 permits no adaptation" in terms.words
    assert terms.licences == ("CC-BY-ND-4.0", "CC0-1.0", "MIT")


def test_terms_are_said_in_words() -> None:
    assert said("CC-BY-NC-4.0").words == "redistributable, on the terms: attribution, no commercial use"
    assert said("CC0-1.0").words == "redistributable, no conditions known"

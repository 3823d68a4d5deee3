from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mldr.errors import MldrError
from mldr.eval.prediction import Prediction
from mldr.retrievers import Ask, Gold
from mldr.retrievers.making import make_retriever
from mldr.retrievers.vote import Vote
from tests.retrievers import plugins
from tests.retrievers.support import plug_in, view

SEEN = view("a", "b", "c", "d", images=[(0, "x"), (1, "y")])


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return plug_in(plugins.SOURCE, tmp_path / "plug_ins", monkeypatch) + ":Samples"


def voted(system: str, text: str, **options: Any) -> Prediction:
    made = make_retriever("mldr.retrievers.vote:Vote", {"system": system, **options})
    (one,) = made.retrieve(SEEN, [Ask("q", text, "en")])
    return one


def test_an_id_is_kept_when_enough_samples_name_it_and_its_share_is_its_score(system: str) -> None:
    one = voted(system, "1,2|1|2,1|3", n=4)
    assert (one.utterance_ids, one.utterance_scores) == ((1, 2), (0.75, 0.5))
    assert (one.image_ids, one.image_scores) == ((1,), (0.5,))


@pytest.mark.parametrize(("share", "kept"), [(0.25, (1, 2, 3)), (0.5, (1, 2)), (0.75, (1,)), (1.0, ())])
def test_the_share_that_is_needed_is_a_setting(system: str, share: float, kept: tuple[int, ...]) -> None:
    assert voted(system, "1,2|1|2,1|3", n=4, share=share).utterance_ids == kept


def test_a_sample_that_failed_votes_against_every_id(system: str) -> None:
    one = voted(system, "1|1|fail|fail", n=4, share=0.6)
    assert one.utterance_ids == ()
    assert json.loads(one.meta)["sample_outcomes"] == {"answered": 2, "parse_error": 2}


def test_a_query_of_which_every_sample_failed_fails(system: str) -> None:
    one = voted(system, "fail", n=3)
    assert (one.outcome, one.utterance_ids) == ("parse_error", None)


def test_what_the_model_says_of_itself_and_every_response_is_kept(system: str) -> None:
    one = voted(system, "1|2", n=2)
    assert json.loads(one.meta)["model"] == "m"
    assert json.loads(one.response or "") == ["1", "2"]


def test_an_id_that_one_sample_names_twice_has_one_vote(system: str) -> None:
    assert voted(system, "1,1,1|2", n=2, share=0.5).utterance_scores == (0.5, 0.5)


def test_the_share_is_fitted_on_validation_for_each_modality(system: str) -> None:
    made = make_retriever("mldr.retrievers.vote:Vote", {"system": system, "n": 4})
    assert isinstance(made, Vote)
    asks = [Ask("a", "1,2|1|1|1", "en"), Ask("b", "3,0|3|3|3", "en")]
    made.fit([(SEEN, asks, [Gold(frozenset({1, 2}), frozenset({1})), Gold(frozenset({3, 0}), frozenset())])])
    assert made.fitted["utterances_share"] == 0.25  # one vote is enough where every named id is right
    one, _ = made.retrieve(SEEN, asks)
    assert one.utterance_ids == (1, 2)


def test_of_equal_shares_the_majority_is_taken(system: str) -> None:
    made = make_retriever("mldr.retrievers.vote:Vote", {"system": system, "n": 4})
    assert isinstance(made, Vote)
    made.fit([(SEEN, [Ask("a", "1", "en")], [Gold(frozenset({1}), frozenset({1}))])])
    assert made.fitted == {"utterances_share": 0.5, "images_share": 0.5}


def test_no_more_dialogues_are_sampled_to_fit_than_said(system: str) -> None:
    made = make_retriever("mldr.retrievers.vote:Vote", {"system": system, "n": 2, "fit_dialogues": 0})
    assert isinstance(made, Vote)
    made.fit([(SEEN, [Ask("a", "1,2|1", "en")], [Gold(frozenset({1, 2}), frozenset({1}))])])
    assert made.fitted["utterances_share"] == 0.5


def test_windows_around_a_sampling_system_are_voted_on(system: str) -> None:
    one = voted(f"windows+{system}", "1|1|0", n=3, size=2, overlap=0)
    assert (one.utterance_ids, one.utterance_scores) == ((1, 3), (0.666667, 0.666667))


def test_windows_around_a_system_that_draws_none_are_refused_in_words() -> None:
    with pytest.raises(TypeError, match="bm25 draws no samples"):
        voted("windows+bm25", "x", n=3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n": 0}, "n is 0"),
        ({"share": 0}, "share is 0"),
        ({"share": 1.5}, "share is 1.5"),
        ({"fit_dialogues": -1}, "fit_dialogues is -1"),
        ({"system": "bm25"}, "draws no samples"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_in_words(system: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(MldrError, match=said):
        make_retriever("mldr.retrievers.vote:Vote", {"system": system, **options})

"""The format reward: one strict definition of the bare answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mldr.answers import is_bare_answer
from mldr.eval.ragged import Floats


def format_reward(answers: Sequence[str]) -> Floats:
    """Return 1 for each answer that is exactly one bare answer and names no id twice, else 0 (AAAI, format reward; IJCV 6.1.1).

    Bare: `<|utt_ids_start|>[1, 2]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>` and nothing else, no thinking, no line
    break, commas with one blank or none. The other rewards read more tolerantly, so form is paid for once, here.

    Args:
        answers: raw texts, one a completion.
    """
    return np.fromiter((is_bare_answer(answer) for answer in answers), dtype=np.float64, count=len(answers))

"""How unsure a model was of its answer: the true mean entropy of the distributions that its tokens were drawn from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mldr.errors import MldrError

_AT_ONCE = 1 << 22
"""Logits that are held in double precision at once: a row is as long as a vocabulary."""


def mean_entropy(logits: npt.ArrayLike) -> float:
    """Return the mean entropy of the token distributions of one answer, in nats (AAAI eq. 4, h).

        h = mean over t of H(softmax(logits_t))        H(p) = - sum of p log p, with 0 log 0 = 0

    between 0, every token sure, and log V, every token drawn from everything; the length of the answer is not in it.

    Args:
        logits: shape (T, V): T tokens of the answer, its end token included, over V words. -inf is a word that cannot come.
            numpy knows no bfloat16: such a tensor is handed over as `tensor.float().cpu()`.

    Raises:
        MldrError: if there is no token, or a logit is NaN or +inf, or a token has no word that can come.
    """
    rows = np.asarray(logits)
    if rows.ndim != 2 or not rows.shape[0] or not rows.shape[1]:
        raise MldrError(f"logits of shape {rows.shape}: (tokens, words) is expected, with the end token at least")
    step = max(1, _AT_ONCE // rows.shape[1])
    total = sum(float(_entropies(rows[start : start + step]).sum()) for start in range(0, len(rows), step))
    return max(0.0, total / len(rows))  # rounding may leave -1e-17


def _entropies(rows: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    shifted = np.array(rows, dtype=np.float64)
    peak = shifted.max(axis=1, keepdims=True)
    if not np.isfinite(peak).all():  # the peak of a row with a NaN is NaN
        raise MldrError(
            "logits hold NaN, +inf, or only -inf for a token: the model has diverged, or another dtype helps"
        )
    shifted -= peak
    weights = np.exp(shifted)
    mass = weights.sum(axis=1)
    weights *= np.where(weights > 0, shifted, 0.0)  # 0 x -inf would be NaN
    entropies: npt.NDArray[np.float64] = np.log(mass) - weights.sum(axis=1) / mass
    return entropies

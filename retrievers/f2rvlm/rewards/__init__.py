"""The rewards of GRPO, as pure functions of answers and gold: numpy alone, no model, no trainer.

Each reward takes one entry a completion and returns one number a completion, float64.
"""

from __future__ import annotations

from mldr.eval.ragged import Floats
from mldr.retrievers.f2rvlm.rewards.f1 import LENGTH_DECAY, f1_reward
from mldr.retrievers.f2rvlm.rewards.form import format_reward
from mldr.retrievers.f2rvlm.rewards.order import order_reward
from mldr.retrievers.f2rvlm.rewards.target import Target

__all__ = ["LENGTH_DECAY", "Floats", "Target", "f1_reward", "format_reward", "order_reward"]

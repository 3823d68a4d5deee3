"""How many tokens a text may be, without a tokenizer: for prices before a run and for what a budget sets aside."""

from __future__ import annotations

import math
import re

from mldr.chat.request import ChatRequest
from mldr.files import canonical_json

CHARACTERS_A_TOKEN = 4.0
"""In scripts that put spaces between words; the rule of thumb that providers give for English."""
DENSE_CHARACTERS_A_TOKEN = 1.5
"""In Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese, and emoji."""
PIXELS_A_TOKEN = 28 * 28
"""Of a picture, as Qwen2-VL and Qwen2.5-VL count; others take 0.3 to 1.5 times as many."""

_DENSE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff00-\uffef\U0001f000-\U0001faff\U00020000-\U0003ffff]+"
)


def tokens_of(text: str) -> int:
    """Return an estimate of the tokens of `text`, at least 1 where there is any; models differ by a third either way."""
    spaced = len(_DENSE.sub("", text))
    return math.ceil(spaced / CHARACTERS_A_TOKEN + (len(text) - spaced) / DENSE_CHARACTERS_A_TOKEN)


def tokens_of_request(request: ChatRequest) -> int:
    """Return an estimate of the tokens that a question sends: its messages, its pictures and its schema."""
    messages = [[message.role, "".join(message.texts)] for message in request.messages]
    pictures = sum(math.ceil(one.pixels / PIXELS_A_TOKEN) for message in request.messages for one in message.pictures)
    return pictures + tokens_of(canonical_json([messages, dict(request.schema or {})]))

"""The card's summary in Chinese: name, purpose, warning, terms."""

from __future__ import annotations

from mldr.card.markdown import plain
from mldr.dataset import Dataset
from mldr.licences import Terms


def chinese_section(dataset: Dataset, notice: str, terms: Terms) -> str:
    """Return the section."""
    lines = [
        f"**{plain(dataset.name)}**：用于细粒度片段检索（Fine-grained Fragment Retrieval）的多模态长对话数据集，由 mldr 构建。"
        "每条查询针对一段对话，标准答案给出回答它的话语编号与图片编号（均从 0 起）。"
        "它按 MLDR（F2RVLM，arXiv 2508.17714）的方式构建，并非原作者发布的数据，也不是同名的多语言长文档检索数据集。",
    ]
    withheld = [split for split in dataset.splits if not dataset.has_gold(split)]
    if withheld:
        lines.append(f"以下划分的标准答案不公开：{'、'.join(plain(split) for split in withheld)}。")
    if notice:
        lines.append(f"**注意**（原文）：{plain(notice, 2_000)}")
    lines.append(f"**许可**：{_terms(terms)}（由各来源的声明按最严格者推得，不构成法律意见。）")
    return "## 中文摘要\n\n" + "\n\n".join(lines) + "\n"


def _terms(terms: Terms) -> str:
    if not terms.redistributable:
        return "整体不可再分发，原因见上文 Sources and licences 一节。"
    asked = [
        words
        for words, holds in (
            ("须署名", terms.attribution),
            ("须以相同方式共享", terms.share_alike),
            ("禁止商业使用", terms.non_commercial),
            ("禁止演绎", terms.no_derivatives),
        )
        if holds
    ]
    ruling = f"整体适用 {plain(terms.spdx)}。" if terms.spdx else "各部分分别适用其自身许可。"
    return f"可再分发，{'、'.join(asked) or '未见附加条件'}；{ruling}"

"""Runs an lmms-eval task in a process of its own with a model that gives known answers: FOLDER TASK TEXTS OUT."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(folder: str, task: str, texts: str, out: str) -> None:
    from lmms_eval.api.model import lmms
    from lmms_eval.evaluator import simple_evaluate
    from lmms_eval.tasks import TaskManager

    answers = json.loads(Path(texts).read_text("utf-8"))

    class Pretended(lmms):  # type: ignore[misc,unused-ignore]
        """Answers each query as it was told to."""

        def generate_until(self, requests: list[Any]) -> list[str]:
            found = []
            for request in requests:
                _, _, _, doc_id, task_name, split = request.args
                found.append(answers[self.task_dict[task_name][split][doc_id]["query_id"]])
            return found

        def loglikelihood(self, requests: list[Any]) -> list[Any]:
            raise NotImplementedError

        def generate_until_multi_round(self, requests: list[Any]) -> list[str]:
            raise NotImplementedError

    manager = TaskManager(include_path=folder, include_defaults=False)
    done = simple_evaluate(Pretended(), tasks=[task], task_manager=manager, batch_size=1, bootstrap_iters=0)
    figures = done["results"][task]
    wanted = {name.split(",")[0]: value for name, value in figures.items() if name.endswith(",none")}
    Path(out).write_text(json.dumps({n: v for n, v in wanted.items() if "stderr" not in n}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

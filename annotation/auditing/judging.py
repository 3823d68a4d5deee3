"""What people's answers to an audit's queries say of the labels: precision and recall, and what people themselves score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mldr.annotation.agreement.measures import interval_note
from mldr.annotation.agreement.reading import ADJUDICATED, Given, Judged, read_judged
from mldr.annotation.agreement.report import agreement_of
from mldr.annotation.auditing.drawing import read_plan
from mldr.annotation.auditing.human import human_score
from mldr.annotation.auditing.models import AuditPlan, AuditReport, LabelQuality
from mldr.annotation.auditing.quality import Comparison, quality
from mldr.annotation.collection import Collection
from mldr.dataset import Dataset
from mldr.dialogue import Gold
from mldr.errors import Faults, MldrError
from mldr.statistics import RESAMPLES

KINDS = ("multimodal", "utterance", "image", "negative")
Stratum = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Sampled:
    """A query of an audit with its label and all that people said."""

    judged: Judged
    name: str
    gold: Gold
    stratum: Stratum
    cluster: str
    """Of the dataset's dialogue."""

    def compared(self, truth: Given, weight: float = 1.0) -> Comparison:
        """Return the label beside an answer, as measures take it."""
        universe = len(self.judged.texts), len(self.judged.images)
        label = frozenset(self.gold.utterance_ids), frozenset(self.gold.image_ids)
        right = frozenset(i for i in truth.ids if i >= 0), frozenset(-1 - i for i in truth.ids if i < 0)
        return Comparison(self.gold.query_id, self.cluster, weight, universe, label, right)


def judge(
    dataset: Dataset,
    split: str,
    audit: Collection,
    annotators: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> AuditReport:
    """Return what people found who labelled an audit's queries.

    The answer that stands is the adjudicator's; where there is none, the one that all annotators gave. Of a sample of the whole
    split each stratum is weighted by its queries: a rare one, of which at least one query is drawn, does not count too much.

    Args:
        dataset: that the audit was drawn from.
        split: that it was drawn from.
        audit: the folder that `draw` wrote, labelled.
        annotators: one or more, each once.
        resamples: of the bootstrap over clusters; 0 for no intervals.
        seed: of the bootstrap.

    Raises:
        MldrError: if the collection is no audit of this split with these labels, an annotator labelled nothing, or nobody
            finished an answer.
        InputError: with every malformed line of a log, every id that its dialogue does not have, and every query that the split
            does not have.
    """
    plan = _checked_plan(dataset, split, audit, annotators)
    reading = read_judged(audit, annotators)
    sampled, sizes = _sampled(dataset, split, reading.dialogues, audit)
    standing, counts = _standing(sampled, annotators)
    answered = [(one, given) for one in sampled if (given := _finished(one, annotators))]
    if not answered and not standing:
        raise MldrError(f"{audit.folder}: nobody has finished an answer yet")
    if plan.source == "flagged":
        sizes.clear()  # a sample of flagged queries stands for nothing but itself
    weights = _weights([one for one, _ in standing], sizes)
    truth = [(one, one.compared(given, weights.get(one.stratum, 1.0))) for one, given in standing]
    report = AuditReport(
        dataset=plan.dataset,
        split=split,
        gold_hash=plan.gold_hash,
        source=plan.source,
        annotators=tuple(annotators),
        sampled=len(sampled),
        of=plan.of,
        agreed=counts["agreed"],
        adjudicated=counts["adjudicated"],
        open=counts["open"],
        unanswered=counts["unanswered"],
        dropped=counts["dropped"],
        answers=quality(_each(answered, sizes), resamples, seed),
        labels=quality([one for _, one in truth], resamples, seed),
        kinds={
            kind: quality(own, resamples, seed)
            for kind in KINDS
            if (own := [row for one, row in truth if one.gold.kind == kind])
        },
        against={who: _against(sampled, who, resamples, seed) for who in annotators},
        human=[human_score(dataset, split, audit, who, resamples=resamples, seed=seed) for who in annotators],
        agreement=agreement_of(audit, annotators, resamples=resamples, seed=seed) if len(annotators) > 1 else None,
        unseen_images=plan.unseen_images,
        notes=[],
        resamples=resamples,
        seed=seed,
    )
    missing = sum(size for stratum, size in sizes.items() if stratum not in weights)
    return report.model_copy(update={"notes": list(_notes(report, plan, missing))})


def _checked_plan(dataset: Dataset, split: str, audit: Collection, annotators: Sequence[str]) -> AuditPlan:
    plan = read_plan(audit)
    if not annotators or len(set(annotators)) < len(annotators):
        raise MldrError("an audit needs one annotator or more, each named once")
    known = audit.annotators()
    for annotator in annotators:
        if annotator not in known:
            raise MldrError(f"annotator {annotator!r} labelled nothing here; known are {', '.join(known) or 'none'}")
    if plan.split != split:
        raise MldrError(f"{audit.folder} was drawn from the split {plan.split!r}, not from {split!r}")
    if not dataset.has_gold(split):
        raise MldrError(f"{dataset.folder}: the gold of {split} is withheld, so there are no labels to judge")
    if plan.gold_hash != dataset.manifest.gold_hash.get(split, ""):
        raise MldrError(f"{audit.folder} was drawn from {plan.dataset} with other labels than {dataset.folder} has")
    return plan


def _sampled(
    dataset: Dataset, split: str, dialogues: Sequence[Judged], audit: Collection
) -> tuple[list[Sampled], Counter[Stratum]]:
    """Return the queries of an audit with their labels, and how many queries each stratum of the split has."""
    places = {asked.query_id: (judged, asked.name) for judged in dialogues for asked in judged.asked if asked.query_id}
    found: list[Sampled] = []
    sizes: Counter[Stratum] = Counter()
    for one in dataset.asked(split):
        for query, gold in zip(one.queries, one.gold, strict=True):
            stratum = (gold.kind, query.language, gold.label_source)
            sizes[stratum] += 1
            if query.query_id in places:
                judged, name = places.pop(query.query_id)
                found.append(Sampled(judged, name, gold, stratum, one.dialogue.cluster_id))
    faults = Faults()
    for query_id, (judged, _) in sorted(places.items()):
        faults.add(str(audit.queries(judged.dialogue_id)), f"query {query_id!r} is not in the split {split}")
    faults.check()
    return found, sizes


def _standing(
    sampled: Iterable[Sampled], annotators: Sequence[str]
) -> tuple[list[tuple[Sampled, Given]], Counter[str]]:
    """Return the queries with an answer that stands, and how many there are of each fate."""
    found, counts = [], Counter[str]()
    for one in sampled:
        if one.name in one.judged.dropped:
            counts["dropped"] += 1
            continue
        verdict = one.judged.answer(ADJUDICATED, one.name)
        given = [one.judged.answer(annotator, one.name) for annotator in annotators]
        first = given[0]
        if verdict is not None:
            counts["adjudicated"] += 1
            found.append((one, verdict))
        elif first is not None and all(other is not None and other.ids == first.ids for other in given):
            counts["agreed"] += 1
            found.append((one, first))
        else:
            counts["unanswered" if not any(given) else "open"] += 1
    return found, counts


def _finished(one: Sampled, annotators: Sequence[str]) -> list[Given]:
    """Return the finished answers to a query, none for one that the adjudicator left out."""
    if one.name in one.judged.dropped:
        return []
    given = (one.judged.answer(annotator, one.name) for annotator in annotators)
    return [answer for answer in given if answer is not None]


def _each(answered: Sequence[tuple[Sampled, list[Given]]], sizes: Counter[Stratum]) -> list[Comparison]:
    """Return each label beside each answer to its query, which share the weight of the query."""
    weights = _weights([one for one, _ in answered], sizes)
    return [
        one.compared(answer, weights.get(one.stratum, 1.0) / len(given)) for one, given in answered for answer in given
    ]


def _weights(rows: Sequence[Sampled], sizes: Counter[Stratum]) -> dict[Stratum, float]:
    """Return for how many queries of the split one query of a stratum stands, scaled so that the mean is 1; none without sizes."""
    taken = Counter(one.stratum for one in rows) if sizes else Counter[Stratum]()
    total = sum(sizes[stratum] for stratum in taken)
    return {stratum: sizes[stratum] / count * len(rows) / total for stratum, count in sorted(taken.items())}


def _against(sampled: Sequence[Sampled], annotator: str, resamples: int, seed: int) -> LabelQuality:
    answers = ((one, one.judged.answer(annotator, one.name)) for one in sampled)
    return quality([one.compared(given) for one, given in answers if given is not None], resamples, seed)


def _notes(report: AuditReport, plan: AuditPlan, missing: int) -> Iterable[str]:
    """Yield what a reader of the figures must know, without a name."""
    flagged = "queries whose label a model disagreed with" if plan.source == "flagged" else "queries"
    people = "1 person" if len(report.annotators) == 1 else f"{len(report.annotators)} people"
    yield (
        f"{report.sampled:,} of {report.of:,} {flagged} were drawn by kind, language and label source, and answered by {people}; "
        f"{report.agreed:,} answers stand because all gave them, {report.adjudicated:,} because they were adjudicated"
    )
    if report.open:
        yield (
            f"{report.open:,} queries have no answer that stands, since people differ or not all answered: "
            "what stands are the clear ones"
        )
    if report.unanswered or report.dropped:
        yield f"{report.unanswered:,} queries nobody answered; {report.dropped:,} were found not fit to be asked"
    if plan.source == "flagged":
        yield "the figures are those of flagged queries, and no estimate for the split"
    elif report.resolved:
        yield "each stratum has the weight of its queries in the split, but for the figures of one person"
    if report.resamples:
        yield interval_note(report.answers.clusters, report.resamples)
    if missing:
        yield f"{missing:,} queries of the split are in strata of which no answer stands"
    if report.unseen_images:
        yield f"{report.unseen_images:,} of {plan.images:,} images have no bytes: people saw their caption alone"
    if report.agreement is not None:
        alpha = report.agreement.overall.of["joint"].alpha_masi
        yield "agreement before adjudication, alpha (MASI), utterances and images together: " + (
            f"{alpha.value:.3f}" if alpha.value is not None else f"none ({alpha.reason})"
        )

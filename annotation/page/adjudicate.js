// Adjudication: who chose what, by letter, pattern and colour; an answer is taken, edited and saved. Originals stay as they are.

import { get, post, Refused } from "/api.js";
import { ChatView } from "/chat.js";
import { button, el, replace } from "/dom.js";
import { Frame, readingKeys } from "/frame.js";
import { Extension, LETTERS, memberList, sorted, toggle } from "/members.js";
import { say } from "/words.js";

const same = (one, other) => JSON.stringify([one.utterance_ids, one.image_ids]) === JSON.stringify([other.utterance_ids, other.image_ids]);
const NOTHING = { utterance_ids: [], image_ids: [] };

export async function begin(app, keys, session) {
  const bench = new Bench(app, keys, session);
  await bench.start();
}

// 2|A and B| / (|A| + |B|), 1 where both are empty: as the server's set_f1, for an answer that is not saved yet.
export function setF1(one, other) {
  const shared = ["utterance_ids", "image_ids"].reduce((sum, key) => sum + one[key].filter((id) => other[key].includes(id)).length, 0);
  const total = one.utterance_ids.length + one.image_ids.length + other.utterance_ids.length + other.image_ids.length;
  return total ? (2 * shared) / total : 1;
}

class Bench {
  constructor(app, keys, session) {
    Object.assign(this, { app, keys, session, extension: new Extension() });
    this.letters = new Map(session.between.map((who, place) => [who, LETTERS[place]]));
    addEventListener("beforeunload", (event) => { if (this.changed()) { event.preventDefault(); } });
  }

  async start() {
    this.build();
    const dialogues = await get("/api/dialogues");
    if (!dialogues.length) { this.frame.note(say("no_dialogues"), { kind: "bad" }); return; }
    this.frame.dialogues = dialogues;
    await this.open((dialogues.find((one) => !one.done) || dialogues[0]).dialogue_id);
  }

  build() {
    this.keys.clear();
    this.frame = new Frame(this.app, this.keys, { title: `${say("adjudication")} · ${this.session.annotator}`, open: (id) => this.open(id), redraw: () => this.redraw() });
    this.frame.extra.append(el("a", { href: "/api/disagreements.csv", download: "disagreements.csv" }, say("csv")));
    this.view = new ChatView({
      picture: (id) => `/api/dialogues/${this.id}/images/${id}`, moved: () => this.drawStatus(), activate: () => this.toggle(),
    });
    replace(this.frame.middle, this.view.root);
    this.keys.push([...this.bindings(), ...readingKeys(this.frame, this.view)]);
  }

  redraw() {
    const { dialogues } = this.frame;
    const { at } = this.view;
    this.build();
    this.frame.list(dialogues, this.id);
    this.view.show(this.dialogue);
    this.draw();
    this.view.go(at.message, at.image);
  }

  bindings() {
    const takes = [...this.letters].map(([who, mark], place) => ({
      keys: [mark.toLowerCase()], word: place ? "" : "key_take", shown: [...this.letters.values()].join(" ").toLowerCase(), run: () => this.takeOne(who),
    }));
    const digits = Array.from({ length: 9 }, (_, place) => ({
      keys: [String(place + 1)], word: place ? "" : "key_choose_query", shown: "1–9", run: () => this.choose(place),
    }));
    const majority = this.letters.size > 2 ? [{ keys: ["shift+m"], word: "key_majority", run: () => this.combine("majority") }] : [];
    return [
      ...takes,
      { keys: ["shift+u"], word: "key_union", run: () => this.combine("union") },
      { keys: ["shift+i"], word: "key_intersection", run: () => this.combine("intersection") },
      ...majority,
      { keys: ["space"], word: "key_toggle", run: () => this.toggle() },
      { keys: ["shift+j", "shift+arrowdown"], shown: "shift+j", word: "key_extend_down", run: () => this.extend(1) },
      { keys: ["shift+k", "shift+arrowup"], shown: "shift+k", word: "key_extend_up", run: () => this.extend(-1) },
      { keys: ["n"], word: "key_next_difference", run: () => this.nextDifference() },
      { keys: ["x"], word: "key_leave_out", run: () => this.set({ ...this.draft, dropped: !this.draft.dropped }) },
      ...digits,
      { keys: ["["], word: "key_query_before", run: () => this.choose(this.place - 1) },
      { keys: ["]"], word: "key_query_after", run: () => this.choose(this.place + 1) },
      { keys: ["u"], word: "key_undo", run: () => this.back(this.history, this.future) },
      { keys: ["shift+r"], word: "key_redo", run: () => this.back(this.future, this.history) },
      { keys: ["enter"], word: "key_save_verdict", run: () => this.save() },
    ];
  }

  async open(id) {
    if (!this.leaveDraft()) { this.frame.picker.value = this.id; return; }
    this.dialogue = await get(`/api/dialogues/${id}`);
    this.id = id;
    this.queries = this.dialogue.queries;
    this.query = null;
    this.frame.list(await get("/api/dialogues"), id);
    this.view.show(this.dialogue);
    this.choose(Math.max(0, this.queries.findIndex((query) => !query.verdict)));
  }

  // A draft that is not saved is not left in silence: the first key says so, the second one leaves it.
  leaveDraft() {
    if (!this.changed() || this.warnedOf === this.draft) { return true; }
    this.warnedOf = this.draft;
    this.frame.note(say("draft_unsaved"), { kind: "bad" });
    return false;
  }

  changed() { return Boolean(this.query) && JSON.stringify(this.draft) !== JSON.stringify(this.first); }

  choose(place) {
    if (!this.queries?.[place] || !this.leaveDraft()) { return; }
    this.place = place;
    this.query = this.queries[place];
    this.extension.end();
    this.history = [];
    this.future = [];
    this.first = this.draft = this.beginning();
    this.draw();
  }

  // The verdict as saved; else what all agree about; else nothing yet.
  beginning() {
    const { verdict, answers } = this.query;
    if (verdict) {
      return { utterance_ids: verdict.utterance_ids, image_ids: verdict.image_ids, taken: ["one", "union", "intersection", "majority"].includes(verdict.basis) ? verdict.basis : null,
        annotators: verdict.annotators, dropped: verdict.basis === "dropped" };
    }
    const given = Object.values(answers);
    const agreed = given.length > 1 && given.every((answer) => same(answer, given[0]));
    const { utterance_ids, image_ids } = agreed ? given[0] : NOTHING;
    return { utterance_ids, image_ids, taken: null, annotators: [], dropped: false };
  }

  set(draft) {
    this.history.push(this.draft);
    this.future = [];
    this.draft = draft;
    this.draw();
  }

  back(from, to) {
    if (!from.length) { this.frame.note(say("nothing_to_undo")); return; }
    to.push(this.draft);
    this.draft = from.pop();
    this.extension.end();
    this.draw();
  }

  takeOne(who) {
    const answer = this.query.answers[who];
    if (!answer) { this.frame.note(say("no_answer", { who })); return; }
    this.take(answer, "one", [who]);
  }

  take({ utterance_ids, image_ids }, taken, annotators) {
    this.extension.end();
    this.set({ utterance_ids: [...utterance_ids], image_ids: [...image_ids], taken, annotators, dropped: false });
  }

  combine(how) {
    const answers = Object.values(this.query.answers);
    const least = { union: 1, intersection: answers.length, majority: Math.floor(answers.length / 2) + 1 }[how];
    const kept = (key) => sorted(answers.flatMap((answer) => answer[key])).filter((id) => answers.filter((answer) => answer[key].includes(id)).length >= least);
    this.take({ utterance_ids: kept("utterance_ids"), image_ids: kept("image_ids") }, how, Object.keys(this.query.answers));
  }

  toggle() {
    this.extension.end();
    const after = toggle(this.draft, this.view.at, this.dialogue);
    if (after) { this.set({ ...after, dropped: false }); } else { this.frame.note(say("nothing_to_choose")); }
  }

  extend(by) {
    const from = this.view.at.message;
    const { anchor } = this.extension;
    const here = this.view.step(by);
    if (anchor !== null && this.extension.last !== from) { this.extension.end(); }
    this.extension.last = here;
    this.set({ ...this.extension.to(this.draft, from, here, this.dialogue), dropped: false });
  }

  nextDifference() {
    const differs = (index) => {
      const said = this.dialogue.utterances[index];
      const of = (key, id) => { const chose = this.who(key, id).length; return chose > 0 && chose < Object.keys(this.query.answers).length; };
      return of("utterance_ids", index) || said.image_ids.some((id) => of("image_ids", id));
    };
    const indices = this.dialogue.utterances.map((_, index) => index).filter(differs);
    const next = indices.find((index) => index > this.view.at.message) ?? indices[0];
    if (next === undefined) { this.frame.note(say("no_difference")); } else { this.view.go(next); }
  }

  async save() {
    const { utterance_ids, image_ids, taken, annotators, dropped } = this.draft;
    try {
      this.dialogue = await post(`/api/dialogues/${this.id}/verdicts`, { name: this.query.name, utterance_ids, image_ids, taken, annotators, dropped });
    } catch (error) {
      this.frame.note(error instanceof Refused ? error.message : say("unreachable"), { kind: "bad" });
      return;
    }
    this.queries = this.dialogue.queries;
    this.first = this.draft;
    this.frame.list(await get("/api/dialogues"), this.id);
    this.frame.saved.textContent = say("saved");
    const next = this.queries.findIndex((query, place) => !query.verdict && place > this.place);
    const any = next >= 0 ? next : this.queries.findIndex((query) => !query.verdict);
    if (any >= 0) { this.choose(any); return; }
    const other = this.frame.neighbour(0, { undone: true });
    if (other) { await this.open(other); } else { this.choose(this.place); this.frame.note(say("all_done")); }
  }

  // --- drawing

  who(key, id) { return [...this.letters].filter(([who]) => this.query.answers[who]?.[key].includes(id)).map(([, mark]) => mark); }

  draw() {
    const answered = Object.keys(this.query.answers).length;
    const marks = (kind, id) => {
      const chose = this.who(`${kind}_ids`, id);
      const style = chose.length === answered ? "all" : chose.length === 1 ? `only-${chose[0]}` : "some";
      const shown = this.draft[`${kind}_ids`].includes(id) && !this.draft.dropped ? [{ slot: 1, letter: "✓", look: "verdict" }] : [];
      return [...(chose.length ? [{ slot: 0, letter: chose.join(""), look: style }] : []), ...shown];
    };
    this.view.mark(2, marks);
    this.drawPanel();
    this.drawStatus();
  }

  drawPanel() {
    const { query, draft } = this;
    const percent = (figure) => (figure === null ? "–" : `${(figure * 100).toFixed(1)} %`);
    const answers = [...this.letters].map(([who, mark]) => {
      const answer = query.answers[who];
      return el("li", {}, el("span", { class: `chip only-${mark}` }, mark), el("span", { class: "words" }, who),
        answer ? el("span", { class: "tag" }, say("against_draft", { f1: percent(setF1(answer, draft)) })) : el("span", { class: "tag alone" }, say("did_not_answer")),
        answer?.negative ? el("span", { class: "tag" }, say("negative_short")) : null, answer ? memberList(answer, this.view) : null,
        answer?.note ? el("p", { class: "note", dir: "auto" }, answer.note) : null);
    });
    const alone = Object.keys(query.answers).length === 1;
    const empty = !draft.utterance_ids.length && !draft.image_ids.length;
    const overall = this.dialogue.agreement;
    const left = Object.entries(this.dialogue.unfinished);
    const legend = [...this.letters.values()].map((mark) => el("li", {}, el("span", { class: `chip only-${mark}` }, mark), say("only", { mark })));
    const list = this.queries.map((one, place) => el("li", { class: place === this.place ? "chosen" : "", onclick: () => this.choose(place) },
      el("span", { class: "number" }, place < 9 ? String(place + 1) : ""), el("span", { class: "words", dir: "auto" }, one.query || say("no_query")),
      el("span", { class: "tag" }, one.verdict ? `✓ ${say(`basis_${one.verdict.basis}`)}` : say("undecided")),
      Object.keys(one.answers).length === 1 ? el("span", { class: "tag alone" }, say("one_wrote", { who: Object.keys(one.answers)[0] })) : el("span", { class: "tag" }, `F1 ${percent(one.f1)}`)));
    replace(this.frame.panel,
      el("div", { class: "editor" }, el("h2", {}, say(query.asked ? "given_query" : "query")), el("p", { class: "query", dir: "auto" }, query.query || say("no_query")),
        alone ? el("p", { class: "tag alone" }, say("one_wrote", { who: Object.keys(query.answers)[0] })) : el("p", { class: "figures" }, say("query_figures", { f1: percent(query.f1), jaccard: percent(query.jaccard) })),
        el("p", { class: "figures" }, say("overall_figures", { f1: percent(overall.f1), jaccard: percent(overall.jaccard), alpha: overall.alpha === null ? "–" : overall.alpha.toFixed(2), n: overall.n_queries }))),
      el("ol", { class: "fragments" }, ...answers),
      el("div", { class: "editor verdict-box" }, el("h2", {}, el("span", { class: "chip verdict" }, "✓"), " ", say("verdict")),
        draft.dropped ? el("p", {}, say("left_out_query")) : empty ? el("p", {}, say("verdict_empty")) : memberList(draft, this.view),
        el("p", { class: "row-of-buttons" }, ...[...this.letters].map(([who, mark]) => button(say("take", { mark }), () => this.takeOne(who))),
          button(say("union"), () => this.combine("union")), button(say("intersection"), () => this.combine("intersection")), button(say("save_verdict"), () => this.save(), { class: "strong" }))),
      left.length ? el("p", { class: "tag alone" }, say("unfinished_answers", { who: left.map(([who, n]) => `${who} (${n})`).join(", ") })) : null,
      el("h2", {}, say("queries", { n: this.queries.length })), el("ol", { class: "fragments" }, ...list),
      el("ul", { class: "legend" }, ...legend, el("li", {}, el("span", { class: "chip all" }, [...this.letters.values()].join("")), say("all_chose")), el("li", {}, el("span", { class: "chip verdict" }, "✓"), say("in_verdict"))));
  }

  drawStatus() {
    if (!this.query) { return; }
    const { message, image } = this.view.at;
    this.frame.status.textContent = image !== null ? say("at_image", { id: image, message }) : say("at_message", { id: message });
  }
}

// The privacy pass: finding by finding, picture by picture; a stretch can be marked in any message, a message taken out.
// `PrivacyPass` works over any review source: {list(), load(id), decide(id, statement), picture(id, image_id)}.

import { get, post, Refused } from "/api.js";
import { ChatView } from "/chat.js";
import { button, codePoints, el, replace } from "/dom.js";
import { Frame, readingKeys } from "/frame.js";
import { openBox } from "/keys.js";
import { currentLanguage, say } from "/words.js";

// A review source at the addresses of `review_routes`.
export function sourceAt(prefix) {
  const at = (id) => `${prefix}/dialogues/${id}`;
  return {
    list: () => get(`${prefix}/dialogues`),
    load: (id) => get(at(id)),
    decide: (id, statement) => post(`${at(id)}/reviews`, statement),
    picture: (id, image) => `${at(id)}/images/${image}`,
  };
}

export async function begin(app, keys) {
  const pass = new PrivacyPass(app, keys, sourceAt("/api"));
  await pass.start();
}

export class PrivacyPass {
  // `finished()` is called when every dialogue is read or left out; `more` are bindings of the page around, and `around(frame)` may
  // put something of its own into the bar.
  constructor(app, keys, source, { finished = null, more = [], around = () => {} } = {}) {
    Object.assign(this, { app, keys, source, finished, more, around, everything: false, seen: new Set() });
  }

  async start(first = null) {
    this.build();
    const dialogues = await this.source.list();
    if (!dialogues.length) { this.frame.note(say("no_dialogues"), { kind: "bad" }); return; }
    this.frame.dialogues = dialogues;
    await this.open(first ?? (dialogues.find((one) => !one.done) || dialogues[0]).dialogue_id);
  }

  build() {
    this.keys.clear();
    this.frame = new Frame(this.app, this.keys, { title: say("privacy"), open: (id) => this.open(id), redraw: () => this.redraw() });
    this.view = new ChatView({ picture: (id) => this.source.picture(this.id, id), moved: () => this.moved() });
    this.view.view.addEventListener("scroll", () => this.look(), { passive: true });
    replace(this.frame.middle, this.view.root);
    this.around(this.frame);
    this.keys.push([...this.bindings(), ...this.more, ...readingKeys(this.frame, this.view)]);
  }

  redraw() {
    const { dialogues } = this.frame;
    this.build();
    this.frame.list(dialogues, this.id);
    this.show(this.at);
  }

  bindings() {
    return [
      { keys: ["y"], word: "key_yes", run: () => this.answer("yes") },
      { keys: ["n"], word: "key_no", run: () => this.answer("no") },
      { keys: ["e"], word: "key_edit", run: () => this.edit() },
      { keys: ["f"], word: "key_next_finding", run: () => this.stepFinding(1) },
      { keys: ["shift+f"], word: "key_finding_back", run: () => this.stepFinding(-1) },
      { keys: ["t"], word: "key_everything", run: () => this.showEverything() },
      { keys: ["m"], word: "key_mark", run: () => this.mark() },
      { keys: ["x"], word: "key_remove", run: () => this.remove() },
      { keys: ["shift+x"], word: "key_leave_dialogue", run: () => this.say({ event: "whole", left_out: !this.reading.left_out }) },
      { keys: ["enter"], word: "key_read", run: () => this.read() },
    ];
  }

  async open(id) {
    this.reading = await this.source.load(id);
    this.id = id;
    this.seen = new Set();
    this.frame.list(await this.source.list(), id);
    this.at = null;
    this.show(null);
    this.toNext();
  }

  show(at) {
    const message = this.view.at.message;
    this.view.show(this.reading, (said, index) => this.body(said, index));
    this.at = at;
    this.draw();
    this.view.go(Math.min(message, this.reading.utterances.length - 1), null, { scroll: at === null });
    this.at = at;
    this.focus();
    requestAnimationFrame(() => this.look());
  }

  // --- the findings, in the reader's order: masks by place, pictures where their message stands

  findings() {
    const gone = new Set(this.reading.removed);
    const masks = this.reading.findings.map((one) => ({ ...one, what: "mask", key: `${one.utterance_id}-${one.start}-${one.end}` }));
    const pictures = this.reading.utterances.flatMap((said, index) => said.image_ids.map((id) => ({
      what: "picture", key: `p${id}`, utterance_id: index, start: Infinity, image_id: id, doubtful: true, ...this.reading.images[id],
    }))).filter((one) => one.status === "present");
    return [...masks, ...pictures].filter((one) => !gone.has(one.utterance_id))
      .sort((a, b) => a.utterance_id - b.utterance_id || (a.start === b.start ? 0 : a.start - b.start));
  }

  // What is gone through: doubtful masks, marked stretches and pictures; with `t` the sure masks too.
  gone() { return this.findings().filter((one) => one.doubtful || one.by_person || this.everything); }
  current() { return this.findings().find((one) => one.key === this.at) || null; }

  toNext() {
    const all = this.gone();
    const place = all.findIndex((one) => one.key === this.at);
    const next = [...all.slice(place + 1), ...all.slice(0, place + 1)].find((one) => !one.decision);
    this.at = next?.key ?? this.at;
    this.focus();
    this.draw();
  }

  stepFinding(by) {
    const all = this.gone();
    if (!all.length) { this.frame.note(say("no_findings")); return; }
    const place = all.findIndex((one) => one.key === this.at);
    const here = this.view.at.message;
    const next = place >= 0 ? all[(place + by + all.length) % all.length]
      : by > 0 ? all.find((one) => one.utterance_id >= here) || all[0] : all.filter((one) => one.utterance_id <= here).at(-1) || all.at(-1);
    this.at = next.key;
    this.focus();
    this.draw();
  }

  showEverything() {
    this.everything = !this.everything;
    this.frame.note(say(this.everything ? "everything_on" : "everything_off"));
    this.draw();
  }

  // Goes to the finding; `moving` keeps the reader's own steps from losing it.
  focus() {
    const one = this.current();
    this.view.list.querySelectorAll(".finding.now").forEach((node) => node.classList.remove("now"));
    if (!one) { return; }
    this.moving = true;
    this.view.go(one.utterance_id, one.what === "picture" ? one.image_id : null);
    this.moving = false;
    const node = this.view.list.querySelector(`[data-finding="${one.key}"]`);
    node?.classList.add("now");
    node?.scrollIntoView({ block: "nearest" });
  }

  moved() {
    if (this.moving || !this.reading) { return; }
    const { image } = this.view.at;
    this.at = image !== null ? `p${image}` : null;
    this.draw();
  }

  // --- decisions

  async say(statement) {
    try {
      this.reading = await this.source.decide(this.id, statement);
    } catch (error) {
      this.frame.note(error instanceof Refused ? error.message : say("unreachable"), { kind: "bad" });
      return false;
    }
    this.show(this.at);
    this.frame.list(await this.source.list(), this.id);
    this.frame.saved.textContent = say("saved");
    return true;
  }

  // Quick keys are carried out one after the other: the second is about the next finding, not about the first once more.
  answer(choice) {
    this.turn = (this.turn ?? Promise.resolve()).then(() => this.answerNow(choice));
    return this.turn;
  }

  async answerNow(choice) {
    const one = this.current();
    if (!one) { this.frame.note(say("no_finding_here")); return; }
    const statement = one.what === "picture" ? { event: "image", image_id: one.image_id, choice }
      : this.span(one, choice === "yes" ? (one.by_person && one.decision === "edit" ? "edit" : "mask") : "keep", choice === "yes" && one.by_person ? one.surrogate : "");
    if (await this.say(statement)) { this.toNext(); }
  }

  span({ utterance_id, start, end, kind = "other" }, choice, text = "") {
    return { event: "span", utterance_id, start, end, kind, choice, text: choice === "edit" ? text : "" };
  }

  edit() {
    const one = this.current();
    if (one?.what === "picture") { this.frame.note(say("pictures_yes_no")); return; }
    if (!one) { this.mark(); return; }
    this.frame.ask(say("edit_words"), {
      value: one.surrogate, hint: say("edit_hint"),
      entered: (text) => { this.say(this.span(one, "edit", text)).then((done) => done && this.toNext()); return "leave"; },
    });
  }

  async remove() {
    const id = this.view.at.message;
    const removed = !this.reading.removed.includes(id);
    if (await this.say({ event: "remove", utterance_id: id, removed })) { this.frame.note(say(removed ? "was_removed" : "was_taken_back", { id })); }
  }

  // --- a stretch that no detector found: the mouse's selection, or word by word with the arrows

  mark() {
    const id = this.view.at.message;
    const { text } = this.reading.utterances[id];
    if (!text || this.reading.removed.includes(id)) { this.frame.note(say("no_text")); return; }
    const selected = this.selection(id);
    this.pick(id, wordsOf(text), selected);
  }

  selection(id) {
    const chosen = getSelection();
    const body = this.view.rows[id].querySelector("p.text");
    if (!chosen.rangeCount || chosen.isCollapsed || !body.contains(chosen.anchorNode) || !body.contains(chosen.focusNode)) { return null; }
    const range = chosen.getRangeAt(0);
    const before = document.createRange();
    before.selectNodeContents(body);
    before.setEnd(range.startContainer, range.startOffset);
    const start = codePoints(before.toString()).length;
    return { start, end: start + codePoints(range.toString()).length };
  }

  pick(id, words, selected) {
    const points = codePoints(this.reading.utterances[id].text);
    let [first, last] = [0, 0];
    const place = () => selected || { start: words[first].start, end: words[last].end };
    const shown = el("p", { class: "picking", dir: "auto" });
    const draw = () => {
      const { start, end } = place();
      replace(shown, points.slice(0, start).join(""), el("mark", {}, points.slice(start, end).join("")), points.slice(end).join(""));
      shown.querySelector("mark").scrollIntoView({ block: "nearest" });
    };
    const step = (by, grow) => {
      selected = null;
      if (grow) { last = Math.max(first, Math.min(words.length - 1, last + by)); } else { first = Math.max(0, Math.min(words.length - 1, first + by)); last = first; }
      draw();
    };
    const close = openBox(this.keys, say("mark_title", { id }), [shown, el("p", { class: "hint" }, say("mark_hint"))], [
      { keys: ["arrowright", "l"], run: () => step(1, false) }, { keys: ["arrowleft", "h"], run: () => step(-1, false) },
      { keys: ["shift+arrowright", "shift+l"], run: () => step(1, true) }, { keys: ["shift+arrowleft", "shift+h"], run: () => step(-1, true) },
      { keys: ["enter", "y"], run: () => { close(); this.say(this.span({ utterance_id: id, ...place() }, "mask")); } },
      { keys: ["e"], run: () => { const where = place(); close(); this.editStretch(id, where, points); } },
    ]);
    draw();
  }

  editStretch(id, where, points) {
    this.frame.ask(say("edit_words"), {
      value: points.slice(where.start, where.end).join(""), hint: say("edit_hint"),
      entered: (text) => { this.say(this.span({ utterance_id: id, ...where }, "edit", text)); return "leave"; },
    });
  }

  // --- read to the end

  look() {
    const { scrollTop, clientHeight } = this.view.view;
    this.view.rows.forEach((row, index) => { if (row.offsetTop + row.offsetHeight <= scrollTop + clientHeight + 8) { this.seen.add(index); } });
    this.drawPanel();
  }

  get ended() { return this.seen.size >= this.reading.utterances.length; }
  get ready() { return this.reading.left === 0 && this.ended; }

  async read() {
    if (this.reading.left_out || this.reading.read) { await this.next(); return; }
    if (!this.ready) { this.frame.note(say(this.reading.left ? "still_left" : "read_on", { n: this.reading.left }), { kind: "bad" }); return; }
    if (await this.say({ event: "whole", read: true })) { await this.next(); }
  }

  async next() {
    const other = this.frame.neighbour(0, { undone: true });
    if (other) { await this.open(other); return; }
    this.frame.note(say("all_read"));
    if (this.finished) { this.finished(); }
  }

  // --- drawing

  // A message's text in pieces: plain ones, and a mark for each finding; overlapping ones are cut where the next begins.
  body(said, index) {
    const points = codePoints(said.text);
    const parts = [];
    let at = 0;
    for (const one of this.reading.findings.filter((finding) => finding.utterance_id === index)) {
      if (one.start < at) { continue; }
      parts.push(points.slice(at, one.start).join(""));
      const kept = one.decision === "keep";
      const replaced = one.decision === "edit" || (this.reading.raw && !kept);
      parts.push(el("mark", { class: `finding ${one.decision ? "decided" : one.doubtful ? "doubtful" : "sure"}`, "data-finding": `${one.utterance_id}-${one.start}-${one.end}`, title: say(`kind_${one.kind}`) },
        points.slice(one.start, one.end).join(""), replaced || (one.by_person && !kept) ? el("span", { class: "becomes" }, ` → ${one.surrogate || say("becomes_nothing")}`) : null));
      at = Math.max(at, one.end);
    }
    parts.push(points.slice(at).join(""));
    return parts;
  }

  draw() {
    this.view.mark(1, (kind, id) => {
      const about = this.findings().filter((one) => (kind === "image" ? one.image_id === id : one.what === "mask" && one.utterance_id === id));
      if (kind === "image") { return about.map((one) => ({ slot: 0, letter: one.decision === "yes" ? "✓" : one.decision === "no" ? "✗" : "?", look: one.decision ? "settled" : "open" })); }
      const open = about.some((one) => one.doubtful && !one.decision);
      return about.length ? [{ slot: 0, letter: open ? "?" : "✓", look: open ? "open" : "settled" }] : [];
    });
    this.drawPanel();
    const one = this.current();
    this.frame.status.textContent = one ? say(one.what === "picture" ? "at_picture_finding" : "at_mask", { id: one.image_id, kind: say(`kind_${one.kind}`), message: one.utterance_id })
      : say("at_message_privacy", { id: this.view.at.message });
  }

  drawPanel() {
    if (!this.reading) { return; }
    const one = this.current();
    const all = this.findings();
    const sure = all.filter((finding) => finding.what === "mask" && !finding.doubtful && !finding.by_person).length;
    const counts = el("p", { class: "figures" }, say("left", { n: this.reading.left }), " ", say("sure_masks", { n: sure }), " ",
      say("removed_count", { n: this.reading.removed.length }));
    const released = button(say("read_it"), () => this.read(), { class: "strong", disabled: !this.ready && !this.reading.read });
    const state = this.reading.left_out ? say("dialogue_left_out") : this.reading.read ? say("is_read") : this.ended ? say("seen_all") : say("read_on");
    replace(this.frame.panel, el("div", { class: "editor" }, el("h2", {}, say("finding")), ...(one ? this.about(one) : [el("p", {}, say("no_finding_here"))])),
      counts, el("p", { class: "hint" }, state), el("p", { class: "row-of-buttons" }, released, button(say(this.reading.left_out ? "take_dialogue_back" : "leave_dialogue"), () => this.say({ event: "whole", left_out: !this.reading.left_out }))),
      el("h2", {}, say("to_go")), el("ol", { class: "fragments" }, ...this.gone().map((finding) => el("li", { class: finding.key === this.at ? "chosen" : "", onclick: () => { this.at = finding.key; this.focus(); this.draw(); } },
        el("span", { class: "number" }, String(finding.utterance_id)), el("span", { class: "words" }, finding.what === "picture" ? say("picture_of", { id: finding.image_id }) : `${say(`kind_${finding.kind}`)}: ${finding.surrogate}`),
        el("span", { class: "tag" }, finding.decision ? say(`decision_${finding.decision}`) : say("undecided"))))));
  }

  about(one) {
    const words = one.what === "picture"
      ? [el("p", {}, say("picture_question", { id: one.image_id })), el("p", { class: "hint" }, one.covered ? say("covered", { faces: one.covered.faces ?? 0, codes: one.covered.codes ?? 0 }) : this.reading.raw ? "" : say("not_looked"))]
      : [el("p", {}, say(this.reading.raw ? "mask_question_raw" : "mask_question", { kind: say(`kind_${one.kind}`) })), el("p", { class: "query", dir: "auto" }, one.surrogate || say("becomes_nothing"))];
    const [yes, no] = one.what === "picture" ? ["picture_yes", "picture_no"] : ["mask_yes", this.reading.raw ? "mask_no_raw" : "mask_no"];
    return [...words, el("p", { class: "row-of-buttons" }, button(`y · ${say(yes)}`, () => this.answer("yes")), button(`n · ${say(no)}`, () => this.answer("no")),
      one.what === "mask" ? button(`e · ${say("edit")}`, () => this.edit()) : null)];
  }
}

// The words of a text, in code points; where a browser cannot tell words, every character is one.
export function wordsOf(text) {
  const pieces = Intl.Segmenter ? Array.from(new Intl.Segmenter(currentLanguage(), { granularity: "word" }).segment(text), (piece) => piece.segment) : codePoints(text);
  const words = [];
  let at = 0;
  for (const piece of pieces) {
    const length = codePoints(piece).length;
    if (piece.trim()) { words.push({ start: at, end: at + length }); }
    at += length;
  }
  return words;
}

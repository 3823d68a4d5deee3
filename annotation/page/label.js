// Labelling: fragments as sets, each change sent at once; undo, warnings, checks, and what another tab changed.

import { get, post, Refused } from "/api.js";
import { ChatView } from "/chat.js";
import { button, el, replace } from "/dom.js";
import { Frame, readingKeys } from "/frame.js";
import { openBox } from "/keys.js";
import { LeadTime } from "/lead.js";
import { Extension, letter, look, memberList, toggle } from "/members.js";
import { Outbox } from "/outbox.js";
import { say } from "/words.js";

const TYPING_MS = 400;
const EMPTY = { query: "", level: "free", utterance_ids: [], image_ids: [], negative: false, note: "" };
const hex = (bytes) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (one) => one.toString(16).padStart(2, "0")).join("");
const same = (one, other) => JSON.stringify(one && content(one)) === JSON.stringify(other && content(other));
const content = ({ fragment, query, level, utterance_ids, image_ids, negative, note }) => [fragment, query, level, utterance_ids, image_ids, negative, note];

export async function begin(app, keys, session) {
  const desk = new Desk(app, keys, session);
  await desk.start();
}

class Desk {
  constructor(app, keys, session) {
    Object.assign(this, { app, keys, session, tab: hex(8), lead: new LeadTime(), extension: new Extension() });
    this.lead.watch();
    addEventListener("pagehide", () => this.sayLead({ keepalive: true }));
    addEventListener("focus", () => this.refresh());
    addEventListener("beforeunload", (event) => { this.commit(); if (this.outbox?.queue.length) { event.preventDefault(); } });
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
    this.frame = new Frame(this.app, this.keys, {
      title: `${say("labelling")} · ${this.session.annotator}`, open: (id) => this.open(id), redraw: () => this.redraw(),
    });
    this.view = new ChatView({
      picture: (id) => `/api/dialogues/${this.id}/images/${id}`, moved: () => this.drawStatus(), activate: () => this.toggle(),
    });
    replace(this.frame.middle, this.view.root);
    this.slot = el("div", {});
    this.listing = el("div", {});
    replace(this.frame.panel, this.slot, this.listing);
    this.editor = null;
    this.keys.push([...this.bindings(), ...readingKeys(this.frame, this.view)]);
  }

  async redraw() {
    this.commit();
    const { dialogues } = this.frame;
    const { at } = this.view;
    this.build();
    this.frame.list(dialogues, this.id);
    this.view.show(this.dialogue);
    this.draw();
    this.view.go(at.message, at.image);
  }

  bindings() {
    const digits = Array.from({ length: 9 }, (_, place) => ({
      keys: [String(place + 1)], word: place ? "" : "key_choose", shown: "1–9", run: () => this.choose(place, { create: true }),
    }));
    return [
      { keys: ["space"], word: "key_toggle", run: () => this.toggle() },
      { keys: ["shift+j", "shift+arrowdown"], shown: "shift+j", word: "key_extend_down", run: () => this.extend(1) },
      { keys: ["shift+k", "shift+arrowup"], shown: "shift+k", word: "key_extend_up", run: () => this.extend(-1) },
      ...digits,
      { keys: ["["], word: "key_fragment_before", run: () => this.choose(this.place() - 1) },
      { keys: ["]"], word: "key_fragment_after", run: () => this.choose(this.place() + 1) },
      { keys: ["n"], word: "key_new", run: () => this.newQuery() },
      { keys: ["q"], word: "key_edit_query", run: () => this.editQuery() },
      { keys: ["0"], word: "key_negative", run: () => this.change({ negative: !this.current()?.negative }) },
      { keys: ["d"], word: "key_drop", run: () => this.drop() },
      { keys: ["u"], word: "key_undo", run: () => this.undo() },
      { keys: ["shift+u"], word: "key_redo", run: () => this.redo() },
      { keys: ["enter"], word: "key_save", run: () => this.finish() },
      { keys: ["r"], word: "key_reapply", run: () => this.reapply() },
      { keys: ["x"], word: "key_leave", run: () => this.leaveRefused() },
      { keys: ["escape"], field: true, within: (target) => target && target.closest("aside"), run: () => { document.activeElement.blur(); this.commit(); } },
    ];
  }

  // --- a dialogue

  async open(id) {
    this.commit();
    await this.sayLead();
    await this.outbox?.flushed();
    const dialogue = await get(`/api/dialogues/${id}`);
    this.outbox = null;
    this.id = id;
    this.dialogue = dialogue;
    this.asked = new Map(this.dialogue.asked.map((query) => [query.name, query.text]));
    this.refused = new Map();
    this.history = this.dialogue.history;
    this.future = [];
    this.name = null;
    this.warned = [];
    this.extension.end();
    this.lead.start();
    const outbox = new Outbox({
      send: (statement) => post(`/api/dialogues/${id}/labels`, statement),
      changed: () => { if (this.outbox === outbox) { this.draw(); } },
      refused: (statement, error) => this.wasRefused(statement, error),
      trouble: (on) => this.trouble(on),
    });
    this.frame.list(await get("/api/dialogues"), id);
    this.outbox = outbox;
    this.view.show(this.dialogue);
    outbox.adopt(this.dialogue.labels);
    this.choose(0);
  }

  async refresh() {
    if (!this.outbox || this.outbox.queue.length) { return; }
    try { this.outbox.adopt(await get(`/api/dialogues/${this.id}/labels`)); } catch (error) { this.trouble(!(error instanceof Refused)); }
  }

  // The given queries first, then one's own, in the order of their making.
  fragments() {
    const all = new Map(this.outbox.fragments().map((put) => [put.fragment, put]));
    const given = [...this.asked].map(([name, text]) => all.get(name) || { ...EMPTY, fragment: name, query: text, absent: true });
    return [...given, ...[...all.values()].filter((put) => !this.asked.has(put.fragment))];
  }

  place() { return this.fragments().findIndex((put) => put.fragment === this.name); }
  current() { return this.fragments().find((put) => put.fragment === this.name) || null; }

  choose(place, { create = false } = {}) {
    this.commit();
    this.extension.end();
    const all = this.fragments();
    if (all[place]) { this.name = all[place].fragment; } else if (create) { this.create(); } else { this.name ??= null; }
    this.warned = [];
    this.draw();
    this.warnSoon();
  }

  create() {
    if (this.session.given_only) { this.frame.note(say("given_only")); return false; }
    this.name = `q-${hex(6)}`;
    this.say({ ...EMPTY, fragment: this.name });
    return true;
  }

  // --- changes: each is one statement, and can be taken back

  say(given) {
    const { absent, ...after } = given || {};
    this.become(given ? after : null);
  }

  become(after) {
    const name = after ? after.fragment : this.name;
    const before = this.fragments().find((put) => put.fragment === name && !put.absent) || null;
    if (same(before, after)) { return; }
    this.history.push({ fragment: name, before, after });
    this.future = [];
    this.send(name, after);
    this.warnSoon();
  }

  send(name, after) {
    this.outbox.add(after ? { event: "put", ...after, tab: this.tab } : { event: "drop", fragment: name, tab: this.tab });
  }

  change(what) {
    const current = this.current();
    if (!current) { this.frame.note(say("no_fragment")); return; }
    this.say({ ...current, ...what });
  }

  toggle() {
    this.extension.end();
    const current = this.current();
    if (!current) { this.frame.note(say("no_fragment")); return; }
    const after = toggle(current, this.view.at, this.dialogue);
    if (after) { this.say(after); } else { this.frame.note(say("nothing_to_choose")); }
  }

  extend(by) {
    const current = this.current();
    if (!current) { this.frame.note(say("no_fragment")); return; }
    const from = this.view.at.message;
    const anchor = this.extension.anchor;
    const here = this.view.step(by);
    if (anchor !== null && this.extension.last !== from) { this.extension.end(); }
    this.extension.last = here;
    this.say(this.extension.to(current, from, here, this.dialogue));
  }

  drop() {
    this.extension.end();
    const place = this.place();
    const current = this.current();
    if (!current || current.absent) { this.frame.note(say("no_fragment")); return; }
    this.say(null);
    this.name = this.fragments()[Math.max(0, this.asked.has(current.fragment) ? place : place - 1)]?.fragment ?? null;
    this.draw();
  }

  undo() { this.back(this.history, this.future, "before", "after", "nothing_to_undo"); }
  redo() { this.back(this.future, this.history, "after", "before", "nothing_to_redo"); }

  back(from, to, wanted, stands, nothing) {
    this.commit();
    this.extension.end();
    const change = from.pop();
    if (!change) { this.frame.note(say(nothing)); return; }
    const now = this.fragments().find((put) => put.fragment === change.fragment && !put.absent) || null;
    if (!same(now, change[stands])) { this.frame.note(say("changed_elsewhere")); return; }
    to.push(change);
    this.name = change.fragment;
    this.send(change.fragment, change[wanted] && { ...change[wanted], fragment: change.fragment });
    if (!this.current()) { this.name = this.fragments().at(-1)?.fragment ?? null; this.draw(); }
    this.warnSoon();
  }

  // --- another tab was quicker

  wasRefused(statement, error) {
    if (statement.event === "done") { this.frame.note(say("unfinished"), { kind: "bad" }); return; }
    if (error.status !== 409) { this.frame.note(error.message, { kind: "bad" }); return; }
    this.refused.set(statement.fragment, statement);
    this.editor?.dirty?.clear();
    this.drawRefused();
  }

  drawRefused() {
    this.frame.notices.querySelectorAll(".conflict").forEach((node) => node.remove());
    for (const [name, mine] of this.refused) {
      const place = this.fragments().findIndex((put) => put.fragment === name);
      const theirs = this.fragments()[place] || null;
      const tell = (put) => !put || put.event === "drop" ? say("dropped") : `“${put.query.slice(0, 80)}” ${put.utterance_ids.join(" ")}${put.image_ids.map((id) => ` ${say("picture_short", { id })}`).join("")}`;
      this.frame.notices.append(el("div", { class: "notice bad conflict", role: "alert" },
        el("span", {}, say("conflict", { fragment: place < 0 ? name : letter(place), theirs: tell(theirs), mine: tell(mine) })),
        button(say("reapply"), () => this.reapply(name)), button(say("leave"), () => this.leaveRefused(name))));
    }
  }

  reapply(name = this.refused.keys().next().value) {
    const mine = this.refused.get(name);
    if (!mine) { return; }
    this.leaveRefused(name);
    const { event, seen, tab, ...put } = mine;
    this.name = name;
    this.say(event === "put" ? put : null);
  }

  leaveRefused(name = this.refused.keys().next().value) {
    this.refused.delete(name);
    this.drawRefused();
    this.draw();
  }

  // --- the query

  newQuery() {
    const current = this.current();
    const blank = current && !current.query && !this.asked.has(current.fragment);
    if (blank || this.create()) { this.editQuery(); }
  }

  editQuery() {
    if (!this.current()) { this.frame.note(say("no_fragment")); return; }
    if (this.asked.has(this.name)) { this.frame.note(say("given_fixed")); return; }
    this.editor.query.focus();
  }

  typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.commit(), TYPING_MS);
  }

  // Sends what was typed since the last statement.
  commit() {
    clearTimeout(this.typing);
    if (!this.editor || !this.outbox || this.editor.name !== this.name) { return; }
    const { dirty, query, note } = this.editor;
    const current = this.current();
    if (!current || !dirty.size) { return; }
    dirty.clear();
    this.say({ ...current, query: query.value, note: note.value });
  }

  warnSoon() {
    clearTimeout(this.warning);
    this.warning = setTimeout(() => this.warn(), 300);
  }

  async warn() {
    const current = this.current();
    if (!current) { return; }
    const { absent, ...put } = current;
    const about = this.id;
    try {
      const warned = await post(`/api/dialogues/${this.id}/warnings`, { event: "put", ...put });
      if (about === this.id && this.name === current.fragment) { this.warned = warned; this.drawWarnings(); }
    } catch (error) { if (error instanceof Refused) { this.frame.note(error.message, { kind: "bad" }); } }
  }

  // --- done

  async finish() {
    this.commit();
    await this.outbox.flushed();
    if (this.refused.size) { this.frame.note(say("conflict_first"), { kind: "bad" }); return; }
    const found = await get(`/api/dialogues/${this.id}/problems`);
    if (!found.length) { await this.done(); return; }
    const names = this.fragments().map((put) => put.fragment);
    const name = (fragment) => (names.includes(fragment) ? letter(names.indexOf(fragment)) : "");
    const rows = found.map((one) => el("li", { class: one.final ? "final" : "" },
      say(`problem_${one.code}`, { fragment: name(one.fragment), other: ["duplicate", "same_query"].includes(one.code) ? name(one.other) : one.other })));
    const final = found.some((one) => one.final);
    const close = openBox(this.keys, say("before_done"), [el("ul", {}, ...rows), el("p", {}, say(final ? "must_mend" : "may_override"))],
      final ? [{ keys: ["enter"], run: () => close() }] : [{ keys: ["enter"], run: () => { close(); this.done(); } }]);
  }

  async done() {
    this.outbox.add({ event: "done", done: true, lead_time_s: this.lead.take(), tab: this.tab });
    await this.outbox.flushed();
    if (!this.outbox.base.done) { return; }
    this.frame.list(await get("/api/dialogues"), this.id);
    const next = this.frame.neighbour(0, { undone: true });
    if (next) { await this.open(next); } else { this.frame.note(say("all_done")); }
  }

  async sayLead(settings = {}) {
    if (!this.outbox) { return; }
    const seconds = this.lead.take();
    if (seconds < 1) { return; }
    const statement = { event: "done", done: null, lead_time_s: seconds, tab: this.tab };
    if (settings.keepalive) { post(`/api/dialogues/${this.id}/labels`, statement, settings).catch(() => {}); return; }
    this.outbox.add(statement);
    await this.outbox.flushed();
  }

  // --- drawing

  draw() {
    if (!this.outbox || !this.dialogue) { return; }
    const all = this.fragments();
    const marks = (kind, id) => all.flatMap((put, slot) => (put[`${kind}_ids`].includes(id) ? [{ slot, letter: letter(slot), look: look(slot) }] : []));
    this.view.mark(all.length, marks);
    this.drawSaved();
    this.drawPanel(all);
    this.drawStatus();
  }

  drawSaved() {
    const waiting = this.outbox.queue.length;
    this.frame.saved.textContent = waiting ? say("saving", { n: waiting }) : say("saved");
    this.frame.saved.classList.toggle("waiting", waiting > 0);
  }

  trouble(on) {
    if (Boolean(this.alarm) === on) { return; }
    if (on) { this.alarm = this.frame.note(say("unreachable"), { kind: "bad" }); } else { this.alarm.remove(); this.alarm = null; }
  }

  drawPanel(all) {
    const place = all.findIndex((put) => put.fragment === this.name);
    if (!this.editor || this.editor.name !== (all[place]?.fragment ?? null)) {
      this.editor = this.makeEditor(all[place]);
      replace(this.slot, this.editor.root);
    }
    this.fillEditor(all[place], place);
    const items = all.map((put, at) => el("li", { class: at === place ? "chosen" : "", onclick: () => this.choose(at) },
      el("span", { class: "number" }, at < 9 ? String(at + 1) : ""), el("span", { class: `chip ${look(at)}` }, letter(at)),
      el("span", { class: "words", dir: "auto" }, put.query || say("no_query")),
      put.negative ? el("span", { class: "tag" }, say("negative_short")) : null,
      this.asked.has(put.fragment) ? el("span", { class: "tag" }, say("given")) : null, memberList(put, this.view)));
    replace(this.listing, el("h2", {}, say("fragments", { n: all.length })), el("ol", { class: "fragments" }, ...items));
  }

  makeEditor(put) {
    if (!put) { return { name: null, root: el("div", { class: "editor empty" }, say(this.session.given_only ? "no_given" : "start_hint")) }; }
    const given = this.asked.has(put.fragment);
    const query = el("textarea", { rows: "3", maxlength: "2000", dir: "auto", readonly: given, "aria-label": say("query"), placeholder: say("query_hint") });
    const note = el("input", { type: "text", maxlength: "2000", "aria-label": say("note"), placeholder: say("note") });
    const negative = el("input", { type: "checkbox" });
    const warnings = el("ul", { class: "warnings", "aria-live": "polite" });
    negative.addEventListener("change", () => { this.change({ negative: negative.checked }); negative.blur(); });
    for (const field of [query, note]) {
      field.addEventListener("input", () => { this.editor.dirty.add(field); this.typed(); });
      field.addEventListener("blur", () => this.commit());
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); event.stopPropagation(); field.blur(); }
      });
    }
    const chip = el("span", { class: "chip" });
    const root = el("div", { class: "editor" }, el("h2", {}, chip, " ", say(given ? "given_query" : "query")), query,
      el("label", {}, negative, " ", say("negative")), note, warnings);
    return { name: put.fragment, root, query, note, negative, warnings, chip, dirty: new Set() };
  }

  // Fields follow the log, but for what was typed and not sent yet.
  fillEditor(put, place) {
    const { editor } = this;
    if (!put || !editor.query) { return; }
    editor.chip.className = `chip ${look(place)}`;
    editor.chip.textContent = letter(place);
    if (!editor.dirty.has(editor.query) && editor.query.value !== put.query) { editor.query.value = put.query; }
    if (!editor.dirty.has(editor.note) && editor.note.value !== put.note) { editor.note.value = put.note; }
    editor.negative.checked = put.negative;
    this.drawWarnings();
  }

  drawWarnings() {
    if (!this.editor?.warnings) { return; }
    replace(this.editor.warnings, ...this.warned.map((one) => el("li", {}, `⚠ ${say(`warning_${one.code}`, one.values)}`)));
  }

  drawStatus() {
    const { message, image } = this.view.at;
    const current = this.place();
    const into = current < 0 ? say("no_fragment") : say("into", { fragment: letter(current) });
    this.frame.status.textContent = image !== null ? `${say("at_image", { id: image, message })} ${into}` : `${say("at_message", { id: message })} ${into}`;
  }
}

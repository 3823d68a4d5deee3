// What every mode has around the dialogue: the bar with the dialogues and the progress, notices, and the keys of reading.

import { button, el, replace } from "/dom.js";
import { showHelp } from "/keys.js";
import { currentLanguage, say, setLanguage } from "/words.js";

export class Frame {
  // open(dialogue_id) opens another dialogue; redraw() draws the whole mode anew, in another language
  constructor(app, keys, { title, open, redraw }) {
    Object.assign(this, { app, keys, open });
    this.picker = el("select", { "aria-label": say("dialogue"), onchange: (event) => { event.target.blur(); open(event.target.value); } });
    this.progress = el("output", { class: "progress" });
    this.saved = el("output", { class: "saved", "aria-live": "polite" });
    this.notices = el("div", { class: "notices", "aria-live": "assertive" });
    this.status = el("div", { class: "status", "aria-live": "polite" });
    this.extra = el("span", {});
    const other = currentLanguage() === "zh" ? "en" : "zh";
    this.bar = el("header", {}, el("strong", {}, title), this.picker, this.progress, this.extra, this.saved, el("span", { class: "space" }),
      button(other === "zh" ? "中文" : "English", () => { setLanguage(other); redraw(); }, { class: "language" }),
      button(`? ${say("help")}`, () => showHelp(keys)));
    this.asking = el("div", { class: "asking", hidden: true });
    this.panel = el("aside", {});
    this.middle = el("main", {});
    replace(app, this.bar, this.notices, el("div", { class: "columns" }, this.middle, this.panel), this.asking, this.status);
  }

  list(dialogues, current) {
    this.dialogues = dialogues;
    this.current = current;
    replace(this.picker, ...dialogues.map((one, place) => el("option", { value: one.dialogue_id, selected: one.dialogue_id === current },
      `${one.done ? "✓" : "·"} ${place + 1}. ${one.dialogue_id} (${say("size", { u: one.n_utterances, i: one.n_images })})`)));
    this.picker.value = current;
    const done = dialogues.filter((one) => one.done).length;
    this.progress.textContent = say("progress", { done, all: dialogues.length });
  }

  // The dialogue `by` places on; with `undone`, the next one that is not done, around the end.
  neighbour(by, { undone = false } = {}) {
    const place = this.dialogues.findIndex((one) => one.dialogue_id === this.current);
    if (!undone) { return this.dialogues[place + by]?.dialogue_id; }
    const rest = [...this.dialogues.slice(place + 1), ...this.dialogues.slice(0, place)];
    return rest.find((one) => !one.done)?.dialogue_id;
  }

  note(text, { kind = "info", actions = [] } = {}) {
    const notice = el("div", { class: `notice ${kind}` }, el("span", {}, text), ...actions, button("×", () => notice.remove(), { title: say("close") }));
    this.notices.append(notice);
    if (kind === "info") { setTimeout(() => notice.remove(), 4000); }
    return notice;
  }

  // One line of input under the page; `changed(text)` while typing, `entered(text)` at enter. Escape leaves.
  ask(label, { changed = () => {}, entered = () => {}, left = () => {}, numeric = false, value = "", hint = "" }) {
    const field = el("input", { type: "text", inputmode: numeric ? "numeric" : "text", "aria-label": label, autocomplete: "off", spellcheck: "false" });
    field.value = value;
    const found = el("output", {});
    const leave = () => { this.asking.hidden = true; replace(this.asking); this.leaveAsking = null; left(); };
    field.addEventListener("input", () => { found.textContent = changed(field.value) ?? ""; });
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) { return; }
      if (event.key === "Enter") { event.preventDefault(); event.stopPropagation(); if (entered(field.value, event) !== "stay") { leave(); } }
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); leave(); }
    });
    this.asking.hidden = false;
    replace(this.asking, el("label", {}, label, " ", field), found, el("small", {}, hint));
    this.leaveAsking = leave;
    field.focus();
    field.select();
  }
}

// The keys that read: moving, pictures, search, an index. A mode adds its own.
export function readingKeys(frame, view) {
  return [
    { keys: ["j", "arrowdown"], shown: "j", word: "key_down", run: () => view.step(1) },
    { keys: ["k", "arrowup"], shown: "k", word: "key_up", run: () => view.step(-1) },
    { keys: ["i"], word: "key_image", run: () => view.stepImage(1) || frame.note(say("no_image")) },
    { keys: ["shift+i"], word: "key_image_back", run: () => view.stepImage(-1) || frame.note(say("no_image")) },
    { keys: ["z"], word: "key_zoom", run: () => view.zoom() },
    { keys: ["o"], word: "key_unfold", run: () => view.unfold() },
    { keys: ["/"], word: "key_search", run: () => search(frame, view) },
    { keys: ["g"], word: "key_go", run: () => goTo(frame, view) },
    { keys: [","], word: "key_before", run: () => move(frame, -1) },
    { keys: ["."], word: "key_after", run: () => move(frame, 1) },
    { keys: ["?", "shift+?"], shown: "?", word: "key_help", run: () => showHelp(frame.keys) },
    { keys: ["escape"], run: () => { if (view.zoomed) { view.zoom(); } view.search(""); } },
  ];
}

function move(frame, by) {
  const next = frame.neighbour(by);
  if (next) { frame.open(next); } else { frame.note(say("no_more")); }
}

function search(frame, view) {
  frame.ask(say("search"), {
    hint: say("search_hint"),
    changed: (text) => { const n = view.search(text).length; return text ? say("found", { n }) : ""; },
    entered: (_, event) => { view.nextFound(event.shiftKey ? -1 : 1); return "stay"; },
    left: () => view.view.focus({ preventScroll: true }),
  });
}

function goTo(frame, view) {
  frame.ask(say("go"), {
    numeric: true,
    hint: say("go_hint", { last: view.rows.length - 1 }),
    entered: (text) => {
      const index = Number(text.trim());
      if (!/^\d+$/.test(text.trim()) || index >= view.rows.length) { frame.note(say("no_message", { id: text.slice(0, 20) })); return "stay"; }
      view.go(index);
      return "leave";
    },
  });
}


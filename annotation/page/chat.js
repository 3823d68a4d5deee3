// A dialogue as bubbles: where the reader is, marks in the gutter, quotes, pictures, search, and the small map at the side.

import { button, codePoints, el, replace } from "/dom.js";
import { pause, say } from "/words.js";

const LONG = 1200; // code points; a longer text is folded

export class ChatView {
  // picture(image_id) -> address; moved(at) after every move; activate(at) on a click
  constructor({ picture, moved = () => {}, activate = () => {} }) {
    Object.assign(this, { picture, moved, activate });
    this.list = el("ol", { class: "chat" });
    this.map = el("div", { class: "map", "aria-hidden": "true" });
    this.view = el("div", { class: "view", tabindex: "-1" }, this.list);
    this.root = el("div", { class: "reading" }, this.view, this.map);
    this.at = { message: 0, image: null };
    this.view.addEventListener("scroll", () => this.drawWindow(), { passive: true });
  }

  show(dialogue, body = null) {
    this.dialogue = dialogue;
    this.body = body;
    this.carrier = new Map();
    dialogue.utterances.forEach((said, index) => said.image_ids.forEach((id) => this.carrier.set(id, index)));
    const speakers = [...new Set(dialogue.utterances.map((said) => said.speaker))];
    this.order = new Map(speakers.map((speaker, place) => [speaker, place]));
    this.rows = [];
    this.figures = new Map();
    const items = [];
    dialogue.utterances.forEach((said, index) => {
      if (said.pause_s) { items.push(el("li", { class: "divider" }, pause(said.pause_s))); }
      const row = this.row(said, index);
      this.rows.push(row);
      items.push(row);
    });
    replace(this.list, ...items);
    this.window = el("div", { class: "window" });
    this.dots = dialogue.utterances.map((_, index) => el("i", { onclick: () => this.go(index), title: String(index) }));
    replace(this.map, ...this.dots, this.window);
    this.drawn = new Map();
    this.at = { message: 0, image: null };
    this.view.scrollTop = 0;
    if (this.rows.length) { this.go(0); }
    requestAnimationFrame(() => this.drawWindow());
  }

  row(said, index) {
    const place = this.order.get(said.speaker);
    const gutter = el("div", { class: "gutter" });
    const who = el("div", { class: `who speaker${place % 8}` }, el("b", {}, said.speaker || "?"), " ", el("time", {}, said.time));
    const parts = [who];
    if (said.reply_to !== null) { parts.push(this.quote(said.reply_to)); }
    if (said.removed) { parts.push(el("p", { class: "text gone" }, say("removed"))); }
    else if (said.text) { parts.push(this.text(said, index)); }
    for (const id of said.image_ids) { parts.push(this.figure(id, index)); }
    const bubble = el("div", { class: `bubble back${place % 8}` }, ...parts);
    const row = el("li", { class: `row ${place % 2 ? "right" : "left"}`, id: `m${index}` },
      gutter, el("span", { class: "index" }, String(index)), bubble);
    row.addEventListener("click", (event) => {
      if (event.target.closest(".quote")) { return; } // it led elsewhere
      const figure = event.target.closest("figure");
      this.go(index, figure ? Number(figure.dataset.image) : null);
      if (!event.target.closest("button, img") && !String(getSelection())) { this.activate(this.at); }
    });
    return row;
  }

  text(said, index) {
    const text = el("p", { class: "text", dir: "auto" });
    if (this.body) { replace(text, ...this.body(said, index)); } else { text.textContent = said.text; }
    const length = codePoints(said.text).length;
    if (length <= LONG) { return text; }
    text.classList.add("folded");
    const unfold = button(say("show_all", { n: length.toLocaleString() }), () => this.unfold(index), { class: "unfold" });
    return el("div", { class: "long" }, text, unfold);
  }

  unfold(index = this.at.message) {
    const long = this.rows[index]?.querySelector(".long");
    if (!long) { return; }
    const open = !long.querySelector(".text").classList.toggle("folded");
    long.querySelector("button").textContent = open ? say("fold") : say("show_all", { n: "" });
    this.rows[index].scrollIntoView({ block: "nearest" });
    this.drawWindow();
  }

  quote(target) {
    const said = this.dialogue.utterances[target];
    const line = said ? said.text.split("\n")[0] || (said.image_ids.length ? say("picture_of", { id: said.image_ids[0] }) : "") : "";
    const words = el("span", { class: "quoted", dir: "auto" }, codePoints(line).slice(0, 120).join(""));
    const quote = button("", () => this.go(target), { class: "quote", title: say("go_to", { id: target }) });
    quote.append(`↩ ${target} ${said ? said.speaker : ""}: `, words);
    return quote;
  }

  figure(id, index) {
    const image = this.dialogue.images[id];
    const label = el("figcaption", {}, say("picture_of", { id }));
    let shown;
    if (image.status === "present") {
      shown = el("img", { src: this.picture(id), alt: say("picture_of", { id }), loading: "lazy", decoding: "async",
        width: image.width, height: image.height, onclick: () => { this.go(index, id); this.zoom(); } });
      shown.addEventListener("error", () => shown.replaceWith(el("div", { class: "no-image" }, say("broken"))));
    } else {
      shown = el("div", { class: "no-image" }, say(image.status === "withheld" ? "withheld" : "missing"));
    }
    const figure = el("figure", { "data-image": id }, el("div", { class: "chips" }), shown, label);
    this.figures.set(id, figure);
    return figure;
  }

  // --- where the reader is

  go(message, image = null, { scroll = true } = {}) {
    if (!this.rows[message]) { return; }
    this.list.querySelectorAll(".at, .at-image").forEach((node) => node.classList.remove("at", "at-image"));
    this.dots[this.at.message]?.classList.remove("here");
    this.at = { message, image };
    this.rows[message].classList.add("at");
    this.dots[message].classList.add("here");
    const figure = image === null ? null : this.figures.get(image);
    figure?.classList.add("at-image");
    if (scroll) { (figure || this.rows[message]).scrollIntoView({ block: "nearest" }); }
    this.moved(this.at);
  }

  step(by) {
    const next = Math.min(this.rows.length - 1, Math.max(0, this.at.message + by));
    this.go(next);
    return next;
  }

  stepImage(by) {
    const ids = [...this.carrier.keys()].sort((a, b) => a - b);
    const here = this.at.image;
    const next = here !== null ? ids.find((id) => id === here + by)
      : by > 0 ? ids.find((id) => this.carrier.get(id) >= this.at.message)
        : ids.filter((id) => this.carrier.get(id) <= this.at.message).at(-1);
    if (next !== undefined) { this.go(this.carrier.get(next), next); }
    return next !== undefined;
  }

  zoom() {
    const open = document.querySelector(".zoom");
    if (open) { open.remove(); return; }
    const id = this.at.image ?? this.dialogue.utterances[this.at.message]?.image_ids[0];
    if (id === undefined || this.dialogue.images[id].status !== "present") { return; }
    const cover = el("div", { class: "zoom", onclick: () => cover.remove() },
      el("img", { src: this.picture(id), alt: say("picture_of", { id }) }), el("p", {}, say("zoom_hint", { id })));
    document.body.append(cover);
  }

  get zoomed() { return Boolean(document.querySelector(".zoom")); }

  // --- marks: (kind, id) -> [{slot, letter, look, hollow?}]; `slots` columns

  mark(slots, marksOf) {
    this.list.classList.toggle("wide-gutter", slots > 0);
    this.dialogue.utterances.forEach((said, index) => {
      const own = marksOf("utterance", index);
      const carried = said.image_ids.flatMap((id) => marksOf("image", id)).filter((mark) => !own.some((one) => one.slot === mark.slot));
      const marks = [...own, ...carried.filter((mark, place) => carried.findIndex((one) => one.slot === mark.slot) === place)
        .map((mark) => ({ ...mark, hollow: true }))];
      this.draw(`u${index}`, [slots, ...marks], () => this.drawRow(index, slots, marks));
      for (const id of said.image_ids) {
        const chips = marksOf("image", id);
        this.draw(`i${id}`, chips, () => replace(this.figures.get(id).querySelector(".chips"),
          ...chips.map((mark) => el("span", { class: `chip ${mark.look}` }, mark.letter))));
      }
    });
  }

  draw(key, marks, run) {
    const signature = JSON.stringify(marks);
    if (this.drawn.get(key) !== signature) { this.drawn.set(key, signature); run(); }
  }

  drawRow(index, slots, marks) {
    const columns = [];
    for (let slot = 0; slot < slots; slot += 1) {
      const mark = marks.find((one) => one.slot === slot);
      columns.push(el("span", { class: mark ? `stripe ${mark.look}${mark.hollow ? " hollow" : ""}` : "stripe none" }, mark ? mark.letter : ""));
    }
    replace(this.rows[index].querySelector(".gutter"), ...columns);
    this.rows[index].classList.toggle("marked", marks.length > 0);
    replace(this.dots[index], ...marks.map((mark) => el("span", { class: mark.look })));
  }

  drawWindow() {
    if (!this.window) { return; }
    const { scrollTop, scrollHeight, clientHeight } = this.view;
    this.window.style.top = `${(scrollTop / scrollHeight) * 100}%`;
    this.window.style.height = `${Math.min(1, clientHeight / scrollHeight) * 100}%`;
  }

  // --- search

  search(words) {
    const wanted = words.toLowerCase();
    this.found = wanted ? this.dialogue.utterances.flatMap((said, index) => said.text.toLowerCase().includes(wanted) ? [index] : []) : [];
    this.rows.forEach((row, index) => row.classList.toggle("hit", this.found.includes(index)));
    if (window.CSS && CSS.highlights) {
      CSS.highlights.delete("found");
      if (wanted) { CSS.highlights.set("found", new Highlight(...this.found.flatMap((index) => this.ranges(index, wanted)))); }
    }
    return this.found;
  }

  ranges(index, wanted) {
    const walker = document.createTreeWalker(this.rows[index].querySelector("p.text"), NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.toLowerCase();
      for (let at = text.indexOf(wanted); at >= 0 && text.length === node.data.length; at = text.indexOf(wanted, at + wanted.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + wanted.length);
        found.push(range);
      }
    }
    return found;
  }

  nextFound(by = 1) {
    if (!this.found?.length) { return; }
    const after = by > 0 ? this.found.find((index) => index > this.at.message) : this.found.filter((index) => index < this.at.message).at(-1);
    this.go(after ?? (by > 0 ? this.found[0] : this.found.at(-1)));
  }
}

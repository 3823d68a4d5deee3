// The keyboard. Bindings come in layers: the topmost one (a dialog, the help) is the only one that hears.

import { el, button } from "/dom.js";
import { say } from "/words.js";

const CODES = { Space: " ", Slash: "/", BracketLeft: "[", BracketRight: "]", Comma: ",", Period: "." };

// "j", "shift+j", "?", "enter", "space". Where an input method holds a letter back, the physical key counts.
export function nameOf(event) {
  let key = event.key;
  if (key === "Process" || key === "Unidentified") {
    const code = event.code || "";
    key = CODES[code] || (code.startsWith("Key") ? code[3] : code.startsWith("Digit") ? code[5] : key);
  }
  if (key === " ") { key = "space"; }
  const letter = /^[a-z]$/i.test(key);
  const named = key.length > 1;
  return (event.shiftKey && (letter || named) ? "shift+" : "") + key.toLowerCase();
}

const isField = (node) => Boolean(node) && (node.matches("textarea, select") || (node.matches("input") && node.type !== "checkbox"));

export class Keys {
  constructor() {
    this.layers = [];
    document.addEventListener("keydown", (event) => this.heard(event));
  }

  // Bindings: [{keys: ["j"], word: "key_down", run(event), field?: true, repeat?: false}]; returns what takes them away.
  push(bindings, { modal = false } = {}) {
    const layer = { bindings, modal };
    this.layers.push(layer);
    return () => { this.layers = this.layers.filter((one) => one !== layer); };
  }

  clear() { this.layers = []; }

  heard(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) { return; }
    const name = nameOf(event);
    const target = document.activeElement;
    const inField = isField(target);
    const onControl = Boolean(target) && target.matches("button, a, input, summary") && (name === "enter" || name === "space");
    for (const layer of [...this.layers].reverse()) {
      const found = layer.bindings.find((binding) => binding.keys.includes(name) && (!binding.within || binding.within(target)) &&
        (inField ? binding.field : !onControl || binding.field));
      if (found) {
        event.preventDefault();
        found.run(event);
        return;
      }
      if (layer.modal) { return; }
    }
  }

  // What every layer offers, for the help.
  all() { return this.layers.flatMap((layer) => layer.bindings).filter((binding) => binding.word); }
}

// A box over the page with keys of its own; returns what closes it. `escape` closes it, and `bindings` may too.
export function openBox(keys, title, content, bindings = [], onClose = () => {}) {
  const box = el("div", { class: "box", role: "dialog", "aria-modal": "true", "aria-label": title, tabindex: "-1" },
    el("h2", {}, title), ...content, el("p", { class: "foot" }, button(say("close"), () => close())));
  const cover = el("div", { class: "cover" }, box);
  cover.addEventListener("mousedown", (event) => { if (event.target === cover) { close(); } });
  const before = document.activeElement;
  const take = keys.push([...bindings, { keys: ["escape"], field: true, run: () => close() }], { modal: true });
  document.body.append(cover);
  box.focus();
  let open = true;
  function close() {
    if (!open) { return; }
    open = false;
    take();
    cover.remove();
    if (before instanceof HTMLElement && before !== document.body) { before.focus(); }
    onClose();
  }
  return close;
}

export function showHelp(keys) {
  const rows = keys.all().map((binding) => el("tr", {},
    el("td", {}, ...(binding.shown ? [binding.shown] : binding.keys).map((key) => el("kbd", {}, key))), el("td", {}, say(binding.word))));
  const table = el("table", { class: "help" }, el("tbody", {}, ...rows));
  const close = openBox(keys, say("help"), [table], [{ keys: ["?", "enter"], run: () => close() }]);
}

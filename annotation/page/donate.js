// The donation walk: one step after the other, each told from what the private store holds, so that a reload goes on.

import { get, post, Refused } from "/api.js";
import { button, el, replace } from "/dom.js";
import { exportStep, peopleStep } from "/donate_export.js";
import { consentStep, sealedStep } from "/donate_consent.js";
import { PrivacyPass, sourceAt } from "/privacy.js";
import { currentLanguage, say, setLanguage } from "/words.js";

const STEPS = ["welcome", "export", "people", "read", "consent", "sealed"];

export async function begin(app, keys) {
  const walk = new Walk(app, keys);
  await walk.start();
}

export class Walk {
  constructor(app, keys) {
    Object.assign(this, { app, keys, state: null, step: "welcome", kept: {}, told: [] });
  }

  async start() {
    this.state = await get("/api/donation");
    this.show(this.state.stage === "export" ? "welcome" : this.state.stage);
  }

  // Where a giver may go: as far as the store has come, and back.
  get furthest() { return STEPS.indexOf(this.state.stage); }

  async show(step, { at = null } = {}) {
    this.step = step;
    this.told = [];
    this.keys.clear();
    if (step === "read") { await this.read(at); return; }
    this.draw();
    window.scrollTo(0, 0);
  }

  draw() {
    const parts = { welcome: () => this.welcome(), export: () => exportStep(this), people: () => peopleStep(this),
      consent: () => consentStep(this), sealed: () => sealedStep(this) };
    this.notices = el("div", { class: "faults", role: "alert" });
    this.page = el("section", { class: "step" }, ...parts[this.step]());
    replace(this.app, el("div", { class: "walk" }, this.bar(), this.page, this.notices));
    this.drawFaults();
    document.title = say(`d_step_${this.step}`);
  }

  bar() {
    const steps = STEPS.map((step, place) => el("li", {}, button(say(`d_step_${step}`), () => this.show(step),
      { disabled: place > Math.max(this.furthest, 1), "aria-current": step === this.step ? "step" : false })));
    const other = currentLanguage() === "zh" ? "en" : "zh";
    return el("header", { class: "walk-bar" }, el("strong", {}, say("d_title")), el("ol", { class: "steps" }, ...steps),
      button(other === "zh" ? "中文" : "English", () => { setLanguage(other); this.draw(); }, { class: "language" }));
  }

  welcome() {
    return [
      el("h1", {}, say("d_welcome")),
      el("p", { class: "lead" }, say("d_welcome_what")),
      el("ol", { class: "list" }, ...[1, 2, 3, 4, 5].map((n) => el("li", {}, say(`d_welcome_${n}`)))),
      el("div", { class: "card" }, el("h2", {}, say("d_notice")), el("ul", { class: "list" }, ...[1, 2, 3, 4, 5, 6].map((n) => el("li", {}, say(`d_notice_${n}`))))),
      el("p", { class: "hint" }, say("d_store_at"), " ", el("code", {}, this.state.store)),
      this.main(say("d_begin"), () => this.show("export")),
    ];
  }

  // --- the privacy pass, in its own frame

  async read(at) {
    const around = (frame) => frame.extra.append(button(`w · ${say("d_back_to_steps")}`, () => this.leave("people")));
    const pass = new PrivacyPass(this.app, this.keys, sourceAt("/api/pass"), {
      around, finished: () => this.leave("consent"), more: [{ keys: ["w"], word: "d_back_to_steps", run: () => this.leave("people") }],
    });
    this.pass = pass;
    await pass.start(at?.dialogue ?? null);
    if (at) { pass.view.go(at.message); }
  }

  async leave(step) {
    this.state = await get("/api/donation");
    await this.show(step);
  }

  // --- what steps share

  main(label, run, settings = {}) {
    return el("p", { class: "row-of-buttons" }, button(label, run, { class: "strong", ...settings }));
  }

  // Asks the server, with the page at rest meanwhile; `then(answer)` on success, every fault under the page otherwise.
  async send(address, value, then) {
    const held = [...this.page.querySelectorAll("button, input, select")].filter((one) => !one.disabled);
    held.forEach((one) => { one.disabled = true; });
    this.told = [];
    replace(this.notices, el("p", { class: "busy" }, say("d_busy")));
    try {
      const answer = await post(address, value);
      this.state = answer;
      replace(this.notices);
      await then(answer);
    } catch (error) {
      held.forEach((one) => { one.disabled = false; });
      this.told = error instanceof Refused ? error.answer.faults : [{ place: "", message: say("unreachable") }];
      this.drawFaults();
      if (!(error instanceof Refused)) { throw error; }
    }
  }

  drawFaults() {
    if (!this.told.length) { return; }
    replace(this.notices, el("h2", {}, say("d_faults")), el("ul", {}, ...this.told.map((one) => this.fault(one))));
    this.notices.scrollIntoView({ block: "nearest" });
  }

  fault({ place, message }) {
    const found = /^dialogue ([0-9a-f]{16})(?:, message (\d+))?$/.exec(place);
    const way = found && this.state.dialogues
      ? button(say("d_go_there"), () => this.show("read", { at: { dialogue: found[1], message: Number(found[2] ?? 0) } })) : null;
    return el("li", {}, el("b", {}, place ? `${place}: ` : ""), message, " ", way);
  }
}

export function field(label, input, hint = "") {
  return el("label", { class: "field" }, el("span", {}, label), input, hint ? el("small", {}, hint) : null);
}

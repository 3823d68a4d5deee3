// The last steps of the walk: what everybody agreed to, the seal, and what is in the bundle and where the raw chat lies.

import { button, el } from "/dom.js";
import { field } from "/donate.js";
import { say } from "/words.js";

const SCOPES = ["research", "public", "images", "third_party_model", "cross_border"];
const METHODS = ["signed", "written", "in_chat", "recorded"];

export function consentStep(walk) {
  const { speakers } = walk.state;
  const without = speakers.filter((one) => one.why_not);
  const messages = without.reduce((all, one) => all + one.messages, 0);
  const faceless = speakers.filter((one) => !one.why_not && !one.consent.scopes.includes("images")).length;
  const unread = walk.state.dialogues - walk.state.done;
  const modes = ["drop_speaker", "drop_dialogue"].map((mode) => el("label", { class: "check" },
    el("input", { type: "radio", name: "mode", value: mode, checked: mode === (walk.kept.mode ?? "drop_speaker"), onchange: () => { walk.kept.mode = mode; } }), say(`d_${mode}`)));
  return [
    el("h1", {}, say("d_consent")), el("p", {}, say("d_consent_what")), el("p", { class: "hint" }, say("d_consent_templates")),
    ...speakers.map((one) => person(walk, one)),
    el("div", { class: "card" }, el("h2", {}, say("d_seal")),
      el("p", { class: without.length ? "warn" : "" }, without.length ? say("d_without", { people: without.length, messages }) : say("d_all_agreed")),
      ...(without.length ? modes : []),
      faceless ? el("p", { class: "warn" }, say("d_no_pictures", { people: faceless })) : null, el("p", { class: "hint" }, say("d_bundle_at"), " ", el("code", {}, walk.state.out)),
      unread ? el("p", { class: "warn" }, say("d_unread", { n: unread }), " ", button(say("d_step_read"), () => walk.show("read"))) : null,
      walk.main(say("d_seal_it"), () => walk.send("/api/donation/seal", { mode: walk.kept.mode ?? "drop_speaker" }, () => walk.show("sealed")), { disabled: unread > 0 })),
  ];
}

function person(walk, one) {
  const { consent } = one;
  const holds = consent && !consent.withdrawn;
  const open = walk.kept.open === one.subject || (!consent && walk.kept.open === undefined && one === walk.state.speakers.find((other) => !other.consent));
  const state = one.why_not ? (holds || consent ? say(`d_why ${one.why_not}`) : say("d_not_agreed"))
    : say("d_agreed", { date: consent.date, scopes: consent.scopes.map((scope) => say(`d_scope_${scope}`)).join(say("d_comma")) });
  return el("details", { class: `card person ${one.why_not ? "lacking" : "agreed"}`, open, "data-subject": one.subject },
    el("summary", {}, el("b", {}, one.names[0]), one.owner ? ` (${say("d_you")})` : "", " · ", say("d_n_messages", { n: one.messages }), " · ", el("span", { class: "state" }, state)),
    ...form(walk, one, consent),
    holds ? el("p", {}, button(say("d_take_back"), () => walk.send("/api/donation/end", { subject: one.subject }, () => walk.draw()))) : null);
}

function form(walk, one, consent) {
  const scopes = SCOPES.map((scope) => el("label", { class: "check" },
    el("input", { type: "checkbox", name: "scope", value: scope, checked: consent ? consent.scopes.includes(scope) : false }), el("span", {}, el("b", {}, say(`d_scope_${scope}`)), ": ", say(`d_scope_${scope}_what`))));
  const adult = ["yes", "no"].map((answer) => el("label", { class: "check" },
    el("input", { type: "radio", name: `adult-${one.subject}`, value: answer, checked: consent ? consent.adult === (answer === "yes") : false }), say(`d_adult_${answer}`)));
  const methods = one.owner ? ["donor_page", ...METHODS] : METHODS;
  const method = el("select", { name: "method" }, ...methods.map((name) => el("option", { value: name, selected: consent?.method === name }, say(`d_method_${name}`))));
  const date = el("input", { type: "date", name: "date", value: consent?.date ?? walk.state.today, max: walk.state.today });
  const notice = el("input", { type: "text", name: "notice", value: consent?.notice_version ?? walk.kept.notice ?? "1", maxlength: 64 });
  const chosen = (name) => [...walk.page.querySelectorAll(`[data-subject="${one.subject}"] input[name="${name}"]:checked`)].map((input) => input.value);
  const enter = () => {
    const said = chosen(`adult-${one.subject}`)[0];
    if (!said) { walk.told = [{ place: one.names[0], message: say("d_say_adult") }]; walk.drawFaults(); return; }
    if (!chosen("scope").length) { walk.told = [{ place: one.names[0], message: say("d_say_scope") }]; walk.drawFaults(); return; }
    walk.kept.notice = notice.value;
    walk.send("/api/donation/consent", { subject: one.subject, adult: said === "yes", scopes: chosen("scope"), date: date.value, method: method.value, notice_version: notice.value }, () => {
      walk.kept.open = walk.state.speakers.find((other) => !other.consent)?.subject ?? "";
      walk.draw();
    });
  };
  return [
    el("fieldset", {}, el("legend", {}, say("d_adult")), ...adult), el("fieldset", {}, el("legend", {}, say("d_scopes")), ...scopes),
    el("div", { class: "fields" }, field(say("d_date"), date), field(say("d_method"), method), field(say("d_notice_version"), notice)),
    el("p", { class: "row-of-buttons" }, button(say("d_enter"), enter, { class: "enter" })),
  ];
}

// --- the end

export function sealedStep(walk) {
  const made = walk.state.sealed;
  if (!made) { return [el("h1", {}, say("d_step_sealed")), el("p", {}, say("d_not_sealed"))]; }
  const masks = Object.entries(made.masks).map(([kind, n]) => `${say(`kind_${kind}`)} (${n})`).join(say("d_comma"));
  return [
    el("h1", {}, say("d_done")), el("p", { class: "lead" }, say("d_done_what")),
    el("div", { class: "card" }, el("h2", {}, say("d_bundle")), el("p", {}, el("code", { class: "bundle" }, made.bundle)),
      el("p", {}, say("d_seal_is"), " ", el("code", { class: "seal" }, made.seal)), el("p", { class: "hint" }, say("d_seal_hint")),
      el("ul", { class: "list" }, el("li", {}, say("d_in_it", made)), el("li", {}, say("d_masked"), " ", masks || say("d_nothing")),
        ...Object.entries(made.left_out).map(([why, n]) => el("li", {}, say("d_left_out", { n }), " ", say(`d_out ${why}`))))),
    el("div", { class: "card warn-card" }, el("h2", {}, say("d_raw")), el("p", {}, say("d_raw_what")),
      el("ul", { class: "list" }, el("li", {}, say("d_raw_store"), " ", el("code", {}, walk.state.store)), ...walk.state.exports.map((path) => el("li", {}, say("d_raw_export"), " ", el("code", {}, path)))),
      el("p", {}, say("d_raw_keep"))),
    el("p", {}, say("d_change")), el("p", { class: "row-of-buttons" }, button(say("d_step_consent"), () => walk.show("consent"))),
  ];
}

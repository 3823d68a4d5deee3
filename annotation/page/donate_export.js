// The first steps of the walk: where the export lies, what was read in it, who is in it, and how it is cut.

import { get } from "/api.js";
import { button, el, replace } from "/dom.js";
import { field } from "/donate.js";
import { say } from "/words.js";

const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "";
const zones = () => el("datalist", { id: "zones" }, ...(Intl.supportedValuesOf ? Intl.supportedValuesOf("timeZone") : []).map((zone) => el("option", { value: zone })));
const number = (name, value, least) => el("input", { type: "number", name, value, min: least, max: 1000, step: name === "pause_h" ? "any" : 1 });

export function exportStep(walk) {
  const kept = walk.kept;
  const path = el("input", { type: "text", name: "path", class: "wide", autocomplete: "off", spellcheck: "false", placeholder: say("d_path_hint") });
  path.value = kept.path ?? walk.state.proposed ?? "";
  path.addEventListener("input", () => { kept.path = path.value; });
  const zone = el("input", { type: "text", name: "zone", list: "zones", autocomplete: "off" });
  zone.value = kept.zone ?? "";
  zone.placeholder = ownZone();
  const format = el("select", { name: "format" }, el("option", { value: "" }, say("d_format_found")));
  get("/api/formats").then((all) => format.append(...all.map((one) => el("option", { value: one.name }, `${one.name}: ${one.summary}`))));
  const order = el("select", { name: "date_order" }, ...["", "ymd", "dmy", "mdy"].map((one) => el("option", { value: one }, say(`d_order_${one || "found"}`))));
  const again = el("input", { type: "checkbox", name: "again" });
  const go = () => {
    Object.assign(kept, { path: path.value, zone: zone.value, format: format.value, date_order: order.value });
    walk.send("/api/donation/import", { path: path.value, zone: zone.value, own_zone: ownZone(), format: format.value, date_order: order.value, again: again.checked }, () => { kept.imported = true; return walk.show("people"); });
  };
  path.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) { go(); } });
  const browser = el("div", { class: "browser" });
  return [
    el("h1", {}, say("d_export")), el("p", {}, say("d_export_what")), field(say("d_path"), path),
    el("p", { class: "row-of-buttons" }, button(say("d_look"), () => look(walk, browser, "", path))), browser,
    el("details", {}, el("summary", {}, say("d_more")), field(say("d_zone"), zone, say("d_zone_hint")), zones(), field(say("d_format"), format), field(say("d_order"), order),
      el("label", { class: "check" }, again, say("d_again"))),
    walk.main(say("d_read_export"), go),
  ];
}

async function look(walk, browser, folder, path) {
  let listed;
  try { listed = await get(`/api/folder?path=${encodeURIComponent(folder)}`); } catch (error) {
    walk.told = error.answer?.faults ?? [{ place: "", message: say("unreachable") }];
    walk.drawFaults();
    return;
  }
  const take = (chosen) => { path.value = chosen; walk.kept.path = chosen; path.focus(); };
  const inside = (name) => `${listed.folder.replace(/[\\/]$/, "")}/${name}`;
  replace(browser, el("p", {}, el("code", {}, listed.folder), " ", button(say("d_take_folder"), () => take(listed.folder))),
    el("ul", {}, listed.above ? el("li", {}, button("↑ ..", () => look(walk, browser, listed.above, path), { class: "folder" })) : null,
      ...listed.folders.map((name) => el("li", {}, button(`▸ ${name}`, () => look(walk, browser, inside(name), path), { class: "folder" }))),
      ...listed.files.map((name) => el("li", {}, button(name, () => take(inside(name)), { class: "file" })))),
    listed.more ? el("p", { class: "hint" }, say("d_more_files", { n: listed.more })) : null);
}

// --- what was read

export function peopleStep(walk) {
  const { state } = walk;
  return [
    el("h1", {}, say("d_people")), el("p", {}, say("d_people_what")),
    ...state.chats.map((chat) => chatCard(walk, chat)),
    ...again(walk), ...cutForm(walk),
  ];
}

function chatCard(walk, chat) {
  const counted = (counts, word) => Object.entries(counts).map(([what, n]) => `${n} × ${word(what)}`).join(say("d_comma"));
  const events = Object.values(chat.events).reduce((all, n) => all + n, 0);
  const dropped = Object.values(chat.dropped).reduce((all, n) => all + n, 0);
  const missing = Object.values(chat.images_missing).reduce((all, n) => all + n, 0);
  const owner = chat.people.some((one) => one.owner);
  const rows = chat.people.map((one) => el("tr", {},
    el("td", {}, el("input", { type: "radio", name: `owner-${chat.chat_key}`, value: one.person, checked: one.owner, "aria-label": one.names[0] ?? one.person })),
    el("td", {}, el("b", {}, one.names[0] ?? one.person)), el("td", { class: "quiet" }, one.names.slice(1).join(say("d_comma"))),
    el("td", { class: "figure" }, String(one.messages))));
  return el("div", { class: "card", "data-chat": chat.chat_key },
    el("h2", {}, chat.name || say("d_no_name"), " ", el("small", {}, `${chat.first ?? ""} – ${chat.last ?? ""}`)),
    el("ul", { class: "list" },
      el("li", {}, say("d_rows", { rows: chat.rows, usable: chat.utterances })),
      events ? el("li", {}, say("d_events", { n: events }), " ", counted(chat.events, (kind) => say(`d_kind_${kind}`))) : null,
      dropped ? el("li", { class: "warn" }, say("d_dropped", { n: dropped }), " ", counted(chat.dropped, (why) => why)) : el("li", {}, say("d_none_dropped")),
      el("li", {}, say("d_pictures", { n: chat.images }), missing ? ` ${say("d_pictures_missing", { n: missing })}` : ""),
      el("li", {}, say("d_clock", { clock: chat.clock, zone: chat.zone })),
      ...chat.notes.map((note) => el("li", { class: "quiet", lang: "en" }, note))),
    el("h3", {}, say(owner ? "d_who_told" : "d_who")),
    el("table", {}, el("thead", {}, el("tr", {}, ...["d_you", "d_name", "d_also", "d_messages"].map((word) => el("th", {}, say(word))))), el("tbody", {}, ...rows)));
}

function again(walk) {
  const path = walk.state.exports.at(-1);
  if (!path) { return []; }
  const zone = el("input", { type: "text", name: "zone", list: "zones", autocomplete: "off" });
  zone.value = walk.kept.zone || walk.state.chats[0]?.zone || ownZone();
  const go = () => {
    const chosen = walk.page.querySelector("input[type=radio][name^=owner]:checked");
    walk.kept.zone = zone.value;
    walk.send("/api/donation/import", { path, zone: zone.value, owner_id: chosen?.value ?? "", format: walk.kept.format ?? "", date_order: walk.kept.date_order ?? "", again: true }, () => { walk.kept.imported = true; return walk.show("people"); });
  };
  return [el("details", {}, el("summary", {}, say("d_wrong")), el("p", { class: "hint" }, say("d_wrong_what")), field(say("d_zone"), zone, say("d_zone_hint")), zones(),
    el("p", { class: "row-of-buttons" }, button(say("d_read_again"), go)))];
}

// --- how it is cut

function cutForm(walk) {
  const { state } = walk;
  const least = number("min_utterances", walk.kept.min_utterances ?? 20, 1);
  const pictures = number("min_images", walk.kept.min_images ?? 2, 0);
  const pause = number("pause_h", walk.kept.pause_h ?? 3, 0);
  const anyway = el("input", { type: "checkbox", name: "anyway" });
  const told = el("div", { class: "told" });
  const go = () => {
    const wanted = { min_utterances: Number(least.value), min_images: Number(pictures.value), pause_h: Number(pause.value) };
    Object.assign(walk.kept, wanted);
    walk.send("/api/donation/cut", { ...wanted, again: anyway.checked }, (answer) => {
      walk.kept.imported = false;
      if (answer.dialogues) { return walk.show("read"); }
      walk.draw();
      return replace(walk.page.querySelector(".told"), ...cutTold(answer.cut));
    });
  };
  return [
    el("h2", {}, say("d_cut")), el("p", {}, say("d_cut_what")),
    el("details", {}, el("summary", {}, say("d_cut_how")), field(say("d_least_messages"), least), field(say("d_least_pictures"), pictures), field(say("d_pause"), pause),
      state.reviewed ? el("label", { class: "check" }, anyway, say("d_cut_anyway")) : null),
    told,
    state.dialogues && !walk.kept.imported ? el("p", { class: "row-of-buttons" }, button(say("d_go_on_reading", { done: state.done, n: state.dialogues }), () => walk.show("read"), { class: "strong" }), button(say("d_cut_again"), go))
      : walk.main(say("d_cut_it"), go),
  ];
}

function cutTold(report) {
  return [el("p", { class: "warn" }, say("d_no_dialogue")), el("ul", {}, ...Object.entries(report.unused).map(([why, unused]) => el("li", {}, say("d_unused", { n: unused.utterances, pieces: unused.pieces }), ` (${why})`)))];
}

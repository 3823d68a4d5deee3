// What a fragment is made of, in numbers: its messages, the turns that it spans, its gaps, its pictures.

import { button, el } from "/dom.js";
import { say } from "/words.js";

export const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
export const letter = (place) => LETTERS[place % 26] + (place >= 26 ? Math.floor(place / 26) : "");
export const look = (place) => `c${place % 9}`;

export const sorted = (ids) => [...new Set(ids)].sort((a, b) => a - b);

export function toggled(ids, id) {
  return sorted(ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id]);
}

// What space does: a picture alone where a picture has the focus; a message's text; the pictures of a message without text.
export function toggle(answer, at, dialogue) {
  if (at.image !== null) { return { ...answer, image_ids: toggled(answer.image_ids, at.image) }; }
  const said = dialogue.utterances[at.message];
  if (said.text || answer.utterance_ids.includes(at.message)) {
    return { ...answer, utterance_ids: toggled(answer.utterance_ids, at.message) };
  }
  if (!said.image_ids.length) { return null; }
  const all = said.image_ids.every((id) => answer.image_ids.includes(id));
  const rest = answer.image_ids.filter((id) => !said.image_ids.includes(id));
  return { ...answer, image_ids: sorted(all ? rest : [...rest, ...said.image_ids]) };
}

// A run of messages, from an anchor to here, on top of what was chosen before; shift+j and shift+k move its end.
export class Extension {
  constructor() { this.anchor = null; }

  end() { this.anchor = null; }

  to(answer, from, here, dialogue) {
    if (this.anchor === null) { this.anchor = from; this.before = answer; }
    const [first, last] = [Math.min(this.anchor, here), Math.max(this.anchor, here)];
    const run = Array.from({ length: last - first + 1 }, (_, place) => first + place);
    const texts = run.filter((index) => dialogue.utterances[index].text);
    const pictures = run.filter((index) => !dialogue.utterances[index].text).flatMap((index) => dialogue.utterances[index].image_ids);
    return { ...answer, utterance_ids: sorted([...this.before.utterance_ids, ...texts]), image_ids: sorted([...this.before.image_ids, ...pictures]) };
  }
}

export function numbers(answer, view) {
  const places = sorted([...answer.utterance_ids, ...answer.image_ids.map((id) => view.carrier.get(id))]);
  const gaps = places.filter((place, at) => at > 0 && place - places[at - 1] > 1).length;
  const span = places.length ? places.at(-1) - places[0] + 1 : 0;
  return { messages: answer.utterance_ids.length, images: answer.image_ids.length, span, gaps };
}

export function memberList(answer, view) {
  const link = (text, message, image) => button(text, () => view.go(message, image), { class: "member" });
  const counted = numbers(answer, view);
  return el("div", { class: "members" },
    el("div", { class: "numbers" }, say("numbers", counted)),
    el("div", {}, ...answer.utterance_ids.map((id) => link(String(id), id, null)),
      ...answer.image_ids.map((id) => link(say("picture_short", { id }), view.carrier.get(id), id))));
}

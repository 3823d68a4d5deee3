// Opens the mode that the server serves.

import { get, Refused } from "/api.js";
import { el, replace } from "/dom.js";
import { Keys } from "/keys.js";
import { loadWords, say } from "/words.js";

const MODES = { label: "/label.js", adjudicate: "/adjudicate.js", privacy: "/privacy.js", donate: "/donate.js" };

async function begin() {
  const app = document.getElementById("app");
  const keys = new Keys();
  try {
    const session = await get("/api/session");
    await loadWords(session.language, session.words);
    const mode = await import(MODES[session.mode]);
    await mode.begin(app, keys, session);
  } catch (error) {
    replace(app, el("p", { class: "broken" }, error instanceof Refused ? error.message : say("unreachable")));
    throw error;
  }
}

begin();

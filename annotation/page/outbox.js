// Statements on their way: shown at once, sent one after another, kept until the server has written them down.

import { Refused } from "/api.js";

export class Outbox {
  // send(statement) -> the state after it; changed() after every move; refused(statement, answer); trouble(true|false)
  constructor({ send, changed, refused, trouble }) {
    Object.assign(this, { send, changed, refused, trouble });
    this.base = { fragments: [], done: false, lines: 0, changed: {} };
    this.queue = [];
    this.pumping = null;
  }

  adopt(state) {
    if (state.lines >= this.base.lines) { this.base = state; }
    this.changed();
  }

  // Where the log will stand: what the server has, and what is on its way.
  fragments() {
    const found = new Map(this.base.fragments.map((put) => [put.fragment, put]));
    for (const { event, seen, tab, ...put } of this.queue) {
      if (event === "put") { found.set(put.fragment, put); }
      if (event === "drop") { found.delete(put.fragment); }
    }
    return [...found.values()];
  }

  add(statement) {
    this.queue.push({ ...statement, ...(statement.event === "done" ? {} : { seen: this.base.lines }) });
    this.changed();
    this.pumping ||= this.pump().finally(() => { this.pumping = null; });
    return this.pumping;
  }

  async flushed() { while (this.pumping) { await this.pumping; } }

  async pump() {
    let wait = 250;
    while (this.queue.length) {
      const [first] = this.queue;
      try {
        const state = await this.send(first);
        this.trouble(false);
        wait = 250;
        this.queue.shift();
        for (const later of this.queue) { // ours was the newest about it, so what follows has seen everything
          if (later.fragment && later.fragment === first.fragment) { later.seen = state.changed[first.fragment] ?? later.seen; }
        }
        this.adopt(state);
      } catch (error) {
        if (error instanceof Refused) { this.refuse(first, error); continue; }
        this.trouble(true);
        await new Promise((done) => setTimeout(done, wait));
        wait = Math.min(wait * 2, 5000);
      }
    }
  }

  // What was said about the fragment after the refused statement stands on it: the last of them is kept for the person.
  refuse(first, error) {
    const about = (one) => one === first || (first.fragment && one.fragment === first.fragment);
    const last = this.queue.filter(about).at(-1);
    this.queue = this.queue.filter((one) => !about(one));
    if (error.answer.state) { this.base = error.answer.state; }
    this.refused(last, error);
    this.changed();
  }
}

// The server's answers. `Refused` is an answer that says why; anything else that goes wrong is `Unreachable`.

export class Refused extends Error {
  constructor(status, answer) {
    super((answer.faults || []).map((fault) => `${fault.place}: ${fault.message}`).join("\n") || String(status));
    this.status = status;
    this.answer = answer;
  }
}

export class Unreachable extends Error {}

async function answered(promise) {
  let response;
  try { response = await promise; } catch { throw new Unreachable(); }
  let answer;
  try { answer = await response.json(); } catch { throw new Unreachable(); }
  if (response.status >= 500 || response.status === 401 || response.status === 421) { throw new Unreachable(); }
  if (!response.ok) { throw new Refused(response.status, answer); }
  return answer;
}

export const get = (address) => answered(fetch(address));

export const post = (address, value, settings = {}) => answered(fetch(address, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value), ...settings,
}));

// How long a dialogue was worked on: the time between two signs of life, unless it is longer than a minute.

export const IDLE_MS = 60_000;

export class LeadTime {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.start();
  }

  start() { this.last = this.now(); this.sum = 0; }

  touch() {
    const at = this.now();
    const since = at - this.last;
    if (since <= IDLE_MS) { this.sum += since; }
    this.last = at;
  }

  // Seconds since the last such call.
  take() {
    this.touch();
    const seconds = Math.round(this.sum / 100) / 10;
    this.sum = 0;
    return seconds;
  }

  watch(target = document) {
    for (const sign of ["keydown", "mousedown", "mousemove", "wheel"]) {
      target.addEventListener(sign, () => this.touch(), { passive: true });
    }
  }
}

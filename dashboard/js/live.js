// Owns the line to the server: which rows changed, told as they change, and whether the line is there. A lost line is told
// at once and tried again ever more slowly; one that came back goes on from where it was.

import { isAlive, token } from './api.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/** A line that says nothing for so long is looked at: a cut cable is no event. */
const SILENCE = 20_000;

/** The server's close codes: no new try can mend the first; after the others the line begins anew at the present. */
const UNAUTHORIZED = 4401;
const WRONG = 4400;
const TOO_FAR_BACK = 4410;

export class Live {
  #socket = null;
  #position = null;
  #wait = FIRST_WAIT;
  #timer = null;
  #heard = 0;
  #on;
  #stopped = true;

  /** `on` is {state(name, detail), changed(tables, position), refused(reason)}. */
  constructor(on) {
    this.#on = on;
    setInterval(() => this.#listen(), SILENCE / 4);
    addEventListener('online', () => this.retry());
    document.addEventListener('visibilitychange', () => document.hidden || this.#listen());
  }

  start(position) {
    this.#position ??= position;
    this.#stopped = false;
    this.#connect();
  }

  stop() {
    this.#stopped = true;
    this.#position = null;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  /** Tries now, if the line is lost. */
  retry() {
    if (this.#stopped || this.#socket) return;
    this.#wait = FIRST_WAIT;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#timer);
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/stream`);
    this.#socket = socket;
    this.#heard = Date.now();
    this.#on.state('connecting');
    socket.onopen = () => socket.send(JSON.stringify({ auth: token() }));
    socket.onmessage = (message) => socket === this.#socket && this.#hear(JSON.parse(message.data));
    socket.onclose = (close) => socket === this.#socket && this.#lost(close);
  }

  #hear(message) {
    this.#heard = Date.now();
    if (message.ready) {
      this.#socket.send(JSON.stringify({ subscribe: 'tables', after: this.#position ?? undefined }));
    } else if (message.subscribed) {
      this.#wait = FIRST_WAIT;
      this.#position = message.position;
      this.#on.state('live');
    } else if (message.table) {
      this.#on.changed([message.table], null);
    } else if (message.subscription) {
      this.#position = message.position;
      this.#on.changed([], message.position);
    }
  }

  #lost(close) {
    this.#socket = null;
    if (this.#stopped) return;
    if (close.code === UNAUTHORIZED) {
      this.#stopped = true;
      this.#on.refused(close.reason);
      return;
    }
    // Another journal may answer there by now: what a position of this one meant is not known.
    if (close.code === TOO_FAR_BACK || close.code === WRONG) this.#position = null;
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#on.state('lost', close.reason);
  }

  async #listen() {
    const socket = this.#socket;
    if (this.#stopped || !socket || Date.now() - this.#heard < SILENCE) return;
    if (await isAlive()) this.#heard = Date.now();
    else if (socket === this.#socket) {
      socket.onclose = null;
      socket.close();
      this.#lost({ code: 1006, reason: 'the server does not answer' });
    }
  }
}

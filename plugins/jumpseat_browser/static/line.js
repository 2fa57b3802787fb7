/** The line to the host: one websocket that says who it is, comes back by itself, and is heard of or given up. */

/** Close codes after which coming back makes no sense, and what they mean. */
const OVER = { 4401: "unknown", 4410: "ended" };
const SILENCE = 15_000;
const LONGEST_WAIT = 15_000;

export class Line {
  /**
   * @param {string} path of the websocket, beside the folder of this file
   * @param {object} hello what is said first, each time
   * @param {{word: (word: object) => void, picture?: (picture: Blob) => void, state: (state: string) => void, leaving?: () => void}} hears
   *   a word of the host, a picture, what becomes of the line ("open", "lost", or why it is over), and the time for last words
   */
  constructor(path, hello, hears) {
    this.address = new URL(`../${path}`, import.meta.url);
    this.address.protocol = this.address.protocol.replace("http", "ws");
    this.address.search = "";
    Object.assign(this, { hello, hears, tries: 0 });
    // A browser that knows the network is back need not wait for the next try.
    addEventListener("online", () => this.again(0));
    addEventListener("pagehide", () => {
      hears.leaving?.();
      this.socket?.close();
    });
    addEventListener("pageshow", (event) => event.persisted && this.again(0));
    this.open();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Bytes that wait to leave. */
  get backlog() {
    return this.socket?.bufferedAmount ?? 0;
  }

  open() {
    const socket = (this.socket = new WebSocket(this.address));
    socket.addEventListener("open", () => {
      this.listen();
      this.send({ hello: this.hello });
    });
    socket.addEventListener("message", ({ data }) => {
      this.listen();
      if (typeof data !== "string") return this.hears.picture?.(data);
      if (this.tries >= 0) this.hears.state("open");
      this.tries = -1;
      this.hears.word(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code }) => {
      if (socket === this.socket) this.closed(code);
    });
  }

  closed(code) {
    clearTimeout(this.silence);
    this.socket = null;
    if (code in OVER) {
      this.over = true;
      return this.hears.state(OVER[code]);
    }
    this.hears.state("lost");
    this.tries += this.tries < 0 ? 1 : 0;
    // Half by chance: after a restart of the host not all pages come at the same moment.
    this.again(Math.min(LONGEST_WAIT, 500 * 2 ** this.tries++) * (0.5 + Math.random() / 2));
  }

  again(wait) {
    clearTimeout(this.waiting);
    if (!this.over && !this.socket) this.waiting = setTimeout(() => this.socket ?? this.open(), wait);
  }

  /** A network that is cut closes no socket for minutes; but the host says something every few seconds. */
  listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      const silent = this.socket;
      this.closed(0);
      silent.close();
    }, SILENCE);
  }

  /** Say a word to the host, or send a picture; answers whether it left. */
  send(what) {
    if (!this.isOpen) return false;
    this.socket.send(what instanceof Blob ? what : JSON.stringify(what));
    return true;
  }
}

/** What both pages have in common: texts, sections, title and sign, the clock, messages. */

export const $ = (id) => document.getElementById(id);
/** The page's language as the person's browser has it: en-GB writes times otherwise than en-US. */
export const language = navigator.languages.find((one) => one.startsWith(document.documentElement.lang)) ?? document.documentElement.lang;
const texts = new Map([...$("texts").content.children].map((one) => [one.dataset.text, one.textContent]));
const title = document.title;

/** A text of the page's language with its places filled. */
export function text(name, values = {}) {
  return texts.get(name).replace(/\{(\w+)\}/g, (_, place) => values[place]);
}

/** Show one section and hide the others; whoever was reading the old one is led to the new one. */
export function show(state) {
  if (document.body.dataset.now === state) return;
  const led = document.body.dataset.now !== undefined;
  document.body.dataset.now = state;
  let heading;
  for (const section of document.querySelectorAll("[data-state]")) {
    section.hidden = section.dataset.state !== state;
    if (!section.hidden) heading = section.querySelector("[tabindex='-1']");
  }
  // Focus on what is hidden now would fall to the top of the page. Where somebody writes, they go on writing.
  const at = document.activeElement;
  if (led && (at === document.body || !at?.checkVisibility?.() || at.tabIndex < 0)) heading?.focus({ preventScroll: true });
}

/** Say something once to those who do not see the page. */
export function tell(sentence) {
  $("status").textContent = "";
  requestAnimationFrame(() => ($("status").textContent = sentence));
}

/** Put a text into an element that speaks by itself, only when it changes. */
export function put(element, words = "") {
  if (element.textContent !== words) element.textContent = words;
}

/** What the tab says while another one is in front. */
export function mark(live, words = "") {
  document.title = words ? `${live ? "● " : ""}${words}` : title;
  $("icon").href = live ? $("icon").dataset.live : $("icon").dataset.idle;
}

/** The banner of a line that is interrupted. */
export function interrupted(lost) {
  if (lost === Boolean($("line").textContent)) return;
  put($("line"), lost ? text("lost") : "");
  if (!lost) tell(text("back"));
}

/** Names as the language lists them. */
export const listed = (names) => new Intl.ListFormat(language).format(names);

/** Shows until when the session lasts, by the host's count of seconds: clocks of machines differ. */
export class Clock {
  constructor() {
    setInterval(() => this.draw(), 10_000);
  }

  set(seconds) {
    this.end = performance.now() + seconds * 1000;
    this.draw();
  }

  /** Once the session is over there is nothing left to tell. */
  stop() {
    this.end = undefined;
    put($("time"));
  }

  draw() {
    if (this.end === undefined) return;
    const seconds = Math.max(0, (this.end - performance.now()) / 1000);
    const time = new Intl.DateTimeFormat(language, { timeStyle: "short", ...(seconds > 43_200 && { dateStyle: "medium" }) });
    put($("time"), text("until", { time: time.format(Date.now() + seconds * 1000), left: lasting(seconds) }));
    if (seconds < 300 && seconds > 0 && !this.warned) {
      this.warned = true;
      tell(text("soon", { left: lasting(seconds) }));
    }
  }
}

function lasting(seconds) {
  const minutes = Math.ceil(seconds / 60);
  const parts = [[Math.floor(minutes / 60), "hour"], [minutes % 60, "minute"]].filter(([n, unit]) => n || (unit === "minute" && minutes < 60));
  return parts.map(([n, unit]) => new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(n)).join(" ");
}

/** Short messages both ways; they stand on the two pages and nowhere else. */
export class Messages {
  /** @param {(text: string) => boolean} send says whether it left */
  constructor(send) {
    $("say").addEventListener("submit", (event) => {
      event.preventDefault();
      const words = $("words").value.trim();
      if (words && send(words)) {
        this.add(text("you"), words, "own");
        $("words").value = "";
      }
    });
  }

  add(from, words, kind = "") {
    const line = document.createElement("li");
    line.className = kind;
    const who = line.appendChild(document.createElement("strong"));
    const when = line.appendChild(document.createElement("time"));
    line.appendChild(document.createElement("span")).textContent = words;
    who.textContent = from;
    when.textContent = new Intl.DateTimeFormat(language, { timeStyle: "short" }).format();
    $("log").hidden = false;
    $("log").appendChild(line);
    $("log").scrollTop = $("log").scrollHeight;
  }
}

/** Give a frame the form of the picture in it, so that places in the one are places in the other. */
export function form(frame, width, height) {
  if (width && height) frame.style.setProperty("--form", width / height);
}

/** The ring of whoever points, at a place between 0 and 1. */
export function ring(point) {
  const one = $("ring");
  one.hidden = !point;
  if (!point) return;
  one.style.left = `${point.x * 100}%`;
  one.style.top = `${point.y * 100}%`;
  put($("ring-name"), point.by);
}

/** The supporter's page: the newest picture as large as fits, a ring to point with, and the words on both sides. */

import { Line } from "./line.js";
import { $, Clock, Messages, form, interrupted, mark, put, ring, show, tell, text } from "./page.js";
import { Caller } from "./peers.js";

const KEPT = "jumpseat-viewer";
const MOST = 1_000_000;
const frame = $("frame");
const canvas = $("canvas");
const video = $("video");
const brush = canvas.getContext("2d", { alpha: false });
const clock = new Clock();

let room = {};
let me = {};
let seen = false; // the customer has shown something
let over = "";
let caller = null;
let calls = 0;
let direct = false;
let newest = null;
let drawing = false;
let arrived = 0;

const token = takeToken();
const line = token ? new Line("supporter", { token }, { word, picture, state: lineIs }) : (over = "unknown") && null;
const messages = new Messages((words) => line?.send({ text: words }));

/** The token leaves the address bar at once: addresses are copied, shown and kept in histories. */
function takeToken() {
  const given = location.hash.slice(1);
  if (given) history.replaceState(null, "", location.pathname + location.search);
  try {
    if (given) sessionStorage[KEPT] = given;
    return given || sessionStorage[KEPT];
  } catch {
    return given; // a browser that keeps nothing: the page cannot be loaded again
  }
}

function forgetToken() {
  try {
    delete sessionStorage[KEPT];
  } catch {
    // nothing was kept
  }
}

function draw() {
  const live = !over && room.sharing;
  const state = over || (room.state ? (live ? "live" : seen ? (room.opened && room.why !== "left" ? "stopped" : "away") : room.opened ? "opened" : "waiting") : "connecting");
  show(state);
  const words = { live: room.kind === "camera" ? "live-camera" : "live", opened: "waiting", closed: "over", expired: "over", unknown: "over", connecting: "" };
  const said = state in words ? words[state] : state;
  $("pill").hidden = !said;
  $("pill").className = `pill ${live ? "online" : ""}`;
  put($("pill"), said && text(said));
  put($("way"), live ? text(direct ? "direct" : "relay") : "");
  put($("code"), room.code);
  if (room.record) put($("heading"), room.record);
  $("tools").hidden = Boolean(over) || !room.state;
  $("snap").hidden = $("pointing").hidden = !live;
  $("full").hidden = !live || !document.fullscreenEnabled;
  $("messages").hidden = Boolean(over) || !room.state;
  mark(live, said ? [text(said), room.record].filter(Boolean).join(" – ") : "");
}

function word(said) {
  if (said.you) {
    me = said.you;
    if (direct) line.send({ rtc_on: true }); // the line is a new one, the picture between the browsers is not
  }
  if (said.room) roomIs(said.room);
  if (said.text) messages.add(said.text.from || text("customer"), said.text.text);
  if (said.rtc) caller?.hear(said.rtc);
  if (said.refused) put($("result"), said.refused);
}

/** The record with its label in the language of the page. */
function named(record) {
  const label = [...$("texts").content.querySelectorAll("[data-label]")].find((one) => record.startsWith(`${one.dataset.label} `));
  return label ? label.textContent + record.slice(label.dataset.label.length) : record;
}

function roomIs(now) {
  const before = room;
  if (now.record) now.record = named(now.record);
  room = { ...room, why: "", ...now };
  if (now.left !== undefined) clock.set(now.left);
  if (now.state === "ended") return finish(now.why);
  if (room.sharing && !before.sharing) {
    seen = true;
    arrived = performance.now();
    tell(text(room.kind === "camera" ? "live-camera" : "live"));
    calls = 0;
    call();
  }
  if (!room.sharing) clear();
  draw();
}

/** What is not shown any more is not to be seen any more. */
function clear() {
  hangUp();
  newest = null;
  canvas.width = canvas.width + 0;
  put($("line"), line?.isOpen ? "" : $("line").textContent);
  point(null);
}

function lineIs(state) {
  if (state === "unknown" || state === "ended") return finish(state);
  interrupted(state === "lost");
  arrived = performance.now();
  draw();
}

function finish(why) {
  over ||= why === "expired" || why === "unknown" ? why : "closed"; // the word comes first, and says more than the end of the line
  clock.stop();
  interrupted(false);
  clear();
  forgetToken();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  if (document.fullscreenElement) document.exitFullscreen();
  draw();
}

// --- pictures through the host ---

function picture(blob) {
  arrived = performance.now();
  if (newest) line.send({ got: true }); // one that nobody looks at any more
  newest = blob;
  paint();
}

async function paint() {
  if (drawing || !newest) return;
  drawing = true;
  const blob = newest;
  newest = null;
  try {
    const image = await createImageBitmap(blob);
    if (room.sharing) {
      if (canvas.width !== image.width || canvas.height !== image.height) Object.assign(canvas, { width: image.width, height: image.height });
      brush.drawImage(image, 0, 0);
      if (!direct) form(frame, image.width, image.height);
    }
    image.close();
  } catch {
    // a picture that is none: the next one will be
  }
  drawing = false;
  line.send({ got: true });
  paint();
}

// A window that is minimised or a network that is weak sends nothing, and a still picture looks like a live one.
setInterval(() => {
  const still = !over && room.sharing && !direct && line.isOpen && performance.now() - arrived > 8000;
  if (line?.isOpen) put($("line"), still ? text("still") : "");
}, 1000);

// --- pictures from browser to browser ---

function call() {
  if (!me.rtc || !self.RTCPeerConnection || caller || !room.sharing) return;
  calls++;
  const mine = (caller = new Caller(
    me.ice ?? [],
    (rtc) => line.send({ rtc }),
    (stream) => {
      video.srcObject = stream;
      video.play().catch(() => {});
    },
    () => {
      if (mine !== caller) return;
      hangUp();
      if (calls < 3) setTimeout(call, 30_000);
    },
  ));
}

/** Only a picture that is there replaces the one that comes through the host. */
video.addEventListener("loadeddata", () => {
  direct = Boolean(caller);
  line.send({ rtc_on: direct });
  frame.classList.toggle("direct", direct);
  form(frame, video.videoWidth, video.videoHeight);
  draw();
});
video.addEventListener("resize", () => direct && form(frame, video.videoWidth, video.videoHeight));

function hangUp() {
  const was = caller;
  caller = null;
  was?.end();
  video.srcObject = null;
  frame.classList.remove("direct");
  if (direct) line.send({ rtc_on: false });
  direct = false;
  draw();
}

// --- the ring ---

const EVERY = 50;
let at = null;
let told = null;
let timer = 0;

/** Where the ring is; sent at most twenty times a second, and the last place always. */
function point(place) {
  at = place;
  ring(at && { ...at, by: "" });
  timer ||= setTimeout(() => {
    timer = 0;
    if (at === told) return;
    told = at;
    line?.send({ pointer: at });
  }, told ? EVERY : 0);
}

const within = (value) => Math.min(1, Math.max(0, value));

function under({ clientX, clientY }) {
  const box = frame.getBoundingClientRect();
  point({ x: within((clientX - box.left) / box.width), y: within((clientY - box.top) / box.height) });
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let leaving = 0;

function leave(wait) {
  clearTimeout(leaving);
  leaving = setTimeout(() => point(null), wait);
}

for (const kind of ["pointerdown", "pointermove"])
  frame.addEventListener(kind, (event) => {
    clearTimeout(leaving);
    under(event);
  });
// A finger that is lifted has pointed: the ring stays for as long as it takes to see it.
frame.addEventListener("pointerleave", ({ pointerType }) => leave(pointerType === "mouse" ? 0 : 3000));
frame.addEventListener("blur", () => leave(0));
frame.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && at) return event.preventDefault(), point(null);
  const [x, y] = STEPS[event.key] ?? [];
  if (x === undefined) return;
  event.preventDefault();
  const by = event.shiftKey ? 0.1 : 0.02;
  point({ x: within((at?.x ?? 0.5) + x * by), y: within((at?.y ?? 0.5) + y * by) });
});

// --- snapshots ---

let shot = null;

async function snap() {
  const from = direct ? video : canvas;
  const width = direct ? video.videoWidth : canvas.width;
  const height = direct ? video.videoHeight : canvas.height;
  const sheet = new OffscreenCanvas(width, height);
  sheet.getContext("2d").drawImage(from, 0, 0);
  shot = await sheet.convertToBlob({ type: "image/png" });
  for (const quality of [0.9, 0.7, 0.5]) if (shot.size > MOST) shot = await sheet.convertToBlob({ type: "image/jpeg", quality });
  URL.revokeObjectURL($("shot").src);
  $("shot").src = $("download").href = URL.createObjectURL(shot);
  $("download").download = `${text("file")}-${room.code}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${shot.type === "image/png" ? "png" : "jpg"}`;
  $("note").value = "";
  put($("result"));
  $("kept").showModal();
}

async function keep() {
  put($("result"), text("keeping"));
  try {
    const address = new URL("../snapshot", import.meta.url);
    address.search = new URLSearchParams({ note: $("note").value.trim() });
    const answer = await fetch(address, { method: "POST", body: shot, headers: { Authorization: `Bearer ${token}`, "Content-Type": shot.type } });
    const told = await answer.json();
    put($("result"), answer.ok ? text(told.as === "note" ? "note" : "attachment", { record: named(told.record) }) : text("notkept", { why: told.detail ?? "" }));
  } catch {
    put($("result"), text("notkept", { why: text("lost") }));
  }
}

$("snap").addEventListener("click", snap);
$("kept").addEventListener("close", () => $("kept").returnValue === "keep" && keep());
$("end").addEventListener("click", () => {
  $("sure").returnValue = "";
  $("sure").showModal();
});
$("sure").addEventListener("close", () => {
  if ($("sure").returnValue === "end" && !over && !line.send({ end: true })) put($("result"), text("noend"));
});
$("full").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : $("stage").requestFullscreen()));
addEventListener("hashchange", () => location.hash && location.reload());
draw();

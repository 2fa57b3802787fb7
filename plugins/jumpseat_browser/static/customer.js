/** The customer's page: shows nothing before a person has pressed the button and said yes to the browser. */

import { Line } from "./line.js";
import { $, Clock, Messages, form, interrupted, listed, mark, put, ring, show, tell, text } from "./page.js";
import { Givers } from "./peers.js";
import { Pictures } from "./pictures.js";

const camera = document.body.dataset.kind === "camera";
const video = $("video");
const page = crypto.getRandomValues(new Uint32Array(4)).join("-");
const token = decodeURIComponent(location.pathname.split("/").pop());
const clock = new Clock();

let phase = "ready"; // what this person did; see draw
let over = ""; // why nothing goes on
let busy = false; // somebody else has the seat
let stream = null;
let facing = "environment";
let viewers = [];
let awake = null;

// Whoever loads the page again, or opens the link elsewhere, need not wait until this one counts as gone.
const line = new Line("customer", { token, page }, { word, state: lineIs, leaving: () => stream && stop() });
const pictures = new Pictures(video, (picture) => (line.send(picture), line.backlog));
const givers = new Givers((rtc, to) => line.send({ rtc, to }));
const messages = new Messages((words) => line.send({ text: words }));

/** Why nothing can be shown here at all, whatever somebody does; empty when it can. */
function obstacle() {
  if (!isSecureContext) return "insecure";
  const media = navigator.mediaDevices;
  if (!camera && navigator.userAgentData?.mobile) return "unable"; // some phones know the function, and refuse each time
  return (camera ? media?.getUserMedia : media?.getDisplayMedia) && self.OffscreenCanvas ? "" : "unable";
}

function draw() {
  const before = phase === "ready" || phase === "stopped";
  const state = over || (stream ? "sharing" : (before && (obstacle() || (busy && "busy"))) || phase);
  show(state);
  $("bar").hidden = !stream;
  document.body.classList.toggle("showing", Boolean(stream));
  $("messages").hidden = Boolean(over) || !(stream || viewers.length || $("log").childElementCount);
  put($("viewers"), stream ? (viewers.length ? text("watched", { names: listed(viewers) }) : text("unwatched")) : "");
  mark(Boolean(stream), stream ? text("title") : "");
}

function word(said) {
  if (said.you) givers.iceServers = said.you.ice ?? [];
  if (said.room) roomIs(said.room);
  if (said.busy !== undefined) busyIs(said.busy);
  if (said.take) pictures.allow(said.take, viewers.length > givers.connected);
  if (said.pointer !== undefined) ring(said.pointer);
  if (said.text) messages.add(said.text.from, said.text.text);
  if (said.rtc) givers.hear(said.from, said.rtc, stream?.getVideoTracks()[0]);
}

function roomIs(room) {
  viewers = room.viewers ?? viewers;
  if (room.left !== undefined) clock.set(room.left);
  if (room.state === "ended") return finish(room.why);
  draw();
}

function busyIs(is) {
  busy = is;
  if (busy && stream) release("ready"); // somebody else was faster
  draw();
}

function lineIs(state) {
  interrupted(state === "lost");
  if (state === "unknown" || state === "ended") return finish(state);
  pictures.allow(0);
  if (state === "open") announce();
  else ring(null);
}

function finish(why) {
  over ||= why === "expired" || why === "unknown" ? why : "closed"; // the word comes first, and says more than the end of the line
  clock.stop();
  release(phase);
}

function announce() {
  const track = stream?.getVideoTracks()[0];
  if (!track) return;
  const { width = video.videoWidth, height = video.videoHeight } = track.getSettings();
  line.send({ sharing: { width: Math.round(width) || 1, height: Math.round(height) || 1 } });
}

/** Ask the browser, which asks the person. */
function capture() {
  if (camera) return navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: facing }, width: { ideal: 1280 }, height: { ideal: 720 } } });
  // This page itself would be a picture of itself without end.
  return navigator.mediaDevices.getDisplayMedia({ audio: false, video: { frameRate: { ideal: 10, max: 15 } }, selfBrowserSurface: "exclude", surfaceSwitching: "include" });
}

const REFUSED = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "nocamera", OverconstrainedError: "nocamera" };

async function start() {
  if (stream || phase === "asking") return;
  phase = busy ? "ready" : "asking";
  draw();
  if (busy) return;
  try {
    const given = await capture();
    if (over || busy) return stopTracks(given), (phase = "ready"), draw();
    await use(given);
  } catch (error) {
    phase = REFUSED[error.name] ?? "inuse";
    if (phase === "nocamera" && !camera) phase = "inuse";
    return draw();
  }
  phase = "sharing";
  announce();
  draw();
  if (camera) lookAtCameras();
}

async function use(given) {
  const [track] = given.getVideoTracks();
  track.contentHint = camera ? "motion" : "detail";
  // The browser has a button of its own to stop, and a window that is shared may be closed.
  track.addEventListener("ended", () => stream === given && stop());
  stream = given;
  video.srcObject = given;
  pictures.begin(track);
  givers.replace(track);
  await video.play().catch(() => {}); // the small picture is not what matters
  awake ??= (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
}

const stopTracks = (given) => given?.getTracks().forEach((track) => track.stop());

/** Nothing is shown from here on, whatever the line says. */
function release(next) {
  const given = stream;
  stream = null;
  phase = next === "sharing" || next === "asking" ? "ready" : next;
  stopTracks(given);
  video.srcObject = null;
  pictures.end();
  givers.end();
  ring(null);
  awake?.release();
  awake = null;
  draw();
}

function stop() {
  release("stopped");
  line.send({ stopped: true });
  tell(text("stopped"));
}

async function lookAtCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  $("flip").hidden = devices.filter((one) => one.kind === "videoinput").length < 2;
}

/** Phones open no second camera while the first runs. */
async function flip() {
  facing = facing === "environment" ? "user" : "environment";
  const old = stream;
  stream = null;
  stopTracks(old);
  try {
    await use(await capture());
    announce();
  } catch {
    stop();
  }
  draw();
}

for (const button of document.querySelectorAll("[data-start]")) button.addEventListener("click", start);
$("stop").addEventListener("click", stop);
$("flip")?.addEventListener("click", flip);
video.addEventListener("resize", () => form($("frame"), video.videoWidth, video.videoHeight)); // also when a phone is turned
draw();

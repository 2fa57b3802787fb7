/**
 * Makes pictures of frames, in a worker: a browser slows the clocks of a page in the background down to one tick a second and its
 * canvas with them, and the page that shows a screen is in the background as a rule. A worker has neither trouble.
 *
 * Frames come from a stream where the browser has MediaStreamTrackProcessor, else the page is asked for one at a time.
 */
const STEPS = [[1, 0.75], [1, 0.6], [1, 0.4], [0.7, 0.5], [0.5, 0.45]];
const SMOOTH = 40;
const PACE = 66;
const REPEAT = 2000;
const SLOW = 700;
const HEAVY = 200_000;

const canvas = new OffscreenCanvas(16, 9);
const brush = canvas.getContext("2d", { alpha: false });
let longest = 1280;
let frame = null; // the newest; kept, because what does not move has to be sent again to whoever comes later
let fresh = false;
let credit = 0;
let step = 0;
let smooth = 0;
let sentAt = 0;
let encoding = false;
let reader = null;

onmessage = ({ data }) => {
  if (data.longest) longest = data.longest;
  if (data.readable) read(data.readable);
  if (data.image) keep(data.image);
  if (data.credit !== undefined) allow(data.credit, data.watched);
  if (data.backlog > HEAVY) easier();
  if (data.end) end();
  push();
};

setInterval(() => {
  if (credit > 0 && !reader) postMessage({ wanted: true });
  push();
}, PACE);

async function read(readable) {
  const mine = (reader = readable.getReader());
  for (;;) {
    const { value, done } = await mine.read();
    if (done) return;
    if (mine !== reader) return value.close();
    keep(value);
    push();
  }
}

function keep(image) {
  frame?.close();
  frame = image;
  fresh = true;
}

function end() {
  reader?.cancel().catch(() => {});
  reader = null;
  frame?.close();
  frame = null;
  credit = 0;
}

/** The host takes more; how long that took says how fast the slowest on the way is. */
function allow(more, watched) {
  if (more > 0 && watched && credit === 0 && sentAt) {
    if (performance.now() - sentAt > SLOW) easier();
    else if (++smooth > SMOOTH) {
      smooth = 0;
      step = Math.max(0, step - 1);
    }
  }
  credit = more > 0 ? Math.min(credit + more, 4) : 0;
}

function easier() {
  smooth = 0;
  step = Math.min(STEPS.length - 1, step + 1);
}

async function push() {
  const since = performance.now() - sentAt;
  if (encoding || !frame || credit < 1 || since < (fresh ? PACE - 8 : REPEAT)) return;
  encoding = true;
  credit--;
  fresh = false;
  sentAt = performance.now();
  const [scale, quality] = STEPS[step];
  const width = frame.displayWidth ?? frame.width;
  const height = frame.displayHeight ?? frame.height;
  const by = Math.min(1, (longest * scale) / Math.max(width, height));
  canvas.width = Math.max(2, Math.round(width * by));
  canvas.height = Math.max(2, Math.round(height * by));
  brush.drawImage(frame, 0, 0, canvas.width, canvas.height);
  const picture = await canvas.convertToBlob({ type: "image/jpeg", quality });
  encoding = false;
  if (frame) postMessage({ picture });
}

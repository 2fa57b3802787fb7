/* Improves pages that work without it: live events, dialogs, copying, local times, the height of a frame. */
(() => {
  "use strict";
  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
  let token = meta("jumpseat-launch");
  const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});
  const store = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* a frame without storage forgets */ } },
  };

  /* A launched frame reloads at its record, not at the launch, which opens once. */
  if (meta("jumpseat-path")) history.replaceState(null, "", meta("jumpseat-path"));

  document.addEventListener("htmx:config:request", (event) => Object.assign(event.detail.ctx.request.headers, headers()));
  document.addEventListener("htmx:before:request", (event) => event.target.closest?.("form[data-busy]")?.setAttribute("aria-busy", "true"));

  /* What somebody has opened stays open when its component fetches itself again; the answer to one of its buttons closes it. */
  htmx.registerExtension("kept-open", {
    htmx_before_morph_attr: (part, { attrName, newValue }) => !(attrName === "open" && newValue === null && !document.querySelector("form[aria-busy]")),
  });

  /* Something changed: components fetch themselves again, those of another record excepted. */
  let due = 0;
  const changed = () => {
    clearTimeout(due);
    if (meta("jumpseat-still")) return;
    due = setTimeout(() => {
      // The answer to an action comes first: fetched meanwhile, the component would replace the form that waits for it.
      if (document.querySelector("form[aria-busy]")) return changed();
      document.querySelectorAll("[data-live]").forEach((part) => htmx.trigger(part, "jumpseat:changed"));
    }, 50);
  };
  const record = meta("jumpseat-record");
  document.addEventListener("jumpseat:event", ({ detail: { data } }) => {
    const of = data.record;
    if (!record || !of || record === [of.source ?? "", of.object, of.recordId].join("/")) changed();
  });

  /* One stream for all pages of this host that the browser shows in one place: they agree on a leader, which listens for all. */
  const TICK = 400, me = Math.random().toString(36).slice(2), who = meta("jumpseat-who"), members = new Map();
  let seen = Number(meta("jumpseat-seen")), position = 0, leader = "", covered = false, missed = 0, heardAt = 0, live = null, byteAt = 0;
  let again = new AbortController(), joining = 0, ticking = 0;
  const bus = (() => { try { return new BroadcastChannel("jumpseat"); } catch { return null; } })();
  const tell = (kind, more) => bus?.postMessage({ kind, from: me, ...more });
  const hi = () => tell("hi", { who, token, seen });
  const lead = () => tell("lead", { whos: [...members.keys()], last: position, live });
  const wait = (ms) => new Promise((done) => { setTimeout(done, ms); again.signal.addEventListener("abort", done); });

  function showStream(now = live) {
    live = now;
    document.querySelectorAll("[data-stream]").forEach((part) => {
      part.hidden = live === null;
      part.querySelectorAll("[data-when]").forEach((words) => { words.hidden = (words.dataset.when === "live") !== live; });
    });
  }
  function heard(kind, id, data) {
    if (id <= seen) return;
    seen = id;
    document.dispatchEvent(new CustomEvent("jumpseat:event", { detail: { kind, data } }));
  }
  function take(part) {
    const of = (name) => new RegExp(`^${name}: (.*)$`, "m").exec(part)?.[1], id = Number(of("id") ?? position), kind = of("event");
    position = id;
    if (!kind) return;
    const data = JSON.parse(of("data") ?? "{}");
    tell("event", { event: kind, id, data });
    heard(kind, id, data);
  }
  async function listen() {
    let pause = 500;
    while (leader === me) {
      again = new AbortController();
      try {
        const body = new URLSearchParams([...members.values()].filter(Boolean).map((one) => ["launch", one]));
        const answer = await fetch("/events", { method: "POST", body, signal: again.signal, headers: { "Last-Event-ID": position } });
        if (!answer.ok) throw new Error(answer.status);
        pause = 500;
        byteAt = Date.now();
        showStream(true);
        lead();
        let rest = "";
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          byteAt = Date.now();
          const parts = (rest + value).split("\n\n");
          rest = parts.pop();
          parts.forEach(take);
        }
      } catch { /* the network, or another page joined: tried again */ }
      if (again.signal.aborted || leader !== me) continue;
      showStream(false);
      lead();
      await wait(pause * (0.5 + Math.random()));
      pause = Math.min(pause * 2, 30000);
    }
  }
  function begin() {
    leader = me;
    position = seen;
    covered = true;
    members.clear();
    members.set(who, token);
    lead();
    listen();
  }
  function leave() {
    leader = "";
    missed = 0;
    again.abort();
  }
  /* Another page asks the leader to listen for it too: from where that page was loaded. */
  function join(page) {
    if (!members.has(page.who)) {
      position = Math.min(position, page.seen);
      clearTimeout(joining);
      joining = setTimeout(() => again.abort(), 50);
    }
    members.set(page.who, page.token);
    lead();
  }
  function follow(said) {
    leader = said.from;
    missed = 0;
    heardAt = Date.now();
    const before = covered;
    covered = said.whos.includes(who);
    if (!covered) hi();
    else if (!before && said.last > seen) { seen = said.last; changed(); }
    showStream(said.live);
  }
  bus?.addEventListener("message", ({ data: said }) => {
    if (said.kind === "hi" && leader === me) join(said);
    if (said.kind === "event" && covered && leader !== me) heard(said.event, said.id, said.data);
    if (said.kind === "bye" && said.from === leader) { leader = ""; missed = 2; setTimeout(tick, Math.random() * 150); }
    if (said.kind !== "lead") return;
    if (leader === me && said.from > me) return lead();
    if (leader === me) leave();
    follow(said);
  });
  /* Timers of hidden tabs are slow, messages are not: whoever follows asks, and takes over where nobody answers. */
  function tick() {
    if (leader === me) { if (live && Date.now() - byteAt > 45000) again.abort(); return; }
    if (leader && Date.now() - heardAt < TICK) return;
    if (missed > 1) return begin();
    missed += 1;
    hi();
  }
  function start() {
    hi();
    setTimeout(() => { if (!leader) begin(); }, bus ? 120 + Math.random() * 180 : 0);
    ticking = setInterval(tick, TICK);
  }
  if (document.querySelector("[data-live]") && !meta("jumpseat-still")) {
    start();
    addEventListener("pagehide", () => { clearInterval(ticking); if (leader === me) { leave(); tell("bye"); } });
    addEventListener("pageshow", (event) => { if (event.persisted) start(); });
  }

  /* The token of a launch is renewed long before it runs out; forms and the stream go on with the new one. */
  let renewAt = Date.now() + 240000;
  async function renew() {
    renewAt = Date.now() + 30000;
    const answer = await fetch("/launch/renew", { method: "POST", headers: headers(), body: new URLSearchParams() });
    if (answer.status === 401 || answer.status === 403) renewAt = Infinity;
    if (!answer.ok) return;
    const old = token;
    token = (await answer.json()).token;
    document.querySelectorAll("input[name=form_token]").forEach((field) => { if (field.value === old) field.value = token; });
    document.querySelector("meta[name=jumpseat-launch]").content = token;
    renewAt = Date.now() + 240000;
    if (leader === me) members.set(who, token); else hi();
  }
  if (token) setInterval(() => { if (Date.now() > renewAt) renew().catch(() => {}); }, 15000);
  document.addEventListener("jumpseat:renew", () => renew());

  /* What came of an action stays, whatever is fetched afterwards: it moves above the component, where it is also read out. */
  const log = document.getElementById("live");
  let pressed = "";
  function settle({ detail: { ctx } }) {
    const said = document.querySelector("#session > .message:is(.success, .error, .info)");
    if (said) log.replaceChildren(said);
    unhide(document);
    count();
    if (document.querySelector("dialog[open]")) document.querySelector("dialog[open] [data-focus]")?.focus();
    else if (ctx.request.method === "POST" && (document.activeElement === document.body || document.activeElement.id !== pressed)) document.querySelector("#session .main:not([aria-disabled])")?.focus();
  }
  document.addEventListener("htmx:after:swap", settle);
  document.addEventListener("htmx:before:request", ({ target, detail: { ctx } }) => {
    if (ctx.request.method !== "POST" || target.closest?.("dialog")) return;
    log?.replaceChildren();
    pressed = document.activeElement.id;
  });
  document.addEventListener("htmx:finally:request", ({ target }) => target.closest?.("form[data-busy]")?.removeAttribute("aria-busy"));
  const lost = ({ target }) => {
    const words = target.querySelector?.("[data-lost]");
    if (!words) return;
    words.hidden = false;
    setTimeout(changed, 10000);
  };
  document.addEventListener("htmx:error", lost);
  document.addEventListener("htmx:response:error", lost);

  /* How much time is left. When a session ends, or is about to, its component looks again. */
  const unit = (number, name) => new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: name, unitDisplay: "short" }).format(number);
  function count() {
    if (meta("jumpseat-still")) return;
    document.querySelectorAll("[data-until]").forEach((part) => {
      const minutes = Math.floor((new Date(part.dataset.until) - Date.now()) / 60000), hours = Math.floor(minutes / 60);
      if (minutes < 0 || part.dataset.minutes > 29 && minutes < 30) changed();
      part.dataset.minutes = minutes;
      part.textContent = part.dataset.text.replace("%s", [...(hours > 0 ? [unit(hours, "hour")] : []), unit(Math.max(minutes % 60, 0), "minute")].join("\u00a0"));
    });
  }
  setInterval(count, 20000);

  /* Pages that open over this one, and questions before something is done. */
  const over = document.getElementById("dialog"), question = document.getElementById("ask");
  let opener = "";
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]"), ask = event.target.closest("button[data-ask]");
    if (event.target.closest("[aria-disabled=true]")) return event.preventDefault();
    if (over && event.target.closest("[data-close]")) { event.preventDefault(); over.close(); }
    if (over && link && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
      event.preventDefault();
      if (!over.open) opener = link.id;
      await htmx.ajax("GET", link.getAttribute("href"), { target: "#dialog-body", swap: "innerHTML" });
      if (!over.open) over.showModal();
      document.getElementById("dialog-title")?.focus();
    }
    if (question && ask && !ask.form.elements.confirmed) {
      event.preventDefault();
      question.querySelector("p").textContent = ask.dataset.ask;
      question.querySelector("[value=yes]").textContent = ask.textContent;
      question.onclose = () => {
        if (question.returnValue !== "yes") return document.getElementById(ask.id)?.focus();
        ask.form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed", value: "1" }));
        ask.form.requestSubmit(ask);
      };
      question.returnValue = "";
      question.showModal();
    }
  });
  over?.addEventListener("close", () => {
    over.querySelector("#dialog-body").replaceChildren();
    document.getElementById(opener)?.focus();
    changed();
  });

  /* Joining leaves this page: where it does not, it says what to do. */
  document.addEventListener("submit", ({ target }) => {
    if (target.matches("[data-join]")) setTimeout(() => { const hint = document.getElementById("join-hint"); if (hint && document.hasFocus()) hint.hidden = false; }, 2500);
  });
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const button = document.querySelector(`[data-key="${event.code.replace("Key", "")}"]`);
    if (button) { event.preventDefault(); button.focus(); button.click(); }
  });

  /* Copying: the clipboard where a frame may use it, else the way that works from a click. */
  function unhide(root) { root.querySelectorAll?.("button[data-copy]").forEach((button) => { button.hidden = false; }); }
  unhide(document);
  count();
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const part = document.getElementById(button.dataset.copy);
    try { await navigator.clipboard.writeText(part.textContent.trim()); }
    catch { getSelection().selectAllChildren(part); document.execCommand("copy"); getSelection().removeAllRanges(); }
    button.classList.add("done");
    (button.closest("dialog")?.querySelector("[role=status]") ?? log)?.replaceChildren(Object.assign(document.createElement("p"), { className: "hidden", textContent: button.dataset.done }));
  });

  /* The page around the frame: told exactly by its origin, and listened to only where the host lets it frame us. */
  const root = document.documentElement, framed = window.parent !== window;
  const allowed = [location.origin, ...meta("jumpseat-ancestors").split(" ").filter(Boolean)];
  const around = (() => { try { return location.ancestorOrigins?.[0] ?? new URL(document.referrer).origin; } catch { return ""; } })();
  const targets = !framed ? [] : allowed.includes(around) ? [around] : location.ancestorOrigins ? [] : allowed.slice(1);
  const send = (kind, more) => targets.forEach((origin) => window.parent.postMessage({ jumpseat: 1, kind, ...more }, origin));
  if (targets.length) {
    /* An open dialog lies over the page and may be longer than it. */
    const tall = () => Math.ceil(Math.max(root.getBoundingClientRect().height, ...[...document.querySelectorAll("dialog[open]")].map((one) => one.scrollHeight + one.offsetTop + 24)));
    const size = new ResizeObserver(() => send("height", { height: tall() }));
    const watch = () => { size.observe(root); document.querySelectorAll("dialog").forEach((one) => size.observe(one)); };
    watch();
    document.addEventListener("htmx:after:swap", watch);
    send("ready");
    addEventListener("message", ({ source, origin, data }) => {
      if (source !== window.parent || !targets.includes(origin) || data?.jumpseat !== 1 || data.kind !== "context") return;
      if (["light", "dark"].includes(data.theme)) root.dataset.scheme = data.theme; else delete root.dataset.scheme;
    });
  }

  /* Customers who have joined: the title's dot, the CRM's badge and toast, and the computer's own notification from a tab. */
  const greeted = new Set(), title = document.title, system = !framed && "Notification" in window;
  function greet(first) {
    const bar = document.querySelector("[data-badge]");
    if (!bar) return;
    const all = [...bar.querySelectorAll("[data-joined]")];
    document.title = `${all.length ? "\u25cf " : ""}${title}`;
    send("badge", { count: all.length });
    all.filter((one) => !greeted.has(one.dataset.joined)).forEach(({ dataset: { joined, text, recordId } }) => {
      greeted.add(joined);
      if (first) return;
      send("toast", { level: "success", text, recordId });
      if (system && Notification.permission === "granted") new Notification(text, { tag: joined }).onclick = () => { focus(); bar.querySelector("#joined").focus(); };
    });
    bar.querySelectorAll("[data-notify]").forEach((part) => {
      part.hidden = !system;
      part.querySelectorAll("[data-when]").forEach((words) => { words.hidden = !system || words.dataset.when !== Notification.permission; });
    });
  }
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-notify] button")) { await Notification.requestPermission(); greet(true); }
  });

  /* Times are UTC as they come; whoever prefers their own zone switches once. The other one is in the tooltip. */
  const zone = document.querySelector("[data-zone]");
  const local = new Intl.DateTimeFormat(root.lang, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  function times() {
    const all = [...document.querySelectorAll("time[datetime]")], own = store.get("jumpseat-zone") === "local";
    all.forEach((one) => {
      one.dataset.utc ??= one.textContent;
      const here = local.format(new Date(one.dateTime));
      [one.textContent, one.title] = own ? [here, one.dataset.utc] : [one.dataset.utc, here];
    });
    if (!zone) return;
    zone.hidden = !all.length || !new Date().getTimezoneOffset();
    zone.setAttribute("aria-pressed", own);
  }
  zone?.addEventListener("click", () => { store.set("jumpseat-zone", store.get("jumpseat-zone") === "local" ? "utc" : "local"); times(); });

  document.addEventListener("htmx:after:swap", () => { showStream(); greet(false); times(); });
  greet(true);
  times();
})();

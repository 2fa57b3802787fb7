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

  /* Something changed: components fetch themselves again. */
  const changed = () => document.querySelectorAll("[data-live]").forEach((part) => htmx.trigger(part, "jumpseat:changed"));

  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  async function listen() {
    let last = "", pause = 1000;
    for (;;) {
      try {
        const answer = await fetch("/events", { headers: { ...headers(), ...(last ? { "Last-Event-ID": last } : {}) } });
        if (answer.status === 401 || answer.status === 403) return;
        if (!answer.ok) throw new Error(answer.status);
        pause = 1000;
        let rest = "";
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          const parts = (rest + value).split("\n\n");
          rest = parts.pop();
          for (const part of parts) {
            const id = /^id: (.*)$/m.exec(part)?.[1], kind = /^event: (.*)$/m.exec(part)?.[1], data = /^data: (.*)$/m.exec(part)?.[1];
            if (id) last = id;
            if (kind) document.dispatchEvent(new CustomEvent("jumpseat:event", { detail: { kind, data: data ? JSON.parse(data) : {} } }));
          }
        }
      } catch { /* the network: tried again */ }
      await wait(pause + Math.random() * pause);
      pause = Math.min(pause * 2, 30000);
    }
  }
  document.addEventListener("jumpseat:event", changed);
  if (document.querySelector("[data-live]")) listen();

  /* Copying: the clipboard where a frame may use it, else the way that works from a click. */
  function unhide(root) { root.querySelectorAll?.("button[data-copy]").forEach((button) => { button.hidden = false; }); }
  unhide(document);
  document.addEventListener("htmx:after:swap", () => unhide(document));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const part = document.getElementById(button.dataset.copy);
    try { await navigator.clipboard.writeText(part.textContent.trim()); }
    catch { getSelection().selectAllChildren(part); document.execCommand("copy"); getSelection().removeAllRanges(); }
    button.classList.add("done");
  });

  /* The frame's height, for the page around it. */
  if (window.parent !== window) {
    const tell = () => window.parent.postMessage({ jumpseat: 1, kind: "height", height: Math.ceil(document.documentElement.getBoundingClientRect().height) }, "*");
    new ResizeObserver(tell).observe(document.documentElement);
    tell();
  }
})();

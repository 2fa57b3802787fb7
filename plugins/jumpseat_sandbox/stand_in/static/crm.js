/* What a CRM does around a frame: launches it, gives it the height that it asks for, and shows what it was told. */
(() => {
  "use strict";
  const host = document.documentElement.dataset.host;
  const TALLEST = 4000;
  document.documentElement.dataset.script = "";

  const title = document.title;

  /* Only the host is listened to, and only numbers are taken from it: a frame's height, and how many customers wait. */
  window.addEventListener("message", (event) => {
    if (event.origin !== host || event.data?.jumpseat !== 1) return;
    if (event.data.kind === "badge") {
      const waiting = Number(event.data.count);
      document.title = waiting > 0 ? `(${waiting}) ${title}` : title;
    }
    if (event.data.kind !== "height") return;
    const frame = [...document.querySelectorAll("iframe")].find((one) => one.contentWindow === event.source);
    const height = Number(event.data.height);
    if (frame && height > 0) frame.style.blockSize = `${Math.min(height, TALLEST)}px`;
  });

  document.querySelectorAll("form[data-launch]").forEach((form) => { form.hidden = true; form.submit(); });

  const every = (seconds, work) => {
    const again = async () => {
      try { if (!document.hidden) await work(); } catch { /* the demonstration ended: nothing changes any more */ }
      setTimeout(again, seconds * 1000);
    };
    again();
  };
  const text = async (address) => {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(answer.status);
    return answer.text();
  };

  const bell = document.getElementById("bell");
  if (bell) {
    every(2, async () => {
      const told = await text(bell.dataset.refresh);
      if (told !== bell.dataset.shown) { bell.innerHTML = told; bell.dataset.shown = told; }
    });
  }

  const sent = document.getElementById("sent");
  if (sent) {
    every(1, async () => {
      const { newest } = JSON.parse(await text("/outbox/newest"));
      if (newest === sent.dataset.newest) return;
      const page = new DOMParser().parseFromString(await text("/outbox"), "text/html").getElementById("sent");
      sent.replaceChildren(...page.childNodes);
      sent.dataset.newest = newest;
    });
  }
})();

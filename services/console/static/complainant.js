// What links and forms of complainants' pages cannot do: print, and send papers one by one,
// part by part, going on where the connection was lost. Every page works without it.
"use strict";
(() => {
  const PART = 1 << 20;
  const PAUSE_MAX = 30000;

  document.querySelectorAll("[data-print]").forEach((button) => {
    button.classList.add("ready");
    button.addEventListener("click", () => window.print());
  });

  // A letter may lead here with its code behind the `#`, which no browser sends: it is put into
  // the form, and out of the address and the history at once.
  const asked = document.querySelector("form[data-code-in-address] input[name=code]");
  if (asked && location.hash.length > 1) {
    try { asked.value = decodeURIComponent(location.hash.slice(1)).slice(0, asked.maxLength); } catch { /* no code */ }
    history.replaceState(null, "", location.pathname + location.search);
    asked.focus();
  }

  const box = document.querySelector("[data-papers]");
  const form = box && box.closest("form");
  if (!form || !window.fetch) return;
  const { announce, token, most } = box.dataset;
  const here = box.querySelector(".here");
  const list = box.querySelector(".sending");
  const pause = (ms) => new Promise((go) => { setTimeout(go, ms); });
  const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let pending = 0;

  // Sends until it is answered: a lost connection and "not now" are waited for.
  const insist = async (path, options, line) => {
    for (let wait = 1000; ; wait = Math.min(wait * 2, PAUSE_MAX)) {
      let answer;
      try { answer = await fetch(path, options); } catch { answer = null; }
      if (answer && answer.ok) return answer.json();
      if (answer && ![408, 429, 500, 502, 503, 504].includes(answer.status)) throw new Error(String(answer.status));
      line.say(box.dataset.stopped);
      const told = answer && Number(answer.headers.get("retry-after")) * 1000;
      await pause(told || wait);
    }
  };

  const lineOf = (file) => {
    const line = document.createElement("li");
    const name = document.createElement("bdi");
    name.textContent = file.name;
    const bar = document.createElement("progress");
    bar.max = file.size || 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    const note = document.createElement("span");
    note.className = "hint";
    note.textContent = box.dataset.sending;
    line.append(name, " ", bar, " ", note);
    list.append(line);
    return {
      say: (text) => { if (note.textContent !== text) note.textContent = text; },
      at: (bytes) => { bar.value = bytes; },
      fail: (text) => { bar.remove(); note.className = "error"; note.textContent = text; },
      remove: () => line.remove(),
    };
  };

  const keep = (told) => {
    const label = document.createElement("label");
    label.className = "check";
    const tick = document.createElement("input");
    tick.type = "checkbox";
    tick.name = "_paper";
    tick.value = told.paper;
    tick.checked = true;
    const text = document.createElement("span");
    const name = document.createElement("bdi");
    name.textContent = told.name;
    const size = document.createElement("span");
    size.className = "soft";
    size.textContent = told.size;
    text.append(name, " ", size);
    label.append(tick, " ", text);
    here.append(label);
    here.hidden = false;
  };

  const send = async (file) => {
    const line = lineOf(file);
    try {
      const fields = new URLSearchParams({ _token: token, request_id: newId(), name: file.name, media_type: file.type, bytes: file.size });
      let told = await insist(announce, { method: "POST", body: fields }, line);
      for (let at = told.kept; !told.refused && !told.whole; at = told.kept) {
        line.say(box.dataset.sending);
        const where = new URLSearchParams({ paper: told.paper, offset: at });
        const options = { method: "POST", headers: { "X-Redress-Token": token }, body: file.slice(at, at + PART) };
        told = await insist(`${announce}/part?${where}`, options, line);
        line.at(told.kept);
        if (!told.refused && !told.whole && told.kept <= at) throw new Error("no progress");
      }
      if (told.refused) { line.fail(told.refused); return; }
      line.remove();
      keep(told);
    } catch { line.fail(box.dataset.failed); }
  };

  box.querySelectorAll("input[type=file]").forEach((input) => {
    input.addEventListener("change", async () => {
      const room = Number(most) - here.querySelectorAll("input").length - pending;
      const files = [...input.files].slice(0, Math.max(room, 0));
      // The rest stays with the form, which says that it is too much.
      if (files.length < input.files.length) return;
      input.value = "";
      pending += files.length;
      for (const file of files) {
        await send(file);
        pending -= 1;
      }
    });
  });

  form.addEventListener("submit", (event) => {
    if (!pending) return;
    event.preventDefault();
    document.getElementById("announce").textContent = box.dataset.wait;
    list.scrollIntoView({ block: "center" });
  });
})();

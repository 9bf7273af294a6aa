// What pages do beyond links and forms: keep what people write, send a form once, tell of
// changes, and keys. Every page works without it.
"use strict";
(() => {
  const body = document.body;
  const say = (text) => { document.getElementById("announce").textContent = text || ""; };

  // The time zone, so that pages tell times as they are here.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) {
    const path = body.dataset.base || "/";
    document.cookie = `redress-zone=${encodeURIComponent(zone)}; path=${path}; SameSite=Lax; max-age=31536000`;
  }

  // Drafts: what is written into a form with data-draft is kept here until it is sent. They are
  // one person's, and gone when that person signs out.
  const prefix = `redress-draft:${body.dataset.base}:${body.dataset.subject}:`;
  const keyOf = (form) => prefix + form.dataset.draft;
  const kept = (form) => [...form.elements].filter((field) =>
    field.name && !["hidden", "submit", "button", "password", "file"].includes(field.type) && !field.name.startsWith("_"));
  const store = {
    get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* full, or not allowed */ } },
    remove(key) { try { localStorage.removeItem(key); } catch { /* not allowed */ } },
    keys() { try { return Object.keys(localStorage); } catch { return []; } },
  };
  const valueOf = (field) => (["checkbox", "radio"].includes(field.type) ? field.checked : field.value);
  const isDefault = (field) => {
    if (["checkbox", "radio"].includes(field.type)) return field.checked === field.defaultChecked;
    if (field.tagName === "SELECT") return [...field.options].every((option) => option.selected === option.defaultSelected);
    return field.value === field.defaultValue;
  };
  const isTouched = (form) => kept(form).some((field) => !isDefault(field));
  const note = (form, text, discard) => {
    let line = form.querySelector(".draft");
    if (!line) return;
    line.textContent = text;
    if (!discard) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = body.dataset.draftDiscard;
    button.addEventListener("click", () => { store.remove(keyOf(form)); form.reset(); note(form, ""); });
    line.append(" ", button);
  };
  const keep = (form) => {
    if (!isTouched(form)) { store.remove(keyOf(form)); note(form, ""); return; }
    const values = kept(form).map((field, place) => [place, field.name, valueOf(field)]);
    store.set(keyOf(form), values);
    note(form, body.dataset.draftKept);
  };
  const restore = (form) => {
    if (form.dataset.kept || !form.dataset.draft) return;
    form.dataset.kept = "yes";
    const values = store.get(keyOf(form));
    // What the server gives back with an error is newer than what is kept.
    if (values && !form.dataset.filled) {
      const fields = kept(form);
      let restored = false;
      for (const [place, name, value] of values) {
        const field = fields[place];
        if (!field || field.name !== name || valueOf(field) === value) continue;
        if (typeof value === "boolean") field.checked = value; else field.value = value;
        restored = true;
      }
      if (restored) {
        note(form, body.dataset.draftRestored, true);
        const within = form.closest("details");
        if (within) within.open = true;
      }
    }
    form.addEventListener("input", () => keep(form));
    form.addEventListener("change", () => keep(form));
  };

  // A form is sent once; the second click of two is nobody's wish.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    if ("signsOut" in form.dataset) store.keys().filter((key) => key.startsWith(prefix)).forEach(store.remove);
    // A page that comes back from the history can be sent again.
    setTimeout(() => { delete form.dataset.sent; }, 10000);
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
  });

  // What was done is told by the page: the drafts of it are over.
  const settle = (root) => {
    root.querySelectorAll("[data-draft-over]").forEach((mark) => store.remove(prefix + mark.dataset.draftOver));
    root.querySelectorAll("form[data-draft]").forEach(restore);
  };
  settle(document);
  const problem = document.getElementById("problem");
  if (problem) problem.focus();

  // Changes: the server tells of one, and the parts that only show are fetched anew. What
  // somebody is writing stays, with the version it was begun at.
  const live = document.querySelector("[data-live]");
  if (live && window.EventSource) {
    const source = new EventSource(live.dataset.live);
    let lost = false;
    let seen = live.dataset.version;
    source.addEventListener("change", async (event) => {
      if (event.data === seen) return;
      seen = event.data;
      // After a form that could not be done the page is at the form's own address.
      const query = location.pathname === live.dataset.page ? location.search : "";
      const answer = await fetch(live.dataset.page + query);
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      let touched = false;
      document.querySelectorAll("[data-part]").forEach((part) => {
        const other = fresh.getElementById(part.id);
        if (!other) return;
        if ([...part.querySelectorAll("form[data-draft]")].some(isTouched)) { touched = true; return; }
        if (part.contains(document.activeElement) && part.querySelector("form")) return;
        const open = [...part.querySelectorAll("details[id][open]")].map((one) => one.id);
        part.replaceWith(document.adoptNode(other));
        open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
        settle(other);
        if (window.htmx) window.htmx.process(other);
      });
      say(touched ? body.dataset.changed : fresh.querySelector("[data-news]")?.dataset.news);
    });
    source.addEventListener("error", () => { lost = true; say(body.dataset.connectionLost); });
    source.addEventListener("open", () => { if (lost) { lost = false; say(body.dataset.connectionBack); } });
    source.addEventListener("over", () => source.close());
    window.addEventListener("pagehide", () => source.close());
  }

  // Keys: each acts on what says so in data-key, or moves along the rows of a list.
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const current = () => document.activeElement && document.activeElement.closest("[data-row]");
  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
    (next.querySelector("[data-row-link]") || next).focus();
    next.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    const within = event.target;
    const writes = within.matches && within.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && within.form) {
      event.preventDefault();
      within.form.requestSubmit();
      return;
    }
    if (writes || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") { move(1); return; }
    if (event.key === "k") { move(-1); return; }
    if (event.key === "x" && current()) { current().querySelector("input[type=checkbox]")?.click(); return; }
    const action = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (!action) return;
    event.preventDefault();
    if (action.tagName === "DETAILS") {
      action.open = true;
      const field = action.querySelector("textarea, input:not([type=hidden]), select, button");
      (field || action.querySelector("summary")).focus();
      action.scrollIntoView({ block: "center" });
    } else if (action.matches("input, textarea, select")) action.focus();
    else action.click();
  });

  // All of a list at once.
  document.addEventListener("change", (event) => {
    if (!event.target.matches || !event.target.matches("[data-all]")) return;
    document.querySelectorAll("[data-row] input[type=checkbox]").forEach((box) => { box.checked = event.target.checked; });
  });
})();

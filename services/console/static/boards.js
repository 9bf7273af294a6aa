// What boards do beyond links and forms: a task stays in the hands of who has its page open.
"use strict";
(() => {
  const body = document.body;
  const say = (text) => { document.getElementById("announce").textContent = text || ""; };
  document.querySelectorAll("form[data-renew]").forEach((form) => {
    let over = false;
    const renew = async () => {
      if (over || document.visibilityState === "hidden") return;
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => null);
      if (!answer) { say(body.dataset.connectionLost); return; }
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok) {
        // Somebody else has it, or it is over: the page says so, and what is written stays.
        over = true;
        say(fresh.querySelector("#problem p")?.textContent || fresh.querySelector("h1")?.textContent);
        return;
      }
      const [now, then] = [document.getElementById("held-until"), fresh.getElementById("held-until")];
      if (now && then) now.replaceWith(document.adoptNode(then));
    };
    setInterval(renew, Number(form.dataset.renew) * 1000);
    // Whoever comes back to it after a while holds on at once.
    let hidden = 0;
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") { hidden = Date.now(); return; }
      if (hidden && Date.now() - hidden > Number(form.dataset.renew) * 1000) renew();
    });
  });
})();

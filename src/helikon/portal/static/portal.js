// Keeps the pages fresh: no framework, one request every few seconds while the page is looked at.
"use strict";

function every(seconds, work) {
  const tick = async () => {
    if (!document.hidden) await work();
    setTimeout(tick, seconds * 1000);
  };
  setTimeout(tick, seconds * 1000);
}

async function get(url, type) {
  const answer = await fetch(url, { headers: { Accept: type }, redirect: "manual" });
  if (answer.type === "opaqueredirect" || answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(answer.status);
  return answer;
}

const running = document.getElementById("running");
if (running) {
  const stale = document.getElementById("stale");
  every(Number(running.dataset.everyS), async () => {
    try {
      const text = await (await get(running.dataset.refresh, "text/html")).text();
      if (running.innerHTML !== text && !running.contains(document.activeElement)) running.innerHTML = text;
      stale.hidden = true;
    } catch {
      stale.hidden = false;
    }
  });
}

const log = document.getElementById("log");
if (log) {
  log.scrollTop = log.scrollHeight;
  const state = document.getElementById("state");
  every(2, async () => {
    if (log.dataset.alive !== "yes") return;
    try {
      const job = await (await get(log.dataset.job, "application/json")).json();
      const lines = await (await get(log.dataset.log, "application/json")).json();
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
      log.textContent = lines.join("\n");
      if (atEnd) log.scrollTop = log.scrollHeight;
      if (job.state !== state.textContent) location.reload();
    } catch { /* the next turn asks again */ }
  });
}

const button = document.querySelector("button[data-stop]");
if (button) {
  button.addEventListener("click", async () => {
    if (!confirm(`Stop ${button.dataset.name}?`)) return;
    button.disabled = true;
    const said = document.getElementById("stopped");
    said.textContent = "stopping …";
    const answer = await fetch(button.dataset.stop, { method: "POST", headers: { Accept: "application/json" } });
    if (answer.ok) location.reload();
    else said.textContent = (await answer.json()).error.what;
    button.disabled = false;
  });
}

// Live parts, times in the reader's zone, and keys. Every page works without it.
"use strict";

const INTERVAL = 3000;
const sent = new Map();

// What a page was sent is remembered as it came: the times in it are changed below.
function remember(root) {
  for (const element of root.querySelectorAll("[id]")) sent.set(element.id, element.outerHTML);
}

function showTimes(root) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
  const today = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (isNaN(moment)) continue;
    const isToday = moment.toDateString() === new Date().toDateString();
    time.textContent = (isToday ? today : format).format(moment);
  }
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
  const minute = new Intl.DateTimeFormat(undefined, { timeStyle: "short", hourCycle: "h23" });
  for (const text of root.querySelectorAll("[data-clock]")) {
    text.textContent = (text.matches(".tick") ? minute : clock).format(+text.dataset.clock);
  }
  for (const text of root.querySelectorAll("[data-day]")) text.textContent = day.format(+text.dataset.day);
}

// An element is replaced where it is, unless somebody is in it; one that is open stays open.
function replace(fresh) {
  const old = document.getElementById(fresh.id);
  if (!old || sent.get(fresh.id) === fresh.outerHTML) return;
  const html = fresh.outerHTML;
  if (old.contains(document.activeElement) && document.activeElement !== document.body) {
    const focused = document.activeElement;
    if (focused.matches("input, select, textarea")) return;
  }
  const selection = document.getSelection();
  if (selection && !selection.isCollapsed && selection.containsNode(old, true)) return;
  const open = [...old.querySelectorAll("details[open][id]")].map((one) => one.id);
  const focus = old.contains(document.activeElement) ? pathTo(old, document.activeElement) : null;
  const scrolled = old.querySelector(".timeline")?.scrollLeft;
  const known = sent.has(fresh.id);
  sent.set(fresh.id, html);
  remember(fresh);
  showTimes(fresh);
  if (known && fresh.matches("tr")) {
    fresh.classList.add("fresh");
    if (old.classList.contains("current")) fresh.classList.add("current");
  }
  old.replaceWith(fresh);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (scrolled) fresh.querySelector(".timeline").scrollLeft = scrolled;
  if (focus) follow(fresh, focus)?.focus({ preventScroll: true });
}

function pathTo(root, element) {
  const path = [];
  for (let at = element; at !== root; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
}

function follow(root, path) {
  return path.reduce((at, index) => at?.children[index], root);
}

function trouble(text) {
  const place = document.getElementById("trouble");
  if (place.textContent === text) return;
  place.textContent = text;
  place.hidden = !text;
}

async function poll(live) {
  const address = new URL(live.dataset.live, location.href);
  for (const row of document.querySelectorAll("tr[data-key]")) address.searchParams.append("key", row.dataset.key);
  const response = await fetch(address, { headers: { "X-Live": "1" }, redirect: "error" });
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!response.ok) {
    const reason = parsed.getElementById("reason")?.textContent ?? `status ${response.status}`;
    trouble(response.status === 403 ? reason : `${reason}. It is tried again.`);
    return response.status !== 403;
  }
  trouble("");
  for (const fresh of [...parsed.querySelectorAll("[id]")]) {
    if (!fresh.parentElement.closest("[id]")) replace(document.importNode(fresh, true));
  }
  return true;
}

async function followLive(live) {
  for (let goesOn = true; goesOn; ) {
    await new Promise((done) => setTimeout(done, INTERVAL));
    if (document.hidden) continue;
    try {
      goesOn = await poll(live);
    } catch {
      trouble("The console does not answer. It is tried again.");
    }
  }
}

// j and k go through the rows, Enter opens one, / is for the search, g and a letter for a page.
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const rows = [...document.querySelectorAll("tr[data-key]")];
  const at = rows.findIndex((row) => row.classList.contains("current"));
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if ((event.key === "j" || event.key === "k") && rows.length) {
    const next = Math.min(rows.length - 1, Math.max(0, event.key === "j" ? at + 1 : at - 1));
    rows[at]?.classList.remove("current");
    rows[next].classList.add("current");
    rows[next].querySelector("a").focus();
  } else if (onKey.before === "g") {
    document.querySelector(`[data-key="${CSS.escape(event.key)}"]:not(tr)`)?.click();
  }
  onKey.before = event.key;
}

remember(document);
showTimes(document);
document.addEventListener("keydown", onKey);
for (const live of document.querySelectorAll("[data-live]")) followLive(live);

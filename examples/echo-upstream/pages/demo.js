"use strict";

/** Oldest entries of a log are removed beyond this number. */
const MAX_ENTRIES = 50;
/** Interval of the polls of the public keys. */
const KEYS_INTERVAL_MS = 3000;
/** Time until a stream is opened anew, when the browser has given up and the session lives. */
const RETRY_MS = 3000;

const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const find = (selector) => document.querySelector(selector);

/** Adds an entry to a log, the newest first. All texts are text. */
function report(log, kind, title, text, note = "") {
  const list = log.querySelector("ol") ?? log.appendChild(document.createElement("ol"));
  list.className = "log";
  log.querySelector(".empty")?.remove();
  const add = (parent, name, content) => {
    const element = parent.appendChild(document.createElement(name));
    element.textContent = content;
    return element;
  };
  const entry = document.createElement("li");
  entry.className = kind;
  add(entry, "time", time.format(new Date()));
  const what = add(entry, "span", "");
  add(what, "b", title);
  what.append(` ${text}`);
  add(entry, "small", note);
  list.prepend(entry);
  while (list.children.length > MAX_ENTRIES) list.lastChild.remove();
}

/** Sends a request, and judges from the response what the gateway did with it. */
async function call(path) {
  const start = performance.now();
  const response = await fetch(path, { headers: { accept: "application/json" }, cache: "no-store" });
  const body = await response.json();
  const outcome = { status: response.status, ms: Math.round(performance.now() - start), request: response.headers.get("x-request-id") };
  if (!response.ok) {
    const code = body.errors?.[0]?.code ?? "";
    return { ...outcome, kind: "rejected", title: "Rejected", code, seen: "the service saw nothing" };
  }
  // The service itself sends no Cache-Control here. The gateway does, where it adds renewed cookies.
  const refreshed = response.headers.get("cache-control") === "no-store";
  const [[user], [role]] = ["x-user-id", "x-user-role"].map((name) => body.headers[name] ?? []);
  return {
    ...outcome,
    kind: refreshed ? "refreshed" : "passed",
    title: refreshed ? "Refreshed, passed" : "Passed",
    code: "",
    seen: user ? `the service saw user ${user}, ${role}` : "the service saw nobody",
  };
}

/** Sends the request of a form, and shows the response. */
async function ask(form) {
  const path = form.dataset.then ?? form.getAttribute("action");
  const output = form.querySelector("output");
  try {
    if (form.dataset.then) {
      await fetch(form.action, { method: "POST", redirect: "manual" });
    }
    const { status, code, ms, kind, title, seen, request } = await call(path);
    output.className = kind;
    output.textContent = `${`${status} ${code}`.trim()} in ${ms} ms: ${seen}`;
    report(find("#decisions"), kind, title, `${path} ${code}`, `${ms} ms`);
    if (kind === "rejected" && request) {
      find("#request").textContent = request;
      find("#why").hidden = false;
    }
  } catch {
    output.className = "rejected";
    output.textContent = "No response: is the gateway running?";
  }
}

for (const form of document.querySelectorAll(".rows form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
}

/** Holds a stream open, which the gateway closes with the session, and shows what comes after. */
function followSession(log, known) {
  const stream = new EventSource("/demo/stream");
  stream.addEventListener("identity", (event) => {
    const identity = JSON.parse(event.data);
    for (const element of document.querySelectorAll("[data-identity]")) {
      element.textContent = identity[element.dataset.identity];
    }
    for (const element of document.querySelectorAll("[data-for]")) {
      element.hidden = element.dataset.for !== identity.role;
    }
    const change = known && known !== identity.role ? `, no longer ${known}` : "";
    report(log, "passed", known ? "Stream open again" : "Stream open", `for user ${identity.user}, ${identity.role}${change}`);
    known = identity.role;
  });
  stream.addEventListener("error", async () => {
    if (stream.readyState === EventSource.CONNECTING) {
      report(log, "rejected", "Stream closed", "by the gateway; trying again");
      return;
    }
    // An event source does not say why it gave up.
    const outcome = await call("/").catch(() => null);
    if (outcome?.status !== 401) {
      setTimeout(() => followSession(log, known), RETRY_MS);
      return;
    }
    report(log, "rejected", "Session over,", `the new stream got 401 ${outcome.code}`);
    document.body.classList.add("ended");
    find("#signed-in").hidden = true;
    find("#ended").hidden = false;
  });
}

/** Compares the published keys with those of the last poll. */
function followKeys(log) {
  let known;
  const short = (kid) => `${kid.slice(0, 8)}…`;
  const poll = async () => {
    const response = await fetch("/.well-known/jwks.json", { cache: "no-store" }).catch(() => null);
    if (!response?.ok) return;
    const kids = (await response.json()).keys.map((key) => key.kid);
    if (!known) report(log, "news", "Keys", `in the set: ${kids.length}`);
    for (const kid of known ? kids.filter((kid) => !known.includes(kid)) : []) {
      report(log, "news", "New key", `${short(kid)} is announced; nobody is signed out`);
    }
    for (const kid of known?.filter((kid) => !kids.includes(kid)) ?? []) {
      report(log, "news", "Key removed", `${short(kid)} is no longer accepted`);
    }
    known = kids;
  };
  poll();
  setInterval(poll, KEYS_INTERVAL_MS);
}

if ("signedIn" in find("main").dataset) {
  const log = find("#events");
  followSession(log);
  followKeys(log);
}

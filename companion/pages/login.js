// Signs in or registers by the API, shows what is wrong beside its field, and goes where the server says.
"use strict";

const { api, returnTo } = document.body.dataset;
// A browser keeps the fragment of the page that was asked for, and sends it to nobody. It is that page's, whatever it says.
const target = returnTo.includes("#") ? returnTo : returnTo + window.location.hash;
const forms = { login: document.getElementById("login"), register: document.getElementById("register") };
const status = document.getElementById("status");
const resuming = new AbortController();

function tell(message) {
  status.textContent = message;
  status.hidden = message === "";
}

function clear(form) {
  tell("");
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  for (const note of form.querySelectorAll(".mistake")) note.remove();
}

function mark(form, path, message) {
  const input = form.elements.namedItem(path);
  if (!input) return tell(message);
  const note = document.createElement("p");
  note.className = "mistake";
  note.id = `${input.id}-mistake`;
  note.textContent = message;
  input.after(note);
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", note.id);
}

function show(answer, form) {
  const fields = (answer.errors ?? []).filter((error) => error.path);
  for (const { path, msg } of fields) mark(form, path, msg);
  if (fields.length === 0) tell(answer.message ?? "Something went wrong, please try again");
  form.querySelector("[aria-invalid]")?.focus();
}

async function send(name, form) {
  // Its cookies are not to come after those of whoever signs in now.
  resuming.abort();
  clear(form);
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const response = await fetch(`${api}/auth/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(Object.fromEntries(new FormData(form))),
    });
    // The server has checked that this is a page of its own.
    if (response.ok) return window.location.assign(target);
    show(await response.json().catch(() => ({})), form);
  } catch {
    tell("The server cannot be reached, please try again");
  } finally {
    button.disabled = false;
  }
}

// This page with the other form: the same way back, the same fragment.
function link(registering) {
  const url = new URL(window.location.href);
  if (registering) url.searchParams.set("register", "");
  else url.searchParams.delete("register");
  return url.href;
}

function choose() {
  const registering = new URLSearchParams(window.location.search).has("register");
  forms.login.hidden = registering;
  forms.register.hidden = !registering;
  document.title = registering ? "Register" : "Sign in";
  document.getElementById("title").textContent = document.title;
  tell("");
  (registering ? forms.register : forms.login).querySelector("input").focus();
}

for (const [name, form] of Object.entries(forms)) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(name, form);
  });
}

// Whoever was sent here because the server was away for a moment is still signed in. What sends them back within a
// minute is something else, and not tried again.
async function resume() {
  const now = Date.now();
  if (!new URLSearchParams(window.location.search).has("return_to")) return;
  try {
    if (now - Number(sessionStorage.getItem("resumed")) < 60_000) return;
    sessionStorage.setItem("resumed", String(now));
    const response = await fetch(`${api}/auth/refresh`, { method: "POST", signal: resuming.signal });
    if (response.ok && !resuming.signal.aborted) window.location.replace(target);
  } catch {
    // There is the form.
  }
}

for (const [name, form] of Object.entries(forms)) {
  const other = form.querySelector(".other a");
  other.href = link(name === "login");
  other.addEventListener("click", (event) => {
    // Another tab or window loads the page itself.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    window.history.pushState(null, "", other.href);
    choose();
  });
}

window.addEventListener("popstate", choose);
choose();
resume();

// Signs in or registers through the API, shows each mistake beside its field, and then opens the page in `returnTo`.
"use strict";

const { api, returnTo } = document.body.dataset;
// Browsers keep the fragment of the requested page across the redirect, and never send it. It belongs to that page.
const target = returnTo.includes("#") ? returnTo : returnTo + window.location.hash;
const forms = { login: document.getElementById("login"), register: document.getElementById("register") };
const status = document.getElementById("status");
// Cancels `resume` once the user submits a form.
const resuming = new AbortController();

function showStatus(message) {
  status.textContent = message;
  status.hidden = message === "";
}

function clear(form) {
  showStatus("");
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  for (const note of form.querySelectorAll(".mistake")) note.remove();
}

// Shows a mistake beside the field `path`.
function markField(form, path, message) {
  const input = form.elements.namedItem(path);
  if (!input) return showStatus(message);
  const note = document.createElement("p");
  note.className = "mistake";
  note.id = `${input.id}-mistake`;
  note.textContent = message;
  input.after(note);
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", note.id);
}

function showErrors(body, form) {
  const fields = (body.errors ?? []).filter((error) => error.path);
  for (const { path, msg } of fields) markField(form, path, msg);
  if (fields.length === 0) showStatus(body.message ?? "Something went wrong, please try again");
  form.querySelector("[aria-invalid]")?.focus();
}

async function send(name, form) {
  // Otherwise the cookies of the refresh could overwrite those of this login.
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
    // Registered, or known already: signing in tells (`REGISTRATION_HIDES_EMAILS`).
    if (response.status === 202) return await send("login", form);
    // The server has checked that this is a page of the same site.
    if (response.ok) return window.location.assign(target);
    showErrors(await response.json().catch(() => ({})), form);
  } catch {
    showStatus("The server cannot be reached, please try again");
  } finally {
    button.disabled = false;
  }
}

// Returns the URL of this page with the other form, and the same `return_to` and fragment.
function linkTo(registering) {
  const url = new URL(window.location.href);
  if (registering) url.searchParams.set("register", "");
  else url.searchParams.delete("register");
  return url.href;
}

// Shows the form that the URL selects.
function selectForm() {
  const registering = new URLSearchParams(window.location.search).has("register");
  forms.login.hidden = registering;
  forms.register.hidden = !registering;
  document.title = registering ? "Register" : "Sign in";
  document.getElementById("title").textContent = document.title;
  showStatus("");
  (registering ? forms.register : forms.login).querySelector("input").focus();
}

for (const [name, form] of Object.entries(forms)) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(name, form);
  });
}

// Refreshes the session of a user who was redirected here during a short outage, and is still signed in. Not repeated
// within a minute: another redirect has another reason.
async function resume() {
  const now = Date.now();
  if (!new URLSearchParams(window.location.search).has("return_to")) return;
  try {
    if (now - Number(sessionStorage.getItem("resumed")) < 60_000) return;
    sessionStorage.setItem("resumed", String(now));
    const response = await fetch(`${api}/auth/refresh`, { method: "POST", signal: resuming.signal });
    if (response.ok && !resuming.signal.aborted) window.location.replace(target);
  } catch {
    // The user can sign in by the form.
  }
}

for (const [name, form] of Object.entries(forms)) {
  const other = form.querySelector(".other a");
  other.href = linkTo(name === "login");
  other.addEventListener("click", (event) => {
    // The browser opens another tab or window.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    window.history.pushState(null, "", other.href);
    selectForm();
  });
}

window.addEventListener("popstate", selectForm);
selectForm();
resume();

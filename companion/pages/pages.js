// Improvements of the pages by a script. Each page works without it.
"use strict";

const { lang } = document.documentElement;

// Times in the visitor's zone, and in the spelling of the visitor's country.
const locale = navigator.languages.find((tag) => tag.split("-")[0] === lang) ?? lang;
const inWords = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time")) {
  time.title = time.textContent;
  time.textContent = inWords.format(new Date(time.dateTime));
}

// Shows what is typed into a password field.
for (const box of document.querySelectorAll("[data-shows]")) {
  box.closest("label").hidden = false;
  const input = document.getElementById(box.dataset.shows);
  box.addEventListener("change", () => { input.type = box.checked ? "text" : "password"; });
  // A password manager stores a field of the type `password` alone.
  input.form.addEventListener("submit", () => { input.type = "password"; });
}

for (const hint of document.querySelectorAll("[data-caps-lock]")) {
  const input = document.getElementById(hint.dataset.capsLock);
  const show = (isOn) => { hint.firstElementChild.hidden = !isOn; };
  for (const kind of ["keydown", "keyup"]) {
    input.addEventListener(kind, (event) => show(event.getModifierState?.("CapsLock")));
  }
  input.addEventListener("blur", () => show(false));
}

// Shows the strength of a new password, as the service estimates it.
for (const shown of document.querySelectorAll("[data-strength]")) {
  const { form } = shown.closest(".field").querySelector("input");
  const input = form.elements.password;
  let timer;
  let latest;
  const estimate = async () => {
    const body = new URLSearchParams(new FormData(form));
    body.set("form_token", shown.dataset.token);
    body.delete("currentPassword");
    latest?.abort();
    latest = new AbortController();
    try {
      const response = await fetch(shown.dataset.strength, { method: "POST", body, signal: latest.signal });
      const { score, text } = await response.json();
      shown.querySelector("meter").value = score;
      shown.querySelector("output").textContent = text;
      shown.hidden = input.value === "";
    } catch {
      // The service says it when the form is sent.
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    shown.hidden ||= input.value === "";
    if (input.value !== "") timer = setTimeout(estimate, 300);
  });
}

// A field that is corrected is no longer marked.
for (const input of document.querySelectorAll("[aria-invalid]")) {
  input.addEventListener("input", () => {
    input.removeAttribute("aria-invalid");
    document.getElementById(`${input.id}-mistake`)?.remove();
  }, { once: true });
}

// Without a new fragment: that of the address belongs to the requested page.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("content").focus();
});

// The fragment of the requested page goes along to the other form: browsers keep it across redirects, and never send it.
for (const link of document.querySelectorAll("[data-keeps-fragment]")) {
  link.hash = window.location.hash;
}

// A form is sent once.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    setTimeout(() => { button.disabled = true; });
  });
}

// The browser may show a page from its back-forward cache as it was: after a sign-out, that of somebody else.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// Refreshes the session of a user who was redirected here during a short outage, and is still signed in. Not repeated
// within a minute: another redirect has another reason.
async function resume({ resumes, target }) {
  const now = Date.now();
  if (!new URLSearchParams(window.location.search).has("return_to")) return;
  if (now - Number(sessionStorage.getItem("resumed")) < 60_000) return;
  sessionStorage.setItem("resumed", String(now));
  // Otherwise the cookies of the refresh could overwrite those of a login.
  const sent = new AbortController();
  document.addEventListener("submit", () => sent.abort());
  const response = await fetch(resumes, { method: "POST", signal: sent.signal });
  if (response.ok && !sent.signal.aborted) {
    window.location.replace(target.includes("#") ? target : target + window.location.hash);
  }
}

const resuming = document.querySelector("[data-resumes]");
// Without it, the user signs in by the form.
if (resuming) resume(resuming.dataset).catch(() => {});

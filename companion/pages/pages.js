// What the pages can do better with a script. Each works without.
"use strict";

// Shows what is typed into a password field.
for (const box of document.querySelectorAll("[data-shows]")) {
  box.closest("label").hidden = false;
  const input = document.getElementById(box.dataset.shows);
  box.addEventListener("change", () => { input.type = box.checked ? "text" : "password"; });
  // A password manager stores a field of the type `password` alone.
  input.form.addEventListener("submit", () => { input.type = "password"; });
}

for (const hint of document.querySelectorAll("[data-caps-lock]")) {
  const input = document.getElementById(hint.id.replace(/-caps$/, ""));
  const update = (event) => { hint.hidden = !event.getModifierState?.("CapsLock"); };
  input.addEventListener("keydown", update);
  input.addEventListener("keyup", update);
  input.addEventListener("blur", () => { hint.hidden = true; });
}

// The fragment of the requested page goes along to the other form: browsers keep it across redirects, and never send it.
for (const link of document.querySelectorAll("[data-keeps-fragment]")) {
  link.hash = window.location.hash;
}

// A form is sent once.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    if (button) setTimeout(() => { button.disabled = true; });
  });
}

// The browser may show a page from its back-forward cache as it was: after a sign-out, that of somebody else.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

document.querySelector("[aria-invalid], form [autofocus]")?.focus();

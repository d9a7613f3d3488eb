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

// Passkeys (WebAuthn). Without a script, the password and the code of an app sign in. Browsers take none for an address.
const takesPasskeys = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON)
  && !/^[\d.]+$|^\[/.test(window.location.hostname);

async function postJson(url, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

// Shows the form of a passkey, and lets its button, or the Enter key in a field, do what it is for. A request that another one has
// stopped has not failed; one that needs a recent authentication gets it where the page does.
function offer(form, use) {
  form.hidden = false;
  const failed = form.querySelector("[data-failed]");
  const button = form.querySelector("button");
  button.addEventListener("click", async () => {
    failed.hidden = true;
    try {
      await use();
    } catch (error) {
      failed.hidden = error.name === "AbortError";
      if (error.message === "401") window.location.reload();
    }
  });
  form.addEventListener("submit", (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    button.click();
  });
}

function respond(form, token, credential) {
  form.elements.token.value = token;
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.requestSubmit();
}

// Request that waits in the autofill. The browser has one at a time, so a button stops it.
let waiting;
// Its challenge counts for ten minutes, and pages stay open for longer.
const ASK_AGAIN_MS = 9 * 60_000;

async function usePasskey(form, mediation) {
  waiting?.abort();
  waiting = new AbortController();
  const { signal } = waiting;
  if (mediation) {
    const again = setTimeout(() => usePasskey(form, mediation).catch(() => {}), ASK_AGAIN_MS);
    signal.addEventListener("abort", () => clearTimeout(again));
  }
  const { asks, usesPasskey } = form.dataset;
  const { token, options } = asks ? await postJson(asks) : { token: form.elements.token.value, options: JSON.parse(usesPasskey) };
  if (signal.aborted) return;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  respond(form, token, await navigator.credentials.get({ publicKey, mediation, signal }));
}

async function createPasskey({ token, options }, mediation) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return { token, credential: await navigator.credentials.create({ publicKey, mediation }) };
}

for (const form of takesPasskeys ? document.querySelectorAll("[data-uses-passkey]") : []) {
  offer(form, () => usePasskey(form));
  if (document.querySelector("[autocomplete~=webauthn]")) {
    PublicKeyCredential.isConditionalMediationAvailable?.()
      .then((isAvailable) => isAvailable && usePasskey(form, "conditional"))
      // The button is still there.
      .catch(() => {});
  }
}

for (const form of takesPasskeys ? document.querySelectorAll("[data-creates-passkey]") : []) {
  document.querySelector("[data-no-passkeys]").hidden = true;
  offer(form, async () => {
    const asked = await postJson(form.dataset.createsPasskey, { automatic: false });
    const { token, credential } = await createPasskey(asked);
    respond(form, token, credential);
  });
}

// Tells password managers which passkeys still sign in, and the names of the user (WebAuthn Level 3, §5.1.10). A browser that
// has stored the password may then create a passkey by itself, once in a tab; the password still signs in.
async function signal({ passkeys, rpId, userId, userName, displayName, asks, name }) {
  const allAcceptedCredentialIds = passkeys.split(" ").filter(Boolean);
  if (userId) {
    await PublicKeyCredential.signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds });
    await PublicKeyCredential.signalCurrentUserDetails?.({ rpId, userId, name: userName, displayName });
  }
  const { conditionalCreate } = await PublicKeyCredential.getClientCapabilities?.() ?? {};
  if (!asks || !conditionalCreate || allAcceptedCredentialIds.length > 0 || sessionStorage.getItem("created")) return;
  // It is rejected if the authentication is not recent: another page of this tab may ask later.
  const asked = await postJson(asks, { automatic: true });
  sessionStorage.setItem("created", "1");
  const { token, credential } = await createPasskey(asked, "conditional");
  await postJson(`${asks}/confirm`, { token, credential: credential.toJSON(), name, automatic: true });
}

const signed = document.querySelector("[data-passkeys]");
// Nobody has asked for it, and many browsers do neither.
if (signed && takesPasskeys) signal(signed.dataset).catch(() => {});

const unknown = document.querySelector("[data-unknown-passkey]");
if (unknown && takesPasskeys) {
  const { unknownPasskey: credentialId, rpId } = unknown.dataset;
  PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId }).catch(() => {});
}

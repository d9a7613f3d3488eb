// Every page, with the way to it: it is opened, and forms are sent, in any language.

import { ADMIN, mailTo, PASSWORD, person, registered, signedIn } from "./site.js";

const send = async (page, values, form = "main form") => {
  for (const [name, value] of Object.entries(values)) await page.locator(`${form} [name=${name}]`).fill(value);
  const arrived = page.waitForEvent("domcontentloaded");
  await page.locator(`${form} button`).first().click();
  await arrived;
};

const PHONE = "Mozilla/5.0 (Android 16; Mobile; rv:149.0) Gecko/149.0 Firefox/149.0";
const DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

/** A user who is signed in on a phone as well. */
const userOf = async (page) => {
  const user = await registered(page.context(), PHONE);
  await signedIn(page.context(), user, DESKTOP);
  return user;
};

const adminAt = async (page, path) => {
  await signedIn(page.context(), { email: ADMIN }, DESKTOP);
  await page.goto(path);
};

/** Ways to the pages, by the names of their screenshots. Each begins without cookies, but for those of a `user`. */
export const PAGES = {
  "sign-in": (page) => page.goto("/auth/sign-in?return_to=/orders/7"),
  "sign-in-rejected": async (page) => {
    await page.goto("/auth/sign-in");
    await send(page, { email: "nobody@example.com", password: PASSWORD });
  },
  "sign-in-mistakes": async (page) => {
    await page.goto("/auth/sign-in");
    await send(page, { email: "", password: "" });
  },
  register: (page) => page.goto("/auth/register"),
  "register-mistakes": async (page) => {
    await page.goto("/auth/register");
    await send(page, { ...person(), email: "ada", password: "password" });
  },
  "signed-out": async (page) => {
    await userOf(page);
    await page.goto("/auth/account");
    await send(page, {}, "header form");
  },
  confirm: async (page) => {
    await userOf(page);
    await page.goto("/auth/confirm?return_to=/billing/7");
  },
  "confirm-rejected": async (page) => {
    await userOf(page);
    await page.goto("/auth/confirm?return_to=/billing/7&acr_values=mfa");
    await send(page, { password: "not this one" });
  },
  "add-passkey": async (page) => {
    await userOf(page);
    await page.goto("/auth/account/factors/passkeys");
  },
  account: async (page) => {
    await userOf(page);
    await page.goto("/auth/account");
  },
  "account-mistakes": async (page) => {
    await userOf(page);
    await page.goto("/auth/account");
    await send(page, { currentPassword: "not this one", password: "short" }, "form[action$=password]");
  },
  "account-changed": async (page) => {
    await userOf(page);
    await page.goto("/auth/account");
    await send(page, { firstName: "Augusta" }, "form[action$=name]");
  },
  "forgot-password": (page) => page.goto("/auth/forgot-password"),
  "reset-by-code": async (page) => {
    await page.goto("/auth/forgot-password");
    await send(page, { email: "nobody@example.com" });
  },
  "reset-by-link": async (page) => {
    const { email } = await userOf(page);
    await page.context().request.post("/api/auth/password-reset", { data: { email } });
    await page.goto((await mailTo(email, "password")).link);
  },
  "confirm-address": async (page) => {
    const { email } = await userOf(page);
    await page.goto((await mailTo(email, "confirm")).link);
  },
  "confirmed-address": async (page) => {
    const { email } = await userOf(page);
    await page.goto((await mailTo(email, "confirm")).link);
    await send(page, {});
  },
  "link-invalid": async (page) => {
    await page.goto(`/auth/mail/disown_sign_in?token=${"A".repeat(43)}`);
    await send(page, {});
  },
  users: (page) => adminAt(page, "/auth/admin/users"),
  "users-none": (page) => adminAt(page, "/auth/admin/users?search=nobody%40example.org"),
  user: async (page) => {
    const { id } = await userOf(page);
    await adminAt(page, `/auth/admin/users/${id}`);
  },
  "user-mistakes": async (page) => {
    const { id } = await userOf(page);
    await adminAt(page, `/auth/admin/users/${id}`);
    await send(page, { role: "Not A Role" });
  },
  audit: (page) => adminAt(page, "/auth/admin/audit"),
  "error-not-found": (page) => adminAt(page, "/auth/admin/users/999999999"),
  "error-not-a-page": (page) => page.goto("/auth/nothing"),
  demo: async (page) => {
    await userOf(page);
    await page.goto("/");
  },
};

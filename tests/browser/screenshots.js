// Takes the pictures of the documents. `cargo xtask screenshots` runs it, with the folder of the pictures as its argument.

import { chromium } from "playwright-core";

const { CHROMIUM, GATEWAY, INBOX } = process.env;
const FOLDER = process.argv[2];
const ADA = { "First name": "Ada", "Last name": "Lovelace", "E-mail": "ada@example.com", Password: "a lantern for every window" };

// Containers run it as root, where Chromium has no sandbox; all pages are our own.
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
const context = await browser.newContext({ baseURL: GATEWAY, locale: "en-GB", viewport: { width: 1280, height: 800 } });
const page = await context.newPage();
const take = (name, options) => page.screenshot({ path: `${FOLDER}/${name}.png`, ...options });

await page.goto("/auth/register?return_to=/");
for (const [label, value] of Object.entries(ADA)) await page.getByLabel(label, { exact: true }).fill(value);
await page.getByRole("button", { name: "Register", exact: true }).click();
await page.getByText("Stream open").waitFor();
for (const name of ["/public/hello", "/orders", "/admin/reports", "/orders, token lost"]) {
  const row = page.locator(".rows form", { has: page.getByRole("button", { name, exact: true }) });
  await row.getByRole("button").click();
  await row.locator("output:not(:empty)").waitFor();
}
await page.getByText("Refreshed, passed").waitFor();
await take("demo");

const cdp = await context.newCDPSession(page);
await cdp.send("WebAuthn.enable");
const options = {
  protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
  automaticPresenceSimulation: true,
};
const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
await page.goto("/auth/account");
await page.getByRole("button", { name: "Add a passkey" }).click();
await page.getByRole("button", { name: "Add", exact: true }).click();
await page.getByRole("heading", { name: "Recovery codes" }).waitFor();
// It would sign in from the autofill before the picture of the form.
await cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
await page.goto("/auth/account");
await take("account", { fullPage: true });

await page.goto(INBOX);
while ((await page.getByText(ADA["E-mail"]).count()) === 0) await page.reload();
await take("inbox");

await context.clearCookies();
await page.goto("/orders");
await page.getByLabel("E-mail", { exact: true }).fill(ADA["E-mail"]);
await take("sign-in");
await browser.close();

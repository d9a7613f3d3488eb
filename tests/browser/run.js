// Runs the tests, or those whose files are arguments, with one Chromium for all. The environment describes the site:
// tests/system/tests/browser.rs sets it.

import { readdirSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { chromium } from "playwright-core";

/** Files that run at once. Chosen: while one waits for a page, two cores have something to do. */
const CONCURRENCY = 3;
/** Time after which a file has hung, in milliseconds. Chosen: several times what a slow machine needs. */
const LIMIT = 300_000;
/** File that takes the longest: it starts first. */
const LONGEST = "pages.test.js";

const others = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".test.js") && file !== LONGEST);
const files = process.argv.length > 2 ? process.argv.slice(2) : [LONGEST, ...others];
const browser = await chromium.launchServer({
  executablePath: process.env.CHROMIUM,
  // Containers run it as root, where Chromium has no sandbox; all pages are our own.
  args: ["--no-sandbox"],
  // The back button does what it does for everyone.
  ignoreDefaultArgs: ["--disable-back-forward-cache"],
});
process.env.BROWSER = browser.wsEndpoint();
const tests = run({ files: files.map((file) => `${import.meta.dirname}/${file}`), concurrency: CONCURRENCY, timeout: LIMIT });
tests.on("test:fail", () => (process.exitCode = 1));
tests.compose(spec).pipe(process.stdout);
tests.on("end", () => browser.close());

// The client against a running service, whose URL is in EDGEWARD_URL.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { ApiError, createClient, data } from "../dist/index.js";

const baseUrl = process.env.EDGEWARD_URL;
assert.ok(baseUrl, "EDGEWARD_URL names no service");

/** A browser's share: it keeps cookies, by host and not by port, and counts requests by path. */
function browser() {
  const cookies = new Map();
  const counts = new Map();
  return {
    cookies,
    count: (path) => counts.get(path) ?? 0,
    async fetch(request) {
      const path = new URL(request.url).pathname;
      counts.set(path, (counts.get(path) ?? 0) + 1);
      const headers = new Headers(request.headers);
      headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
      const response = await fetch(new Request(request, { headers }));
      for (const line of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (value === "") cookies.delete(name);
        else cookies.set(name, value);
      }
      return response;
    },
  };
}

/** A service of another origin. */
async function otherService(isAccepted) {
  const server = createServer((request, response) => {
    const token = /refresh_token=([^;]*)/.exec(request.headers.cookie ?? "")?.[1];
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => response.writeHead(isAccepted(token) ? 200 : 401).end(body));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/orders`;
}

const password = "correct horse battery staple";
const person = () => ({ firstName: "Ada", lastName: "Lovelace", email: `ada-${crypto.randomUUID()}@example.com`, password });

test("a session from its registration to its end", async () => {
  const { fetch } = browser();
  const client = createClient({ baseUrl, fetch });
  const body = person();
  const { userId } = await data(client.POST("/api/auth/register", { body }));
  const { user } = await data(client.GET("/api/auth/self"));
  assert.equal(user.id, userId);
  assert.equal(user.email, body.email);

  const other = createClient({ baseUrl, fetch: browser().fetch });
  await data(other.POST("/api/auth/login", { body: { email: body.email, password } }));
  const { sessions } = await data(client.GET("/api/auth/sessions"));
  assert.equal(sessions.length, 2);
  const id = sessions.find((session) => !session.current).id;
  await data(client.DELETE("/api/auth/sessions/{id}", { params: { path: { id } } }));
  await assert.rejects(data(other.GET("/api/auth/self")), { status: 401, code: "not_signed_in" });

  await data(client.POST("/api/auth/logout"));
  await assert.rejects(data(client.GET("/api/auth/self")), { name: "ApiError", status: 401 });
});

test("concurrent rejections cause one refresh, and every request is sent once more", async () => {
  const { fetch, cookies, count } = browser();
  const client = createClient({ baseUrl, fetch });
  await data(client.POST("/api/auth/register", { body: person() }));
  // By the refresh token, which every refresh changes; two access tokens of the same second may be equal.
  const outdated = cookies.get("refresh_token");
  const url = await otherService((token) => token !== outdated);
  const sent = Array.from({ length: 8 }, (_, at) => client.fetch(url, { method: "POST", body: `order ${at}` }));
  const responses = await Promise.all(sent);
  assert.deepEqual(responses.map(({ status }) => status), Array(8).fill(200));
  assert.deepEqual(await Promise.all(responses.map((response) => response.text())), sent.map((_, at) => `order ${at}`));
  assert.equal(count("/api/auth/refresh"), 1);
  assert.equal(count("/orders"), 16);
});

test("a session that is over is refreshed once and reported", async () => {
  const { fetch, count } = browser();
  const client = createClient({ baseUrl, fetch });
  await assert.rejects(data(client.GET("/api/auth/sessions")), { status: 401, code: "not_signed_in" });
  assert.equal(count("/api/auth/refresh"), 1);
  assert.equal(count("/api/auth/sessions"), 1);
});

test("an error has the codes of all fields, and a wrong login causes no refresh", async () => {
  const { fetch, count } = browser();
  const client = createClient({ baseUrl, fetch });
  const wrong = { ...person(), email: "ada", password: "short" };
  const error = await data(client.POST("/api/auth/register", { body: wrong })).catch((error) => error);
  assert.ok(error instanceof ApiError);
  assert.deepEqual(error.errors.map(({ path, code }) => [path, code]), [["email", "email_malformed"], ["password", "password_too_short"]]);
  assert.match(error.requestId, /./);
  await assert.rejects(data(client.POST("/api/auth/login", { body: { email: "nobody@example.com", password } })), { code: "credentials_wrong" });
  assert.equal(count("/api/auth/refresh"), 0);
});

test("retry-after is a number of seconds, and a body that is no JSON is unavailable", () => {
  const response = (value) => new Response("no healthy upstream", { status: 503, headers: { "retry-after": value } });
  const soon = new Date(Date.now() + 4000).toUTCString();
  assert.equal(new ApiError(response("7"), "no healthy upstream").retryAfter, 7);
  assert.ok([3, 4].includes(new ApiError(response(soon), undefined).retryAfter));
  assert.equal(new ApiError(response("soon"), undefined).retryAfter, undefined);
  assert.equal(new ApiError(response("1"), "no healthy upstream").code, "unavailable");
});

// The client: openapi-fetch with cookies, one shared refresh and exceptions.

import createFetchClient, { type Client as FetchClient } from "openapi-fetch";
import { ApiError } from "./error.js";
import { sharedRefresh } from "./refresh.js";
import type { paths } from "./schema.js";

/** Error of a challenge that a fresh proof of the user meets, and a refresh does not (RFC 9470 §3). */
const NEEDS_PROOF = 'error="insufficient_user_authentication"';
/** Paths that report a 401 as it is: a refresh does not help there. */
const NOT_RETRIED: string[] = [
  "/api/auth/login", "/api/auth/login/factor", "/api/auth/login/factor/passkey/options", "/api/auth/login/passkey",
  "/api/auth/register", "/api/auth/refresh", "/api/auth/logout", "/api/auth/confirm/passkey",
  "/api/auth/confirm",
] satisfies (keyof paths)[];

export interface ClientOptions {
  /** Origin of the gateway, such as `https://api.example.com`; empty for the page's own. */
  baseUrl?: string;
  /** Replaces the global `fetch`: in Node, one that keeps cookies. */
  fetch?: (request: Request) => Promise<Response>;
}

export interface Client extends FetchClient<paths> {
  /**
   * Fetches any URL behind the gateway with the cookies. After a 401 it refreshes the session, and tries once more, unless
   * the user has to confirm who they are (`insufficient_user_authentication`): then `POST /api/auth/confirm` helps.
   */
  fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
}

/** Makes a client. Every page needs one. */
export function createClient(options: ClientOptions = {}): Client {
  const { baseUrl = "", fetch: send = (request: Request) => fetch(request) } = options;
  const origin = new URL(baseUrl || "/", globalThis.location?.href ?? "http://localhost").origin;
  const refresh = sharedRefresh(async () => {
    const request = new Request(`${origin}/api/auth/refresh`, { method: "POST", credentials: "include" });
    const response = await send(request);
    await response.body?.cancel();
    if (response.status >= 500 || response.status === 429) throw new ApiError(response, undefined);
    return response.ok;
  });

  async function sendWithRefresh(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    // A body can be read once, so the second request needs a copy.
    const again = NOT_RETRIED.includes(pathname) ? undefined : request.clone();
    const sentAt = Date.now();
    const response = await send(request);
    const needsProof = response.headers.get("www-authenticate")?.includes(NEEDS_PROOF) ?? false;
    if (response.status !== 401 || again === undefined || needsProof || !(await refresh(sentAt))) return response;
    await response.body?.cancel();
    return send(again);
  }

  const client = createFetchClient<paths>({ baseUrl: origin, credentials: "include", fetch: sendWithRefresh });
  const fetchAny: Client["fetch"] = (input, init) => {
    const target = input instanceof Request ? input : new URL(input, origin);
    return sendWithRefresh(new Request(target, { credentials: "include", ...init }));
  };
  return Object.assign(client, { fetch: fetchAny });
}

/** Returns the data of a call, or throws an {@link ApiError}: `await data(client.GET("/api/auth/self"))`. */
export async function data<T, E>(call: Promise<{ data?: T; error?: E; response: Response }>): Promise<T> {
  const result = await call;
  if (!result.response.ok) throw new ApiError(result.response, result.error);
  return result.data as T;
}

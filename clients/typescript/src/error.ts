// Errors of the API as exceptions.

import type { components } from "./schema.js";

type ErrorBody = components["schemas"]["Error"];

/** Code of an error: those of the API, those of the gateway, and later ones. */
export type ErrorCode = components["schemas"]["ErrorCode"] | "bad_request" | "unavailable" | (string & {});

/** One mistake. */
export type ErrorEntry = Omit<ErrorBody["errors"][number], "code"> & { code: ErrorCode };

/** Error response. Decide by `code`; show `message`, or the `errors` beside their fields. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Status of the response. */
  readonly status: number;
  /** Code of the first mistake. */
  readonly code: ErrorCode;
  /** Every mistake; of fields, `path` is the field's name. */
  readonly errors: readonly ErrorEntry[];
  /** Seconds after which the same request may be sent again, from `Retry-After`. */
  readonly retryAfter: number | undefined;
  /** ID of the request, which is in the logs of the service. */
  readonly requestId: string | undefined;

  constructor(response: Response, body: unknown) {
    const errors = entries(body);
    super(errors[0].msg);
    this.status = response.status;
    this.errors = errors;
    this.code = errors[0].code;
    this.retryAfter = seconds(response.headers.get("retry-after"));
    this.requestId = response.headers.get("x-request-id") ?? undefined;
  }
}

/** Reads the entries of a body. While nothing behind the gateway is up, the body is plain text. */
function entries(body: unknown): [ErrorEntry, ...ErrorEntry[]] {
  if (typeof body === "object" && body !== null && "errors" in body && Array.isArray(body.errors)) {
    const [first, ...rest] = body.errors as ErrorEntry[];
    if (first) return [first, ...rest];
  }
  return [{ type: "request", msg: "Not available right now", path: "", location: "", code: "unavailable" }];
}

/** Reads `Retry-After`: a number of seconds, or a date (RFC 9110 §10.2.3). */
function seconds(value: string | null): number | undefined {
  if (value === null) return undefined;
  const given = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return Number.isNaN(given) ? undefined : Math.max(0, given);
}

export { createClient, data, type Client, type ClientOptions } from "./client.js";
export { ApiError, type ErrorCode, type ErrorEntry } from "./error.js";
export type { components, operations, paths } from "./schema.js";

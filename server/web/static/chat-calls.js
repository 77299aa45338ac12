// Whatever the assistant called can be called again from outside: as a request with curl, or over MCP.
import { ask } from "./chat-api.js";

let described;

async function operation(name) {
  described ??= ask("GET", "/openapi.json").catch((error) => {
    described = undefined;
    throw error;
  });
  for (const [path, methods] of Object.entries((await described).paths)) {
    for (const [method, found] of Object.entries(methods)) {
      if (found.operationId === name) return { path, method: method.toUpperCase(), placed: found.parameters ?? [] };
    }
  }
  throw new Error(`The API has no operation ${name}.`);
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const plain = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

/** Each argument where the API wants it: in the path, in the query, or in the body. */
export async function asCurl(name, given) {
  const { path, method, placed } = await operation(name);
  const rest = { ...given };
  const take = (key) => {
    const value = plain(rest[key] ?? "");
    delete rest[key];
    return value;
  };
  const filled = path.replace(/\{(\w+)\}/g, (_, key) => encodeURIComponent(take(key)));
  const query = new URLSearchParams();
  for (const { name: key, in: where } of placed) if (where === "query" && key in rest) query.append(key, take(key));
  const reads = method === "GET";
  if (reads) for (const key of Object.keys(rest)) query.append(key, take(key));
  const url = location.origin + filled + (query.size ? `?${query}` : "");
  const body = reads || !Object.keys(rest).length ? [] : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(rest))}`];
  return [`curl${reads ? "" : ` -X ${method}`} ${quoted(url)}`, '-H "Authorization: Bearer $ADWRIGHT_API_KEY"', ...body].join(" \\\n  ");
}

export const asMcp = (name, given) => JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: given } }, null, 2);

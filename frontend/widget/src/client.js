/** The two calls of the feedback API. */

const PATIENCE = 15_000;
const known = new Map();

/** Return the verdict that a user gave before ("positive", "negative" or null); asked once a page. Throws Refused. */
export function readVerdict(api, token, userId) {
  const query = new URLSearchParams({ feedback_token: token, ...(userId && { user_id: userId }) });
  const url = `${api}/v1/feedback?${query}`;
  if (!known.has(url)) {
    const asked = call(url).then((answer) => answer.outcome ?? null);
    known.set(url, asked);
    asked.catch(() => known.delete(url));
  }
  return known.get(url);
}

/** Store a verdict. Throws Refused where the server will never take it, Delayed where it may later on. */
export async function sendVerdict(api, body) {
  await call(`${api}/v1/feedback`, { method: "POST", body: JSON.stringify(body) });
  const query = new URLSearchParams({
    feedback_token: body.feedback_token,
    ...(body.user_id && { user_id: body.user_id }),
  });
  known.set(`${api}/v1/feedback?${query}`, Promise.resolve(body.outcome));
}

/** The server understood, and says no; `code` tells why. */
export class Refused extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** Nothing was stored this time; `seconds` is when the server wants to be asked again, if it said so. */
export class Delayed extends Error {
  constructor(seconds = null) {
    super("delayed");
    this.seconds = seconds;
  }
}

async function call(url, options = {}) {
  const answer = await reach(url, options);
  if (answer.ok) return answer.json();
  if (answer.status === 429 || answer.status >= 500) {
    throw new Delayed(Number.parseInt(answer.headers.get("Retry-After"), 10) || null);
  }
  const told = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, told.error?.code ?? "");
}

async function reach(url, options) {
  const headers = options.body ? { "Content-Type": "application/json" } : {};
  const signal = AbortSignal.timeout?.(PATIENCE);
  try {
    return await fetch(url, { ...options, headers, signal, credentials: "omit", referrerPolicy: "no-referrer", keepalive: true });
  } catch {
    throw new Delayed();
  }
}

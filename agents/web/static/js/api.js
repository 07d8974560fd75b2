// Asking the server: JSON with a token, and the stream of changes with resume.
const KEY = "tierstream-token";
let waiting = null;

// A token that the address brings (…/#token=…) moves into the tab's storage at once.
const brought = /^#token=([\x21-\x7e]+)$/.exec(location.hash);
if (brought) {
  sessionStorage.setItem(KEY, brought[1]);
  history.replaceState(null, "", `${location.pathname}#/`);
}

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

function headers(more = {}) {
  const token = sessionStorage.getItem(KEY);
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

export function keepToken(token) {
  sessionStorage.setItem(KEY, token);
}

export function onUnauthorized(ask) {
  waiting = ask;
}

async function fetched(path, options = {}) {
  const answer = await fetch(`/v1${path}`, { ...options, headers: headers(options.headers) });
  if (answer.status === 401 && waiting) {
    await waiting();
    return fetched(path, options);
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, problem.detail || answer.statusText);
  }
  return answer;
}

export async function get(path) {
  return (await fetched(path)).json();
}

export async function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  return (await fetched(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

// Follows the changes behind a cursor, forever. EventSource cannot send a token, so the stream is read by hand.
export async function follow(cursor, { change, state, missed }) {
  let last = cursor;
  for (;;) {
    try {
      const answer = await fetched("/changes/stream", { headers: last ? { "Last-Event-ID": last } : {} });
      state("live");
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ; ) {
        const { value, done } = await reader.read();
        if (done) break;
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2)));
          if (fields.id) last = fields.id;
          if (fields.data) change(JSON.parse(fields.data));
        }
      }
    } catch (problem) {
      if (problem.status === 410) {
        last = null;
        missed();
        continue;
      }
    }
    state("lost");
    await new Promise((done) => setTimeout(done, 2000));
  }
}

// Asking services: never with cookies, never longer than a person waits, never more than a limit.
import { WalletFailure } from './failure.js';

/** Whom something is asked; part of the code of a failure. */
export type Service = 'node' | 'authority' | 'issuer' | 'site';

/** Longest answer that is read, in characters. */
const MAX_ANSWER = 1 << 20;
/** Longest wait for an answer, in milliseconds. */
const PATIENCE = 30_000;

/** A GET whose answer is JSON. */
export async function getJson(service: Service, url: string | URL): Promise<unknown> {
  return json(service, await ask(service, url, { headers: { accept: 'application/json' } }));
}

/** A POST of JSON whose answer is JSON. */
export async function postJson(service: Service, url: string | URL, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
  return json(service, await ask(service, url, init));
}

/** A POST of a signed message whose answer is JSON. */
export async function postJwt(service: Service, url: string | URL, body: string): Promise<unknown> {
  return json(service, await ask(service, url, { method: 'POST', body, headers: { 'content-type': 'application/jwt' } }));
}

/** A POST of a form. */
export function postForm(service: Service, url: string | URL, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
  return attempt(service, url, { method: 'POST', body: new URLSearchParams(form), headers });
}

/** A GET of a text. */
export async function getText(service: Service, url: string | URL, accept: string): Promise<string> {
  return (await ask(service, url, { headers: { accept } })).text;
}

/** An answer, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** An answer; one that is no success fails with the code that the service gave. */
async function ask(service: Service, url: string | URL, init: RequestInit): Promise<Answer> {
  const answer = await attempt(service, url, init);
  if (answer.status >= 400) {
    throw refusalOf(service, answer);
  }
  return answer;
}

/** What a service's refusal says: a problem document's `code`, or OAuth's `error`. */
export function refusalOf(service: Service, { text, status }: Answer): WalletFailure {
  const said = tryParse(text) as { code?: unknown; error?: unknown } | undefined;
  const code = said?.code ?? said?.error;
  return new WalletFailure(`${service}_refused`, typeof code === 'string' ? code.slice(0, 64) : String(status));
}

/** One request. */
export async function attempt(service: Service, url: string | URL, init: RequestInit): Promise<Answer> {
  let response;
  try {
    const common = { credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store', redirect: 'error' } as const;
    response = await fetch(url, { ...common, ...init, signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new WalletFailure(navigator.onLine ? `${service}_unreachable` : 'offline');
  }
  const text = await response.text().catch(() => {
    throw new WalletFailure(`${service}_unreachable`);
  });
  if (text.length > MAX_ANSWER) {
    throw new WalletFailure(`${service}_refused`, 'answer_too_long');
  }
  return { status: response.status, text, headers: response.headers };
}

function json(service: Service, answer: Answer): unknown {
  const value = tryParse(answer.text);
  if (value === undefined || value === null) {
    throw new WalletFailure(`${service}_refused`, 'malformed_answer');
  }
  return value;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

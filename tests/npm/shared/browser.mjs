// As much of a browser as these flows need: cookies, redirects and forms without script.
import assert from 'node:assert/strict';

export class Browser {
  #cookies = new Map();

  /** Follows redirects from `url` to the page at their end, or to the first URL under `until`. */
  async visit(url, until, options = {}) {
    for (let hops = 0; hops < 10; hops++) {
      if (until && String(url).startsWith(until)) return { url: new URL(url) };
      const headers = { cookie: this.#sent(), ...options.headers };
      const response = await fetch(url, { ...options, redirect: 'manual', headers });
      this.#remember(response);
      const location = response.headers.get('location');
      if (!location) return { url: new URL(url), status: response.status, text: await response.text() };
      url = new URL(location, url);
      options = {};
    }
    assert.fail(`too many redirects, last to ${url}`);
  }

  /** Fills the one form of a page and sends it; hidden fields come along. */
  submit(page, fields, until) {
    const [, attributes, inside] = page.text.match(/<form\b([^>]*)>([\s\S]*?)<\/form>/) ?? assert.fail(`no form: ${page.text}`);
    const action = unescaped(attributes.match(/action="([^"]*)"/)?.[1] ?? page.url.href);
    const body = new URLSearchParams();
    for (const [input] of inside.matchAll(/<input\b[^>]*>/g)) {
      const of = (name) => unescaped(input.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1] ?? '');
      if (of('type') === 'hidden') body.set(of('name'), of('value'));
    }
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    const target = new URL(action, page.url);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: page.url.origin };
    return this.visit(target, until, { method: 'POST', body: body.toString(), headers });
  }

  #sent() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #remember(response) {
    for (const line of response.headers.getSetCookie()) {
      const [name, ...value] = line.split(';')[0].split('=');
      this.#cookies.set(name.trim(), value.join('='));
    }
  }
}

const unescaped = (text) => text.replaceAll('&#38;', '&').replaceAll('&#34;', '"').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

/** The link to the wallet on a sign-in page, as a browser would read it. */
export function walletLink(html) {
  const found = html.match(/openid4vp:\/\/[^"'<\s]*/);
  assert(found, 'the sign-in page has no link to a wallet');
  return unescaped(found[0]);
}

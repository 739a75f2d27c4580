// As much of a browser as a login needs: cookies and redirects.
import assert from 'node:assert/strict';

export class Browser {
  #cookies = new Map();

  /** Follows redirects from `url` to the page at their end, or to the first URL under `until`. */
  async visit(url, until) {
    for (let hops = 0; hops < 10; hops++) {
      if (until && String(url).startsWith(until)) return { url: new URL(url) };
      const response = await fetch(url, { redirect: 'manual', headers: { cookie: this.#sent() } });
      this.#remember(response);
      const location = response.headers.get('location');
      if (!location) return { url: new URL(url), status: response.status, text: await response.text() };
      url = new URL(location, url);
    }
    assert.fail(`too many redirects, last to ${url}`);
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

/** The link to the wallet on a sign-in page, as a browser would read it. */
export function walletLink(html) {
  const found = html.match(/openid4vp:\/\/[^"'<\s]*/);
  assert(found, 'the sign-in page has no link to a wallet');
  return found[0].replaceAll('&amp;', '&').replaceAll('&#38;', '&');
}

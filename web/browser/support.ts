// What every test of pages shares: a browser of each kind a visitor may have, and one check of a page that is the
// same for the wallet, the sign-in pages and the explorer.
import { AxeBuilder } from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { keyboardWalk } from './keyboard.js';

export type Language = 'en' | 'zh-CN';
export type Size = 'desktop' | 'phone';

/** One kind of visitor. */
export interface Visitor {
  language: Language;
  size: Size;
}

export const LANGUAGES: readonly Language[] = ['en', 'zh-CN'];
export const VISITORS: readonly Visitor[] = LANGUAGES.flatMap((language) =>
  (['desktop', 'phone'] as const).map((size) => ({ language, size })),
);

/** CSS pixels. The narrowest width is what WCAG 2.2 SC 1.4.10 (reflow) names. */
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const NARROWEST = 320;
/** Milliseconds that any single step may take; the services share the machine with the browser. */
const PATIENCE = 30_000;
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let running: Promise<Browser> | undefined;

/** Debian's Chromium, once per test file. */
export function browser(): Promise<Browser> {
  running ??= chromium.launch({
    executablePath: process.env['REALDID_CHROMIUM'] ?? '/usr/bin/chromium',
    // in a container there is no user namespace for the sandbox, and /dev/shm is small
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  return running;
}

after(async () => {
  await (await running)?.close();
});

/** A fresh profile of this visitor with one page; the test must end with `context.close()`. */
export async function visit(visitor: Visitor, more: BrowserContextOptions = {}): Promise<Page> {
  const context = await (await browser()).newContext({
    locale: visitor.language,
    viewport: SIZES[visitor.size],
    hasTouch: visitor.size === 'phone',
    reducedMotion: 'reduce',
    ...more,
  });
  context.setDefaultTimeout(PATIENCE);
  return context.newPage();
}

/** A test for every language and size; it also fails on an error in a page's script. */
export function testForAll(name: string, body: (page: Page, visitor: Visitor) => Promise<void>, visitors = VISITORS): void {
  for (const visitor of visitors) {
    test(`${name} (${visitor.language}, ${visitor.size})`, async () => {
      const page = await visit(visitor);
      const wrong = scriptErrors(page.context());
      try {
        await body(page, visitor);
        assert.deepEqual(wrong, [], 'errors in scripts');
      } catch (error) {
        await keepPicture(page, `${name} ${visitor.language} ${visitor.size}`);
        throw error;
      } finally {
        await page.context().close();
      }
    });
  }
}

/** Where `REALDID_PICTURES` names a folder, failures leave a picture there. */
async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env['REALDID_PICTURES'];
  if (folder) await page.screenshot({ path: `${folder}/${name.replaceAll(/\W+/g, '-')}.png`, fullPage: true });
}

function scriptErrors(context: BrowserContext): string[] {
  const wrong: string[] = [];
  context.on('weberror', (error) => wrong.push(String(error.error())));
  context.on('console', (message) => {
    // a refusal that a test provokes answers 4xx, and Chromium logs that as an error, too
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(message.text());
  });
  return wrong;
}

/** A virtual authenticator with user verification and PRF; its one passkey lives as long as the page. */
export async function passkeys(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      hasPrf: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** What is wrong with the page as it stands, one line each; nothing is the only good answer. */
export async function faults(page: Page): Promise<string[]> {
  const found = await axe(page);
  found.push(...(await keyboardWalk(page)));
  found.push(...(await narrow(page)));
  found.push(...(await strange(page)));
  const size = page.viewportSize();
  await page.emulateMedia({ colorScheme: 'dark' });
  found.push(...(await axe(page)).map((fault) => `dark: ${fault}`));
  await page.emulateMedia({ colorScheme: 'light' });
  if (size) await page.setViewportSize(size);
  return found;
}

/** Fails with all faults of the page. Call it at every page a test comes to. */
export async function checkPage(page: Page, where: string): Promise<void> {
  assert.deepEqual(await faults(page), [], `faults of ${where}`);
}

async function axe(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(AXE_TAGS).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `axe ${id}: ${node.html.slice(0, 160)}`));
}

/** At 320 pixels, and with text of 200 % on a phone, nothing makes the page scroll sideways. */
async function narrow(page: Page): Promise<string[]> {
  const size = page.viewportSize() ?? SIZES.desktop;
  const tooWide = () =>
    page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth > clientWidth + 1 ? `${scrollWidth} of ${clientWidth} pixels` : '';
    });
  await page.setViewportSize({ width: NARROWEST, height: size.height });
  const reflow = await tooWide();
  await page.setViewportSize({ width: 640, height: size.height });
  const root = await page.evaluateHandle(() => document.documentElement);
  await root.evaluate((element) => element.style.setProperty('font-size', '200%'));
  const enlarged = await tooWide();
  await root.evaluate((element) => element.style.removeProperty('font-size'));
  await page.setViewportSize(size);
  return [reflow && `320 px: ${reflow}`, enlarged && `200 % text: ${enlarged}`].filter((fault) => fault !== '');
}

/** No inline script and nothing from another place. */
async function strange(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const sources = [...document.querySelectorAll<HTMLElement>('script, img, link[rel=stylesheet], iframe')];
    return sources.flatMap((element) => {
      const source = element.getAttribute('src') ?? element.getAttribute('href');
      const name = element.tagName.toLowerCase();
      if (source === null) return name === 'script' && element.textContent?.trim() ? ['inline script'] : [];
      const url = new URL(source, location.href);
      const own = url.origin === location.origin || url.protocol === 'data:' || url.protocol === 'blob:';
      return own ? [] : [`${name} from ${url.origin}`];
    });
  });
}

// A walk by the Tab key: whatever can be used must be reached, be named, and show that it has the focus.
import type { Page } from 'playwright-core';

/** More stops than any page of ours has. */
const MOST_STOPS = 300;

const USABLE = [
  'a[href]', 'button', 'input:not([type=hidden])', 'select', 'textarea', 'summary',
  '[role=button]', '[role=link]', '[role=checkbox]', '[role=switch]', '[role=tab]', '[role=radio]', '[onclick]',
].join(',');

/** Faults found on the way from the first stop to the last, one line each. */
export async function keyboardWalk(page: Page): Promise<string[]> {
  const wanted = await mark(page);
  const found: string[] = [];
  const reached = new Set<string>();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  // from the top, whatever had the focus before
  await page.evaluate(() => {
    const start = document.createElement('span');
    start.tabIndex = -1;
    start.dataset['walkStart'] = '';
    document.body.prepend(start);
    start.focus();
  });
  let trapped = true;
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    await page.keyboard.press('Tab');
    const at = await focused(page);
    if (at === undefined || reached.has(at.id)) {
      trapped = at !== undefined && reached.size < wanted.size && at.id === [...reached].at(-1);
      break;
    }
    reached.add(at.id);
    if (!at.outlined) found.push(`keyboard: no visible focus on ${at.html}`);
    if (!at.named) found.push(`keyboard: no name for ${at.html}`);
  }
  if (trapped) found.push('keyboard: the focus does not go on');
  for (const [id, html] of wanted) if (!reached.has(id)) found.push(`keyboard: never reached ${html}`);
  await page.evaluate(() => document.querySelector('[data-walk-start]')?.remove());
  return found;
}

/** Numbers the elements that can be used and are there to be seen. */
async function mark(page: Page): Promise<Map<string, string>> {
  const usable = await page.evaluate((selector) => {
    const shown = (element: HTMLElement) =>
      element.checkVisibility({ visibilityProperty: true, opacityProperty: false }) &&
      !element.matches(':disabled, [aria-disabled=true] *, [inert] *, [aria-hidden=true] *');
    // of a group only one is a stop: arrows go to the others
    const grouped = (element: HTMLElement) =>
      (element.matches('input[type=radio]') && !(element as HTMLInputElement).checked && hasSelected(element)) ||
      (element.matches('[role=tab][tabindex="-1"], [role=radio][tabindex="-1"], [role=option]'));
    const hasSelected = (element: HTMLElement) => {
      const { name } = element as HTMLInputElement;
      const all = [...document.querySelectorAll<HTMLInputElement>('input[type=radio]')].filter((one) => one.name === name);
      return all.some((one) => one.checked) || all[0] !== element;
    };
    let number = 0;
    return [...document.querySelectorAll<HTMLElement>(selector)].flatMap((element) => {
      element.dataset['walk'] = String(number++);
      return shown(element) && !grouped(element) ? [[element.dataset['walk'], element.outerHTML.slice(0, 120)] as const] : [];
    });
  }, USABLE);
  return new Map(usable);
}

interface Stop {
  id: string;
  html: string;
  outlined: boolean;
  named: boolean;
}

async function focused(page: Page): Promise<Stop | undefined> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null;
    if (!element || element === document.body || element.dataset['walkStart'] !== undefined) return undefined;
    element.dataset['walk'] ??= `other ${document.querySelectorAll('[data-walk]').length}`;
    // a control may be drawn by its label or a wrapper, as check boxes are
    const drawn = [element, element.closest('label'), element.parentElement, element.nextElementSibling];
    const look = (style: CSSStyleDeclaration) =>
      (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
    const labels = (element as HTMLInputElement).labels;
    const by = element.getAttribute('aria-labelledby')?.split(/\s+/) ?? [];
    const named = [
      element.getAttribute('aria-label'), ...by.map((id) => document.getElementById(id)?.textContent),
      ...[...(labels ?? [])].map((label) => label.textContent), element.getAttribute('title'),
      element.matches('input, select, textarea') ? (element as HTMLInputElement).type === 'submit' ? (element as HTMLInputElement).value : '' : element.textContent,
      element.querySelector('img[alt]')?.getAttribute('alt'),
    ];
    return {
      id: element.dataset['walk'],
      html: element.outerHTML.slice(0, 120),
      outlined: drawn.some((one) => one instanceof HTMLElement && look(getComputedStyle(one))),
      named: named.some((name) => name?.trim()),
    };
  });
}

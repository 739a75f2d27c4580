// Words: one set of Fluent files for both languages; the browser's language decides until the holder does.
import { FluentBundle, FluentResource } from '@fluent/bundle';
import type { FluentVariable } from '@fluent/bundle';
import { LocalizationProvider, ReactLocalization, useLocalization } from '@fluent/react';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { I18nProvider } from 'react-aria-components/I18nProvider';

import en from '../../locales/en/wallet.ftl?raw';
import zh from '../../locales/zh-CN/wallet.ftl?raw';

export type Language = 'en' | 'zh-CN';
const FILES: Record<Language, string> = { en, 'zh-CN': zh };
const REMEMBERED = 'language';

/** The language of the page: as chosen, else the browser's first that there is. */
export function language(): Language {
  const chosen = localStorage.getItem(REMEMBERED);
  if (chosen === 'en' || chosen === 'zh-CN') {
    return chosen;
  }
  const first = navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag));
  return first !== undefined && /^zh\b/i.test(first) ? 'zh-CN' : 'en';
}

const CHANGED = 'realdid-language';

/** Chooses a language. */
export function chooseLanguage(next: Language): void {
  localStorage.setItem(REMEMBERED, next);
  window.dispatchEvent(new Event(CHANGED));
}

function bundle(of: Language): FluentBundle {
  const made = new FluentBundle(of);
  made.addResource(new FluentResource(FILES[of]));
  return made;
}

/** Everything beneath speaks the chosen language. */
export function Words({ children }: { readonly children: ReactNode }) {
  const [current, setCurrent] = useState(language);
  useEffect(() => {
    const follow = () => setCurrent(language());
    window.addEventListener(CHANGED, follow);
    return () => window.removeEventListener(CHANGED, follow);
  }, []);
  useEffect(() => {
    document.documentElement.lang = current;
  }, [current]);
  const l10n = new ReactLocalization([bundle(current)]);
  return (
    <I18nProvider locale={current}>
      <LocalizationProvider l10n={l10n}>{children}</LocalizationProvider>
    </I18nProvider>
  );
}

export type Say = (id: string, values?: Record<string, FluentVariable>) => string;

/** Gives the sentence of a key. */
export function useWords(): Say {
  const { l10n } = useLocalization();
  return (id, values) => l10n.getString(id, values);
}

/** The sentence of a key, or of another one if there is none. */
export function useWordsOr(): (id: string, otherwise: string, values?: Record<string, FluentVariable>) => string {
  const { l10n } = useLocalization();
  return (id, otherwise, values) => {
    const found = l10n.getBundle(id);
    return l10n.getString(found === null ? otherwise : id, values);
  };
}

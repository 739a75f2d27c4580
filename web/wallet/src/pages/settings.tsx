// Language, text size, what this wallet believes, and how to be rid of it.
import { useState } from 'react';

import { Action, Check, Title } from '../components.js';
import { charterOf } from '../device/ledger.js';
import { erase } from '../device/storage.js';
import type { WalletState } from '../device/state.js';
import { chooseLanguage, language, useWords } from '../text.js';
import { useStep } from '../wallet.js';
import { Recovery } from './recovery.js';

const LARGE = 'large-text';

/** Applies the text size that the holder chose. */
export function applyTextSize(): void {
  document.documentElement.classList.toggle('large', localStorage.getItem(LARGE) === 'yes');
}

export function Settings({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const { run } = useStep();
  const [large, setLarge] = useState(localStorage.getItem(LARGE) === 'yes');
  const [sure, setSure] = useState(false);
  return (
    <>
      <Title>{say('settings-title')}</Title>
      <LanguageChoice />
      <Check
        selected={large}
        onChange={(value) => {
          localStorage.setItem(LARGE, value ? 'yes' : 'no');
          applyTextSize();
          setLarge(value);
        }}
      >
        {say('settings-large')}
      </Check>
      <Recovery state={state} />
      <h2>{say('settings-network')}</h2>
      <dl className="facts">
        <dt>{say('settings-network-name')}</dt>
        <dd>{charterOf(state.network).network}</dd>
        <dt>{say('settings-charter')}</dt>
        <dd>
          <code>{charterOf(state.network).hash}</code>
        </dd>
        <dt>{say('settings-height')}</dt>
        <dd>{String(state.highest)}</dd>
        <dt>{say('settings-keys')}</dt>
        <dd>{say(state.root.by === 'passkey' ? 'settings-keys-passkey' : 'settings-keys-device')}</dd>
      </dl>
      <h2>{say('settings-erase')}</h2>
      <p>{say('settings-erase-what')}</p>
      <Check selected={sure} onChange={setSure}>
        {say('settings-erase-sure')}
      </Check>
      {sure && <Action onPress={() => run(erase)}>{say('settings-erase-now')}</Action>}
    </>
  );
}

/** The other language, in its own words. */
export function LanguageChoice() {
  const current = language();
  return (
    <p>
      {current === 'en' ? (
        <Action onPress={() => chooseLanguage('zh-CN')}>中文</Action>
      ) : (
        <Action onPress={() => chooseLanguage('en')}>English</Action>
      )}
    </p>
  );
}

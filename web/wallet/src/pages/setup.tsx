// From nothing to a wallet that can log in: four steps, each resumed where it was left.
import { useState } from 'react';

import { Action, Check, Field, Notice, Progress, Title, Trouble } from '../components.js';
import { fetchRealName } from '../device/credentials.js';
import { POOL, beginEnrolment, confirmEnrolment, drawTokens, restartEnrolment } from '../device/enrolment.js';
import { close, found, hasPasskeys, keepOpen, opened, restore } from '../device/founding.js';
import { unwrap } from '../device/root.js';
import type { WalletState } from '../device/state.js';
import { go, useAddress } from '../router.js';
import { useWords } from '../text.js';
import { useStep } from '../wallet.js';
import { LanguageChoice } from './settings.js';

const STEPS = ['setup-step-keys', 'setup-step-person', 'setup-step-code', 'setup-step-tokens'] as const;

/** The step that comes next. */
function stepOf(state: WalletState | null): number {
  if (state === null) {
    return 0;
  }
  if (state.account !== undefined) {
    return state.dids.some(({ token }) => token !== undefined) ? 4 : 3;
  }
  return state.enrolling?.id === undefined ? 1 : 2;
}

export function Setup({ state }: { readonly state: WalletState | null }) {
  const say = useWords();
  const step = stepOf(state);
  return (
    <>
      <Title>{say(step === 4 ? 'setup-done' : (['setup-title', 'setup-person-title', 'setup-code-title', 'setup-tokens-title'][step] ?? 'setup-title'))}</Title>
      {step < 4 && <Steps at={step} />}
      {step === 0 && <MakeKeys />}
      {step === 0 && <BringBack />}
      {step === 1 && <WhoAreYou />}
      {step === 2 && state !== null && <Code state={state} />}
      {step === 3 && state !== null && <Tokens state={state} />}
      {step === 4 && state !== null && <Done state={state} />}
    </>
  );
}

function Steps({ at }: { readonly at: number }) {
  const say = useWords();
  return (
    <ol className="steps small">
      {STEPS.map((name, index) => (
        <li key={name} className={index < at ? 'done' : 'quiet'} aria-current={index === at ? 'step' : undefined}>
          {say(name)}
          {index < at && ` ✓ ${say('setup-step-done')}`}
        </li>
      ))}
    </ol>
  );
}

function MakeKeys() {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const [passkey, setPasskey] = useState(hasPasskeys);
  return (
    <>
      <p>{say('setup-intro')}</p>
      <p>{say('setup-keys-what')}</p>
      {hasPasskeys() && (
        <Check selected={passkey} onChange={setPasskey}>
          {say('setup-passkey')}
        </Check>
      )}
      <p className="quiet small">{say(passkey ? 'setup-passkey-what' : 'setup-no-passkey-what')}</p>
      {failed && <Trouble {...failed} />}
      <div className="actions">
        <Action main busy={busy} onPress={() => run(() => found(passkey, say('setup-passkey-label')))}>
          {say('setup-make')}
        </Action>
      </div>
      <LanguageChoice />
    </>
  );
}

function BringBack() {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const [text, setText] = useState('');
  const [phrase, setPhrase] = useState('');
  return (
    <>
      <h2>{say('restore-title')}</h2>
      <p>{say('restore-what')}</p>
      <p className="field">
        <label>
          {say('restore-file')}
          <br />
          <input
            type="file"
            accept="application/json"
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file !== undefined) {
                file.text().then(setText, () => setText(''));
              }
            }}
          />
        </label>
      </p>
      <Field label={say('recovery-phrase')} value={phrase} onChange={setPhrase} type="password" autoComplete="current-password" />
      {busy && <Progress label={say('restore-progress')} />}
      {failed && <Trouble {...failed} />}
      <div className="actions">
        <Action busy={busy} onPress={() => run(() => restore(text, phrase, false, say('setup-passkey-label')))}>
          {say('restore-now')}
        </Action>
      </div>
    </>
  );
}

function WhoAreYou() {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const [name, setName] = useState('');
  const [number, setNumber] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        run(() => beginEnrolment(name, number));
      }}
    >
      <p>{say('setup-person-what')}</p>
      <Field label={say('setup-name')} value={name} onChange={setName} autoComplete="name" />
      <Field label={say('setup-number')} value={number} onChange={setNumber} hint={say('setup-number-hint')} />
      {failed && <Trouble {...failed} />}
      <div className="actions">
        <Action main busy={busy} onPress={() => run(() => beginEnrolment(name, number))}>
          {say('setup-send-code')}
        </Action>
      </div>
    </form>
  );
}

function Code({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const [code, setCode] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        run(() => confirmEnrolment(state, code));
      }}
    >
      <p>{say('setup-code-what')}</p>
      <Field label={say('setup-code')} value={code} onChange={setCode} autoComplete="one-time-code" inputMode="numeric" />
      {failed && <Trouble {...failed} />}
      <div className="actions">
        <Action main busy={busy} onPress={() => run(() => confirmEnrolment(state, code))}>
          {say('setup-confirm')}
        </Action>
        <Action onPress={() => run(restartEnrolment)}>{say('setup-other-person')}</Action>
      </div>
    </form>
  );
}

function Tokens({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const [part, setPart] = useState<number>();
  const draw = async () => {
    const root = opened() ?? (await unwrap(state.root));
    keepOpen(root);
    await drawTokens(root, POOL, setPart);
    close();
  };
  return (
    <>
      <p>{say('setup-tokens-what')}</p>
      {busy && <Progress label={say('setup-tokens-progress')} part={part} />}
      {failed && <Trouble {...failed} />}
      <div className="actions">
        <Action main busy={busy} onPress={() => run(draw)}>
          {say('setup-draw')}
        </Action>
      </div>
    </>
  );
}

function Done({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const waiting = useAddress().searchParams.get('then');
  const has = state.credentials.length > 0;
  return (
    <>
      <p>{say('setup-done-what', { count: state.dids.length })}</p>
      {has ? <Notice>{say('setup-card-there')}</Notice> : <p>{say('setup-card-what')}</p>}
      {failed && <Trouble {...failed} />}
      <div className="actions">
        {!has && (
          <Action main busy={busy} onPress={() => run(() => fetchRealName(state))}>
            {say('setup-card-fetch')}
          </Action>
        )}
        <Action main={has} onPress={() => go(waiting === null ? '/' : `/open?${waiting}`, true)}>
          {say(waiting === null ? 'setup-go-home' : 'setup-go-on')}
        </Action>
      </div>
    </>
  );
}

// The recovery file.
import { useState } from 'react';

import { Action, Field, Notice, Progress, Trouble } from '../components.js';
import { makeRecoveryFile, rehearse } from '../device/recovery.js';
import type { WalletState } from '../device/state.js';
import { useWords } from '../text.js';
import { useStep } from '../wallet.js';

export function Recovery({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const [phrase, setPhrase] = useState('');
  const [file, setFile] = useState<string>();
  const [proved, setProved] = useState(false);
  const save = async () => {
    const made = await makeRecoveryFile(state, phrase);
    setFile(made);
    setProved(false);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([made], { type: 'application/json' }));
    link.download = 'realdid-recovery.json';
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const prove = async () => {
    await rehearse(state, file ?? '', phrase);
    setProved(true);
  };
  return (
    <>
      <h2>{say('recovery-title')}</h2>
      <p>{say('recovery-what')}</p>
      <Field label={say('recovery-phrase')} value={phrase} onChange={setPhrase} hint={say('recovery-phrase-hint')} type="password" autoComplete="new-password" />
      {busy && <Progress label={say('recovery-progress')} />}
      {failed && <Trouble {...failed} />}
      {file !== undefined && <Notice>{say(proved ? 'recovery-proved' : 'recovery-saved')}</Notice>}
      <div className="actions">
        <Action busy={busy} onPress={() => run(save)}>
          {say('recovery-save')}
        </Action>
        {file !== undefined && (
          <Action busy={busy} onPress={() => run(prove)}>
            {say('recovery-rehearse')}
          </Action>
        )}
      </div>
    </>
  );
}

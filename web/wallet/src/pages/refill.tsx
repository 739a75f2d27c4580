// More DIDs for new sites, before the last one is used.
import { useState } from 'react';

import { Action, Notice, Progress, Trouble } from '../components.js';
import { POOL, drawTokens } from '../device/enrolment.js';
import { unwrap } from '../device/root.js';
import type { WalletState } from '../device/state.js';
import { useWords } from '../text.js';
import { useStep } from '../wallet.js';

export function Refill({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const [part, setPart] = useState<number>();
  const draw = async () => {
    const root = await unwrap(state.root);
    await drawTokens(root, POOL, setPart);
    root.fill(0);
  };
  return (
    <Notice title={say('refill-title')}>
      <p>{say('refill-what')}</p>
      {busy && <Progress label={say('setup-tokens-progress')} part={part} />}
      {failed && <Trouble {...failed} />}
      <Action busy={busy} onPress={() => run(draw)}>
        {say('refill-draw')}
      </Action>
    </Notice>
  );
}

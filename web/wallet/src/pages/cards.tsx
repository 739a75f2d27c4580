// Credentials as cards.
import { useState } from 'react';

import { Action, Title, Trouble } from '../components.js';
import { REAL_NAME, fetchRealName } from '../device/credentials.js';
import { now } from '../device/ledger.js';
import { claimsOf } from '../device/presenting.js';
import type { HeldCredential, WalletState } from '../device/state.js';
import { language, useWords, useWordsOr } from '../text.js';
import { useStep } from '../wallet.js';

export function Cards({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const real = state.credentials.some(({ vct }) => vct === REAL_NAME);
  return (
    <>
      <Title>{say('cards-title')}</Title>
      {state.credentials.length === 0 && <p>{say('cards-none')}</p>}
      {state.credentials.map((credential) => (
        <Card key={credential.id} credential={credential} />
      ))}
      {failed && <Trouble {...failed} />}
      <div className="actions">
        <Action main={!real} busy={busy} onPress={() => run(() => fetchRealName(state))}>
          {say(real ? 'cards-renew' : 'setup-card-fetch')}
        </Action>
      </div>
    </>
  );
}

function Card({ credential }: { readonly credential: HeldCredential }) {
  const [say, sayOr] = [useWords(), useWordsOr()];
  const [open, setOpen] = useState(false);
  const date = new Intl.DateTimeFormat(language(), { dateStyle: 'medium' });
  const fresh = credential.copies.filter(({ shownTo, expires }) => shownTo.length === 0 && expires > now()).length;
  const until = Math.max(...credential.copies.map(({ expires }) => expires));
  const name = credential.names.get(language()) ?? sayOr(`type-${credential.vct.split(':')[2] ?? ''}`, 'type-other');
  return (
    <section className="card">
      <h2>{name}</h2>
      <dl className="facts">
        <dt>{say('cards-issuer')}</dt>
        <dd>{credential.issuer.name}</dd>
        <dt>{say('cards-until')}</dt>
        <dd>{date.format(until * 1000)}</dd>
        <dt>{say('cards-copies')}</dt>
        <dd>{say('cards-copies-left', { fresh, all: credential.copies.length })}</dd>
        {open &&
          claimsOf(credential).map((claim) => (
            <div key={claim.name} style={{ display: 'contents' }}>
              <dt>{sayOr(`claim-${claim.name}`, 'claim-other', { name: claim.name })}</dt>
              <dd>
                <bdi>{sayOr(`value-${claim.value}`, 'value-other', { value: claim.value })}</bdi>
              </dd>
            </div>
          ))}
      </dl>
      <Action onPress={() => setOpen(!open)}>{say(open ? 'cards-hide' : 'cards-show')}</Action>
    </section>
  );
}

// What is there, what lapses soon, and where to try it.
import { Suspense, lazy, useState } from 'react';

import { Action, Field, Notice, Title, View } from '../components.js';
import { now } from '../device/ledger.js';
import { pooled } from '../device/state.js';
import type { WalletState } from '../device/state.js';
import { go } from '../router.js';
import { useWords } from '../text.js';

const Refill = lazy(() => import('./refill.js').then(({ Refill }) => ({ default: Refill })));

/** Cards that expire within this time are told of, in seconds. */
const SOON = 2 * 86_400;

export function Home({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const left = pooled(state).length;
  const sites = state.dids.filter(({ site, unlinked }) => site !== undefined && unlinked !== true).length;
  const soon = state.credentials.some(({ copies }) => copies.every(({ expires }) => expires < now() + SOON));
  return (
    <>
      <Title>{say('home-title')}</Title>
      <p>{say('home-state', { sites, left, cards: state.credentials.length })}</p>
      {left <= 2 && (
        <Suspense>
          <Refill state={state} />
        </Suspense>
      )}
      {soon && (
        <Notice kind="warn">
          <p>
            {say('home-card-soon')} <View to="/cards">{say('nav-cards')}</View>
          </p>
        </Notice>
      )}
      {state.credentials.length === 0 && (
        <Notice>
          <p>
            {say('home-no-card')} <View to="/setup">{say('setup-card-fetch')}</View>
          </p>
        </Notice>
      )}
      <PasteLink />
      <h2>{say('home-try')}</h2>
      <ul>
        {state.network.trySites.map(({ name, url }) => (
          <li key={url}>
            <a href={url}>{name}</a>
          </li>
        ))}
      </ul>
      <p className="quiet small">{say('home-how')}</p>
    </>
  );
}

/** A link that somebody shows: a question, or an offer of a card. */
function PasteLink() {
  const say = useWords();
  const [link, setLink] = useState('');
  const follow = () => {
    const query = link.trim().split('?').slice(1).join('?');
    go(`${link.includes('credential_offer') ? '/offer' : '/open'}?${query}`);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        follow();
      }}
    >
      <h2>{say('home-link')}</h2>
      <Field label={say('home-link-label')} value={link} onChange={setLink} hint={say('home-link-hint')} />
      <Action onPress={follow}>{say('home-link-open')}</Action>
    </form>
  );
}

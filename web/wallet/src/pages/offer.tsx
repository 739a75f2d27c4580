// An issuer offers a card: from whom, and the code that it sent, if it sent one.
import { useEffect, useState } from 'react';
import type { CredentialOffer } from 'realdid-core';

import { Action, Field, Progress, Title, Trouble, View } from '../components.js';
import { collect, readOfferLink } from '../device/credentials.js';
import type { WalletState } from '../device/state.js';
import { go, useAddress } from '../router.js';
import { useWords } from '../text.js';
import { failedOf, useStep } from '../wallet.js';
import type { Failed } from '../wallet.js';

export function Offer({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const { search } = useAddress();
  const { busy, failed, run } = useStep();
  const [offer, setOffer] = useState<CredentialOffer>();
  const [unread, setUnread] = useState<Failed>();
  const [code, setCode] = useState('');
  useEffect(() => {
    let ended = false;
    readOfferLink(state, search).then(
      (found) => !ended && setOffer(found),
      (error: unknown) => !ended && setUnread(failedOf(error)),
    );
    return () => {
      ended = true;
    };
    // Only the link matters.
  }, [search]);
  if (offer === undefined) {
    return (
      <>
        <Title>{say('offer-title')}</Title>
        {unread === undefined ? <Progress label={say('loading')} /> : <Trouble {...unread} />}
        <p>
          <View to="/">{say('open-home')}</View>
        </p>
      </>
    );
  }
  const take = () =>
    run(async () => {
      await collect(state, offer, offer.needsTxCode ? code.trim() : undefined);
      go('/cards', true);
    });
  return (
    <>
      <Title>{say('offer-title')}</Title>
      <p>{say('offer-from', { issuer: new URL(offer.issuer).host })}</p>
      <p>{say('offer-what')}</p>
      {offer.needsTxCode && <Field label={say('offer-code')} value={code} onChange={setCode} autoComplete="one-time-code" />}
      {busy && <Progress label={say('offer-progress')} />}
      {failed && <Trouble {...failed} />}
      <div className="actions">
        <Action main busy={busy} onPress={take}>
          {say('offer-take')}
        </Action>
        <Action onPress={() => go('/', true)}>{say('offer-leave')}</Action>
      </div>
    </>
  );
}

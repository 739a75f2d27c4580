// "What could they learn together?"
import { useState } from 'react';

import { Notice, Title } from '../components.js';
import type { Site, WalletState } from '../device/state.js';
import { together } from '../device/together.js';
import { useWords } from '../text.js';
import { useClaimText } from './claim-text.js';

export function Together({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const sites = state.dids.flatMap(({ site, unlinked }) => (site === undefined || unlinked === true ? [] : [site]));
  const [first, second] = [sites[0]?.clientId, sites[1]?.clientId];
  const [left, setLeft] = useState(first ?? '');
  const [right, setRight] = useState(second ?? '');
  const [one, other] = [sites.find(({ clientId }) => clientId === left), sites.find(({ clientId }) => clientId === right)];
  return (
    <>
      <Title>{say('together-title')}</Title>
      <p>{say('together-what')}</p>
      {sites.length < 2 ? (
        <Notice>{say('together-too-few')}</Notice>
      ) : (
        <>
          <Choice label={say('together-first')} sites={sites} value={left} onChange={setLeft} />
          <Choice label={say('together-second')} sites={sites} value={right} onChange={setRight} />
          {one !== undefined && other !== undefined && one !== other && <Verdict one={one} other={other} />}
        </>
      )}
    </>
  );
}

function Choice(props: {
  readonly label: string;
  readonly sites: readonly Site[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <p className="field">
      <label>
        {props.label}
        <br />
        <select className="button" value={props.value} onChange={(event) => props.onChange(event.target.value)}>
          {props.sites.map(({ clientId, name }) => (
            <option key={clientId} value={clientId}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </p>
  );
}

function Verdict({ one, other }: { readonly one: Site; readonly other: Site }) {
  const say = useWords();
  const claimText = useClaimText();
  const { shared, recognisable, issuerTypes } = together(one, other);
  const kind = recognisable ? 'together-same' : shared.length > 0 ? 'together-little' : 'together-nothing';
  return (
    <div role="status">
      <Notice kind={recognisable ? 'warn' : 'info'} title={say(kind)}>
        <p>{say(`${kind}-what`)}</p>
        {shared.length > 0 && <p>{say('together-both', { claims: shared.map(claimText).join(', ') })}</p>}
        {issuerTypes.length > 0 && <p>{say('together-issuer')}</p>}
      </Notice>
    </div>
  );
}

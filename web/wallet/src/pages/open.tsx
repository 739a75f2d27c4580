// A site asks: who it is, what it would learn, and the holder's answer.
import { useEffect, useState } from 'react';
import type { VerifiedRequest } from 'realdid-core';

import { Action, Check, Notice, Progress, Title, Trouble, View } from '../components.js';
import { answer, claimName, consentFor, fetchRequest, refuse } from '../device/presenting.js';
import type { Consent, ShownCredential } from '../device/presenting.js';
import type { WalletState } from '../device/state.js';
import { useAddress } from '../router.js';
import { useWords, useWordsOr } from '../text.js';
import { failedOf, useStep } from '../wallet.js';
import type { Failed } from '../wallet.js';

export function Open({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const link = useAddress().href;
  const [request, setRequest] = useState<VerifiedRequest>();
  const [failed, setFailed] = useState<Failed>();
  useEffect(() => {
    let ended = false;
    setRequest(undefined);
    setFailed(undefined);
    fetchRequest(state, link).then(
      (found) => !ended && setRequest(found),
      (error: unknown) => !ended && setFailed(failedOf(error)),
    );
    return () => {
      ended = true;
    };
    // Only the link matters: the wallet changes while the request is judged.
  }, [link]);
  if (failed !== undefined) {
    return (
      <>
        <Title>{say('open-refused')}</Title>
        <Trouble {...failed} />
        <p>
          <View to="/">{say('open-home')}</View>
        </p>
      </>
    );
  }
  if (request === undefined) {
    return (
      <>
        <Title>{say('open-checking')}</Title>
        <Progress label={say('open-checking-what')} />
      </>
    );
  }
  return <Ask state={state} request={request} />;
}

function Ask({ state, request }: { readonly state: WalletState; readonly request: VerifiedRequest }) {
  const say = useWords();
  const { busy, failed, run } = useStep();
  const [without, setWithout] = useState<readonly string[]>([]);
  const [despite, setDespite] = useState(false);
  const [ended, setEnded] = useState(false);
  const name = request.asker.name;
  let consent: Consent;
  try {
    consent = consentFor(state, request, without);
  } catch (error) {
    return <Impossible state={state} request={request} failed={failedOf(error)} />;
  }
  const whole = without.length === 0 ? consent : consentFor(state, request);
  const leave = (to: URL | undefined) => {
    if (to === undefined) {
      setEnded(true);
    } else {
      location.replace(to);
    }
  };
  if (ended) {
    return (
      <>
        <Title>{say('open-ended')}</Title>
        <p>{say('open-ended-what')}</p>
      </>
    );
  }
  const over = consent.overAsked.length > 0;
  return (
    <>
      <Title>{say(consent.did === undefined ? 'open-title-shows' : 'open-title', { site: name })}</Title>
      <dl className="facts card">
        <dt>{say('open-who')}</dt>
        <dd>
          <bdi>{name}</bdi>
        </dd>
        <dt>{say('open-where')}</dt>
        <dd>{request.asker.origins.join(', ')}</dd>
        <dt>{say('open-by')}</dt>
        <dd>{say('open-by-what', { sponsor: request.asker.sponsor.name })}</dd>
        <dt>{say('open-why')}</dt>
        <dd>{say(consent.did === undefined ? 'open-why-shows' : consent.credentials.length === 0 ? 'open-why-login' : 'open-why-claims')}</dd>
      </dl>
      <h2>{say('open-learns')}</h2>
      {consent.did !== undefined && (
        <ul>
          <li>{say(consent.known ? 'open-did-known' : 'open-did-new')}</li>
          <li>{say('open-person')}</li>
        </ul>
      )}
      {whole.credentials.map((shown) => (
        <Credential
          key={shown.query}
          shown={shown}
          kept={without.includes(shown.query)}
          onKeep={(keep) => setWithout(keep ? [...without, shown.query] : without.filter((id) => id !== shown.query))}
        />
      ))}
      <h2>{say('open-gives-away')}</h2>
      <p>{say(consent.credentials.length === 0 ? 'open-trace-nothing' : 'open-trace-issuer')}</p>
      {consent.lapsesSoon && <Notice kind="warn">{say('open-lapses')}</Notice>}
      {over && (
        <Notice kind="warn" title={say('open-over-title')}>
          <p>{say('open-over-what')}</p>
          <ul>
            {consent.overAsked.map(({ vct, path }) => (
              <li key={`${vct}${String(path)}`}>{path === undefined ? vct : claimName(vct, path)}</li>
            ))}
          </ul>
          <Check selected={despite} onChange={setDespite}>
            {say('open-over-despite')}
          </Check>
        </Notice>
      )}
      {failed && <Trouble {...failed} />}
      <div className="actions">
        {(!over || despite) && (
          <Action main busy={busy} onPress={() => run(async () => leave(await answer(state, consent)))}>
            {say(consent.did === undefined ? 'open-agree-shows' : 'open-agree')}
          </Action>
        )}
        <Action onPress={() => run(async () => leave(await refuse(state, request)))}>{say('open-refuse')}</Action>
      </div>
    </>
  );
}

function Credential(props: { readonly shown: ShownCredential; readonly kept: boolean; readonly onKeep: (keep: boolean) => void }) {
  const { shown, kept, onKeep } = props;
  const [say, sayOr] = [useWords(), useWordsOr()];
  return (
    <section className="card">
      <h3>{sayOr(`type-${shown.credential.vct.split(':')[2] ?? ''}`, 'type-other')}</h3>
      <p className="quiet small">{say('open-issued-by', { issuer: shown.credential.issuer.name })}</p>
      {kept ? (
        <p>{say('open-kept')}</p>
      ) : (
        <dl className="facts">
          {shown.claims.map(({ vct, path, value, known }) => (
            <div key={claimName(vct, path)} style={{ display: 'contents' }}>
              <dt>
                {sayOr(`claim-${path.join('-')}`, 'claim-other', { name: path.join('.') })}
                {!known && <strong> · {say('open-new')}</strong>}
              </dt>
              <dd>
                <bdi>{sayOr(`value-${value}`, 'value-other', { value })}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {shown.optional && (
        <Check selected={!kept} onChange={(show) => onKeep(!show)}>
          {say('open-optional')}
        </Check>
      )}
    </section>
  );
}

/** The wallet has nothing that answers. The site learns that only if its holder refuses. */
function Impossible(props: { readonly state: WalletState; readonly request: VerifiedRequest; readonly failed: Failed }) {
  const { state, request, failed } = props;
  const say = useWords();
  const step = useStep();
  return (
    <>
      <Title>{say('open-title', { site: request.asker.name })}</Title>
      <Trouble {...failed} />
      {step.failed && <Trouble {...step.failed} />}
      <div className="actions">
        <Action
          busy={step.busy}
          onPress={() =>
            step.run(async () => {
              const to = await refuse(state, request);
              if (to !== undefined) {
                location.replace(to);
              }
            })
          }
        >
          {say('open-back')}
        </Action>
      </div>
    </>
  );
}

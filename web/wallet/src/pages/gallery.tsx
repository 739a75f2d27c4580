// Every component in each of its states, for whoever builds pages of them.
import { useState } from 'react';

import { Action, Check, Field, Notice, Progress, Title, Trouble } from '../components.js';
import { useWords } from '../text.js';

export function Gallery() {
  const say = useWords();
  const [text, setText] = useState('');
  const [checked, setChecked] = useState(true);
  return (
    <>
      <Title>{say('gallery-title')}</Title>
      <div className="actions">
        <Action main onPress={() => setChecked(true)}>
          {say('open-agree')}
        </Action>
        <Action onPress={() => setChecked(false)}>{say('open-refuse')}</Action>
        <Action busy onPress={() => undefined}>
          {say('loading')}
        </Action>
      </div>
      <Field label={say('setup-name')} value={text} onChange={setText} hint={say('setup-number-hint')} />
      <Check selected={checked} onChange={setChecked}>
        {say('open-optional')}
      </Check>
      <Notice title={say('refill-title')}>
        <p>{say('refill-what')}</p>
      </Notice>
      <Notice kind="warn" title={say('open-over-title')}>
        <p>{say('open-over-what')}</p>
      </Notice>
      <Trouble code="node_lies" />
      <Progress label={say('setup-tokens-progress')} part={0.4} />
      <Progress label={say('loading')} />
      <section className="card">
        <h2>{say('type-realname')}</h2>
        <dl className="facts">
          <dt>{say('cards-issuer')}</dt>
          <dd>Sandbox</dd>
        </dl>
      </section>
    </>
  );
}

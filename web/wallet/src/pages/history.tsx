// What was shown to whom, and what was refused. No values: those are nobody's business twice.
import { Title } from '../components.js';
import type { Event, WalletState } from '../device/state.js';
import { language, useWords } from '../text.js';
import type { Say } from '../text.js';
import { useClaimText } from './claim-text.js';

export function History({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const claimText = useClaimText();
  const date = new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'short' });
  const entries = [...state.history].reverse();
  return (
    <>
      <Title>{say('history-title')}</Title>
      <p className="quiet">{say('history-what')}</p>
      <ol className="plain" reversed>
        {entries.map(({ at, event }, index) => (
          <li key={entries.length - index} className="card">
            <p className="quiet small">
              <time dateTime={new Date(at * 1000).toISOString()}>{date.format(at * 1000)}</time>
            </p>
            <p>{sentence(say, event)}</p>
            {(event.kind === 'login' || event.kind === 'shown') && event.claims.length > 0 && (
              <p className="small">{say('history-shown', { claims: event.claims.map(claimText).join(', ') })}</p>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

function sentence(say: Say, event: Event): string {
  switch (event.kind) {
    case 'created':
      return say('history-created');
    case 'enrolled':
      return say('history-enrolled', { authority: event.authority });
    case 'tokens':
      return say('history-tokens', { count: event.count });
    case 'credential':
      return say('history-credential', { issuer: event.issuer });
    case 'login':
      return say('history-login', { site: event.site });
    case 'shown':
      return say('history-presented', { site: event.site });
    case 'refused':
      return say('history-refused', { site: event.site, code: event.code });
    case 'unlinked':
      return say('history-unlinked', { site: event.site });
    case 'rotated':
      return say('history-rotated', { site: event.site });
    case 'backed_up':
      return say('history-backed-up');
    case 'restored':
      return say('history-restored');
  }
}

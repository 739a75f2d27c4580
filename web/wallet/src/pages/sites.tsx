// Each site knows the holder by a DID of its own.
import { Action, Progress, Title, Trouble } from '../components.js';
import { unlink } from '../device/presenting.js';
import type { HeldDid, WalletState } from '../device/state.js';
import { language, useWords } from '../text.js';
import { useStep } from '../wallet.js';
import { useClaimText } from './claim-text.js';

export function Sites({ state }: { readonly state: WalletState }) {
  const say = useWords();
  const known = state.dids.filter(({ site, unlinked }) => site !== undefined && unlinked !== true);
  return (
    <>
      <Title>{say('sites-title')}</Title>
      <p>{say(known.length === 0 ? 'sites-none' : 'sites-what')}</p>
      {known.map((held) => (
        <SiteCard key={held.did} held={held} state={state} />
      ))}
    </>
  );
}

function SiteCard({ held, state }: { readonly held: HeldDid; readonly state: WalletState }) {
  const say = useWords();
  const claimText = useClaimText();
  const { busy, failed, run } = useStep();
  const rekey = async () => {
    const [{ rotate }, { unwrap }] = await Promise.all([import('../device/rotation.js'), import('../device/root.js')]);
    const root = await unwrap(state.root);
    await rotate(state, held, root).finally(() => root.fill(0));
  };
  const { site } = held;
  if (site === undefined) {
    return null;
  }
  const date = new Intl.DateTimeFormat(language(), { dateStyle: 'medium' });
  const knows = [say('sites-knows-person'), ...site.knows.map(claimText)];
  return (
    <section className="card">
      <h2>
        <bdi>{site.name}</bdi>
      </h2>
      <dl className="facts">
        <dt>{say('sites-knows')}</dt>
        <dd>{knows.join(', ')}</dd>
        <dt>{say('sites-since')}</dt>
        <dd>{date.format(site.since * 1000)}</dd>
        <dt>{say('sites-last')}</dt>
        <dd>{date.format(site.lastUsed * 1000)}</dd>
        <dt>{say('sites-did')}</dt>
        <dd>
          <code>{held.did}</code>
        </dd>
      </dl>
      <p className="quiet small">{say('sites-unlink-what')}</p>
      <p className="quiet small">{say('sites-rotate-what')}</p>
      {busy && <Progress label={say('sites-progress')} />}
      {failed && <Trouble {...failed} />}
      <div className="actions">
        <Action busy={busy} onPress={() => run(() => unlink(site.clientId))}>
          {say('sites-unlink', { site: site.name })}
        </Action>
        <Action busy={busy} onPress={() => run(rekey)}>
          {say('sites-rotate', { site: site.name })}
        </Action>
      </div>
    </section>
  );
}

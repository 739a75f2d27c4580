// Which page an address is; and before there is a wallet, how one is made.
import { Suspense, lazy, useEffect } from 'react';

import { Progress, Title, Trouble, View } from './components.js';
import { Cards } from './pages/cards.js';
import { Gallery } from './pages/gallery.js';
import { History } from './pages/history.js';
import { Home } from './pages/home.js';
import { Offer } from './pages/offer.js';
import { Open } from './pages/open.js';
import { Settings } from './pages/settings.js';
import { Sites } from './pages/sites.js';
import { Together } from './pages/together.js';
import { go, useAddress } from './router.js';
import { useWords } from './text.js';
import { useWallet } from './wallet.js';

// Blinding is needed here alone, and is a third of all code.
const Setup = lazy(() => import('./pages/setup.js').then(({ Setup }) => ({ default: Setup })));

const PAGES = [
  ['/', 'nav-home', Home],
  ['/sites', 'nav-sites', Sites],
  ['/cards', 'nav-cards', Cards],
  ['/history', 'nav-history', History],
  ['/together', 'nav-together', Together],
  ['/settings', 'nav-settings', Settings],
] as const;

/** The whole wallet. */
export function App() {
  const say = useWords();
  const { state, failed } = useWallet();
  const { pathname } = useAddress();
  const ready = state?.account !== undefined && state.dids.some(({ token }) => token !== undefined);
  const asked = pathname === '/open';
  return (
    <>
      <header>
        {ready && !asked ? (
          <nav aria-label={say('nav-label')}>
            <ul>
              {PAGES.map(([path, label]) => (
                <li key={path}>
                  <View to={path}>{say(label)}</View>
                </li>
              ))}
            </ul>
          </nav>
        ) : (
          <strong>RealDID</strong>
        )}
      </header>
      <main>{failed !== undefined ? <Unreadable {...failed} /> : <Page pathname={pathname} ready={ready} />}</main>
    </>
  );
}

function Unreadable({ code }: { readonly code: string }) {
  const say = useWords();
  return (
    <>
      <Title>{say('unreadable-title')}</Title>
      <Trouble code={code} />
    </>
  );
}

function Page({ pathname, ready }: { readonly pathname: string; readonly ready: boolean }) {
  const say = useWords();
  const { state } = useWallet();
  if (pathname === '/gallery') {
    return <Gallery />;
  }
  if (state === undefined) {
    return <Progress label={say('loading')} />;
  }
  if (pathname === '/setup') {
    return (
      <Suspense fallback={<Progress label={say('loading')} />}>
        <Setup state={state} />
      </Suspense>
    );
  }
  if (state === null || !ready) {
    return <Begin />;
  }
  if (pathname === '/open') {
    return <Open state={state} />;
  }
  if (pathname === '/offer') {
    return <Offer state={state} />;
  }
  const Found = PAGES.find(([path]) => path === pathname)?.[2] ?? Home;
  return <Found state={state} />;
}

/** Leads to the setup, which leads back to what a site asked, if one did. */
function Begin() {
  const { pathname, search } = useAddress();
  useEffect(() => {
    go(pathname === '/open' ? `/setup?then=${encodeURIComponent(search.slice(1))}` : '/setup', true);
  }, [pathname, search]);
  return null;
}

// Where in the wallet the holder is: the browser's own history, so that its back button works everywhere.
import { useSyncExternalStore } from 'react';

const MOVED = 'realdid-moved';

/** Goes to a view; `replace`: back does not lead to the one before. */
export function go(to: string, replace = false): void {
  if (replace) {
    history.replaceState(null, '', to);
  } else {
    history.pushState(null, '', to);
  }
  window.dispatchEvent(new Event(MOVED));
  window.scrollTo(0, 0);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(MOVED, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(MOVED, listener);
  };
}

/** The address of the view. */
export function useAddress(): URL {
  return new URL(useSyncExternalStore(subscribe, () => location.href));
}

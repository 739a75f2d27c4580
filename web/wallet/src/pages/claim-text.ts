// A claim's name for people, from what the wallet notes of it.
import { useWordsOr } from '../text.js';

/** Turns `type claim.path` into words. */
export function useClaimText(): (noted: string) => string {
  const sayOr = useWordsOr();
  return (noted) => {
    const [, path = noted] = noted.split(' ');
    return sayOr(`claim-${path.replaceAll('.', '-')}`, 'claim-other', { name: path });
  };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  CertificateCache,
  Reader,
  SecretKey,
  base64urlEncode,
  fromHex,
  hashBytes,
  judgeLogin,
  keyUrl,
  parseCharter,
  parseShortDid,
  readDocument,
  readLogin,
  signLogin,
  stateKey,
  trustAnchor,
  typeId,
  utf8,
  verifyStateAnswer,
} from '../src/index.js';
import type { Level, LoginExpectation, ProvenState, StateAnswer } from '../src/index.js';
import { assertFlips, hash, outcomeOf, readVector } from './support.js';

interface Person {
  seed: string;
  did: string;
  long_form: string;
  token: string;
}

interface States {
  charter: string;
  keys: string[];
  published: Person;
  unpublished: Person;
  states: { name: string; now: number; answer: StateAnswer }[];
  rights: {
    did: string;
    type: string;
    states: { name: string; keys: string[]; now: number; answer: StateAnswer; counts: boolean }[];
  };
  places: { by: string; parameters: string; epoch_slot: string; grant: string; seat: string };
}

interface Logins {
  audience: string;
  nonce: string;
  max_age: number;
  cases: {
    name: string;
    presentation: string;
    state: string;
    later: number;
    document: string | null;
    level: Level;
    outcome: string;
  }[];
  flips: string;
}

const world = readVector<States>('ledger_states.json');
const logins = readVector<Logins>('login.json');
const charter = parseCharter(utf8(world.charter));
const cache = new CertificateCache();

/** What is proven in each state, and when that was. */
const states = new Map<string, { state: ProvenState; now: bigint }>(
  world.states.map(({ name, now: seconds, answer }) => {
    const now = BigInt(seconds);
    const freshness = { now, maxAge: 60n, lowestHeight: 0n };
    const keys = world.keys.map(hash);
    return [name, { now, state: verifyStateAnswer(answer, trustAnchor(charter), keys, freshness, cache) }];
  }),
);

function expectation(minimumLevel: Level): LoginExpectation {
  return {
    network: charter.network,
    charterHash: charter.hash,
    clientId: logins.audience,
    nonce: logins.nonce,
    credentials: [],
    minimumLevel,
    maxAge: BigInt(logins.max_age),
  };
}

function judge(it: Logins['cases'][number], presentation: string): Promise<string> {
  const found = states.get(it.state);
  assert.ok(found, it.state);
  const { state, now: time } = found;
  const now = time + BigInt(it.later);
  const document = it.document === null ? {} : { document: readDocument(new Reader(fromHex(it.document))) };
  return outcomeOf(() => {
    const shown = readLogin(presentation, expectation(it.level), now);
    return judgeLogin(expectation(it.level), shown, { didState: state, keyState: state, ...document }, now);
  });
}

test('logins are judged as in Rust', async () => {
  for (const it of logins.cases) {
    assert.equal(await judge(it, it.presentation), it.outcome, `${it.name}, ${it.state}`);
  }
});

test('a login with one character changed is refused as in Rust', async () => {
  const [first] = logins.cases;
  assert.ok(first && !logins.flips.includes('ok '));
  const outcomes: string[] = [];
  const text = utf8(first.presentation);
  for (let at = 0; at < text.length; at++) {
    const changed = text.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    outcomes.push(await judge(first, new TextDecoder().decode(changed)));
  }
  let at = 0;
  assertFlips('a login', text, logins.flips, () => outcomes[at++] ?? '');
});

test('a login is made byte for byte as in Rust', () => {
  for (const [name, person] of Object.entries({ published: world.published, unpublished: world.unpublished })) {
    const it = logins.cases.find((one) => one.name === name && one.state === 'now');
    const time = states.get('now')?.now;
    assert.ok(it && time);
    const key = SecretKey.fromSeed('EdDSA', fromHex(person.seed));
    const claims = {
      iss: person.did,
      did: person.long_form,
      aud: logins.audience,
      nonce: logins.nonce,
      iat: time,
      exp: time + 120n,
      charter: base64urlEncode(hashBytes(charter.hash)),
      token: person.token,
      credentials: [],
    };
    assert.equal(signLogin(claims, keyUrl(parseShortDid(person.did), key.publicKey()), key), it.presentation);
  }
});

test('a right counts or not, as in Rust', () => {
  const { did, type, states: rights } = world.rights;
  assert.equal(rights.length, 5);
  for (const it of rights) {
    const right = { did: hash(did), kind: 'issue', typeId: typeId(type) } as const;
    const keys = [stateKey.accreditation(right.did), stateKey.grant(right)];
    assert.deepEqual(keys, it.keys);
    const freshness = { now: BigInt(it.now), maxAge: 60n, lowestHeight: 0n };
    const state = verifyStateAnswer(it.answer, trustAnchor(charter), keys, freshness, cache);
    assert.equal(state.right(right) !== undefined, it.counts, it.name);
  }
});

test('things lie where they lie in Rust', () => {
  const by = hash(world.places.by);
  const places = {
    by,
    parameters: stateKey.parameters(),
    epoch_slot: stateKey.epochSlot(by, 'real_name', 'substantial', 7n),
    grant: stateKey.grant({ did: by, kind: 'ask', typeId: typeId(world.rights.type) }),
    seat: stateKey.seat(3),
  };
  assert.deepEqual(places, world.places);
});

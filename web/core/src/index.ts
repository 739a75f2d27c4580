/**
 * RealDID for browsers: the rules that wallets and verifiers need, without any framework. The Rust crates
 * are the reference; both are held to the files in `vectors/`. Nothing here reads a clock, a random source
 * or the network: `now` and secret bytes are arguments; blinding alone draws its own blind.
 */

export * from './account.js';
export * from './blinding.js';
export * from './bytes.js';
export * from './charter.js';
export * from './claims.js';
export * from './codec.js';
export * from './dcql.js';
export * from './entry.js';
export * from './errors.js';
export * from './finality.js';
export * from './follow.js';
export * from './hash.js';
export * from './header.js';
export * from './identifier.js';
export * from './inception.js';
export * from './issuance.js';
export * from './json.js';
export * from './jws.js';
export * from './key.js';
export * from './keychain.js';
export * from './light.js';
export * from './listed-document.js';
export * from './login.js';
export * from './operation.js';
export * from './presentation-request.js';
export * from './proof-file.js';
export * from './realdid-jwt.js';
export * from './record.js';
export * from './sd-jwt-error.js';
export * from './sd-jwt.js';
export * from './state-proof.js';
export * from './token.js';
export * from './varint.js';
export * from './vc.js';
export * from './web-address.js';

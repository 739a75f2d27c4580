/** Why an SD-JWT is not accepted. Twin of `crates/credential/src/sd_jwt/error.rs`. */

import { Refusal } from './errors.js';

/** Why an SD-JWT, with or without key binding, is not accepted. */
export class SdJwtError extends Refusal<
  | 'credential_too_long'
  | 'credential_too_many_disclosures'
  | 'credential_too_deep'
  | 'credential_form'
  | 'credential_signature'
  | 'credential_algorithm'
  | 'credential_issuer_part'
  | 'credential_unknown_hash'
  | 'credential_hash_name'
  | 'credential_digest_form'
  | 'credential_three_dots'
  | 'credential_digest_twice'
  | 'credential_member_disclosure'
  | 'credential_element_disclosure'
  | 'credential_reserved_name'
  | 'credential_name_twice'
  | 'credential_disclosure_twice'
  | 'credential_unreferenced_disclosure'
  | 'credential_already_bound'
  | 'key_binding_missing'
  | 'holder_key_unusable'
  | 'key_binding_signature'
  | 'key_binding_algorithm'
  | 'key_binding_message'
  | 'key_binding_type'
  | 'key_binding_form'
  | 'key_binding_audience'
  | 'key_binding_nonce'
  | 'key_binding_stale'
  | 'key_binding_early'
  | 'key_binding_times'
  | 'key_binding_other_disclosures'
> {
  constructor(code: SdJwtError['code']) {
    super(code, `the credential is refused: ${code.replaceAll('_', ' ')}`);
  }
}

//! What the wallet says of itself when it fetches a request by POST (OpenID4VP 1.0 §5.10, §10).

use realdid_crypto::KeyType;
use realdid_jose::jwe::{ALGORITHM, Encryption};
use realdid_openid::ClientIdPrefix;
use realdid_openid::dcql::SD_JWT_VC;
use realdid_openid::realdid_jwt::FORMAT;
use serde_json::{Value, json};

/// The wallet's metadata, the same for everybody: it says what this software can, and nothing about
/// its holder.
#[must_use]
pub fn wallet_metadata() -> Value {
    let algorithms = KeyType::ALL.map(KeyType::jose_algorithm);
    json!({
        "response_types_supported": ["vp_token"],
        "response_modes_supported": ["direct_post", "direct_post.jwt"],
        "client_id_prefixes_supported": ClientIdPrefix::ALL.map(ClientIdPrefix::as_str),
        "request_object_signing_alg_values_supported": algorithms,
        "authorization_encryption_alg_values_supported": [ALGORITHM],
        "authorization_encryption_enc_values_supported": Encryption::ALL.map(Encryption::name),
        "vp_formats_supported": {
            SD_JWT_VC: { "sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms },
            FORMAT: { "alg_values": algorithms },
        },
    })
}

//! Tests of the ledger's rules, records and proofs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accreditation;
// Needs openssl and rand_core, which no other file here names.
#[path = "../../../token/tests/it/authority.rs"]
mod authority;
mod charter;
mod checking;
mod committees;
mod finality;
mod founding;
#[path = "../../../../vectors/frozen.rs"]
mod frozen;
mod governance;
mod header;
#[path = "../../../did/tests/it/holder.rs"]
mod holder;
mod light;
mod proof_file;
mod proofs;
mod proofs_tampered;
mod publishing;
mod records;
mod refusals;
mod refused_files;
mod services;
mod state_proof;
mod states;
#[path = "../../../../vectors/refusals.rs"]
mod tampering;
mod tokens;
mod vectors;
mod world;

//! One valid proof file with single parts of another: what no reader may accept.

use realdid_crypto::{base64url_decode, base64url_encode};
use realdid_ledger::{Evidence, FinalityProof, HEADER_LEN, ProofFile, StateProof};

// `finalities` exchanges every field of a header.
const _: () = assert!(
    HEADER_LEN == 258,
    "a new field of the header belongs into `finalities`"
);

/// `first` with the certificate, or one field of the header, of `second`.
pub fn finalities(first: &ProofFile, second: &ProofFile) -> Vec<ProofFile> {
    let decode = |file: &ProofFile| {
        let bytes = base64url_decode(&file.finality).expect("base64url");
        FinalityProof::decode(&bytes).expect("a finality proof")
    };
    let (own, other) = (decode(first), decode(second));
    let with = |edit: &dyn Fn(&mut FinalityProof)| {
        let mut proof = own.clone();
        edit(&mut proof);
        ProofFile {
            finality: base64url_encode(proof.encode()),
            ..first.clone()
        }
    };
    let header = &other.headers[0];
    vec![
        with(&|proof| proof.certificate.clone_from(&other.certificate)),
        with(&|proof| proof.headers.clone_from(&other.headers)),
        with(&|proof| proof.headers.extend(other.headers.iter().cloned())),
        with(&|proof| proof.headers[0].height = header.height),
        with(&|proof| proof.headers[0].time_ms = header.time_ms),
        with(&|proof| proof.headers[0].epoch += 1),
        with(&|proof| proof.headers[0].parent = header.parent),
        with(&|proof| proof.headers[0].operations_root = header.operations_root),
        with(&|proof| proof.headers[0].state_root = header.state_root),
        with(&|proof| proof.headers[0].state_log = header.state_log),
        with(&|proof| proof.headers[0].round = header.round),
    ]
}

/// `first` with the end, the path, or one step of the path of the state proof of `second`.
pub fn states(first: &ProofFile, second: &ProofFile) -> Vec<ProofFile> {
    let decode = |file: &ProofFile| {
        let bytes = base64url_decode(&file.state).expect("base64url");
        StateProof::decode(&bytes).expect("a state proof")
    };
    let (own, other) = (decode(first), decode(second));
    let mut exchanged = vec![
        StateProof {
            end: other.end.clone(),
            ..own.clone()
        },
        StateProof {
            siblings: other.siblings.clone(),
            ..own.clone()
        },
    ];
    for (depth, sibling) in other.siblings.iter().enumerate().take(own.siblings.len()) {
        let mut changed = own.clone();
        changed.siblings[depth] = *sibling;
        exchanged.push(changed);
    }
    exchanged.retain(|proof| *proof != own);
    let files = exchanged.into_iter().map(|proof| ProofFile {
        state: base64url_encode(proof.encode()),
        ..first.clone()
    });
    files.collect()
}

/// `first` with one field of the document of `second`, or without that field.
pub fn documents(first: &ProofFile, second: &ProofFile) -> Vec<ProofFile> {
    let mut exchanged = Vec::new();
    for (name, value) in second.document.as_object().expect("a document") {
        let mut changed = first.clone();
        changed.document[name] = value.clone();
        exchanged.push(changed);
        let mut without = first.clone();
        without.document.as_object_mut().expect("a document").remove(name);
        exchanged.push(without);
    }
    exchanged
}

/// `first` with operations of `second` added or put in place of its own, or with some left out.
pub fn operations(first: &ProofFile, second: &ProofFile) -> Vec<ProofFile> {
    let Evidence::Operations(own) = &first.evidence else {
        return Vec::new();
    };
    let other = match &second.evidence {
        Evidence::Operations(operations) => operations.clone(),
        Evidence::Inception(inception) => vec![inception.clone()],
    };
    let mut lists = vec![Vec::new(), [own.as_slice(), &own[own.len() - 1..]].concat()];
    for text in &other {
        lists.push([std::slice::from_ref(text), own].concat());
        lists.push([own, std::slice::from_ref(text)].concat());
        for place in 0..own.len() {
            let mut list = own.clone();
            list[place].clone_from(text);
            lists.push(list);
        }
    }
    let files = lists.into_iter().map(|list| ProofFile {
        evidence: Evidence::Operations(list),
        ..first.clone()
    });
    files.collect()
}

-- The credential issuer (OpenID4VCI). `subject` is the name of a record (an identity number, a licence
-- number) encrypted under the secret; `person` is a keyed function of it. Every code, token, nonce and
-- identifier that travels is kept as a hash. What may be used once is decided by one statement here,
-- so that any number of processes may serve one database.

-- What an account or an identification is about, for later issuance.
ALTER TABLE enrolments ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN subject TEXT NOT NULL DEFAULT '';

CREATE TABLE vci_offers (
    id_hash        TEXT   NOT NULL PRIMARY KEY,
    code_hash      TEXT   NOT NULL UNIQUE,
    configurations TEXT   NOT NULL,
    person         TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    -- 0 for an offer to nobody: its code was never sent, and no code is right.
    matched        BIGINT NOT NULL,
    -- Empty if no transaction code is asked for.
    tx_mac         TEXT   NOT NULL,
    attempts       BIGINT NOT NULL,
    used           BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX vci_offers_by_expiry ON vci_offers (expires_at);

CREATE TABLE vci_pushed (
    id_hash    TEXT   NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL,
    request    TEXT   NOT NULL,
    used       BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- A browser on the authorization page, known by a cookie.
CREATE TABLE vci_authorizations (
    id_hash        TEXT   NOT NULL PRIMARY KEY,
    request        TEXT   NOT NULL,
    configurations TEXT   NOT NULL,
    -- The offer whose issuer_state came along, or empty.
    offer          TEXT   NOT NULL,
    -- Set once a code has been sent.
    person         TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    matched        BIGINT NOT NULL,
    code_mac       TEXT   NOT NULL,
    attempts       BIGINT NOT NULL,
    done           BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL
);

CREATE TABLE vci_codes (
    code_hash  TEXT   NOT NULL PRIMARY KEY,
    grant_id   TEXT   NOT NULL,
    request    TEXT   NOT NULL,
    used       BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- What a wallet was granted; lives as long as its refresh tokens may.
CREATE TABLE vci_grants (
    id             TEXT   NOT NULL PRIMARY KEY,
    person         TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    configurations TEXT   NOT NULL,
    -- 1 if the token response named credential identifiers.
    identifiers    BIGINT NOT NULL,
    client_id      TEXT   NOT NULL,
    jkt            TEXT   NOT NULL,
    revoked        BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX vci_grants_by_person ON vci_grants (person);

CREATE TABLE vci_tokens (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    grant_id   TEXT   NOT NULL REFERENCES vci_grants (id),
    kind       TEXT   NOT NULL,
    used       BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX vci_tokens_by_expiry ON vci_tokens (expires_at);

-- Nonces and DPoP proofs that have been taken.
CREATE TABLE vci_once (
    kind       TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX vci_once_by_expiry ON vci_once (expires_at);

CREATE TABLE vci_deferred (
    id_hash       TEXT   NOT NULL PRIMARY KEY,
    -- How the operator calls it; the wallet's own name for it is not kept.
    handle        TEXT   NOT NULL UNIQUE,
    grant_id      TEXT   NOT NULL,
    configuration TEXT   NOT NULL,
    keys          TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    expires_at    BIGINT NOT NULL
);

CREATE TABLE vci_issuances (
    id            TEXT   NOT NULL PRIMARY KEY,
    configuration TEXT   NOT NULL,
    person        TEXT   NOT NULL,
    copies        BIGINT NOT NULL,
    state         BIGINT NOT NULL,
    issued_at     BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX vci_issuances_by_person ON vci_issuances (person);

CREATE TABLE vci_notifications (
    id_hash    TEXT   NOT NULL PRIMARY KEY,
    grant_id   TEXT   NOT NULL,
    issuance   TEXT   NOT NULL,
    event      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

-- One row for each long-lived credential. What is published is the value, or the previous one if the
-- value changed since the last time of publication.
CREATE TABLE vci_status (
    list       BIGINT NOT NULL,
    idx        BIGINT NOT NULL,
    issuance   TEXT   NOT NULL,
    value      BIGINT NOT NULL,
    previous   BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (list, idx)
);
CREATE INDEX vci_status_by_issuance ON vci_status (issuance);

CREATE TABLE vci_status_lists (
    list  BIGINT NOT NULL PRIMARY KEY,
    taken BIGINT NOT NULL
);

CREATE TABLE vci_publications (
    list  BIGINT NOT NULL,
    at    BIGINT NOT NULL,
    token TEXT   NOT NULL,
    PRIMARY KEY (list, at)
);

-- What was done, by whom and when: no name, no number, no key.
CREATE TABLE vci_audit (
    id            TEXT   NOT NULL PRIMARY KEY,
    at            BIGINT NOT NULL,
    actor         TEXT   NOT NULL,
    action        TEXT   NOT NULL,
    configuration TEXT   NOT NULL,
    person        TEXT   NOT NULL,
    reference     TEXT   NOT NULL
);
CREATE INDEX vci_audit_by_time ON vci_audit (at);

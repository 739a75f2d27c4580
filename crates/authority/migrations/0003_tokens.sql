-- Tokens taken by a person in a quota period (time / length of a period).
CREATE TABLE quota (
    person TEXT   NOT NULL REFERENCES enrolled (person),
    period BIGINT NOT NULL,
    used   BIGINT NOT NULL,
    PRIMARY KEY (person, period)
);

-- Blinded values that have been paid for; kept while their key exists.
CREATE TABLE blinded_values (
    person  TEXT NOT NULL REFERENCES enrolled (person),
    key_id  TEXT NOT NULL,
    blinded TEXT NOT NULL,
    PRIMARY KEY (person, key_id, blinded)
);
CREATE INDEX blinded_values_by_key ON blinded_values (key_id);

-- Requests seen, until they expire, so that none is taken twice.
CREATE TABLE requests (
    account    TEXT   NOT NULL REFERENCES accounts (id),
    jti        TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account, jti)
);
CREATE INDEX requests_by_expiry ON requests (expires_at);

-- The epoch keys there have been; private parts are files, destroyed when their epoch ends.
CREATE TABLE epoch_keys (
    epoch    BIGINT NOT NULL PRIMARY KEY,
    key_id   TEXT   NOT NULL UNIQUE,
    anchored BIGINT NOT NULL
);

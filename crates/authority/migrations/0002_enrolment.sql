-- `person` is everywhere a keyed function of the identity number: whoever has this database but
-- not the authority's secret can neither read it nor test a guess.

-- Persons with an account. `turn` is raised by whoever works on a person: it is the row to lock.
CREATE TABLE enrolled (
    person TEXT   NOT NULL PRIMARY KEY,
    turn   BIGINT NOT NULL
);

-- How often a number was tried lately, whether it belongs to anybody or not.
CREATE TABLE attempts (
    person    TEXT   NOT NULL PRIMARY KEY,
    started   BIGINT NOT NULL,
    failed    BIGINT NOT NULL,
    resets_at BIGINT NOT NULL
);
CREATE INDEX attempts_by_reset ON attempts (resets_at);

CREATE TABLE enrolments (
    id          TEXT   NOT NULL PRIMARY KEY,
    person      TEXT   NOT NULL,
    matched     BIGINT NOT NULL,
    account_key TEXT   NOT NULL,
    code_mac    TEXT   NOT NULL,
    attempts    BIGINT NOT NULL,
    confirmed   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX enrolments_by_expiry ON enrolments (expires_at);

CREATE TABLE accounts (
    id          TEXT   NOT NULL PRIMARY KEY,
    person      TEXT   NOT NULL REFERENCES enrolled (person),
    account_key TEXT   NOT NULL,
    active      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX one_active_account ON accounts (person) WHERE active = 1;

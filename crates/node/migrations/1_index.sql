-- Where operations and documents stand. Everything here can be rebuilt from the blocks.

CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    charter BLOB NOT NULL,
    height INTEGER NOT NULL
);

CREATE TABLE operations (
    hash BLOB PRIMARY KEY,
    height INTEGER NOT NULL,
    position INTEGER NOT NULL,
    time INTEGER NOT NULL,
    -- identifier hash and version, for an operation on a DID
    did BLOB,
    version INTEGER
) WITHOUT ROWID;

CREATE UNIQUE INDEX operations_by_did ON operations (did, version) WHERE did IS NOT NULL;

CREATE TABLE documents (
    hash BLOB PRIMARY KEY,
    height INTEGER NOT NULL,
    position INTEGER NOT NULL
) WITHOUT ROWID;

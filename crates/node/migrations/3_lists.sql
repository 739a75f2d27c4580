-- What the explorer lists and counts. Everything is indexed anew, so that what was before is in it.

-- Decisions of the consortium, in their order.
CREATE TABLE governance (
    height INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (height, position)
) WITHOUT ROWID;

-- Epoch keys by the authority that published them: identifier hash, key identifier.
CREATE TABLE epoch_keys (
    authority BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    id BLOB NOT NULL,
    height INTEGER NOT NULL,
    PRIMARY KEY (authority, epoch, id)
) WITHOUT ROWID;

-- How many operations of each kind there have been.
CREATE TABLE counts (
    kind TEXT PRIMARY KEY,
    operations INTEGER NOT NULL
) WITHOUT ROWID;

-- How many operations each hour had (Unix time / 3600).
CREATE TABLE hours (
    hour INTEGER PRIMARY KEY,
    operations INTEGER NOT NULL
);

DELETE FROM operations;
DELETE FROM documents;
DELETE FROM decisions;
UPDATE meta SET height = 0;

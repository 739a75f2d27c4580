-- Which decisions of the consortium are about a DID.

CREATE TABLE decisions (
    -- identifier hash
    subject BLOB NOT NULL,
    height INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (subject, height, position)
) WITHOUT ROWID;

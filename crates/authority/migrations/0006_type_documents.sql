-- The metadata documents of types (SD-JWT VC), as they were when a credential was first signed with
-- their hash; never changed afterwards, whatever the configuration says.
CREATE TABLE vci_type_documents (
    vct      TEXT   NOT NULL PRIMARY KEY,
    document TEXT   NOT NULL,
    kept_at  BIGINT NOT NULL
);

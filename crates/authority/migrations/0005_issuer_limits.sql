-- How many credentials of a type a person was given on a day (days since 1970, UTC).
CREATE TABLE vci_given (
    person TEXT   NOT NULL,
    vct    TEXT   NOT NULL,
    day    BIGINT NOT NULL,
    copies BIGINT NOT NULL,
    PRIMARY KEY (person, vct, day)
);
CREATE INDEX vci_given_by_day ON vci_given (day);

-- Whom a code is about and what it gives: whoever revokes that, ends the code too.
ALTER TABLE vci_codes ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE vci_codes ADD COLUMN configurations TEXT NOT NULL DEFAULT '';

-- Columns by which rows are looked for again and again.
CREATE INDEX vci_tokens_by_grant ON vci_tokens (grant_id);
CREATE INDEX vci_deferred_by_grant ON vci_deferred (grant_id);
CREATE INDEX vci_notifications_by_expiry ON vci_notifications (expires_at);
CREATE INDEX vci_offers_by_person ON vci_offers (person);

-- The pushed request that a page was opened with: its browser may load the page again, nobody else may.
ALTER TABLE vci_authorizations ADD COLUMN pushed TEXT NOT NULL DEFAULT '';

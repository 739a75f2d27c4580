-- How many places a list has stays as it was opened, whatever the policy becomes. Lists from before had
-- the default, or 65,536 in a sandbox; the larger number holds every place that was given.
ALTER TABLE vci_status_lists ADD COLUMN places BIGINT NOT NULL DEFAULT 1048576;

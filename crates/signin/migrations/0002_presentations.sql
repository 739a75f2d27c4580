-- What a website may ask for beside a login, and how it names itself to wallets (JSON).
ALTER TABLE clients ADD COLUMN verifier TEXT NOT NULL DEFAULT '{}';

-- Presentations that websites ask for by themselves. `version` counts the moves. A row is erased as a
-- whole at `erase_at`, with the claims in it.
CREATE TABLE presentations (
  id TEXT PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE,
  client_id TEXT NOT NULL,
  idempotency_hash TEXT,
  body_hash TEXT NOT NULL,
  asked TEXT NOT NULL,
  stage TEXT NOT NULL,
  last_refusal TEXT,
  version BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  erase_at BIGINT NOT NULL,
  UNIQUE (client_id, idempotency_hash)
);

-- What websites are still to be told. A row is taken by moving `next_at` into the future.
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  presentation_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  url TEXT NOT NULL,
  event TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  erase_at BIGINT NOT NULL
);
CREATE INDEX webhooks_due ON webhooks (next_at);

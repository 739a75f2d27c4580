-- Websites. Their request keys lie beside the database, in files of their own.
CREATE TABLE clients (
  client_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  site_did TEXT NOT NULL UNIQUE,
  secret_hash TEXT,
  redirect_uris TEXT NOT NULL,
  minimum_level TEXT NOT NULL,
  max_age BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Pushed authorization requests (RFC 9126), used once.
CREATE TABLE pushed_requests (
  id_hash TEXT PRIMARY KEY,
  client_id TEXT NOT NULL,
  parameters TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);

-- Logins on their way. `version` counts the moves, so that of two moves at once only one happens.
CREATE TABLE logins (
  id TEXT PRIMARY KEY,
  browser_hash TEXT NOT NULL,
  asked TEXT NOT NULL,
  stage TEXT NOT NULL,
  version BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

-- What wallets were asked: one request for the link, others for the codes that other devices scan.
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  login_id TEXT NOT NULL,
  device TEXT NOT NULL,
  nonce TEXT NOT NULL,
  state TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX requests_of_login ON requests (login_id);

-- Authorization codes, kept a while after use so that a second use is noticed.
CREATE TABLE codes (
  code_hash TEXT PRIMARY KEY,
  "grant" TEXT NOT NULL,
  used BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE access_tokens (
  token_hash TEXT PRIMARY KEY,
  code_hash TEXT NOT NULL,
  "grant" TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_of_code ON access_tokens (code_hash);

-- The highest ledger height ever seen: no lower one is believed, also after a restart.
CREATE TABLE seen (
  id BIGINT PRIMARY KEY,
  height BIGINT NOT NULL
);

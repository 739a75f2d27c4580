-- The population register, as a state keeps it. Nothing else refers to its rows.
CREATE TABLE persons (
    person_ref TEXT NOT NULL PRIMARY KEY,
    number     TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    birth_date TEXT NOT NULL,
    address    TEXT NOT NULL,
    email      TEXT NOT NULL,
    phone      TEXT NOT NULL
);

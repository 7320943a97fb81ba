#!/bin/sh
# Run by PostgreSQL's container when its data is new: the owner, the application's role, and the database (docs/production.md, "Two roles").
# Needs PostgreSQL 17 or newer, OWNER_PASSWORD and APP_PASSWORD.
set -eu
psql --username "$POSTGRES_USER" --dbname postgres --no-psqlrc --set ON_ERROR_STOP=1 --quiet \
    --set owner="$OWNER_PASSWORD" --set app="$APP_PASSWORD" <<'SQL'
CREATE ROLE wallet_owner LOGIN PASSWORD :'owner';
CREATE ROLE wallet_app LOGIN PASSWORD :'app';
CREATE DATABASE wallet OWNER wallet_owner ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0;
REVOKE ALL ON DATABASE wallet FROM PUBLIC;
GRANT CONNECT ON DATABASE wallet TO wallet_app;
SQL

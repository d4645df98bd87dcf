# Shared by the commands in tools/ and .ci/: packages, builds, throwaway Postgres. Sourced, never run.
# Everything here is idempotent, says what it does, and takes well under a second when there is
# nothing to do. Wants bash; works on Debian 12 and Ubuntu releases that carry the same packages.
# shellcheck shell=bash

HOLDFAST_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
POSTGRES_BIN=/usr/lib/postgresql/15/bin

BUILD_PACKAGES=(
  g++ cmake ninja-build ccache mold pkgconf
  libboost1.81-dev libboost-context1.81-dev libsqlite3-dev libpq-dev libpg-query-dev zlib1g-dev
  nlohmann-json3-dev libcli11-dev libgtest-dev librapidcheck-dev libbenchmark-dev
)
DATABASE_PACKAGES=(postgresql-15)
# shellcheck disable=SC2034  # read by tools/ci
CLANG_PACKAGES=(clang-14 libclang-rt-14-dev)

say() { printf '== %s\n' "$*" >&2; }
die() { printf '!! %s\n' "$*" >&2; exit 1; }

# -- packages ----------------------------------------------------------------------------------------

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      printf '%s\n' "$package"
  done
}

# install_packages NAME...: installs what is missing; ends the command naming what cannot be had.
install_packages() {
  command -v dpkg-query >/dev/null || die "dpkg is missing: install by hand: $*"
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "not root and no sudo; install by hand: ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing packages: ${missing[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  "${as_root[@]}" "${apt[@]}" update </dev/null >&2 || say "apt-get update failed; trying on"
  "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >&2 ||
    say "apt-get install failed"
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) || die "packages that could not be installed: ${missing[*]}"
}

# Node may come from anywhere, so the programs are looked for, not the packages.
install_node() {
  local wanted=()
  command -v node >/dev/null || wanted+=(nodejs)
  command -v npm >/dev/null || wanted+=(npm)
  # Without the certificates Debian's Node reaches no registry; it only recommends them.
  ((${#wanted[@]} == 0)) || install_packages "${wanted[@]}" ca-certificates
  local major
  major="$(node --version | sed -E 's/^v([0-9]+)\..*/\1/')"
  ((major >= 18)) || die "node $(node --version) is too old: version 18 or newer is needed"
}

# npm_packages DIR: what DIR/package-lock.json names, in DIR/node_modules; a stamp tells it is done.
npm_packages() {
  local dir=$1 stamp="$1/node_modules/.installed-lock"
  cmp -s "$dir/package-lock.json" "$stamp" && return 0
  say "installing npm packages of ${dir#"$HOLDFAST_ROOT"/}"
  (cd "$dir" && npm ci --omit=optional --no-audit --no-fund --loglevel=error </dev/null >&2) ||
    die "npm ci failed for: $(node -p 'Object.keys(require(process.argv[1]).dependencies).join(" ")' \
      "$dir/package.json")"
  cp "$dir/package-lock.json" "$stamp"
}

# -- builds ------------------------------------------------------------------------------------------

# build PRESET [TARGET...]: configures once, then leaves it to ninja, which is silent if all is done.
build() {
  local preset=$1 dir="$HOLDFAST_ROOT/build/$1"
  shift
  install_packages "${BUILD_PACKAGES[@]}"
  if [[ ! -f "$dir/build.ninja" ]]; then
    say "configuring build/$preset"
    (cd "$HOLDFAST_ROOT" && cmake --preset "$preset" >/dev/null) || die "cmake failed"
  fi
  run_ninja "$dir" "$@"
}

# run_ninja DIR [TARGET...]
run_ninja() {
  local dir=$1
  shift
  [[ "$(ninja -C "$dir" -n "$@" 2>/dev/null | tail -n 1)" == "ninja: no work to do." ]] && return 0
  say "building ${dir#"$HOLDFAST_ROOT"/} ${*:-all}"
  NINJA_STATUS='[%f/%t %es] ' ninja -C "$dir" "$@" </dev/null >&2 || die "the build failed"
}

# -- a throwaway Postgres ----------------------------------------------------------------------------

# As the user that may run a server: Postgres refuses root.
as_postgres() {
  if ((EUID == 0)); then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# start_postgres: sets POSTGRES_DIR and DATABASE_URL. A fresh cluster with a random password on a free
# port of this machine; its data is gone after stop_postgres.
start_postgres() {
  install_packages "${DATABASE_PACKAGES[@]}"
  POSTGRES_DIR="$(mktemp -d "${TMPDIR:-/tmp}/holdfast-postgres.XXXXXX")"
  local password
  password="$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"
  printf '%s\n' "$password" >"$POSTGRES_DIR/password"
  ((EUID != 0)) || chown -R postgres "$POSTGRES_DIR"
  as_postgres "$POSTGRES_BIN/initdb" -D "$POSTGRES_DIR/data" -U postgres -E UTF8 --locale=C.UTF-8 \
    --auth=scram-sha-256 --pwfile="$POSTGRES_DIR/password" --no-sync >"$POSTGRES_DIR/initdb.log" \
    2>&1 || die "initdb failed: $(tail -n 3 "$POSTGRES_DIR/initdb.log")"
  as_postgres tee -a "$POSTGRES_DIR/data/postgresql.conf" >/dev/null <<CONF
wal_level = logical
listen_addresses = '127.0.0.1'
unix_socket_directories = '$POSTGRES_DIR'
fsync = off
CONF
  local attempt port
  for attempt in 1 2 3 4 5 6 7 8; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
    if as_postgres "$POSTGRES_BIN/pg_ctl" -D "$POSTGRES_DIR/data" -w -t 60 -o "-p $port" \
      -l "$POSTGRES_DIR/postgres.log" start >/dev/null 2>&1; then
      export DATABASE_URL="postgresql://postgres:$password@127.0.0.1:$port/postgres"
      return 0
    fi
    grep -q 'could not bind' "$POSTGRES_DIR/postgres.log" || break
    say "port $port is taken (attempt $attempt)"
  done
  die "Postgres did not start: $(tail -n 3 "$POSTGRES_DIR/postgres.log" 2>/dev/null)"
}

# restart_postgres [MODE]: same data, same port. REQUIRES: start_postgres, or POSTGRES_DIR from it.
restart_postgres() {
  as_postgres "$POSTGRES_BIN/pg_ctl" -D "$POSTGRES_DIR/data" -m "${1:-fast}" -w -t 60 \
    -l "$POSTGRES_DIR/postgres.log" restart >/dev/null 2>&1 ||
    die "Postgres did not restart: $(tail -n 3 "$POSTGRES_DIR/postgres.log")"
}

stop_postgres() {
  [[ -n "${POSTGRES_DIR:-}" ]] || return 0
  as_postgres "$POSTGRES_BIN/pg_ctl" -D "$POSTGRES_DIR/data" -m immediate -w stop >/dev/null 2>&1 ||
    true
  rm -rf "$POSTGRES_DIR"
  POSTGRES_DIR=
}

# Where things lie; sourced by the scripts. FREEHOLD_CACHE holds fetched sources, models and the built llama.cpp.
export FREEHOLD_CACHE="${FREEHOLD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/freehold}"
export CCACHE_DIR="${CCACHE_DIR:-$FREEHOLD_CACHE/ccache}"
export CCACHE_MAXSIZE="${CCACHE_MAXSIZE:-4G}"
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$PWD}"
export CCACHE_NOHASHDIR=1
llama_version() { sed -n '/^\[llama_cpp\]/,/^\[/s/^\(package\|version\) = "\(.*\)"/\2/p' third_party/lock.toml | paste -sd ' '; }
fetched() { /usr/bin/python3 third_party/fetch "$1"; }
# Node brings its own list of certificate authorities; with the system's beside it, npm also works behind a proxy whose
# certificate this machine trusts.
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ]; then
  export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
fi

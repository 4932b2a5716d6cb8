#!/usr/bin/env bash
# From nothing to final receipts: installs what is missing, builds, starts a development chain and the engine, sends the
# shipped inputs and shows their receipts become final. Then it stays up: http://127.0.0.1:8080 has the live page.
# Usage: ./run.sh [--once] [--backend onnxruntime|torch] [--attester software|tpm]
#   --once      ends when every receipt is final (0), or says why one is not within a minute (1)
#   --backend   torch serves the TorchScript twins of the shipped models through libtorch (default onnxruntime)
#   --attester  tpm: a TPM in software beside the chain vouches for the engine (mock hardware: it proves nothing)
# Environment: OG_DATA (folder, default data, data-torch, data-tpm or data-torch-tpm), OG_HTTP_PORT (default 8080),
#   OG_SETUP (skip: neither installs nor builds, takes what the last build left)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

once=no backend=onnxruntime attester=software
while [ $# -gt 0 ]; do
  case $1 in
    --once) once=yes ;;
    --backend) shift; backend=${1:-} ;;
    --attester) shift; attester=${1:-} ;;
    --help|-h) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown argument '$1' (see --help)" >&2; exit 2 ;;
  esac
  [ $# -eq 0 ] || shift
done

# A data folder keeps the models and the attester that it was made with, so each choice has its own.
data=data
case $backend in
  onnxruntime) models=models ;;
  torch) models=models/torch data=$data-torch ;;
  *) echo "run.sh: --backend is onnxruntime or torch, not '$backend'" >&2; exit 2 ;;
esac
case $attester in
  software) ;;
  tpm) data=$data-tpm ;;
  *) echo "run.sh: --attester is software or tpm, not '$attester'" >&2; exit 2 ;;
esac
data=${OG_DATA:-$data}
http_port=${OG_HTTP_PORT:-8080}
say() { printf '\033[1m[run]\033[0m %s\n' "$*"; }
fail() { printf '[run] error: %s\n' "$*" >&2; exit 1; }

in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
if in_use "$http_port"; then fail "port $http_port on 127.0.0.1 is in use; stop what listens there or set OG_HTTP_PORT"; fi

[ "$attester" = software ] || export OG_SOFTWARE_TPM=yes
if [ "$backend" = torch ]; then
  [ "${OG_TORCH:-}" != skip ] || fail "--backend torch needs libtorch, and OG_TORCH=skip leaves it out"
  export OG_TORCH=need
fi
og=artifacts/bin/OpenGradient.Engine.Host/release/og
if [ "${OG_SETUP:-}" != skip ]; then ./scripts/setup.sh run
elif [ ! -x "$og" ]; then fail "OG_SETUP=skip, and nothing was built yet: run without it once"; fi
anvil=$(echo node_modules/@foundry-rs/anvil-*/bin/anvil)

# Children end with this script, also when it is killed outright: the kernel signals them (--pdeathsig).
host_pid='' chain_pid='' tpm_pid=''
stop() {
  trap - EXIT INT TERM
  [ -z "$host_pid" ] || { kill -TERM "$host_pid" 2>/dev/null || true; wait "$host_pid" 2>/dev/null || true; }
  [ -z "$tpm_pid" ] || { kill -TERM "$tpm_pid" 2>/dev/null || true; wait "$tpm_pid" 2>/dev/null || true; }
  [ -z "$chain_pid" ] || { kill -TERM "$chain_pid" 2>/dev/null || true; wait "$chain_pid" 2>/dev/null || true; }
}
trap stop EXIT
trap 'stop; exit 130' INT
trap 'stop; exit 143' TERM

mkdir -p "$data/chain"
chain_port=$(cat "$data/chain/port" 2>/dev/null || true)
[[ $chain_port =~ ^[0-9]{1,5}$ ]] || chain_port=8545
while in_use "$chain_port"; do chain_port=$((chain_port + 1)); done
echo "$chain_port" >"$data/chain/port"
rpc="http://127.0.0.1:$chain_port"
say "starting the development chain (anvil, 1 s blocks) on $rpc; its state is kept in $data/chain"
# The states of the last blocks lie beside the chain: by default thousands go to the home folder, and stay there when the node is killed.
rm -rf "$data/chain/states"
setpriv --pdeathsig TERM "$anvil" --silent --host 127.0.0.1 --port "$chain_port" --chain-id 31337 --block-time 1 --accounts 1 \
  --cache-path "$data/chain/states" --max-persisted-states 64 --state "$data/chain/state.json" --state-interval 1 >"$data/chain/anvil.log" 2>&1 </dev/null &
chain_pid=$!
# Alive and listening: a port that answers could be somebody else's, who was faster.
for _ in $(seq 600); do kill -0 "$chain_pid" 2>/dev/null || break; in_use "$chain_port" && break; sleep 0.1; done
sleep 0.2
{ kill -0 "$chain_pid" 2>/dev/null && in_use "$chain_port"; } || { cat "$data/chain/anvil.log" >&2; fail "the development chain did not start"; }

attesting=(--attester software)
if [ "$attester" = tpm ]; then
  mkdir -p "$data/tpm"
  tpm=$(cd "$data/tpm" && pwd)
  # A socket's path has 108 bytes at most.
  [ ${#tpm} -le 90 ] || fail "the path of $data is too long for a socket: set OG_DATA to a shorter one"
  rm -f "$tpm/socket" "$tpm/socket.ctrl" # of a run that was killed
  say "starting a TPM in software: MOCK HARDWARE, it proves nothing about this machine"
  setpriv --pdeathsig TERM ./scripts/software-tpm.sh "$tpm" >"$data/tpm/tpm.log" 2>&1 </dev/null &
  tpm_pid=$!
  for _ in $(seq 300); do kill -0 "$tpm_pid" 2>/dev/null || break; [ -S "$tpm/socket.ctrl" ] && break; sleep 0.1; done
  { kill -0 "$tpm_pid" 2>/dev/null && [ -S "$tpm/socket" ]; } || { cat "$data/tpm/tpm.log" >&2; fail "the software TPM did not start"; }
  attesting=(--attester tpm --tpm "swtpm:path=$tpm/socket" --collateral "$tpm/collateral")
fi

"$og" init --development --data "$data" --rpc "$rpc" --models "$models" "${attesting[@]}"

say "starting the engine on http://127.0.0.1:$http_port"
operator_port=$((http_port + 1))
while in_use "$operator_port"; do operator_port=$((operator_port + 1)); done
setpriv --pdeathsig TERM "$og" serve --config "$data/og.json" --set chain.rpc="$rpc" \
  --set http.listen="http://127.0.0.1:$http_port" --set operatorListen="http://127.0.0.1:$operator_port" >"$data/og.log" 2>&1 </dev/null &
host_pid=$!
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$http_port" && printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3 && head -n 1 <&3 | grep -q ' 200') 2>/dev/null; }
ready() { answers /v2/health/ready; }
for _ in $(seq 600); do ready && break; kill -0 "$host_pid" 2>/dev/null || break; sleep 0.1; done
ready || { tail -n 30 "$data/og.log" >&2; fail "the engine did not become ready (whole log: $data/og.log)"; }

# A data folder of before the language models keeps its configuration, which names none.
chat=() talk=''
prompt='And it came to pass'
if answers /v1/models/scripture; then
  chat=(--chat "scripture=$prompt")
  talk="
  one chat       curl -s http://127.0.0.1:$http_port/v1/chat/completions -H 'Content-Type: application/json' \\
                   -d '{\"model\":\"scripture\",\"messages\":[{\"role\":\"user\",\"content\":\"$prompt\"}],\"max_tokens\":60}'
  on the terminal ./og chat scripture \"$prompt\" --wait final --receipt passage.ogb"
fi

say "sending the shipped inputs"
"$og" demo --url "http://127.0.0.1:$http_port/" --timeout 60 --receipts "$data/receipts" \
  --input digits=models/digits/inputs/held-back.json:32 --input encoder=models/encoder/inputs/sentences.json \
  "${chat[@]}"

if [ "$once" = yes ]; then
  say "every receipt is final"
  exit 0
fi

cat <<END

The engine stays up (Ctrl-C stops it and the chain):
  live page      http://127.0.0.1:$http_port/$talk
  one inference  ./og infer digits --input models/digits/inputs/held-back.json --wait final --receipt seven.ogb
  verify it      ./og verify seven.ogb --trust $data/trust.json --rpc $rpc
  log            $data/og.log
END
wait "$host_pid" || fail "the engine ended (log: $data/og.log)"

#!/usr/bin/env bash
# MOCK HARDWARE: a TPM in software for development. It proves nothing about a machine: its maker is this folder's own authority.
# Usage: scripts/software-tpm.sh FOLDER     makes the TPM on first use, then runs it until it is told to stop
# FOLDER/socket is where it listens (TCTI swtpm:path=FOLDER/socket); FOLDER/collateral has the certificates behind its endorsement key.
set -euo pipefail
[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2; exit 2; }
for program in swtpm swtpm_setup; do
  command -v "$program" >/dev/null || { echo "software-tpm.sh: $program is not installed (Debian: swtpm, swtpm-tools)" >&2; exit 3; }
done
mkdir -p "$1"
folder=$(cd "$1" && pwd)

if [ ! -f "$folder/collateral/tpm-ek-issuers.pem" ]; then
  # Anew as a whole: what an earlier run left half made is no TPM.
  rm -rf "$folder/state" "$folder/authority" "$folder/collateral" "$folder/made"
  mkdir -p "$folder/state" "$folder/authority" "$folder/made"
  cat >"$folder/authority/localca.conf" <<END
statedir = $folder/authority
signingkey = $folder/authority/signkey.pem
issuercert = $folder/authority/issuercert.pem
certserial = $folder/authority/certserial
END
  cat >"$folder/authority/localca.options" <<END
--platform-manufacturer mock
--platform-version 1
--platform-model software
END
  cat >"$folder/authority/setup.conf" <<END
create_certs_tool = $(command -v swtpm_localca || echo /usr/bin/swtpm_localca)
create_certs_tool_config = $folder/authority/localca.conf
create_certs_tool_options = $folder/authority/localca.options
END
  swtpm_setup --tpm2 --tpmstate "$folder/state" --config "$folder/authority/setup.conf" --create-ek-cert --overwrite >"$folder/setup.log" 2>&1 \
    || { cat "$folder/setup.log" >&2; exit 1; }
  cat "$folder/authority/issuercert.pem" "$folder/authority/swtpm-localca-rootca-cert.pem" >"$folder/made/tpm-ek-issuers.pem"
  mv "$folder/made" "$folder/collateral"
fi

rm -f "$folder/socket" "$folder/socket.ctrl"
exec swtpm socket --tpm2 --tpmstate "dir=$folder/state" --server "type=unixio,path=$folder/socket" \
  --ctrl "type=unixio,path=$folder/socket.ctrl" --flags not-need-init,startup-clear

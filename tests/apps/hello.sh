# SPDX-License-Identifier: MIT
# Says hello to its arguments and waits; no executable bit, so it needs the interpreter by its extension.
echo "hello from bash ${BASH_VERSION%%.*}: $*"
exec sleep 1000000

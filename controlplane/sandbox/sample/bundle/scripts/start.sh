#!/bin/sh
# Start the service in the background; it lives on after this hook.
set -eu
mkdir -p "$INSTANCE_DIR/run"
"$PYTHON" -S -E -B "$INSTANCE_DIR/srv/shop/app.py" >"$INSTANCE_DIR/run/shop.log" 2>&1 </dev/null &
echo $! >"$INSTANCE_DIR/run/shop.pid"

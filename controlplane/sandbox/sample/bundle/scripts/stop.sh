#!/bin/sh
exec "$PYTHON" -S -E -B scripts/stop.py

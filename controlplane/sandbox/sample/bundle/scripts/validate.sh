#!/bin/sh
exec "$PYTHON" -S -E -B scripts/validate.py

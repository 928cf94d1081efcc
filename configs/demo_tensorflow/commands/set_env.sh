#!/usr/bin/env bash
# Sourced by the other commands: where this MMAR is, and where Python finds its own components.

MMAR_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export MMAR_ROOT
export PYTHONPATH="${MMAR_ROOT}/custom${PYTHONPATH:+:${PYTHONPATH}}"

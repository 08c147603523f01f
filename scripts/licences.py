#!/usr/bin/env python3
"""Checks every dependency's licence against the list in deny.toml; for machines without cargo-deny."""

import json
import re
import subprocess
import sys
import tomllib

with open("deny.toml", "rb") as file:
    allowed = set(tomllib.load(file)["licenses"]["allow"])
command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]
packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]


def permitted(expression):
    """Whether an SPDX expression can be met: one side of each OR, both sides of each AND."""
    text = expression.replace("/", " OR ").replace("(", " ( ").replace(")", " ) ")
    tokens = re.split(r"\s+", re.sub(r"(\S+) WITH (\S+)", r"\1+WITH+\2", text).strip())
    python = [
        token.lower() if token in ("AND", "OR") else token if token in "()" else str(token.replace("+WITH+", " WITH ") in allowed)
        for token in tokens
    ]
    return eval(" ".join(python), {"__builtins__": {}})  # only True, False, and, or, brackets


bad = [f"{p['name']} {p['version']}: {p['license']}" for p in packages if not p["license"] or not permitted(p["license"])]
print(f"{len(packages)} packages, {len(bad)} with a licence that deny.toml does not allow")
if bad:
    sys.exit("\n".join(bad))

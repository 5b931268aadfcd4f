#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden lines and the samples of docs/ against the JSON Schema, against the shapes of tests/live/shape.py, which are
written from Kunai's documentation, and against the keys that it documents (documented_keys.json). That the pages are
what schema/ says is another test's business (run.py, docs). Prints TAP."""
import copy
import json
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/live"))

import shape  # noqa: E402

SAMPLES = TOP / "docs/events/samples"
DOCUMENTED = TOP / "tests/golden/documented_keys.json"
EXPECTED = TOP / "tests/golden/expected.jsonl"

TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
}
KEYWORDS = {"$schema", "title", "description", "type", "required", "properties", "additionalProperties", "items",
            "const", "pattern", "minimum", "maximum", "anyOf", "oneOf"}  # fmt: skip


def invalid_object(value, schema, where):
    properties = schema.get("properties", {})
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{where} has no {key}"
    for key, inner in value.items():
        if key in properties:
            yield from invalid(inner, properties[key], f"{where}.{key}")
        elif schema.get("additionalProperties", True) is False:
            yield f"{where} has the key {key}"


def invalid(value, schema, where=""):
    """What is wrong with a value: the part of JSON Schema 2020-12 that the schema uses, and nothing else."""
    unknown = set(schema) - KEYWORDS
    if unknown:
        raise ValueError(f"the validator does not know {unknown}")
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(TYPES[t](value) for t in types):
        yield f"{where} is {value!r}, not {' or '.join(types)}"
        return
    if "const" in schema and (value != schema["const"] or isinstance(value, bool) != isinstance(schema["const"], bool)):
        yield f"{where} is {value!r}, not {schema['const']!r}"
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        yield f"{where} is {value!r}"
    if TYPES["number"](value) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where} is {value!r}, out of range"
    if isinstance(value, dict):
        yield from invalid_object(value, schema, where)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from invalid(item, schema["items"], f"{where}[{number}]")
    if "anyOf" in schema and all(list(invalid(value, s, where)) for s in schema["anyOf"]):
        yield f"{where} is none of what it may be"
    if "oneOf" in schema:
        fitting = sum(not list(invalid(value, s, where)) for s in schema["oneOf"])
        if fitting != 1:
            named = [s for s in schema["oneOf"] if name_of(s) == value.get("info", {}).get("event", {}).get("name")]
            reasons = [p for s in named for p in invalid(value, s, where)]
            yield f"{where} fits {fitting} of the alternatives: {'; '.join(reasons)}"


def name_of(branch):
    return branch["properties"]["info"]["properties"]["event"]["properties"]["name"]["const"]


def check_schema(schema, lines):
    for number, line in enumerate(lines, 1):
        yield from (f"line {number}: {problem}" for problem in invalid(json.loads(line), schema))


def check_shapes(lines):
    """Keys, their order, types and null rules of Kunai; keys of our own come after Kunai's."""
    for number, line in enumerate(lines, 1):
        event, problem = shape.parse_line(line)
        problems = [problem] if problem else shape.misshapen_event(event)
        yield from (f"line {number}: {problem}" for problem in problems)


# The keys of an event, as dotted paths of what is no object

PAGE_ROW = re.compile(r"^\| `\.(?:data|info)\.([^`]+)` \| ([^|]*) \|(?:[^|]|\\\|)*\| (yes|no) \|", re.MULTILINE)


def page_keys(text):
    """(path, Kunai has it) of a page's table, in its order."""
    return [(path, known == "yes") for path, kind, known in PAGE_ROW.findall(text) if not kind.startswith("object")]


def keys_of(value, where=""):
    for key, inner in value.items():
        path = f"{where}.{key}" if where else key
        if isinstance(inner, dict):
            yield from keys_of(inner, path)
        else:
            yield path


def pages():
    """(event or info, table of its page)"""
    text = (TOP / "docs/events.md").read_text()
    yield "info", page_keys(text[text.index("## In every event") :])
    for page in sorted((TOP / "docs/events").glob("*.md")):
        yield page.stem, page_keys(page.read_text())


def check_documented(documented):
    """What the schema says that Kunai has is what Kunai documents, in that order."""
    for name, rows in pages():
        wanted = documented["info"] if name == "info" else documented["data"].get(name)
        ours = [path for path, known in rows if known]
        if ours != wanted:
            yield f"{name}: the schema has {ours}, documented is {wanted}"


def is_absent(value, path):
    """Whether an object above the path is null, as it may be, or is no member at all."""
    for key in path.split(".")[:-1]:
        value = value.get(key)
        if value is None:
            return True
    return False


def check_documented_lines(documented, lines):
    """Of the documented keys none is missing from a line, and they come in their order; all others are known as ours."""
    tables = dict(pages())
    for number, line in enumerate(lines, 1):
        event = json.loads(line)
        name = event["info"]["event"]["name"]
        if name not in tables:
            yield f"line {number}: there is no page of {name}: ./dev docs --samples {name}"
            continue
        for part, table, wanted in (("data", tables[name], documented["data"][name]),
                                    ("info", tables["info"], documented["info"])):  # fmt: skip
            got = [k for k in keys_of(event[part])]
            objects = {k.rsplit(".", 1)[0] for k in wanted if "." in k}
            expected = [k for k in wanted if not is_absent(event[part], k)]
            if [k for k in got if k in wanted] != expected:
                yield f"line {number}, {name}.{part}: {[k for k in got if k in wanted]}, documented is {expected}"
            unknown = set(got) - set(wanted) - objects - {path for path, known in table if not known}
            if unknown:
                yield f"line {number}, {name}.{part}: {sorted(unknown)} is neither documented nor marked as ours"


def check_samples(schema):
    names = {name_of(s) for s in schema["oneOf"]}
    lines = {p.stem: json.loads(p.read_text()) for p in sorted(SAMPLES.glob("*.json"))}
    yield from (f"no sample of {name}: ./dev docs --samples {name}" for name in sorted(names - set(lines)))
    for name, event in lines.items():
        if event["info"]["event"]["name"] != name:
            yield f"{name}.json is of {event['info']['event']['name']}"
        problems = [*invalid(event, schema), *shape.misshapen_event(event)]
        yield from (f"{name}.json: {problem}; ./dev docs --samples {name}" for problem in problems)


def check_all_are_there(schema, lines):
    names = {name_of(s) for s in schema["oneOf"]}
    seen = {json.loads(line)["info"]["event"]["name"] for line in lines}
    yield from (f"no golden line of {name}" for name in names - seen)
    yield from (f"{name} is in the schema, but in no shape" for name in names ^ set(shape.DATA))


def spoilt(event):
    """Copies with one thing wrong each."""
    def change(path, value):
        twin = copy.deepcopy(event)
        *way, last = path
        at = twin
        for key in way:
            at = at[key]
        if value is None:
            del at[last]
        else:
            at[last] = value
        return twin

    yield "a key is missing", change(["info", "host", "container"], None)
    yield "a key is missing in data", change(["data", "path"], None)
    yield "a key too many", change(["data", "more"], 1)
    yield "a number instead of a string", change(["data", "path"], 1)
    yield "a string instead of a number", change(["info", "task", "uid"], "0")
    yield "true instead of a number", change(["info", "task", "uid"], True)
    yield "a number too large", change(["info", "task", "uid"], 1 << 32)
    yield "a number below zero", change(["info", "event", "batch"], -1)
    yield "another id", change(["info", "event", "id"], 1)
    yield "another name", change(["info", "event", "name"], "clone")
    yield "an unknown name", change(["info", "event", "name"], "nothing")
    yield "not a time", change(["info", "utc_time"], "2024-11-19T09:55:53Z")
    yield "not a uuid", change(["info", "task", "guuid"], "x")
    yield "not hexadecimal", change(["info", "task", "flags"], "0x00")
    yield "an optional key that says nothing", change(["data", "path_unverified"], False)
    yield "a list with a number", change(["data", "written_by"], [1])
    yield "a container that is a string", change(["info", "host", "container"], "docker")


def check_validator(schema, lines):
    event = next(e for e in map(json.loads, lines) if e["info"]["event"]["name"] == "write_close")
    yield from (f"passes: {what}" for what, twin in spoilt(event) if not list(invalid(twin, schema)))


def main():
    documented = json.loads(DOCUMENTED.read_text())
    schema = json.loads((TOP / "docs/events.schema.json").read_text())
    lines = EXPECTED.read_bytes().splitlines()
    checks = {
        "the keys that Kunai has are those it documents": check_documented(documented),
        "the golden lines have the documented keys": check_documented_lines(documented, lines),
        "the samples fit the JSON Schema and the shape": check_samples(schema),
        "the validator sees what is wrong": check_validator(schema, lines),
        "the golden lines fit the JSON Schema": check_schema(schema, lines),
        "the golden lines have the shape of Kunai's": check_shapes(lines),
        "every event has a golden line and a shape": check_all_are_there(schema, lines),
    }
    failed = 0
    for number, (name, check) in enumerate(checks.items(), 1):
        problems = list(check)
        failed += bool(problems)
        for problem in problems:
            print(f"# {problem}")
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    print(f"1..{len(checks)}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

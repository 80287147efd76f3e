"""Makes and reads containers of policies with Python's base64, json and lzma, and an `ar` reader of its own.

make SEED COUNT: prints one container a line, as hexadecimal, and what is inside as JSON.
read: for each line of standard input, a container as hexadecimal, prints what is inside as JSON.
"""

import base64
import json
import lzma
import random
import sys

MAGIC = b"!<arch>\n"


def make(rng):
    def document():
        leaf = {"ce_flags": "4", "ce_type": str(rng.randrange(12)), "ce_value": "é" * rng.randrange(40)}
        data = {"x" * rng.randrange(1, 9): leaf, "list": {"ce_array": "1", "ce_flags": "4", "ce_array_order": ""}}
        return json.dumps({"policy": {"format": "1", "data": data}}, ensure_ascii=rng.random() < 0.5)

    prefix = document()
    members = []
    data = prefix.encode()
    if rng.random() < 0.7:
        data += MAGIC
        for index in range(rng.randrange(4)):
            text = document() * (1 if rng.random() < 0.9 else 3)
            filters = {"id": lzma.FILTER_LZMA1, "dict_size": 1 << rng.randrange(12, 24), "lc": rng.randrange(4),
                       "lp": rng.randrange(2), "pb": rng.randrange(5)}
            body = lzma.compress(text.encode(), lzma.FORMAT_ALONE, filters=[filters])
            if rng.random() < 0.5:
                # liblzma never writes the size; other writers do. The end marker stays valid.
                body = body[:5] + len(text.encode()).to_bytes(8, "little") + body[13:]
            name = f"m{index}.lzma"
            data += f"{name + rng.choice(['', '/']):<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode()
            data += body + b"\n" * (len(body) % 2)
            members.append([name, text])
    layers = rng.randrange(6)
    for _ in range(layers):
        text = base64.b64encode(data)
        data = json.dumps(text.decode()).encode() if rng.random() < 0.4 else text
    return data, {"layers": layers, "json": prefix, "members": members}


def read(data):
    layers = 0
    while not data.lstrip().startswith(b"{"):
        text = data.strip()
        if text.startswith(b'"'):
            text = json.loads(text).encode()
        text = b"".join(text.split()).rstrip(b"=")
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
        layers += 1
    at = data.find(MAGIC)
    prefix = data if at < 0 else data[:at]
    members = []
    rest = b"" if at < 0 else data[at + len(MAGIC):]
    while rest:
        header, rest = rest[:60], rest[60:]
        assert header[58:] == b"`\n", header
        size = int(header[48:58])
        text = lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(rest[:size])
        members.append([header[:16].decode().rstrip().rstrip("/"), text.decode()])
        rest = rest[size + size % 2:]
    return {"layers": layers, "json": prefix.decode(), "members": members}


if sys.argv[1] == "make":
    generator = random.Random(int(sys.argv[2]))
    for _ in range(int(sys.argv[3])):
        container, inside = make(generator)
        print(container.hex(), json.dumps(inside))
else:
    for line in sys.stdin:
        print(json.dumps(read(bytes.fromhex(line))))

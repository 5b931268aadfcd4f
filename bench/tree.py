# SPDX-License-Identifier: GPL-3.0-or-later
"""The source tree of the workload mix, always the same: 17 C files and 60 small texts."""
import io
import tarfile

C_FILES = 16
FUNCTIONS = 30
TEXTS = 60
LINES = 20


def c_file(i):
    yield f"/* file {i} */"
    yield f"int f{i + 1}(int);"
    for j in range(FUNCTIONS):
        loop = f"for(k=0;k<a;k++){{s+=k*{j};if(s&{j + 1})s^={i};}}"
        yield f"static int h{i}_{j}(int a){{int s=0,k;{loop}return s;}}"
    yield f"int f{i}(int a){{int s=0;"
    for j in range(FUNCTIONS):
        yield f" s+=h{i}_{j}(a);"
    yield f" return s+f{i + 1}(a);}}" if i < C_FILES - 1 else " return s;}"


def text(i):
    for j in range(LINES):
        yield f"line {j} of doc {i}: the quick brown fox jumps over the lazy dog"


def files():
    for i in range(C_FILES):
        yield f"tree/src/f{i}.c", c_file(i)
    yield "tree/src/main.c", ["int f0(int); int main(void){return f0(10)==0x7fffffff;}"]
    for i in range(TEXTS):
        yield f"tree/doc/d{i}.txt", text(i)


def write_tree(path):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name in ("tree", "tree/doc", "tree/src"):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE
            entry.mode = 0o755
            tar.addfile(entry)
        for name, lines in sorted(files()):
            data = "".join(line + "\n" for line in lines).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(data))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of TAP."""


class Tap:
    def __init__(self):
        self.count = 0

    def ok(self, passed, name, note=""):
        self.count += 1
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}")
        if not passed and note:
            print("# " + str(note)[:2000].replace("\n", "\n# "))

    def equal(self, got, want, name):
        self.ok(got == want, name, f"got {got!r}, want {want!r}")

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}")

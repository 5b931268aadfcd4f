# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as the documentation has them, line by line as the figures come."""


def print_row(*cells):
    print(f"| {' | '.join(cells)} |", flush=True)


def print_head(*names):
    print_row(*names)
    print("|" + "---|" * len(names), flush=True)

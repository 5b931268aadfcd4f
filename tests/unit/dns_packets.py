#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS packets for the tests, put together here octet by octet so that they owe nothing to the parser under test.

    dns_packets.py > tests/unit/dns_packets.h
    dns_packets.py --corpus tests/fuzz/corpus/dns
"""
import struct
import sys
from pathlib import Path

A, NS, CNAME, SOA, PTR, HINFO, MX, TXT, AAAA, SRV, NAPTR, DS, RRSIG = 1, 2, 5, 6, 12, 13, 15, 16, 28, 33, 35, 43, 46
SVCB, HTTPS, CAA, OPT = 64, 65, 257, 41


def name(text):
    """Uncompressed; labels are separated by dots, bytes taken as they are."""
    labels = text.encode("latin-1").split(b".") if text else []
    return labels_of(*labels)


def labels_of(*labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def pointer(offset):
    return struct.pack(">H", 0xC000 | offset)


QUESTION_NAME = pointer(12)


def header(questions=1, answers=0, authority=0, additional=0, flags=0x8180, ident=0x1234):
    return struct.pack(">6H", ident, flags, questions, answers, authority, additional)


def question(owner, qtype=A, qclass=1):
    return owner + struct.pack(">2H", qtype, qclass)


def record(owner, rtype, data, ttl=300, rclass=1, size=None):
    return owner + struct.pack(">2HIH", rtype, rclass, ttl, len(data) if size is None else size) + data


def v4(text):
    return bytes(int(part) for part in text.split("."))


def v6(*groups):
    return struct.pack(">8H", *groups)


def simple(owner, *records, qtype=A, **head):
    """One question, and answers to it."""
    return header(answers=len(records), **head) + question(name(owner), qtype) + b"".join(records)


def chain(length, loop=False):
    """q.test -> c1.test -> ... -> c<length>.test, whose A ends it, or the first name again. The tails are compressed."""
    packet = header(answers=length + (not loop)) + question(name("q.test"))
    tail = pointer(12 + 2)
    owner = QUESTION_NAME
    for i in range(1, length + 1):
        target = QUESTION_NAME if loop and i == length else labels_of(b"c%d" % i)[:-1] + tail
        target_at = len(packet) + len(owner) + 10
        packet += record(owner, CNAME, target, ttl=60)
        owner = QUESTION_NAME if loop and i == length else pointer(target_at)
    return packet if loop else packet + record(owner, A, v4("192.0.2.7"), ttl=30)


def all_types():
    n = name("n.test")
    data = [
        (A, v4("198.51.100.4")),
        (AAAA, v6(0x2001, 0xDB8, 0, 0, 0, 0, 0, 0x2A)),
        (CNAME, n), (NS, n), (PTR, n), (3, n), (4, n), (7, n), (8, n), (9, n),
        (MX, struct.pack(">H", 10) + name("mx.test")),
        (SRV, struct.pack(">3H", 1, 2, 443) + name("srv.test")),
        (TXT, b"\x0dv=spf1; ~all\\\x03a=b\x01c"),
        (SOA, name("ns.test") + name("host.test") + struct.pack(">5I", 2024010101, 7200, 3600, 1209600, 4294967295)),
        (HINFO, b"\x03x86\x05Linux"),
        (CAA, b"\x80\x05issueca.test"),
        (SVCB, struct.pack(">H", 1) + name("svc.test") + b"\0\1\0\3\2h2"),
        (HTTPS, struct.pack(">H", 0) + b"\0"),
        (NAPTR, struct.pack(">2H", 100, 10) + b"\1S\7SIP+D2U\0" + name("sip.test")),
        (DS, struct.pack(">HBB", 60485, 5, 1) + b"\xde\xad\xbe\xef"),
        (RRSIG, struct.pack(">HBBIIIH", A, 8, 2, 3600, 1700000000, 1690000000, 1234) + n + b"\1\2\3\4\5"),
        (65534, b"\xff\xfe\xfd\xfc"),
        (10, b""),
    ]
    return simple("n.test", *(record(QUESTION_NAME, *row) for row in data), qtype=255)


def prefixed(packet, size=None):
    return struct.pack(">H", len(packet) if size is None else size) + packet


ADDRESS = record(QUESTION_NAME, A, v4("192.0.2.1"))
SINGLE = simple("example.com", ADDRESS)
OTHER = simple("other.test", record(QUESTION_NAME, A, v4("192.0.2.2")), ident=0x4321)
MULTI = simple("multi.test", *(record(QUESTION_NAME, A, bytes([192, 0, 2, i]), ttl=i) for i in range(1, 8)))
LONG_LABELS = [b"a" * 63, b"b" * 63, b"c" * 63]


def long_name(last):
    owner = labels_of(*LONG_LABELS, b"d" * last)
    return header(answers=1) + question(owner) + ADDRESS


PACKETS = {
    "single": SINGLE,
    "multi": MULTI,
    "aaaa": simple("six.test", record(QUESTION_NAME, AAAA, v6(0x2606, 0x4700, 0, 0, 0, 0, 0, 0x1111)), qtype=AAAA),
    "chain1": chain(1),
    "chain2": chain(2),
    "chain5": chain(5),
    "chain_loop": chain(3, loop=True),
    "cname_self": simple("self.test", record(QUESTION_NAME, CNAME, QUESTION_NAME)),
    "cname_dangling": simple("q.test", record(QUESTION_NAME, CNAME, name("gone.test"))),
    # The address comes before the alias that leads to it, and the alias has two targets.
    "shuffled": header(answers=4) + question(name("q.test"))
        + record(name("b.test"), A, v4("192.0.2.2")) + record(name("a.test"), A, v4("192.0.2.1"))
        + record(QUESTION_NAME, CNAME, name("a.test")) + record(QUESTION_NAME, CNAME, name("b.test")),
    # The question as a resolver with 0x20 encoding asks it, the answer spelt otherwise.
    "mixed_case": header(answers=2) + question(name("wWw.ExAmPlE.CoM"))
        + record(name("www.example.com"), CNAME, name("CDN.example.com"))
        + record(name("cdn.EXAMPLE.com"), A, v4("192.0.2.9")),
    "two_questions": header(questions=2, answers=2) + question(name("one.test")) + question(name("two.test"), AAAA)
        + record(name("two.test"), AAAA, v6(0x2001, 0xDB8, 0, 0, 1, 0, 0, 1)) + record(name("one.test"), A, v4("192.0.2.1")),
    "same_name_twice": header(questions=2, answers=1) + question(name("one.test")) + question(name("one.test"), 999) + ADDRESS,
    "no_question": header(questions=0, answers=1) + record(name("one.test"), A, v4("192.0.2.1")),
    "unmatched": simple("one.test", record(name("two.test"), A, v4("192.0.2.1")), ADDRESS),
    "root": header(answers=1) + question(b"\0", NS) + record(b"\0", NS, name("a.root-servers.net")),
    "other_class": simple("chaos.test", record(QUESTION_NAME, A, v4("192.0.2.1"), rclass=3)),
    "ttl_negative": simple("ttl.test", record(QUESTION_NAME, A, v4("192.0.2.1"), ttl=0x80000001)),
    "all_types": all_types(),
    "nxdomain": header(authority=1, flags=0x8183) + question(name("no.test"))
        + record(name("test"), SOA, name("a") + name("b") + bytes(20)),
    "query": header(flags=0x0120) + question(name("example.com")),
    "tc": simple("example.com", ADDRESS, flags=0x8380),
    "edns": header(answers=1, additional=1) + question(name("example.com")) + ADDRESS
        + record(b"\0", OPT, b"\0\x0c\0\x04\0\0\0\0", rclass=1232),
    "padded": SINGLE + bytes(100),
    "special_bytes": header(answers=1)
        + question(labels_of(b"a.b", b"c\\d", b"\0\x1f\x7f", b"\xc3\xa9", b'"x y"', b"ok")) + ADDRESS,
    "longest_name": long_name(61),
    "name_too_long": long_name(62),
    "label_too_long": header(answers=1) + question(b"\x40" + b"a" * 64 + b"\0") + ADDRESS,
    "pointer_self": header(answers=1) + question(pointer(12)) + ADDRESS,
    "pointer_mutual": header(answers=1) + question(name("x.test"))
        + record(pointer(12 + 12 + 2), A, v4("192.0.2.1")),
    "pointer_forward": simple("x.test", record(pointer(200), A, v4("192.0.2.1"))),
    # x.test, a record whose data holds pointers to pointers, and an owner that follows all of them.
    "pointer_chain": header(answers=3) + question(name("x.test"))
        + record(QUESTION_NAME, CNAME, QUESTION_NAME) + record(pointer(36), CNAME, pointer(36))
        + record(pointer(50), A, v4("192.0.2.1")),
    "bad_after_good": header(answers=2) + question(name("example.com")) + ADDRESS + record(b"\x80", A, v4("192.0.2.2")),
    "data_too_long": simple("example.com", ADDRESS, record(QUESTION_NAME, A, v4("192.0.2.2"), size=400)),
    "odd_data": simple("odd.test", record(QUESTION_NAME, A, b"\1\2\3"), record(QUESTION_NAME, A, b"\1\2\3\4\5"),
        record(QUESTION_NAME, AAAA, bytes(15)), record(QUESTION_NAME, TXT, b"\5abc"),
        record(QUESTION_NAME, CNAME, b"\5abc"), record(QUESTION_NAME, MX, b"\0"), record(QUESTION_NAME, A, v4("192.0.2.3"))),
    "counts_lie": header(questions=1, answers=65535, authority=65535, additional=65535) + question(name("example.com")) + ADDRESS,
    "questions_lie": header(questions=65535, answers=1) + question(name("example.com")) + ADDRESS,
    "tcp_one": prefixed(SINGLE),
    "tcp_two": prefixed(SINGLE) + prefixed(OTHER),
    "tcp_bare_then_one": SINGLE + prefixed(OTHER),
    "tcp_partial": prefixed(MULTI)[:-9],
    "tcp_query": prefixed(header(flags=0x0100) + question(name("example.com"))),
    "tcp_padded": prefixed(SINGLE + bytes(10)) + prefixed(OTHER),
    # Without its length, but the id is what the length would be.
    "tcp_id_is_length": struct.pack(">H", len(SINGLE) - 2) + SINGLE[2:],
}


def c_array(key, packet):
    rows = [packet[i:i + 20] for i in range(0, len(packet), 20)]
    body = "\n".join("\t" + " ".join(f"0x{octet:02x}," for octet in row) for row in rows)
    return f"static const uint8_t packet_{key}[] = {{\n{body}\n}};\n"


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--corpus":
        for key, packet in PACKETS.items():
            # The fuzz target takes the transport from the first octet.
            (Path(sys.argv[2]) / key).write_bytes(bytes([key.startswith("tcp")]) + packet)
        return
    print("/* SPDX-License-Identifier: GPL-3.0-or-later */")
    print("/* Made by dns_packets.py. */")
    print("/* clang-format off */")
    print("#include <stdint.h>\n")
    for key, packet in PACKETS.items():
        print(c_array(key, packet))
    print("#define DNS_PACKETS(X) \\\n" + " \\\n".join(f"\tX({key})" for key in PACKETS))


main()

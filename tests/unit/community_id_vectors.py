#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of vectors[] in test_community_id.c, computed from the public specification of Community ID v1."""
import base64
import hashlib
import ipaddress
import struct

ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
ANSWERS = {
    ICMP: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 10: 9, 9: 10, 17: 18, 18: 17},
    ICMPV6: {128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139,
             144: 145, 145: 144},
}

FLOWS = [
    # protocol, types, source, port, destination, port
    (UDP, False, "192.168.1.42", 4242, "8.8.8.8", 53),
    (UDP, False, "8.8.8.8", 53, "192.168.1.42", 4242),
    (UDP, False, "192.168.1.52", 54585, "8.8.8.8", 53),
    (TCP, False, "128.232.110.120", 34855, "66.35.250.204", 80),
    (TCP, False, "66.35.250.204", 80, "128.232.110.120", 34855),
    (TCP, False, "10.0.0.1", 2, "10.0.0.1", 1),
    (TCP, False, "10.0.0.1", 256, "10.0.0.1", 255),
    (TCP, False, "2001:db8::1", 40000, "2001:db8::2", 443),
    (TCP, False, "::ffff:10.0.0.2", 40000, "::ffff:10.0.0.1", 443),
    (SCTP, False, "192.168.170.8", 7, "192.168.170.56", 80),
    (ICMP, True, "192.168.0.89", 8, "192.168.0.1", 0),
    (ICMP, True, "192.168.0.1", 0, "192.168.0.89", 0),
    (ICMP, True, "192.168.0.89", 20, "192.168.0.1", 0),
    (ICMP, True, "192.168.0.1", 3, "192.168.0.89", 1),
    (ICMP, False, "192.168.0.89", 20, "192.168.0.1", 0),
    (ICMPV6, True, "fe80::200:86ff:fe05:80da", 135, "fe80::260:97ff:fe07:69ea", 0),
    (ICMPV6, True, "3ffe:507:0:1:260:97ff:fe07:69ea", 3, "3ffe:507:0:1:200:86ff:fe05:80da", 0),
    (46, False, "10.1.24.4", 46, "10.1.12.1", 0),
    (255, False, "10.1.12.1", 255, "10.1.24.4", 0),
]


def community_id(protocol, types, src, sport, dst, dport):
    ends = [(ipaddress.ip_address(src).packed, sport), (ipaddress.ip_address(dst).packed, dport)]
    one_way = False
    if types and protocol in ANSWERS:
        one_way = sport not in ANSWERS[protocol]
        ends[1] = (ends[1][0], ANSWERS[protocol].get(sport, dport))
    if not one_way:
        ends.sort()
    data = struct.pack(">H", 0) + ends[0][0] + ends[1][0] + bytes([protocol, 0])
    if protocol in (ICMP, TCP, UDP, ICMPV6, SCTP):
        data += struct.pack(">2H", ends[0][1], ends[1][1])
    return "1:" + base64.b64encode(hashlib.sha1(data).digest()).decode()


for row in FLOWS:
    protocol, types, src, sport, dst, dport = row
    print(f'\t{{{protocol}, {str(types).lower()}, "{src}", {sport}, "{dst}", {dport}, "{community_id(*row)}"}},')

# SPDX-License-Identifier: GPL-3.0-or-later
"""What dev bench compares with: measured once on Debian's 6.1 cloud kernel in the same VM, by the same
workloads, with default events plus write_close and file_create."""

# workload: (operations, us per operation without a sensor, best peer, other peers,
#            our targets: slowdown on tracepoints, on trampolines, sensor us per operation). A peer is "slowdown / sensor us
#            per operation".
WORKLOADS = {
    "exec": (200, 442, "1.083 / 275; 1.108 / 92", "1.107 / 140; 1.111 / 162; auditd 1.227 / 255", 1.06, 1.05, 60),
    "fork": (200, 263, "1.086 / 120; 1.090 / 78", "1.122 / 93", 1.05, 1.04, 25),
    "file": (500, 56.4, "1.152 / 144", "2.82 / 168; 2.98 / 370; auditd 6.5 / 907", 1.30, 1.20, 80),
    "open": (1000, None, "", "", None, None, None),
    "tcp": (200, 118, "1.094 / 166; 1.204 / 46", "1.137 / 110", 1.08, 1.06, 40),
    "udp": (300, 38.5, "1.159 / 89", "1.264 / 595", 1.15, 1.10, 40),
    "write": (50000, 0.491, "15.0; 15.0 (writes watched)", "1.49 (not watched); auditd 2.4", 1.80, 1.30, 0),
    "read": (50000, 0.624, "", "1.24; 1.39 (not watched); auditd 2.1", 1.65, 1.23, 0),
    "getppid": (100000, 0.339, "1.438; 1.710", "3.06 (all system calls); auditd 3.06", 1.40, 1.01, 0),
    "futex": (50000, 0.509, "1.287; 1.472", "auditd 2.4", 1.27, 1.01, 0),
    # One regular file: writes, and as many reads behind them.
    "rewrite": (20000, None, "", "", None, None, None),
    "reread": (20000, None, "", "", None, None, None),
    "cpu": (2000, None, "", "", None, None, None),
    # One operation of mix is 195 ms; the sensor's CPU is told in ms there.
    "mix": (1, 195000, "1.030 / 41 ms", "1.117 / 46 ms", 1.03, 1.02, 25000),
    # The same in the same sensor, which knows the files now: behind mix only.
    "mix_again": (1, 195000, "1.030 / 41 ms", "1.117 / 46 ms", 1.03, 1.02, 25000),
}

# Calls that are not watched cost nothing on trampolines: 1.01 is 1.00, within 1 %.
# A target of 0 us means less than this.
NOTHING_US = 0.05

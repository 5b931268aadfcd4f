/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The BPF objects that the build embeds. */
#ifndef KUNAI_PROBE_OBJECT_H
#define KUNAI_PROBE_OBJECT_H

#define EMBEDDED(name)      extern const unsigned char bpf_object_##name##_start[], bpf_object_##name##_end[]
#define EMBEDDED_SIZE(name) ((size_t)(bpf_object_##name##_end - bpf_object_##name##_start))

EMBEDDED(modern);
EMBEDDED(legacy);
EMBEDDED(harden_modern);
EMBEDDED(harden_legacy);

#endif

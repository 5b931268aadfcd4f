/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a kernel says what the sensor needs of it. */
#ifndef KUNAI_CMD_HOST_FACTS_H
#define KUNAI_CMD_HOST_FACTS_H

#define BTF_FILE "/sys/kernel/btf/vmlinux"

/* include/linux/proc_ns.h: PROC_PID_INIT_INO, the inode number of the first pid namespace */
#define HOST_PID_NAMESPACE 0xEFFFFFFCu

#endif
